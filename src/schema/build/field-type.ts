import { utf8 } from "../../base/mod.ts";
import type { ColumnDef, DataType } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";
import { isStrict } from "../sql/sql-mode.ts";
import { type FieldTypeInfo, Flag, Tp } from "../table-info.ts";
import { goUtf8 } from "./bytes-text.ts";
import { binCollation, charsetMaxLength, charsetOfCollation, defaultCollation, resolveCharset } from "./charset.ts";
import type { DdlSession } from "./session.ts";

interface TypeFacts {
  tp: number;
  flen: number;
  decimal: number;
}

/** Type code and the display length and scale of a type that names none (`pkg/parser/mysql/util.go`). */
const FACTS: Record<DataType["name"], TypeFacts> = {
  tinyint: { tp: Tp.tiny, flen: 4, decimal: 0 },
  smallint: { tp: Tp.short, flen: 6, decimal: 0 },
  mediumint: { tp: Tp.int24, flen: 9, decimal: 0 },
  int: { tp: Tp.long, flen: 11, decimal: 0 },
  bigint: { tp: Tp.longlong, flen: 20, decimal: 0 },
  float: { tp: Tp.float, flen: 12, decimal: -1 },
  double: { tp: Tp.double, flen: 22, decimal: -1 },
  decimal: { tp: Tp.newdecimal, flen: 10, decimal: 0 },
  bit: { tp: Tp.bit, flen: 1, decimal: 0 },
  char: { tp: Tp.string, flen: 1, decimal: 0 },
  varchar: { tp: Tp.varchar, flen: 5, decimal: 0 },
  binary: { tp: Tp.string, flen: 1, decimal: 0 },
  varbinary: { tp: Tp.varchar, flen: 5, decimal: 0 },
  tinyblob: { tp: Tp.tinyblob, flen: 255, decimal: 0 },
  blob: { tp: Tp.blob, flen: 65535, decimal: 0 },
  mediumblob: { tp: Tp.mediumblob, flen: 16777215, decimal: 0 },
  longblob: { tp: Tp.longblob, flen: 4294967295, decimal: 0 },
  tinytext: { tp: Tp.tinyblob, flen: 255, decimal: 0 },
  text: { tp: Tp.blob, flen: 65535, decimal: 0 },
  mediumtext: { tp: Tp.mediumblob, flen: 16777215, decimal: 0 },
  longtext: { tp: Tp.longblob, flen: 4294967295, decimal: 0 },
  enum: { tp: Tp.enum, flen: -1, decimal: 0 },
  set: { tp: Tp.set, flen: -1, decimal: 0 },
  json: { tp: Tp.json, flen: 4294967295, decimal: 0 },
  vector: { tp: Tp.vector, flen: -1, decimal: 0 },
  date: { tp: Tp.date, flen: 10, decimal: 0 },
  datetime: { tp: Tp.datetime, flen: 19, decimal: 0 },
  timestamp: { tp: Tp.timestamp, flen: 19, decimal: 0 },
  time: { tp: Tp.duration, flen: 10, decimal: 0 },
  year: { tp: Tp.year, flen: 4, decimal: 0 },
};

const isInteger = (name: DataType["name"]): boolean => name.endsWith("int");
const isBytes = (name: DataType["name"]): boolean => name.endsWith("blob") || name.endsWith("binary");
const isFraction = (name: DataType["name"]): boolean => name === "datetime" || name === "timestamp" || name === "time";

/** Types whose values have a character set. */
export function needsCharset(tp: number): boolean {
  return isStringType(tp) || tp === Tp.enum || tp === Tp.set;
}

/** CHAR, VARCHAR, BLOB and TEXT types. */
export function isStringType(tp: number): boolean {
  return tp === Tp.string || tp === Tp.varchar || tp === Tp.varstring || isBlobType(tp);
}

export function isBlobType(tp: number): boolean {
  return tp >= Tp.tinyblob && tp <= Tp.blob;
}

export function isIntegerType(tp: number): boolean {
  return tp === Tp.tiny || tp === Tp.short || tp === Tp.int24 || tp === Tp.long || tp === Tp.longlong;
}

/**
 * FieldType of a column definition as `pkg/ddl` makes it: lengths filled in, character set resolved, flags of the type but not
 * those of options and keys. Throws TiDB's errors for lengths and character sets that cannot be.
 */
export function buildFieldType(
  def: ColumnDef,
  table: { charset: string; collate: string },
  session: DdlSession,
): FieldTypeInfo {
  const { type } = def;
  const facts = FACTS[type.name];
  const field: FieldTypeInfo = {
    Tp: facts.tp,
    Flag: (type.unsigned ? Flag.unsigned : 0) | (type.zerofill ? Flag.zerofill : 0),
    Flen: type.length ?? facts.flen,
    Decimal: type.decimals ?? facts.decimal,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
    ElemsIsBinaryLit: null,
    Array: false,
  };
  if (isInteger(type.name) && type.unsigned && type.length === undefined && type.name !== "bigint") field.Flen--;
  if (isFraction(type.name) && field.Decimal > 0) field.Flen += 1 + field.Decimal;
  if (type.name === "year" && type.length !== undefined && type.length !== 4) {
    throw ddlError(1818, "Supports only YEAR or YEAR(4) column");
  }
  if (type.name === "bit" && type.length === 0) field.Flen = 1;
  const choice = columnCharset(def, table, session);
  if (needsCharset(field.Tp)) {
    field.Charset = choice.charset;
    field.Collate = choice.collate;
  }
  if (type.elems) setElems(field, type);
  adjustLength(def, field, type, session);
  setTypeFlags(field);
  checkLengths(def.name, field);
  return field;
}

