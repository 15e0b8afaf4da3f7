/** What a cast starts from, and its texts. */
import type { Datum } from "../../codec/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import { Flag, Tp } from "../../schema/mod.ts";

/** A hex or bit literal: bytes that count as a number or as a binary string, whichever the target wants. */
export interface LiteralSource {
  readonly kind: "literal";
  readonly value: Uint8Array;
}

export type CastSource = Datum | LiteralSource;

/** Names of types in messages (TiDB `TypeStr`, `KindStr`). */
const TYPE_NAMES: Record<number, string> = {
  [Tp.tiny]: "tinyint",
  [Tp.short]: "smallint",
  [Tp.long]: "int",
  [Tp.float]: "float",
  [Tp.double]: "double",
  [Tp.null]: "null",
  [Tp.timestamp]: "timestamp",
  [Tp.longlong]: "bigint",
  [Tp.int24]: "mediumint",
  [Tp.date]: "date",
  [Tp.duration]: "time",
  [Tp.datetime]: "datetime",
  [Tp.year]: "year",
  [Tp.varchar]: "varchar",
  [Tp.bit]: "bit",
  [Tp.vector]: "vector",
  [Tp.json]: "json",
  [Tp.newdecimal]: "decimal",
  [Tp.enum]: "enum",
  [Tp.set]: "set",
  [Tp.tinyblob]: "tinyblob",
  [Tp.mediumblob]: "mediumblob",
  [Tp.longblob]: "longblob",
  [Tp.blob]: "blob",
  [Tp.varstring]: "var_string",
  [Tp.string]: "char",
};

export function typeName(tp: number): string {
  return TYPE_NAMES[tp] ?? "unspecified";
}

const KIND_NAMES: Record<CastSource["kind"], string> = {
  null: "null",
  int: "bigint",
  uint: "unsigned bigint",
  float: "double",
  decimal: "decimal",
  bytes: "char",
  time: "datetime",
  duration: "time",
  enum: "enum",
  set: "set",
  bit: "bit",
  json: "json",
  vector: "vector",
  literal: "bit/hex literal",
};

export function kindName(kind: CastSource["kind"]): string {
  return KIND_NAMES[kind];
}

/** `decimal(10,2)`: a type as TiDB's `CompactStr` writes it. */
export function compactType(type: FieldTypeInfo): string {
  const name = typeName(type.Tp);
  if (type.Flen < 0) return name;
  if (type.Tp === Tp.newdecimal || ((type.Tp === Tp.float || type.Tp === Tp.double) && type.Decimal >= 0)) {
    return `${name}(${type.Flen},${Math.max(type.Decimal, 0)})`;
  }
  return `${name}(${type.Flen})`;
}

export function isUnsigned(type: FieldTypeInfo): boolean {
  return (type.Flag & Flag.unsigned) !== 0;
}

/** CHAR or VARCHAR. */
export function isCharType(tp: number): boolean {
  return tp === Tp.string || tp === Tp.varchar;
}

/** TEXT and BLOB of all sizes. */
export function isBlobType(tp: number): boolean {
  return tp >= Tp.tinyblob && tp <= Tp.blob;
}

export function isStringType(tp: number): boolean {
  return isCharType(tp) || isBlobType(tp) || tp === Tp.varstring;
}

/** DATE, DATETIME or TIMESTAMP. */
export function isTimeType(tp: number): boolean {
  return tp === Tp.date || tp === Tp.datetime || tp === Tp.timestamp;
}

/** BINARY, VARBINARY and BLOB. */
export function isBinaryString(type: FieldTypeInfo): boolean {
  return type.Collate === "binary" && isStringType(type.Tp);
}

/** Fractional digits of a time type, 0..6. */
export function fspOf(type: FieldTypeInfo): number {
  return type.Decimal < 0 ? 0 : Math.min(type.Decimal, 6);
}

/** Bytes of a big-endian number as an integer; null if they are more than 64 bits. */
export function bytesToUint(bytes: Uint8Array): bigint | null {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  if (bytes.length - at > 8) return null;
  let value = 0n;
  for (; at < bytes.length; at++) value = value * 256n + BigInt(bytes[at]!);
  return value;
}

/** Name of an ENUM value, "" for the error value. */
export function enumName(index: bigint, type: FieldTypeInfo | undefined): string {
  return index === 0n ? "" : (type?.Elems?.[Number(index) - 1] ?? "");
}

/** Names of a SET value, joined by commas. */
export function setName(mask: bigint, type: FieldTypeInfo | undefined): string {
  const elems = type?.Elems ?? [];
  return elems.filter((_, i) => (mask >> BigInt(i)) & 1n).join(",");
}

/** Bytes of a BIT value in a column of that many bits. */
export function bitBytes(value: bigint, bits: number): Uint8Array {
  const size = Math.max(1, (bits + 7) >> 3);
  const out = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return out;
}
