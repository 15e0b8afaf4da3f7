import { fromHex } from "../../base/mod.ts";
import type { TokenReader } from "../sql/token-reader.ts";
import type { DataType, TypeName } from "./ast.ts";

/** Words of one-word types and what they mean; arguments and attributes follow. */
const TYPES: Record<string, TypeName> = {
  TINYINT: "tinyint",
  INT1: "tinyint",
  SMALLINT: "smallint",
  INT2: "smallint",
  MEDIUMINT: "mediumint",
  MIDDLEINT: "mediumint",
  INT3: "mediumint",
  INT: "int",
  INTEGER: "int",
  INT4: "int",
  BIGINT: "bigint",
  INT8: "bigint",
  BOOL: "tinyint",
  BOOLEAN: "tinyint",
  FLOAT: "float",
  FLOAT4: "float",
  DOUBLE: "double",
  FLOAT8: "double",
  REAL: "double",
  DECIMAL: "decimal",
  DEC: "decimal",
  NUMERIC: "decimal",
  FIXED: "decimal",
  BIT: "bit",
  CHAR: "char",
  CHARACTER: "char",
  NCHAR: "char",
  VARCHAR: "varchar",
  VARCHARACTER: "varchar",
  NVARCHAR: "varchar",
  BINARY: "binary",
  VARBINARY: "varbinary",
  TINYBLOB: "tinyblob",
  BLOB: "blob",
  MEDIUMBLOB: "mediumblob",
  LONGBLOB: "longblob",
  TINYTEXT: "tinytext",
  TEXT: "text",
  MEDIUMTEXT: "mediumtext",
  LONGTEXT: "longtext",
  LONG: "mediumtext",
  ENUM: "enum",
  SET: "set",
  JSON: "json",
  VECTOR: "vector",
  DATE: "date",
  DATETIME: "datetime",
  TIMESTAMP: "timestamp",
  TIME: "time",
  YEAR: "year",
  SQL_TSI_YEAR: "year",
};

const GEOMETRY = new Set(
  "GEOMETRY POINT LINESTRING POLYGON MULTIPOINT MULTILINESTRING MULTIPOLYGON GEOMETRYCOLLECTION GEOMCOLLECTION".split(
    " ",
  ),
);

/** Parses the type of a column with length, sign, character set; COLLATE is an option of the column. */
export function parseDataType(reader: TokenReader): DataType {
  const { upper, start: at } = reader.token;
  if (reader.takeWord("NATIONAL")) return parseNational(reader);
  if (GEOMETRY.has(upper)) throw reader.unsupported(`the type ${upper}`);
  const name = TYPES[upper];
  if (name === undefined) throw reader.error("a column type is missing here");
  reader.advance();
  const type: DataType = { name };
  switch (name) {
    case "float":
    case "double":
    case "decimal":
      parseFloating(reader, type, upper, at);
      break;
    case "char":
    case "varchar":
      parseCharacter(reader, type, upper);
      break;
    case "enum":
    case "set":
      type.elems = parseElems(reader);
      parseCharset(reader, type);
      break;
    case "vector":
      parseVector(reader, type);
      break;
    default:
      parsePlain(reader, type, upper, at);
  }
  return type;
}

/** NATIONAL CHAR and NATIONAL VARCHAR: utf8. */
function parseNational(reader: TokenReader): DataType {
  const word = reader.expectWord("CHAR", "CHARACTER", "VARCHAR", "VARCHARACTER");
  const varying = word.startsWith("VARCHAR") || reader.takeWord("VARYING") !== undefined;
  const type: DataType = { name: varying ? "varchar" : "char", charset: "utf8" };
  parseLength(reader, type);
  if (reader.takeWord("BINARY")) type.binary = true;
  return type;
}

function parsePlain(reader: TokenReader, type: DataType, word: string, at: number): void {
  if (word === "BOOL" || word === "BOOLEAN") {
    type.length = 1;
    type.boolean = true;
  } else if (word === "LONG") {
    if (reader.takeWord("VARBINARY")) type.name = "mediumblob";
    else {
      reader.takeWord("VARCHAR", "VARCHARACTER");
      parseCharset(reader, type);
    }
    return;
  } else if (type.name !== "date" && type.name !== "json") {
    parseLength(reader, type);
  }
  const fraction = type.name === "datetime" || type.name === "timestamp" || type.name === "time";
  if (fraction && type.length !== undefined) {
    if (type.length > 6) throw reader.error(`the precision ${type.length} is above 6`, at);
    type.decimals = type.length;
    delete type.length;
  }
  if (type.name === "varbinary" && type.length === undefined) throw reader.error("the length is missing here");
  if (type.name.endsWith("text")) parseCharset(reader, type);
  if (type.name.endsWith("int") || type.name === "year") parseSign(reader, type);
}

