/** Types of IF, IFNULL, CASE and COALESCE (TiDB `pkg/expression/builtin_control.go`, InferType4ControlFuncs). */
import { type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import { deriveFrom } from "./collation.ts";
import {
  DEFAULT_CHARSET,
  DEFAULT_COLLATION,
  hasFlag,
  isBinaryString,
  isStringKind,
  isTextString,
  isUnsigned,
  kindOf,
  limitFlen,
  limitScale,
  MAX_REAL_WIDTH,
} from "./field-types.ts";
import { aggregateKind, aggregateType } from "./merge-type.ts";
import type { Node } from "./node.ts";
import type { Kind } from "./value.ts";

const longest = (a: number, b: number): number => (a < 0 || b < 0 ? MAX_REAL_WIDTH : Math.max(a, b));

function setLength(kind: Kind, result: FieldTypeInfo, types: readonly FieldTypeInfo[]): void {
  if (kind === "decimal" || kind === "int") {
    let whole = 0;
    for (const type of types) {
      const sign = isUnsigned(type) ? 0 : 1;
      whole = longest(whole, type.Flen - sign - Math.max(type.Decimal, 0));
    }
    result.Flen = limitFlen(result, whole + result.Decimal + 1);
    return;
  }
  if (kind === "string" && types.some((type) => type.Flen < 0)) {
    result.Flen = -1;
    return;
  }
  result.Flen = types.reduce((flen, type) => longest(type.Flen, flen), 0);
}

function setScale(kind: Kind, result: FieldTypeInfo, types: readonly FieldTypeInfo[]): void {
  if (kind === "int") result.Decimal = 0;
  else if (types.some((type) => type.Decimal < 0)) result.Decimal = -1;
  else result.Decimal = limitScale(result, Math.max(...types.map((type) => type.Decimal)));
}

function setBinary(result: FieldTypeInfo): void {
  result.Charset = "binary";
  result.Collate = "binary";
  result.Flag |= Flag.binary;
}

function setCollation(name: string, kind: Kind, result: FieldTypeInfo, nodes: readonly Node[]): void {
  const types = nodes.map((node) => node.type);
  const texts = types.filter(isTextString);
  const anyBinary = types.some(isBinaryString);
  if (name === "case" || (!anyBinary && texts.length > 0)) {
    const derived = deriveFrom(name, kind, nodes);
    result.Charset = derived.charset;
    result.Collate = derived.collate;
    if (name !== "case") result.Flag = 0;
    const notText = types.some((type) => !isTextString(type));
    if (notText || types.some((type) => hasFlag(type, Flag.binary))) result.Flag |= Flag.binary;
  } else if (anyBinary || !isStringKind(kind)) setBinary(result);
  else {
    result.Charset = DEFAULT_CHARSET;
    result.Collate = DEFAULT_COLLATION;
    result.Flag = 0;
  }
}

/** The type that the values have in common as results of that function. */
export function controlType(name: string, nodes: readonly Node[]): FieldTypeInfo {
  const known = nodes.filter((node) => node.type.Tp !== Tp.null);
  if (known.length === 0) return { ...nodes[0]!.type, Flag: Flag.binary };
  const types = known.map((node) => node.type);
  let result: FieldTypeInfo = { ...types[0]! };
  if (known.length > 1) {
    result = aggregateType(types);
    const { kind, flag } = aggregateKind(types);
    result.Flag = flag;
    setScale(kind, result, types);
    setCollation(name, kind, result, nodes);
    setLength(kind, result, types);
  }
  if (known.length < nodes.length) result.Flag &= ~Flag.notNull;
  const kind = kindOf(result);
  if (kind === "int") result.Decimal = 0;
  else if (kind === "string") result.Decimal = -1;
  if (result.Tp === Tp.enum || result.Tp === Tp.set) result.Tp = kind === "int" ? Tp.longlong : Tp.varchar;
  if (result.Tp === Tp.datetime) result.Flen = 19 + (result.Decimal > 0 ? result.Decimal + 1 : 0);
  return result;
}
