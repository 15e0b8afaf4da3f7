/** Values known at compile time, and calls that may become such. */
import { textOf } from "../../base/mod.ts";
import { decimalText, durationText, jsonText } from "../../codec/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import { timeText } from "./cast-text.ts";
import type { ExprContext } from "./context.ts";
import { Coercibility, type Node, type NodeOf, Repertoire } from "./node.ts";
import type { Dec, Eval, Kind, Time, ValueOf } from "./value.ts";

/** A value as messages quote it. */
export function valueText<K extends Kind>(kind: K, value: ValueOf[K] | null): string {
  if (value === null) return "NULL";
  switch (kind) {
    case "string":
      return textOf(value as Uint8Array);
    case "decimal":
      return decimalText(value as Dec);
    case "time":
      return timeText(value as Time);
    case "duration": {
      const { nanos, fsp } = value as ValueOf["duration"];
      return durationText(nanos, fsp);
    }
    case "json":
      return jsonText(value as Uint8Array);
    default:
      return String(value);
  }
}

export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

/** A constant; the strength of its collation is that of a literal. */
export function constNode<K extends Kind>(
  kind: K,
  type: FieldTypeInfo,
  value: ValueOf[K] | null,
  more: Partial<NodeOf<K>> = {},
): Node {
  const coercibility =
    value === null ? Coercibility.ignorable : kind === "string" ? Coercibility.coercible : Coercibility.numeric;
  const repertoire = kind === "string" && value !== null && !isAscii(value as Uint8Array) ? Repertoire.unicode : 1;
  const node: NodeOf<K> = {
    kind,
    type,
    eval: () => value,
    shape: "const",
    name: "",
    args: [],
    coercibility,
    repertoire,
    text: () => valueText(kind, value),
    ...more,
  };
  return node as unknown as Node;
}

export interface CallParts<K extends Kind> {
  readonly name: string;
  readonly kind: K;
  readonly type: FieldTypeInfo;
  readonly args: readonly Node[];
  readonly eval: Eval<ValueOf[K]>;
  readonly coercibility: number;
  readonly repertoire: number;
  readonly asInt?: Eval<bigint>;
  readonly volatile?: boolean;
}

/** A call; of constants a constant, unless computing it fails. */
export function callNode<K extends Kind>(ctx: ExprContext, parts: CallParts<K>): Node {
  const { name, kind, type, args, coercibility, repertoire } = parts;
  const volatile = parts.volatile === true || args.some((arg) => arg.volatile === true);
  if (!volatile && parts.asInt === undefined && args.every((arg) => arg.shape === "const")) {
    const folded = ctx.fold(() => parts.eval([]));
    if (folded !== undefined) return constNode(kind, type, folded.value, { coercibility, repertoire });
  }
  const text = (): string => `${name}(${args.map((arg) => arg.text()).join(", ")})`;
  return { ...parts, shape: "call", text, volatile } as unknown as Node;
}