function columnCharset(
  def: ColumnDef,
  table: { charset: string; collate: string },
  session: DdlSession,
): { charset: string; collate: string } {
  const { type } = def;
  if (isBytes(type.name)) return { charset: "binary", collate: "binary" };
  let charset = type.charset;
  let collate: string | undefined;
  for (const option of def.options) {
    if (option.kind !== "collate") continue;
    const of = charsetOfCollation(option.collation, session);
    if (charset === undefined) charset = of;
    else if (charset !== of) {
      throw ddlError(1253, `COLLATION '${option.collation}' is not valid for CHARACTER SET '${charset}'`);
    }
    collate = option.collation;
  }
  const own = { ...(charset !== undefined && { charset }), ...(collate !== undefined && { collate }) };
  const resolved = resolveCharset([own, table], session);
  // CHAR(10) BINARY: TiDB takes the default collation of the character set, which is its _bin.
  if (type.binary && !(type.charset !== undefined && collate !== undefined)) {
    const bin = resolved.charset === "utf8mb4" ? defaultCollation("utf8mb4", session) : binCollation(resolved.charset);
    return { charset: resolved.charset, collate: bin };
  }
  return resolved;
}

/** Trailing spaces go; lengths count bytes, as in TiDB's parser. */
function setElems(field: FieldTypeInfo, type: DataType): void {
  const elems = type.elems!.map(({ text, bytes }) => (bytes ? goUtf8(bytes) : text.replace(/ +$/, "")));
  field.Elems = elems;
  const sizes = elems.map((elem) => utf8(elem).length);
  field.Flen =
    type.name === "enum" ? Math.max(-1, ...sizes) : sizes.reduce((sum, size) => sum + size, 0) + sizes.length - 1;
  if (type.name === "set" && elems.length > 64) throw ddlError(1097, "Too many strings for column and SET");
}

const BLOB_SIZES: [number, number][] = [
  [255, Tp.tinyblob],
  [65535, Tp.blob],
  [16777215, Tp.mediumblob],
  [4294967295, Tp.longblob],
];

/** BLOB(n) and TEXT(n) become the smallest type that holds n; a VARCHAR too long becomes TEXT outside strict mode. */
function adjustLength(def: ColumnDef, field: FieldTypeInfo, type: DataType, session: DdlSession): void {
  const bytes = field.Flen * charsetMaxLength(field.Charset);
  const tooLong = field.Tp === Tp.varchar && field.Flen > varcharLimit(field.Charset);
  if (tooLong && isStrict(session.sqlMode)) {
    const limit = varcharLimit(field.Charset);
    throw ddlError(1074, `Column length too big for column '${def.name}' (max = ${limit}); use BLOB or TEXT instead`);
  }
  if (!tooLong && !(field.Tp === Tp.blob && type.length !== undefined)) return;
  const fit = BLOB_SIZES.find(([size]) => bytes <= size);
  if (!fit) throw ddlError(1439, `Display width out of range for column '${def.name}' (max = 4294967295)`);
  [field.Flen, field.Tp] = fit;
}

function varcharLimit(charset: string): number {
  return Math.floor(65535 / charsetMaxLength(charset));
}

/** BINARY for binary strings and all temporal types, UNSIGNED and ZEROFILL where the type implies them. */
export function setTypeFlags(field: FieldTypeInfo): void {
  const stringKind =
    needsCharset(field.Tp) ||
    field.Tp === Tp.json ||
    field.Tp === Tp.vector ||
    field.Tp === Tp.date ||
    field.Tp === Tp.datetime ||
    field.Tp === Tp.timestamp ||
    field.Tp === Tp.duration;
  if (stringKind) {
    if (field.Charset === "binary") field.Flag |= Flag.binary;
    else field.Flag &= ~Flag.binary;
  }
  if (field.Tp === Tp.bit) field.Flag |= Flag.unsigned;
  if (field.Tp === Tp.year) field.Flag |= Flag.zerofill | Flag.unsigned;
  if (field.Flag & Flag.zerofill) field.Flag |= Flag.unsigned;
}

function checkLengths(name: string, field: FieldTypeInfo): void {
  const { Tp: tp, Flen: flen, Decimal: decimal } = field;
  if (tp === Tp.string && flen > 255) {
    throw ddlError(1074, `Column length too big for column '${name}' (max = 255); use BLOB or TEXT instead`);
  }
  if (tp === Tp.bit && flen > 64) throw ddlError(1439, `Display width out of range for column '${name}' (max = 64)`);
  if (tp === Tp.vector && flen > 16383) {
    throw ddlError(1439, `vector cannot have more than 16383 dimensions for column '${name}'`);
  }
  if (tp === Tp.newdecimal || tp === Tp.double || tp === Tp.float) {
    const most = tp === Tp.newdecimal ? 65 : 255;
    if (flen > most) throw ddlError(1426, `Too-big precision ${flen} specified for '${name}'. Maximum is ${most}.`);
    if (decimal > 30) throw ddlError(1425, `Too big scale ${decimal} specified for column '${name}'. Maximum is 30.`);
    if (flen < decimal) {
      throw ddlError(1427, `For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column '${name}').`);
    }
  }
}

/** True for BLOB-like types, JSON and VECTOR, which have no literal default. */
export function hasNoLiteralDefault(tp: number): boolean {
  return isBlobType(tp) || tp === Tp.json || tp === Tp.vector;
}
