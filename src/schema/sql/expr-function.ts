import type { CallExpr, CastType, Expr, KeywordExpr, UnitExpr } from "./expr.ts";
import { parseBit, parseExpression, parseList } from "./expr-parser.ts";
import { parseColumnName } from "./expr-primary.ts";
import { TIME_UNITS } from "./keywords.ts";
import type { TokenReader } from "./token-reader.ts";

/** A unit of time; SQL_TSI_DAY is DAY. */
export function parseTimeUnit(reader: TokenReader): UnitExpr {
  const { upper, start: at } = reader.token;
  if (!TIME_UNITS.has(upper)) throw reader.error("a unit of time is missing here");
  reader.advance();
  return { kind: "unit", at, unit: upper.replace(/^SQL_TSI_/, "").replace("FRAC_SECOND", "MICROSECOND") };
}

export function parseCase(reader: TokenReader): Expr {
  const at = reader.advance().start;
  const value = reader.isWord("WHEN") ? undefined : parseExpression(reader);
  const whens: { when: Expr; result: Expr }[] = [];
  while (reader.takeWord("WHEN")) {
    const when = parseExpression(reader);
    reader.expectWord("THEN");
    whens.push({ when, result: parseExpression(reader) });
  }
  if (whens.length === 0) throw reader.error("WHEN is missing here");
  const otherwise = reader.takeWord("ELSE") ? parseExpression(reader) : undefined;
  reader.expectWord("END");
  return { kind: "case", at, whens, ...(value && { value }), ...(otherwise && { otherwise }) };
}

export function parseCast(reader: TokenReader): Expr {
  const at = reader.advance().start;
  reader.expectOp("(");
  const arg = parseExpression(reader);
  reader.expectWord("AS");
  const to = parseCastType(reader);
  if (reader.takeWord("ARRAY")) to.array = true;
  reader.expectOp(")");
  return { kind: "cast", at, arg, to, form: "cast" };
}

function parseCastType(reader: TokenReader): CastType {
  const word = reader.advance().upper;
  switch (word) {
    case "BINARY":
      return { type: "binary", ...length(reader) };
    case "CHAR":
    case "CHARACTER":
      return { type: "char", ...length(reader), ...castCharset(reader) };
    case "NCHAR":
      return { type: "char", ...length(reader), charset: "utf8" };
    case "DATE":
    case "JSON":
    case "YEAR":
      return { type: word.toLowerCase() as "date" };
    case "DATETIME":
    case "TIME":
      return { type: word.toLowerCase() as "time", ...precision(reader) };
    case "DECIMAL":
    case "NUMERIC":
      return { type: "decimal", ...lengthAndScale(reader) };
    case "SIGNED":
    case "UNSIGNED":
      reader.takeWord("INTEGER", "INT");
      return { type: word.toLowerCase() as "signed" };
    case "DOUBLE":
      reader.takeWord("PRECISION");
      return { type: "double" };
    case "REAL":
      return { type: reader.mode.has("REAL_AS_FLOAT") ? "float" : "double" };
    case "FLOAT":
      return floatType(reader);
    case "VECTOR":
      return { type: "vector", ...length(reader) };
    default:
      throw reader.error("a type that CAST knows is missing here");
  }
}

/** FLOAT(p): up to 24 bits single, up to 53 double precision. */
function floatType(reader: TokenReader): CastType {
  const at = reader.token.start;
  const bits = length(reader).length ?? 0;
  if (bits > 53) throw reader.error(`FLOAT(${bits}) is above 53 bits`, at);
  return { type: bits > 24 ? "double" : "float" };
}

function length(reader: TokenReader): { length?: number } {
  if (!reader.takeOp("(")) return {};
  const value = reader.smallInteger("the length", 0xffffffff);
  reader.expectOp(")");
  return { length: value };
}

