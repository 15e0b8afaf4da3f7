import { fromHex } from "../../base/mod.ts";
import type { BinaryExpr, ColumnExpr, Expr } from "./expr.ts";
import { parseBareFunction, parseCall, parseCase, parseCast } from "./expr-function.ts";
import { call, parseExpression, parseList } from "./expr-parser.ts";
import { BARE_FUNCTIONS, RESERVED, RESERVED_FUNCTIONS, TIME_UNITS } from "./keywords.ts";
import type { TokenReader } from "./token-reader.ts";

/** Literals, names, calls, parentheses and prefix operators, with COLLATE behind them. */
export function parseSimple(reader: TokenReader): Expr {
  let expr = reader.nested(() => parsePrefixed(reader));
  while (reader.isWord("COLLATE")) {
    const at = reader.advance().start;
    const word = reader.takeWord("BINARY");
    expr = { kind: "collate", at, arg: expr, collation: (word ?? reader.nameOrString("a collation")).toLowerCase() };
  }
  return expr;
}

const PREFIXES: Record<string, string> = { "-": "unaryminus", "+": "unaryplus", "~": "bitneg" };

function parsePrefixed(reader: TokenReader): Expr {
  const { kind, text, start: at } = reader.token;
  if (kind === "op") {
    if (text === "(") return parseParentheses(reader);
    if (text === "{") return parseBraces(reader);
    const name = PREFIXES[text];
    if (name !== undefined || text === "!") {
      reader.advance();
      return call(at, name ?? "not", [parseOperand(reader)], name ? "operator" : "bang");
    }
    throw reader.error("an expression is missing here");
  }
  if (kind === "word") return parseWord(reader);
  if (kind === "quoted") return parseName(reader);
  return parseLiteral(reader);
}

/** Operand of a prefix operator: COLLATE belongs to the operand. */
function parseOperand(reader: TokenReader): Expr {
  return parseSimple(reader);
}

function parseParentheses(reader: TokenReader): Expr {
  const at = reader.advance().start;
  const items = parseList(reader);
  if (items.length > 1) return { kind: "row", at, items };
  const [expr] = items as [Expr];
  expr.parens = (expr.parens ?? 0) + 1;
  return expr;
}

/** ODBC: `{d '2020-01-01'}`; other words are ignored, as TiDB does. */
function parseBraces(reader: TokenReader): Expr {
  reader.advance();
  const word = reader.name("a word").toLowerCase();
  const expr = parseExpression(reader);
  reader.expectOp("}");
  const type = word === "d" ? "date" : word === "t" ? "time" : word === "ts" ? "timestamp" : undefined;
  if (type !== undefined && expr.kind === "string") return { kind: "temporal", at: expr.at, type, text: expr.text };
  return expr;
}

function parseLiteral(reader: TokenReader): Expr {
  const { kind, text, start: at } = reader.token;
  switch (kind) {
    case "int": {
      reader.advance();
      const value = BigInt(text);
      return value < 1n << 64n ? { kind: "int", at, value } : { kind: "decimal", at, text: `${value}` };
    }
    case "decimal":
      reader.advance();
      return { kind: "decimal", at, text: decimalText(text) };
    case "float":
      reader.advance();
      return { kind: "float", at, value: Number(text), text };
    case "string":
      return parseStrings(reader);
    case "charset":
      return parseIntroduced(reader);
    case "hex":
    case "bit":
      return parseBinary(reader);
    case "uservar":
    case "sysvar":
      reader.advance();
      return { kind: "variable", at, system: kind === "sysvar", name: text };
    case "param":
      reader.advance();
      return { kind: "param", at };
    default:
      throw reader.error("an expression is missing here");
  }
}

/** `.5` is 0.5, `007.` is 7. */
function decimalText(text: string): string {
  const [whole = "", fraction = ""] = text.split(".");
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  return fraction === "" ? digits : `${digits}.${fraction}`;
}

/** A string and the strings that follow it directly, which MySQL joins. */
function parseStrings(reader: TokenReader): Expr {
  const first = reader.advance();
  let text = first.text;
  while (reader.token.kind === "string" && !reader.token.national) text += reader.advance().text;
  return first.national
    ? { kind: "string", at: first.start, text, charset: "utf8" }
    : { kind: "string", at: first.start, text };
}

function parseIntroduced(reader: TokenReader): Expr {
  const { start: at, text: charset } = reader.token;
  const next = reader.peek();
  if (next.kind === "string") {
    reader.advance();
    return { kind: "string", at, text: reader.advance().text, charset: charset === "utf8mb3" ? "utf8" : charset };
  }
  if (next.kind === "hex" || next.kind === "bit") {
    reader.advance();
    return { ...parseBinary(reader), at, charset };
  }
  return parseName(reader);
}

function parseBinary(reader: TokenReader): BinaryExpr {
  const { kind, text, start: at } = reader.advance();
  if (kind === "hex") return { kind, at, bytes: fromHex(text.length % 2 === 0 ? text : `0${text}`) };
  const size = Math.ceil(text.length / 8);
  const bits = text.padStart(size * 8, "0");
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2);
  return { kind: "bit", at, bytes };
}

