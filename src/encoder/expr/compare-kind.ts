/** As what two values are compared (TiDB `pkg/expression/builtin_compare.go`, GetAccurateCmpType, refineArgs). */
import { textOf } from "../../base/mod.ts";
import { Flag, Tp } from "../../schema/mod.ts";
import { castTo } from "./cast.ts";
import type { ExprContext } from "./context.ts";
import { fieldType, hasFlag, isHybrid, isStringKind, isTemporal, isTime } from "./field-types.ts";
import { intConst, isNullType } from "./leaf.ts";
import { isConst, type Node } from "./node.ts";
import type { Kind } from "./value.ts";

const isIntLike = (node: Node): boolean => node.kind === "int" || isHybrid(node.type);

function baseKind(a: Node, b: Node): Kind {
  if (isStringKind(a.kind) && isStringKind(b.kind)) return "string";
  if (isIntLike(a) && isIntLike(b)) return "int";
  const decimalAndText = (a.kind === "decimal" && b.kind === "string") || (a.kind === "string" && b.kind === "decimal");
  if (decimalAndText && !isHybrid(a.type) && !isHybrid(b.type)) return "real";
  const exact = (node: Node): boolean => isIntLike(node) || node.kind === "decimal";
  if (exact(a) && exact(b)) return "decimal";
  const yearAndTime = (x: Node, y: Node): boolean => isTime(x.type.Tp) && y.type.Tp === Tp.year;
  return yearAndTime(a, b) || yearAndTime(b, a) ? "time" : "real";
}

const isTemporalColumn = (node: Node): boolean => node.shape === "column" && isTemporal(node.type.Tp);

export function compareKind(a: Node, b: Node): Kind {
  const kind = baseKind(a, b);
  if (a.kind === "json" || b.kind === "json") return "json";
  if (kind === "string" && (isTime(a.type.Tp) || isTime(b.type.Tp))) return "time";
  if (a.kind === "duration" && b.kind === "duration") return "duration";
  if (kind !== "real" && kind !== "string") return kind;
  const exact = (x: Node, y: Node): boolean =>
    x.kind === "decimal" && !isConst(x) && isStringKind(y.kind) && isConst(y);
  if (exact(a, b) || exact(b, a)) return "decimal";
  const column = isTemporalColumn(a) && isConst(b) ? a : isTemporalColumn(b) && isConst(a) ? b : undefined;
  return column?.kind === "duration" ? "duration" : kind;
}

/** As what BETWEEN compares its three values. */
export function betweenKind(args: readonly Node[]): Kind {
  const [value] = args as [Node];
  const kinds = args.map((arg) => arg.kind);
  if (args.every((arg) => arg.kind === "int" || arg.binaryLiteral === true)) return "int";
  let kind: Kind = kinds[0]!;
  for (const other of kinds.slice(1)) kind = mergeKinds(kind, other);
  if (kind !== "string") return kind;
  if (value.type.Tp === Tp.duration) return "duration";
  return args.some((arg) => isTemporal(arg.type.Tp)) ? "time" : "string";
}

function mergeKinds(a: Kind, b: Kind): Kind {
  if (isStringKind(a) && isStringKind(b)) return "string";
  if (a === "int" && b === "int") return "int";
  const exact = (kind: Kind): boolean => kind === "int" || kind === "decimal";
  return exact(a) && exact(b) ? "decimal" : "real";
}

/** 12 means 2012 beside a YEAR; undefined for what is no year. */
function yearConst(value: bigint): Node | undefined {
  if (value < 0n || value > 2155n) return undefined;
  if (value === 0n) return intConst(0n);
  if (value < 70n) return intConst(value + 2000n);
  if (value < 100n) return intConst(value + 1900n);
  return value < 1901n ? undefined : intConst(value);
}

/** The constant as the other side sees it, where that keeps digits or gives another meaning. */
function refineOne(ctx: ExprContext, constant: Node, other: Node): Node {
  if (!isConst(constant) || isConst(other) || isNullType(constant)) return constant;
  const { Tp: tp } = other.type;
  if ((tp === Tp.datetime || tp === Tp.timestamp) && ["int", "real", "decimal"].includes(constant.kind)) {
    const made = ctx.fold(() => castTo(ctx, constant, fieldType(Tp.datetime, { Flen: 19, Decimal: 0 })).eval([]));
    if (made === undefined || made.value === null) return constant;
    return castTo(ctx, constant, fieldType(Tp.datetime, { Flen: 19, Decimal: 0 }));
  }
  if (other.kind !== "int") return constant;
  const value = constant.eval([]);
  if (tp === Tp.year && constant.kind === "int" && typeof value === "bigint") return yearConst(value) ?? constant;
  if (constant.kind !== "string" || constant.binaryLiteral === true || !(value instanceof Uint8Array)) return constant;
  const text = textOf(value).trim();
  if (!/^[+-]?[0-9]+$/.test(text)) return constant;
  const number = BigInt(text.replace(/^\+/, ""));
  if (tp === Tp.year) return yearConst(number) ?? constant;
  const unsigned = hasFlag(other.type, Flag.unsigned);
  const fits = unsigned ? number >= 0n && number < 1n << 64n : number >= -(1n << 63n) && number < 1n << 63n;
  return fits ? intConst(number, unsigned ? { Flag: Flag.binary | Flag.unsigned } : {}) : constant;
}

export function refine(ctx: ExprContext, a: Node, b: Node): [Node, Node] {
  return [refineOne(ctx, a, b), refineOne(ctx, b, a)];
}
