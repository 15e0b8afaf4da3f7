import type { CallForm, Expr } from "./expr.ts";
import { parseTimeUnit } from "./expr-function.ts";
import { isIntervalOperand, parseSimple } from "./expr-primary.ts";
import { parseSqlMode, type SqlMode } from "./sql-mode.ts";
import { TokenReader } from "./token-reader.ts";

/**
 * Parses a whole text as one expression with MySQL's precedence (TiDB `pkg/parser/parser.y`: Expression, BoolPri, PredicateExpr,
 * BitExpr, SimpleExpr). Throws Levin:Schema:ErrSyntax with the place, or ErrUnsupported for subqueries and MATCH.
 */
export function parseExpr(text: string, mode: SqlMode = parseSqlMode("")): Expr {
  const reader = new TokenReader(text, mode);
  const expr = parseExpression(reader);
  if (reader.token.kind !== "eof") throw reader.error("the expression should end here");
  return expr;
}

/** Parses an expression at the reader's position. */
export function parseExpression(reader: TokenReader): Expr {
  return reader.nested(() => parseOr(reader));
}

/** A call written as an operator. */
export function call(at: number, name: string, args: Expr[], form: CallForm = "operator"): Expr {
  return { kind: "call", at, name, args, form };
}

function parseOr(reader: TokenReader): Expr {
  let left = parseXor(reader);
  for (let length = 0; ; length++) {
    const at = reader.token.start;
    const pipes = reader.isOp("||") && !reader.mode.has("PIPES_AS_CONCAT");
    if (!pipes && !reader.isWord("OR")) return left;
    reader.limitChain(length);
    reader.advance();
    left = call(at, "or", [left, parseXor(reader)]);
  }
}

function parseXor(reader: TokenReader): Expr {
  let left = parseAnd(reader);
  for (let length = 0; ; length++) {
    const at = reader.token.start;
    if (!reader.takeWord("XOR")) return left;
    reader.limitChain(length);
    left = call(at, "xor", [left, parseAnd(reader)]);
  }
}

function parseAnd(reader: TokenReader): Expr {
  let left = parseNot(reader);
  for (let length = 0; ; length++) {
    const at = reader.token.start;
    if (!reader.isOp("&&") && !reader.isWord("AND")) return left;
    reader.limitChain(length);
    reader.advance();
    left = call(at, "and", [left, parseNot(reader)]);
  }
}

function parseNot(reader: TokenReader): Expr {
  const at = reader.token.start;
  if (reader.isWord("NOT") && !reader.mode.has("HIGH_NOT_PRECEDENCE")) {
    reader.advance();
    return call(at, "not", [reader.nested(() => parseNot(reader))]);
  }
  return parseBool(reader);
}

const COMPARISONS: Record<string, string> = {
  "=": "eq",
  "<=>": "nulleq",
  ">=": "ge",
  ">": "gt",
  "<=": "le",
  "<": "lt",
  "<>": "ne",
  "!=": "ne",
};

/** Comparisons and IS, which associate to the left. */
function parseBool(reader: TokenReader): Expr {
  let left = parsePredicate(reader);
  for (let length = 0; ; length++) {
    const { start: at, kind, text } = reader.token;
    reader.limitChain(length);
    if (reader.takeWord("IS")) {
      left = parseIs(reader, left, at);
      continue;
    }
    const name = kind === "op" ? COMPARISONS[text] : undefined;
    if (name === undefined) return left;
    reader.advance();
    if (reader.isWord("ANY", "SOME", "ALL") && reader.peek().text === "(") throw reader.unsupported("a subquery");
    left = call(at, name, [left, parsePredicate(reader)]);
  }
}

function parseIs(reader: TokenReader, left: Expr, at: number): Expr {
  const negated = reader.takeWord("NOT") !== undefined;
  const word = reader.expectWord("NULL", "UNKNOWN", "TRUE", "FALSE");
  const name = word === "TRUE" ? "istrue" : word === "FALSE" ? "isfalse" : "isnull";
  return negate(call(at, name, [left]), negated);
}

function negate(expr: Expr, negated: boolean): Expr {
  return negated ? call(expr.at, "not", [expr], "predicate") : expr;
}