/** INTERVAL as the operand of + and -, not the function INTERVAL(a, b, …). */
export function isIntervalOperand(reader: TokenReader): boolean {
  if (!reader.isWord("INTERVAL")) return false;
  if (reader.peek().text !== "(" || reader.peek().kind !== "op") return true;
  let depth = 0;
  for (let ahead = 1; ; ahead++) {
    const token = reader.peek(ahead);
    if (token.kind === "eof") return false;
    if (token.kind !== "op") continue;
    if (token.text === "(") depth++;
    else if (token.text === ")" && --depth === 0) return TIME_UNITS.has(reader.peek(ahead + 1).upper);
  }
}

function parseWord(reader: TokenReader): Expr {
  const { upper, start: at } = reader.token;
  const next = reader.peek();
  const opens = next.kind === "op" && next.text === "(";
  switch (upper) {
    case "NULL":
      reader.advance();
      return { kind: "null", at };
    case "TRUE":
    case "FALSE":
      reader.advance();
      return { kind: "bool", at, value: upper === "TRUE" };
    case "CASE":
      return parseCase(reader);
    case "CAST":
      if (opens) return parseCast(reader);
      break;
    case "BINARY":
      reader.advance();
      return { kind: "cast", at, arg: parseSimple(reader), to: { type: "binary" }, form: "binary" };
    case "DEFAULT":
      return parseDefault(reader);
    case "ROW":
      reader.advance();
      reader.expectOp("(");
      return { kind: "row", at, items: parseList(reader) };
    case "NOT":
      if (!reader.mode.has("HIGH_NOT_PRECEDENCE")) throw reader.error("NOT cannot stand here");
      reader.advance();
      return call(at, "not", [parseSimple(reader)], "bang");
    case "DATE":
    case "TIME":
    case "TIMESTAMP":
      if (next.kind !== "string") break;
      reader.advance();
      return { kind: "temporal", at, type: upper.toLowerCase() as "date", text: reader.advance().text };
    case "NEXT":
      if (next.upper === "VALUE") return parseNextValue(reader);
      break;
    case "EXISTS":
    case "MATCH":
    case "SELECT":
      throw reader.unsupported(upper === "MATCH" ? "MATCH … AGAINST" : "a subquery");
  }
  if (
    opens &&
    (!RESERVED.has(upper) || RESERVED_FUNCTIONS.has(upper) || BARE_FUNCTIONS.has(upper) || upper === "VALUES")
  ) {
    return parseCall(reader);
  }
  if (BARE_FUNCTIONS.has(upper)) return parseBareFunction(reader);
  return parseName(reader);
}

function parseDefault(reader: TokenReader): Expr {
  const at = reader.advance().start;
  if (!reader.takeOp("(")) return { kind: "default", at };
  const column = parseColumnName(reader);
  reader.expectOp(")");
  return { kind: "default", at, column };
}

/** NEXT VALUE FOR [schema.]sequence is nextval(sequence); the sequence is a column node. */
function parseNextValue(reader: TokenReader): Expr {
  const at = reader.token.start;
  reader.expectWords("NEXT", "VALUE", "FOR");
  return { kind: "call", at, name: "nextval", args: [parseColumnName(reader)] };
}

/** `a`, `t.a`, `s.t.a`, without call or arrow. */
export function parseColumnName(reader: TokenReader): ColumnExpr {
  const at = reader.token.start;
  reader.takeOp(".");
  const parts = [reader.name("a column name")];
  while (parts.length < 3 && reader.isOp(".")) {
    reader.advance();
    parts.push(reader.nameAfterDot("a name"));
  }
  const name = parts.pop()!;
  const table = parts.pop();
  const schema = parts.pop();
  return { kind: "column", at, name, ...(table !== undefined && { table }), ...(schema !== undefined && { schema }) };
}

/** A column, `schema.function(…)`, or a column with `->` or `->>` and a path. */
function parseName(reader: TokenReader): Expr {
  const mark = reader.mark;
  const column = parseColumnName(reader);
  if (column.table !== undefined && column.schema === undefined && reader.isOp("(")) {
    reader.advance();
    const args = reader.takeOp(")") ? [] : parseList(reader);
    return { kind: "call", at: column.at, name: column.name.toLowerCase(), args, schema: column.table };
  }
  if (column.table === undefined && reader.isOp("(")) {
    reader.reset(mark);
    return parseCall(reader);
  }
  if (!reader.isOp("->") && !reader.isOp("->>")) return column;
  const unquote = reader.advance().text === "->>";
  const path = reader.token.start;
  const text = reader.string("the path of a JSON value");
  const extract: Expr = {
    kind: "call",
    at: column.at,
    name: "json_extract",
    args: [column, { kind: "string", at: path, text }],
  };
  return unquote ? { kind: "call", at: column.at, name: "json_unquote", args: [extract] } : extract;
}