function precision(reader: TokenReader): { decimals?: number } {
  const at = reader.token.start;
  const { length: decimals } = length(reader);
  if (decimals === undefined) return {};
  if (decimals > 6) throw reader.error(`the precision ${decimals} is above 6`, at);
  return { decimals };
}

function lengthAndScale(reader: TokenReader): { length?: number; decimals?: number } {
  if (!reader.takeOp("(")) return {};
  const value = reader.smallInteger("the precision", 65);
  const decimals = reader.takeOp(",") ? reader.smallInteger("the scale", 30) : undefined;
  reader.expectOp(")");
  return { length: value, ...(decimals !== undefined && { decimals }) };
}

function castCharset(reader: TokenReader): { charset?: string; binaryCollation?: boolean } {
  const found: { charset?: string; binaryCollation?: boolean } = {};
  if (reader.takeWord("BINARY")) found.binaryCollation = true;
  if (reader.takeWord("ASCII")) found.charset = "latin1";
  else if (reader.takeWord("UNICODE")) found.charset = "ucs2";
  else if (reader.takeWord("BYTE")) found.charset = "binary";
  else if (reader.takeWord("CHARSET") || reader.takeWords("CHARACTER", "SET") || reader.takeWords("CHAR", "SET")) {
    found.charset = charsetName(reader);
  }
  if (reader.takeWord("BINARY")) found.binaryCollation = true;
  return found;
}

function charsetName(reader: TokenReader): string {
  return (reader.takeWord("BINARY") ?? reader.nameOrString("a character set")).toLowerCase();
}

/** CURRENT_TIMESTAMP and the like without parentheses. */
export function parseBareFunction(reader: TokenReader): Expr {
  const { text, start: at } = reader.advance();
  return { kind: "call", at, name: text.toLowerCase(), args: [] };
}

/** Calls whose arguments have a syntax of their own; each parses up to and with the closing parenthesis. */
const SPECIAL: Record<string, (reader: TokenReader, make: (name: string, args: Expr[]) => CallExpr) => Expr> = {
  convert: (reader, make) => {
    const arg = parseExpression(reader);
    if (reader.takeWord("USING")) {
      const at = reader.token.start;
      const charset: Expr = { kind: "string", at, text: charsetName(reader) };
      reader.expectOp(")");
      return make("convert", [arg, charset]);
    }
    reader.expectOp(",");
    const to = parseCastType(reader);
    reader.expectOp(")");
    return { kind: "cast", at: make("", []).at, arg, to, form: "convert" };
  },
  char: (reader, make) => {
    const args = [parseExpression(reader)];
    while (reader.takeOp(",")) args.push(parseExpression(reader));
    const at = reader.token.start;
    const charset = reader.takeWord("USING") ? charsetName(reader) : undefined;
    reader.expectOp(")");
    args.push(charset === undefined ? { kind: "null", at } : { kind: "string", at, text: charset });
    return make("char_func", args);
  },
  insert: (reader, make) => make("insert_func", parseList(reader)),
  extract: (reader, make) => {
    const unit = parseTimeUnit(reader);
    reader.expectWord("FROM");
    return make("extract", [unit, ...closing(reader)]);
  },
  position: (reader, make) => {
    const part = parseBit(reader, 0);
    reader.expectWord("IN");
    return make("position", [part, ...closing(reader)]);
  },
  trim: (reader, make) => make("trim", parseTrim(reader)),
  get_format: (reader, make) => {
    const { start: at } = reader.token;
    const word: KeywordExpr = { kind: "keyword", at, word: reader.expectWord("DATE", "TIME", "DATETIME", "TIMESTAMP") };
    reader.expectOp(",");
    return make("get_format", [word, ...closing(reader)]);
  },
  timestampadd: (reader, make) => make("timestampadd", parseUnitFirst(reader)),
  timestampdiff: (reader, make) => make("timestampdiff", parseUnitFirst(reader)),
  weight_string: (reader, make) => {
    const args = [parseExpression(reader)];
    if (reader.takeWord("AS")) {
      const at = reader.token.start;
      const word = reader.expectWord("CHAR", "CHARACTER", "BINARY");
      args.push({ kind: "string", at, text: word === "BINARY" ? "BINARY" : "CHAR" });
      reader.expectOp("(");
      args.push({ kind: "int", at: reader.token.start, value: reader.integer("the length") });
      reader.expectOp(")");
    }
    reader.expectOp(")");
    return make("weight_string", args);
  },
  values: (reader, make) => {
    const column = parseColumnName(reader);
    reader.expectOp(")");
    return make("values", [column]);
  },
};
for (const name of ["substring", "substr", "mid"]) {
  SPECIAL[name] = (reader, make) => make(name, parseSubstring(reader));
}
for (const name of ["date_add", "date_sub", "adddate", "subdate"]) {
  SPECIAL[name] = (reader, make) => make(name, parseDateArithmetic(reader, name));
}