/** IN, BETWEEN, LIKE, REGEXP, MEMBER OF. */
function parsePredicate(reader: TokenReader): Expr {
  const value = parseBit(reader, 0);
  const at = reader.token.start;
  if (reader.isWord("MEMBER")) {
    reader.advance();
    reader.expectWord("OF");
    reader.expectOp("(");
    const array = reader.nested(() => parseSimple(reader));
    reader.expectOp(")");
    return call(at, "json_memberof", [value, array]);
  }
  const negated =
    reader.isWord("NOT") && ["IN", "BETWEEN", "LIKE", "ILIKE", "REGEXP", "RLIKE"].includes(reader.peek().upper);
  if (negated) reader.advance();
  const word = reader.takeWord("IN", "BETWEEN", "LIKE", "ILIKE", "REGEXP", "RLIKE");
  if (word === undefined) return value;
  return negate(parsePredicateTail(reader, word, value, at), negated);
}

function parsePredicateTail(reader: TokenReader, word: string, value: Expr, at: number): Expr {
  if (word === "IN") {
    reader.expectOp("(");
    return call(at, "in", [value, ...parseList(reader)]);
  }
  if (word === "BETWEEN") {
    const low = parseBit(reader, 0);
    reader.expectWord("AND");
    return call(at, "between", [value, low, reader.nested(() => parsePredicate(reader))]);
  }
  const pattern = reader.nested(() => parseSimple(reader));
  if (word === "REGEXP" || word === "RLIKE") return call(at, "regexp", [value, pattern]);
  const args = [value, pattern];
  if (reader.takeWord("ESCAPE")) {
    const start = reader.token.start;
    const text = reader.string("the escape character");
    if ([...text].length > 1) throw reader.error("ESCAPE takes one character", start);
    args.push({ kind: "string", at: start, text });
  }
  return call(at, word.toLowerCase(), args);
}

/** Expressions up to a closing parenthesis, which is taken. */
export function parseList(reader: TokenReader): Expr[] {
  if (reader.isWord("SELECT", "WITH", "TABLE")) throw reader.unsupported("a subquery");
  const items = [parseExpression(reader)];
  while (reader.takeOp(",")) items.push(parseExpression(reader));
  reader.expectOp(")");
  return items;
}

/** Bit and arithmetic operators: name and binding power. */
const BIT_OPERATORS: Record<string, [string, number]> = {
  "|": ["bitor", 1],
  "&": ["bitand", 2],
  "<<": ["leftshift", 3],
  ">>": ["rightshift", 3],
  "+": ["plus", 4],
  "-": ["minus", 4],
  "*": ["mul", 5],
  "/": ["div", 5],
  "%": ["mod", 5],
  DIV: ["intdiv", 5],
  MOD: ["mod", 5],
  "^": ["bitxor", 6],
};

/** Operators that bind at least as tightly as `power`. */
export function parseBit(reader: TokenReader, power: number): Expr {
  let left = isIntervalOperand(reader) ? parseLeadingInterval(reader) : parseConcat(reader);
  for (let length = 0; ; length++) {
    const { kind, text, upper, start: at } = reader.token;
    const operator = kind === "op" ? BIT_OPERATORS[text] : kind === "word" ? BIT_OPERATORS[upper] : undefined;
    if (operator === undefined || operator[1] < power) return left;
    reader.limitChain(length);
    reader.advance();
    if (operator[1] === 4 && isIntervalOperand(reader)) {
      const name = text === "+" ? "date_add" : "date_sub";
      reader.advance();
      left = { kind: "call", at: left.at, name, args: [left, parseExpression(reader), parseTimeUnit(reader)] };
    } else {
      left = call(at, operator[0], [left, reader.nested(() => parseBit(reader, operator[1] + 1))]);
    }
  }
}

/** `INTERVAL 1 DAY + a`. */
function parseLeadingInterval(reader: TokenReader): Expr {
  const at = reader.advance().start;
  const amount = parseExpression(reader);
  const unit = parseTimeUnit(reader);
  reader.expectOp("+");
  const date = reader.nested(() => parseBit(reader, 5));
  return { kind: "call", at, name: "date_add", args: [date, amount, unit] };
}

/** `||` as concatenation binds tighter than arithmetic. */
function parseConcat(reader: TokenReader): Expr {
  let left = parseSimple(reader);
  for (let length = 0; reader.isOp("||") && reader.mode.has("PIPES_AS_CONCAT"); length++) {
    reader.limitChain(length);
    const at = reader.advance().start;
    left = { kind: "call", at, name: "concat", args: [left, parseSimple(reader)] };
  }
  return left;
}
