/**
 * SQL expressions as trees. Operators are calls with the names that TiDB's functions have (`plus`, `eq`, `like` …), so that an
 * evaluator knows one kind of call; `form` says how a call was written and is for the printer only.
 *
 * Operator names: `or xor and not` · `eq nulleq ne lt le gt ge` · `istrue isfalse isnull` · `in` (value, then the list) ·
 * `between` (value, low, high) · `like`, `ilike` (value, pattern[, escape string]) · `regexp` (value, pattern) ·
 * `json_memberof` (value, array) · `bitor bitand bitxor leftshift rightshift bitneg` · `plus minus mul div intdiv mod` ·
 * `unaryminus unaryplus`. Negated predicates (`NOT IN`, `IS NOT NULL` …) are `not` around the predicate.
 * `a->'$.x'` is `json_extract(a, '$.x')`, `a->>'$.x'` is `json_unquote(json_extract(…))`.
 * `a + INTERVAL 1 DAY` is `date_add(a, 1, unit)`, as are `date_add`, `date_sub`, `adddate`, `subdate` (`adddate(a, 3)` gets unit
 * DAY). `extract` has (unit, value), `timestampadd`/`timestampdiff` (unit, a, b), `trim` (text[, remove[, direction]]),
 * `position` (part, text), `char_func` (numbers…, charset name or null), `convert` with USING (value, charset name as string),
 * `weight_string` (value[, "CHAR" or "BINARY", length]).
 */
interface Node {
  /** String offset in the source text. */
  at: number;
  /** Number of parentheses written around it. */
  parens?: number;
}

export interface NullExpr extends Node {
  kind: "null";
}
/** TRUE, FALSE. */
export interface BoolExpr extends Node {
  kind: "bool";
  value: boolean;
}
/** Unsigned integer literal; above 2^63-1 it is a BIGINT UNSIGNED, above 2^64-1 the parser makes a decimal of it. */
export interface IntExpr extends Node {
  kind: "int";
  value: bigint;
}
/** Decimal literal as written, at least one digit before the point. */
export interface DecimalExpr extends Node {
  kind: "decimal";
  text: string;
}
export interface FloatExpr extends Node {
  kind: "float";
  value: number;
  text: string;
}
/** `charset`: the introducer as written (lower case) or `utf8` for N'…'; undefined = the connection's. */
export interface StringExpr extends Node {
  kind: "string";
  text: string;
  charset?: string;
}
/** Hex (`x'…'`, `0x…`) and bit (`b'…'`, `0b…`) literals: big-endian bytes; bits are right-aligned. */
export interface BinaryExpr extends Node {
  kind: "hex" | "bit";
  bytes: Uint8Array;
  charset?: string;
}
/** DATE '…', TIME '…', TIMESTAMP '…', also in ODBC braces. */
export interface TemporalExpr extends Node {
  kind: "temporal";
  type: "date" | "time" | "timestamp";
  text: string;
}
export interface ColumnExpr extends Node {
  kind: "column";
  name: string;
  table?: string;
  schema?: string;
}
/** `@x` or `@@scope.x`. */
export interface VariableExpr extends Node {
  kind: "variable";
  system: boolean;
  name: string;
}
/** `?` */
export interface ParamExpr extends Node {
  kind: "param";
}
/** DEFAULT or DEFAULT(column). */
export interface DefaultExpr extends Node {
  kind: "default";
  column?: ColumnExpr;
}
/** (a, b) or ROW(a, b). */
export interface RowExpr extends Node {
  kind: "row";
  items: Expr[];
}
/** How a call was written: as a function, an operator, `!`, or as a negated predicate (`a NOT LIKE b`). */
export type CallForm = "operator" | "bang" | "predicate";
export interface CallExpr extends Node {
  kind: "call";
  /** Lower case. */
  name: string;
  args: Expr[];
  schema?: string;
  form?: CallForm;
}
export interface CaseExpr extends Node {
  kind: "case";
  value?: Expr;
  whens: { when: Expr; result: Expr }[];
  otherwise?: Expr;
}
/** Target of CAST and CONVERT. `length`, `decimals` undefined = not written. */
export interface CastType {
  type:
    | "binary"
    | "char"
    | "date"
    | "datetime"
    | "decimal"
    | "double"
    | "float"
    | "json"
    | "signed"
    | "time"
    | "unsigned"
    | "vector"
    | "year";
  length?: number;
  decimals?: number;
  charset?: string;
  /** CHAR … BINARY. */
  binaryCollation?: boolean;
  /** AS … ARRAY, for multi-valued indexes. */
  array?: boolean;
}
export interface CastExpr extends Node {
  kind: "cast";
  arg: Expr;
  to: CastType;
  form: "cast" | "convert" | "binary";
}
export interface CollateExpr extends Node {
  kind: "collate";
  arg: Expr;
  collation: string;
}
/** A unit of time as an argument, upper case: DAY, YEAR_MONTH … */
export interface UnitExpr extends Node {
  kind: "unit";
  unit: string;
}
/** A bare word as an argument: BOTH, LEADING, TRAILING of `trim`; DATE, TIME, DATETIME, TIMESTAMP of `get_format`. */
export interface KeywordExpr extends Node {
  kind: "keyword";
  word: string;
}

export type Expr =
  | NullExpr
  | BoolExpr
  | IntExpr
  | DecimalExpr
  | FloatExpr
  | StringExpr
  | BinaryExpr
  | TemporalExpr
  | ColumnExpr
  | VariableExpr
  | ParamExpr
  | DefaultExpr
  | RowExpr
  | CallExpr
  | CaseExpr
  | CastExpr
  | CollateExpr
  | UnitExpr
  | KeywordExpr;

/** The expressions directly below. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "call":
      return expr.args;
    case "row":
      return expr.items;
    case "cast":
    case "collate":
      return [expr.arg];
    case "default":
      return expr.column ? [expr.column] : [];
    case "case": {
      const parts = expr.whens.flatMap(({ when, result }) => [when, result]);
      if (expr.value) parts.unshift(expr.value);
      if (expr.otherwise) parts.push(expr.otherwise);
      return parts;
    }
    default:
      return [];
  }
}

/** Calls `visit` for the expression and all below it, parents first. */
export function walkExpr(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr);
  for (const child of childrenOf(expr)) walkExpr(child, visit);
}

/** Column references in order of appearance. */
export function columnsOf(expr: Expr): ColumnExpr[] {
  const columns: ColumnExpr[] = [];
  walkExpr(expr, (e) => {
    if (e.kind === "column") columns.push(e);
  });
  return columns;
}
