/** Types of expressions (TiDB `pkg/types/field_type.go`, `pkg/parser/types/field_type.go`). */
import { evalKind, type FieldTypeInfo, Flag, Tp } from "../../schema/mod.ts";
import type { Kind } from "./value.ts";

export const UNSPECIFIED = -1;
export const MAX_INT_WIDTH = 20;
export const MAX_REAL_WIDTH = 23;
export const MAX_DECIMAL_WIDTH = 65;
export const MAX_DECIMAL_SCALE = 30;
export const MAX_BLOB_WIDTH = 16777216;
export const DEFAULT_CHARSET = "utf8mb4";
export const DEFAULT_COLLATION = "utf8mb4_bin";

/** A type with defaults: no length, binary character set and flag. */
export function fieldType(tp: number, change: Partial<FieldTypeInfo> = {}): FieldTypeInfo {
  return {
    Tp: tp,
    Flag: Flag.binary,
    Flen: UNSPECIFIED,
    Decimal: UNSPECIFIED,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
    ...change,
  };
}

export function kindOf(type: FieldTypeInfo): Kind {
  if ((type.Tp === Tp.enum || type.Tp === Tp.set) && (type.Flag & Flag.enumSetAsInt) !== 0) return "int";
  const kind = evalKind(type);
  if (kind === "datetime") return "time";
  // NULL as an expression has the type of a text.
  return kind === "null" ? "string" : kind;
}

/** The type that a function of that kind has unless it says otherwise. */
export function resultType(kind: Kind, charset: string, collate: string): FieldTypeInfo {
  switch (kind) {
    case "int":
      return fieldType(Tp.longlong, { Flen: MAX_INT_WIDTH, Decimal: 0 });
    case "real":
      return fieldType(Tp.double, { Flen: MAX_REAL_WIDTH });
    case "decimal":
      return fieldType(Tp.newdecimal, { Flen: 11, Decimal: 0 });
    case "string":
      return fieldType(Tp.varstring, { Flag: 0, Charset: charset, Collate: collate });
    case "time":
      return fieldType(Tp.datetime, { Flen: 26, Decimal: 6 });
    case "duration":
      return fieldType(Tp.duration, { Flen: 17, Decimal: 6 });
    case "json":
      return fieldType(Tp.json, { Flen: MAX_BLOB_WIDTH, Charset: DEFAULT_CHARSET, Collate: DEFAULT_COLLATION });
  }
}

export function hasFlag(type: FieldTypeInfo, flag: number): boolean {
  return (type.Flag & flag) !== 0;
}

export function isUnsigned(type: FieldTypeInfo): boolean {
  return (type.Flag & Flag.unsigned) !== 0;
}

/** ENUM, SET, BIT: values that are numbers and texts alike. */
export function isHybrid(type: FieldTypeInfo): boolean {
  return type.Tp === Tp.enum || type.Tp === Tp.set || type.Tp === Tp.bit;
}

/** DATE, DATETIME, TIMESTAMP. */
export function isTime(tp: number): boolean {
  return tp === Tp.date || tp === Tp.datetime || tp === Tp.timestamp;
}

export function isTemporal(tp: number): boolean {
  return isTime(tp) || tp === Tp.duration;
}

export function isInteger(tp: number): boolean {
  return (tp >= Tp.tiny && tp <= Tp.long) || tp === Tp.longlong || tp === Tp.int24 || tp === Tp.year;
}

function isCharLike(tp: number): boolean {
  return tp === Tp.string || tp === Tp.varchar || tp === Tp.varstring || isBlob(tp);
}

export function isBlob(tp: number): boolean {
  return tp >= Tp.tinyblob && tp <= Tp.blob;
}

export function isBinaryString(type: FieldTypeInfo): boolean {
  return type.Collate === "binary" && isCharLike(type.Tp);
}

export function isTextString(type: FieldTypeInfo): boolean {
  return type.Collate !== "binary" && isCharLike(type.Tp);
}

export function isStringType(tp: number): boolean {
  return isCharLike(tp);
}

/** Kinds that compare as strings among each other. */
export function isStringKind(kind: Kind): boolean {
  return kind === "string" || kind === "time" || kind === "duration" || kind === "json";
}

/** TiDB's `SetFlenUnderLimit`, `SetDecimalUnderLimit`: only DECIMAL has limits. */
export function limitFlen(type: FieldTypeInfo, flen: number): number {
  return type.Tp === Tp.newdecimal ? Math.min(flen, MAX_DECIMAL_WIDTH) : flen;
}

export function limitScale(type: FieldTypeInfo, scale: number): number {
  return type.Tp === Tp.newdecimal ? Math.min(scale, MAX_DECIMAL_SCALE) : scale;
}

export function sameType(a: FieldTypeInfo, b: FieldTypeInfo): boolean {
  return (
    a.Tp === b.Tp &&
    a.Decimal === b.Decimal &&
    a.Charset === b.Charset &&
    a.Collate === b.Collate &&
    a.Flen === b.Flen &&
    hasFlag(a, Flag.unsigned) === hasFlag(b, Flag.unsigned)
  );
}