function parseFloating(reader: TokenReader, type: DataType, word: string, at: number): void {
  if (word === "DOUBLE") reader.takeWord("PRECISION");
  if (word === "REAL" && reader.mode.has("REAL_AS_FLOAT")) type.name = "float";
  if (reader.takeOp("(")) {
    type.length = reader.smallInteger("the precision", 255);
    if (reader.takeOp(",")) type.decimals = reader.smallInteger("the scale", 255);
    reader.expectOp(")");
  }
  if (type.name === "float" && type.length !== undefined && type.decimals === undefined) {
    if (type.length > 53) throw reader.error(`FLOAT(${type.length}) is above 53 bits`, at);
    if (type.length > 24) type.name = "double";
    delete type.length;
  }
  parseSign(reader, type);
}

function parseCharacter(reader: TokenReader, type: DataType, word: string): void {
  if (type.name === "char" && reader.takeWord("VARYING")) type.name = "varchar";
  if (word === "NCHAR" && reader.takeWord("VARCHAR")) type.name = "varchar";
  if (word === "NCHAR" || word === "NVARCHAR") type.charset = "utf8";
  const at = reader.token.start;
  parseLength(reader, type);
  if (type.name === "varchar" && type.length === undefined) throw reader.error("the length is missing here", at);
  parseCharset(reader, type);
}

function parseLength(reader: TokenReader, type: DataType): void {
  if (!reader.takeOp("(")) return;
  type.length = reader.smallInteger("the length", 0xffffffff);
  reader.expectOp(")");
}

function parseSign(reader: TokenReader, type: DataType): void {
  for (;;) {
    if (reader.takeWord("UNSIGNED")) type.unsigned = true;
    else if (reader.takeWord("ZEROFILL")) {
      type.unsigned = true;
      type.zerofill = true;
    } else if (!reader.takeWord("SIGNED")) return;
  }
}

function parseCharset(reader: TokenReader, type: DataType): void {
  if (reader.takeWord("BINARY")) type.binary = true;
  if (reader.takeWord("ASCII")) type.charset = "latin1";
  else if (reader.takeWord("UNICODE")) type.charset = "ucs2";
  else if (reader.takeWord("BYTE")) type.charset = "binary";
  else if (takeCharsetWord(reader)) type.charset = parseCharsetName(reader);
  if (reader.takeWord("BINARY")) type.binary = true;
}

/** CHARSET, CHARACTER SET, CHAR SET. */
export function takeCharsetWord(reader: TokenReader): boolean {
  return (
    reader.takeWord("CHARSET") !== undefined || reader.takeWords("CHARACTER", "SET") || reader.takeWords("CHAR", "SET")
  );
}

/** Lower case; `utf8mb3` is `utf8`. */
export function parseCharsetName(reader: TokenReader): string {
  const name = (reader.takeWord("BINARY") ?? reader.nameOrString("a character set")).toLowerCase();
  return name === "utf8mb3" ? "utf8" : name;
}

/** Lower case; `utf8mb3_…` is `utf8_…`. */
export function parseCollationName(reader: TokenReader): string {
  const name = (reader.takeWord("BINARY") ?? reader.nameOrString("a collation")).toLowerCase();
  return name.replace(/^utf8mb3_/, "utf8_");
}

function parseElems(reader: TokenReader): { text: string; bytes?: Uint8Array }[] {
  reader.expectOp("(");
  const elems: { text: string; bytes?: Uint8Array }[] = [];
  do {
    const { kind, text } = reader.token;
    if (kind === "hex" || kind === "bit") {
      reader.advance();
      const digits = kind === "hex" ? text : bitsToHex(text);
      elems.push({ text: "", bytes: fromHex(digits.length % 2 === 0 ? digits : `0${digits}`) });
    } else {
      elems.push({ text: reader.string("an element") });
    }
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return elems;
}

function bitsToHex(bits: string): string {
  return bits === "" ? "" : BigInt(`0b${bits}`).toString(16);
}

/** VECTOR, VECTOR(3), VECTOR<FLOAT>(3). */
function parseVector(reader: TokenReader, type: DataType): void {
  if (reader.takeOp("<")) {
    reader.expectWord("FLOAT");
    reader.expectOp(">");
  }
  parseLength(reader, type);
}
