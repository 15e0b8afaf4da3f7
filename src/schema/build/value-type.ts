import { type FieldTypeInfo, Flag, Tp } from "../table-info.ts";

export const MAX_BLOB_WIDTH = 16777216;

/** Kind of value that a type is evaluated as (`types.EvalType`). */
export type EvalKind = "int" | "real" | "decimal" | "string" | "datetime" | "duration" | "json" | "null";

export function evalKind(type: FieldTypeInfo): EvalKind {
  switch (type.Tp) {
    case Tp.tiny:
    case Tp.short:
    case Tp.int24:
    case Tp.long:
    case Tp.longlong:
    case Tp.year:
    case Tp.bit:
      return "int";
    case Tp.float:
    case Tp.double:
      return "real";
    case Tp.newdecimal:
      return "decimal";
    case Tp.date:
    case Tp.datetime:
    case Tp.timestamp:
      return "datetime";
    case Tp.duration:
      return "duration";
    case Tp.json:
      return "json";
    case Tp.null:
      return "null";
    default:
      return "string";
  }
}

export function field(tp: number, flen: number, decimal: number, flag: number = Flag.binary): FieldTypeInfo {
  return {
    Tp: tp,
    Flag: flag,
    Flen: flen,
    Decimal: decimal,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
    ElemsIsBinaryLit: null,
    Array: false,
  };
}

/** Result types as TiDB's functions begin with (`newBaseBuiltinFuncWithTp`). */
export const intType = (flen = 20, unsigned = false): FieldTypeInfo =>
  field(Tp.longlong, flen, 0, Flag.binary | (unsigned ? Flag.unsigned : 0));
export const realType = (flen = 23, decimal = -1): FieldTypeInfo => field(Tp.double, flen, decimal);
export const decimalType = (flen: number, decimal: number): FieldTypeInfo =>
  field(Tp.newdecimal, Math.min(65, flen), Math.min(30, decimal));
export const dateType = (): FieldTypeInfo => field(Tp.date, 10, 0);
export const datetimeType = (fsp: number): FieldTypeInfo => field(Tp.datetime, 19 + (fsp > 0 ? fsp + 1 : 0), fsp);
export const durationType = (fsp: number): FieldTypeInfo => field(Tp.duration, 10 + (fsp > 0 ? fsp + 1 : 0), fsp);
export const jsonType = (): FieldTypeInfo => field(Tp.json, MAX_BLOB_WIDTH, 0);

/** A VARCHAR-like result; `from`: the types whose character set and collation it takes over. */
export function stringType(flen: number, from: readonly FieldTypeInfo[]): FieldTypeInfo {
  const type = field(Tp.varstring, Math.min(flen, MAX_BLOB_WIDTH), -1, 0);
  const { Charset, Collate } = combineCollations(from);
  type.Charset = Charset;
  type.Collate = Collate;
  if (Charset === "binary") type.Flag |= Flag.binary;
  return type;
}

/** Columns rule over literals and numbers; binary over all; of two collations of one character set the `_bin` one. */
function combineCollations(types: readonly FieldTypeInfo[]): { Charset: string; Collate: string } {
  const strings = types.filter((type) => evalKind(type) === "string");
  const ruling = strings.some((type) => !LITERALS.has(type)) ? strings.filter((type) => !LITERALS.has(type)) : strings;
  const [first, ...rest] = ruling;
  if (!first) return { Charset: "utf8mb4", Collate: "utf8mb4_bin" };
  let { Charset, Collate } = first;
  for (const type of rest) {
    if (type.Collate === Collate) continue;
    if (type.Charset === "binary" || Charset === "binary") [Charset, Collate] = ["binary", "binary"];
    else if (type.Charset === Charset) Collate = `${Charset}_bin`;
    else if (Charset !== "utf8mb4") ({ Charset, Collate } = type);
  }
  return { Charset, Collate };
}

/** Types of string literals, whose collation gives way. */
export const LITERALS = new WeakSet<FieldTypeInfo>();

/** Length of an argument that is turned into a string (`WrapWithCastAsString`). */
export function lengthAsString(type: FieldTypeInfo): number {
  switch (evalKind(type)) {
    case "int":
      return type.Tp === Tp.bit ? (type.Flen + 7) >> 3 : 20;
    case "real":
      return type.Tp === Tp.float ? 87 : 370;
    case "decimal":
      return type.Flen + 3;
    default:
      return type.Flen;
  }
}