function closing(reader: TokenReader): Expr[] {
  const arg = parseExpression(reader);
  reader.expectOp(")");
  return [arg];
}

function parseUnitFirst(reader: TokenReader): Expr[] {
  const unit = parseTimeUnit(reader);
  reader.expectOp(",");
  return [unit, ...parseList(reader)];
}

function parseSubstring(reader: TokenReader): Expr[] {
  const text = parseExpression(reader);
  if (!reader.takeWord("FROM")) {
    reader.expectOp(",");
    return [text, ...parseList(reader)];
  }
  const args = [text, parseExpression(reader)];
  if (reader.takeWord("FOR")) args.push(parseExpression(reader));
  reader.expectOp(")");
  return args;
}

/** TRIM([[direction] [remove] FROM] text) as text, remove, direction. */
function parseTrim(reader: TokenReader): Expr[] {
  const { start: at } = reader.token;
  const word = reader.takeWord("BOTH", "LEADING", "TRAILING");
  if (word !== undefined) {
    const remove: Expr = reader.isWord("FROM")
      ? { kind: "string", at: reader.token.start, text: " " }
      : parseExpression(reader);
    reader.expectWord("FROM");
    return [...closing(reader), remove, { kind: "keyword", at, word }];
  }
  const first = parseExpression(reader);
  if (!reader.takeWord("FROM")) {
    reader.expectOp(")");
    return [first];
  }
  return [...closing(reader), first];
}

function parseDateArithmetic(reader: TokenReader, name: string): Expr[] {
  const date = parseExpression(reader);
  reader.expectOp(",");
  const interval = reader.isWord("INTERVAL");
  if (!interval && name.startsWith("date_")) throw reader.error("INTERVAL is missing here");
  if (interval) reader.advance();
  const amount = parseExpression(reader);
  const unit: Expr = interval ? parseTimeUnit(reader) : { kind: "unit", at: reader.token.start, unit: "DAY" };
  reader.expectOp(")");
  return [date, amount, unit];
}

/** `name(…)` at a name or a word that is followed by a parenthesis. */
export function parseCall(reader: TokenReader): Expr {
  const { text, start: at, kind } = reader.advance();
  const name = kind === "charset" ? `_${text}` : text.toLowerCase();
  reader.expectOp("(");
  const make = (as: string, args: Expr[]): CallExpr => ({ kind: "call", at, name: as, args });
  const special = kind === "word" && Object.hasOwn(SPECIAL, name) ? SPECIAL[name] : undefined;
  if (special) return special(reader, make);
  if (reader.takeOp(")")) return make(name, []);
  if (reader.isWord("DISTINCT") || reader.isOp("*")) throw reader.unsupported("an aggregate function");
  const args = parseList(reader);
  // MOD(a, b) is the operator to TiDB, also when it prints the expression.
  if (name === "mod" && args.length === 2) return { ...make("mod", args), form: "operator" };
  return make(name, args);
}
