import type { Expr } from "../sql/expr.ts";
import { parseExpression } from "../sql/expr-parser.ts";
import { parseSimple } from "../sql/expr-primary.ts";
import type { TokenReader } from "../sql/token-reader.ts";
import type { ColumnDef, ColumnOption } from "./ast.ts";
import { parseCheck, parseReference } from "./index-parser.ts";
import { parseCollationName, parseDataType } from "./type-parser.ts";

/** `name type options`, up to the comma or parenthesis behind. */
export function parseColumnDef(reader: TokenReader): ColumnDef {
  const at = reader.token.start;
  let name = reader.name("a column name");
  if (reader.takeOp(".")) name = reader.nameAfterDot("a column name");
  if (reader.takeOp(".")) name = reader.nameAfterDot("a column name");
  const options: ColumnOption[] = [];
  if (reader.takeWord("SERIAL")) {
    options.push({ kind: "notNull", at }, { kind: "autoIncrement", at }, { kind: "unique", at });
    return { at, name, type: { name: "bigint", unsigned: true }, options: [...options, ...parseColumnOptions(reader)] };
  }
  const type = parseDataType(reader);
  return { at, name, type, options: parseColumnOptions(reader) };
}

function parseColumnOptions(reader: TokenReader): ColumnOption[] {
  const options: ColumnOption[] = [];
  while (parseColumnOption(reader, options));
  return options;
}

function parseColumnOption(reader: TokenReader, options: ColumnOption[]): boolean {
  const { upper, start: at } = reader.token;
  switch (upper) {
    case "NULL":
      reader.advance();
      options.push({ kind: "null", at });
      return true;
    case "NOT":
      reader.advance();
      reader.expectWord("NULL");
      options.push({ kind: "notNull", at });
      return true;
    case "DEFAULT":
      reader.advance();
      options.push({ kind: "default", at, expr: parseDefaultValue(reader) });
      return true;
    case "ON":
      reader.advance();
      reader.expectWord("UPDATE");
      options.push({ kind: "onUpdate", at, expr: parseSimple(reader) });
      return true;
    case "AUTO_INCREMENT":
      reader.advance();
      options.push({ kind: "autoIncrement", at });
      return true;
    case "AUTO_RANDOM":
      options.push(parseAutoRandom(reader));
      return true;
    case "SERIAL":
      reader.advance();
      reader.expectWords("DEFAULT", "VALUE");
      options.push({ kind: "notNull", at }, { kind: "autoIncrement", at }, { kind: "unique", at });
      return true;
    case "PRIMARY":
    case "KEY":
    case "UNIQUE":
      options.push(parseKeyOption(reader));
      return true;
    case "COMMENT":
      reader.advance();
      options.push({ kind: "comment", at, text: reader.string("the comment") });
      return true;
    case "COLLATE":
      reader.advance();
      options.push({ kind: "collate", at, collation: parseCollationName(reader) });
      return true;
    case "GENERATED":
    case "AS":
      options.push(parseGenerated(reader));
      return true;
    case "REFERENCES":
      options.push({ kind: "reference", at, reference: parseReference(reader) });
      return true;
    case "CONSTRAINT":
    case "CHECK":
      options.push(parseCheckOption(reader));
      return true;
    case "COLUMN_FORMAT":
    case "STORAGE":
      reader.advance();
      reader.nameAfterDot("a word");
      return true;
    case "SECONDARY_ENGINE_ATTRIBUTE":
    case "ENGINE_ATTRIBUTE":
      reader.advance();
      reader.takeOp("=");
      reader.string("the attribute");
      return true;
    default:
      return false;
  }
}

function parseAutoRandom(reader: TokenReader): ColumnOption {
  const option: ColumnOption = { kind: "autoRandom", at: reader.advance().start };
  if (!reader.takeOp("(")) return option;
  option.shardBits = reader.smallInteger("the number of shard bits", 255);
  if (reader.takeOp(",")) option.rangeBits = reader.smallInteger("the number of range bits", 255);
  reader.expectOp(")");
  return option;
}

function parseKeyOption(reader: TokenReader): ColumnOption {
  const at = reader.token.start;
  const word = reader.advance().upper;
  if (word === "UNIQUE") {
    reader.takeWord("KEY");
    return { kind: "unique", at, ...scope(reader) };
  }
  if (word === "PRIMARY") reader.expectWord("KEY");
  const option: ColumnOption = { kind: "primary", at };
  const clustered = reader.takeWord("CLUSTERED", "NONCLUSTERED");
  if (clustered !== undefined) option.clustered = clustered === "CLUSTERED";
  return { ...option, ...scope(reader) };
}

function scope(reader: TokenReader): { global?: boolean } {
  const word = reader.takeWord("GLOBAL", "LOCAL");
  return word === undefined ? {} : { global: word === "GLOBAL" };
}

function parseGenerated(reader: TokenReader): ColumnOption {
  const at = reader.token.start;
  if (reader.takeWord("GENERATED")) reader.expectWord("ALWAYS");
  reader.expectWord("AS");
  reader.expectOp("(");
  const expr = parseExpression(reader);
  reader.expectOp(")");
  const stored = reader.takeWord("STORED", "VIRTUAL") === "STORED";
  return { kind: "generated", at, expr, stored };
}

function parseCheckOption(reader: TokenReader): ColumnOption {
  const at = reader.token.start;
  let name: string | undefined;
  if (reader.takeWord("CONSTRAINT") && !reader.isWord("CHECK")) name = reader.name("the name of the constraint");
  reader.expectWord("CHECK");
  return { kind: "check", at, ...(name !== undefined && { name }), ...parseCheck(reader) };
}

/** A literal with sign, CURRENT_TIMESTAMP, NEXT VALUE FOR, or an expression in parentheses. */
export function parseDefaultValue(reader: TokenReader): Expr {
  return parseSimple(reader);
}
