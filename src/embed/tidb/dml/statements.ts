import { type Expr, parseExpr, type SqlMode, type Token } from "../../../schema/mod.ts";
import { type Clauses, syntaxError } from "../query/clauses.ts";
import { SqlError } from "../wire/mod.ts";

export interface TableRef {
  db: string | undefined;
  table: string;
}

export interface Assignment {
  column: string;
  expr: Expr;
}

export interface Insert {
  replace: boolean;
  ignore: boolean;
  table: TableRef;
  /** Undefined: all columns in order. */
  columns: string[] | undefined;
  rows: Expr[][];
  /** ON DUPLICATE KEY UPDATE. */
  update: Assignment[];
}

export interface Change {
  table: TableRef;
  ignore: boolean;
  /** Undefined in DELETE. */
  set: Assignment[] | undefined;
  where: Expr | undefined;
  orderBy: { expr: Expr; descending: boolean }[];
  limit: number | undefined;
}

function skipModifiers(clauses: Clauses): boolean {
  let ignore = false;
  for (;;) {
    if (clauses.takeWords("IGNORE")) ignore = true;
    else if (
      !clauses.takeWords("LOW_PRIORITY") &&
      !clauses.takeWords("HIGH_PRIORITY") &&
      !clauses.takeWords("DELAYED") &&
      !clauses.takeWords("QUICK")
    )
      return ignore;
  }
}

function columnName(clauses: Clauses): string {
  let name = clauses.name();
  while (clauses.takeOp(".")) name = clauses.name();
  return name;
}

function nameList(clauses: Clauses): string[] {
  const names: string[] = [];
  if (clauses.takeOp(")")) return names;
  do names.push(columnName(clauses));
  while (clauses.takeOp(","));
  if (!clauses.takeOp(")")) throw clauses.fail();
  return names;
}

/** A literal that stands alone, without the way through the expression parser; undefined for everything else. */
function plainLiteral(token: Token): Expr | undefined {
  const at = token.start;
  switch (token.kind) {
    case "string":
      return { kind: "string", text: token.text, at };
    case "int":
      return token.text.length < 19 ? { kind: "int", value: BigInt(token.text), at } : undefined;
    case "decimal":
      return { kind: "decimal", text: token.text.startsWith(".") ? `0${token.text}` : token.text, at };
    case "word":
      if (token.upper === "NULL") return { kind: "null", at };
      return token.upper === "DEFAULT" ? { kind: "default", at } : undefined;
    default:
      return undefined;
  }
}

/** One value up to a comma or the closing parenthesis. */
function value(clauses: Clauses, mode: SqlMode, stops: readonly string[] = []): Expr {
  const following = clauses.tokens[clauses.at + 1];
  const alone =
    following?.kind === "eof" ||
    (following?.kind === "op" && (following.text === "," || following.text === ")")) ||
    stops.includes(following?.upper ?? "");
  const literal = alone ? plainLiteral(clauses.token) : undefined;
  if (literal !== undefined) {
    clauses.at++;
    return literal;
  }
  const { text, start } = clauses.textUntil(stops);
  if (/^default$/i.test(text.trim())) return { kind: "default", at: start };
  try {
    return parseExpr(text, mode);
  } catch {
    throw syntaxError(clauses.sql, start);
  }
}

function assignments(clauses: Clauses, mode: SqlMode, stops: readonly string[]): Assignment[] {
  const out: Assignment[] = [];
  do {
    const column = columnName(clauses);
    if (!clauses.takeOp("=") && !clauses.takeOp(":=")) throw clauses.fail();
    out.push({ column, expr: value(clauses, mode, stops) });
  } while (clauses.takeOp(","));
  return out;
}

/** INSERT and REPLACE with values; the cursor stands at the first word. */
export function parseInsert(clauses: Clauses, mode: SqlMode): Insert {
  const replace = clauses.token.upper === "REPLACE";
  clauses.at++;
  const ignore = skipModifiers(clauses);
  clauses.takeWords("INTO");
  const table = clauses.tableName();
  const insert: Insert = { replace, ignore, table, columns: undefined, rows: [], update: [] };
  if (clauses.takeOp("(")) insert.columns = nameList(clauses);
  if (insert.columns === undefined && clauses.takeWords("SET")) {
    const set = assignments(clauses, mode, ["ON", "AS"]);
    insert.columns = set.map(({ column }) => column);
    insert.rows = [set.map(({ expr }) => expr)];
  } else {
    if (clauses.token.upper === "SELECT" || clauses.token.upper === "TABLE" || clauses.token.upper === "WITH")
      throw new SqlError(1235, "the sandbox does not insert the rows of a query", "42000");
    if (!clauses.takeWords("VALUES") && !clauses.takeWords("VALUE")) throw clauses.fail();
    do insert.rows.push(rowOf(clauses, mode));
    while (clauses.takeOp(","));
  }
  if (clauses.takeWords("ON", "DUPLICATE", "KEY", "UPDATE")) insert.update = assignments(clauses, mode, []);
  clauses.end();
  return insert;
}

function rowOf(clauses: Clauses, mode: SqlMode): Expr[] {
  clauses.takeWords("ROW");
  if (!clauses.takeOp("(")) throw clauses.fail();
  const row: Expr[] = [];
  if (clauses.takeOp(")")) return row;
  do row.push(value(clauses, mode));
  while (clauses.takeOp(","));
  if (!clauses.takeOp(")")) throw clauses.fail();
  return row;
}

const AFTER_WHERE = ["ORDER", "LIMIT", "RETURNING"];

/** UPDATE t SET … and DELETE FROM t …; the cursor stands at the first word. */
export function parseChange(clauses: Clauses, mode: SqlMode): Change {
  const update = clauses.token.upper === "UPDATE";
  clauses.at++;
  const ignore = skipModifiers(clauses);
  if (!update && !clauses.takeWords("FROM")) throw clauses.fail();
  const table = clauses.tableName();
  const change: Change = { table, ignore, set: undefined, where: undefined, orderBy: [], limit: undefined };
  if (update) {
    if (!clauses.takeWords("SET")) throw clauses.fail();
    change.set = assignments(clauses, mode, ["WHERE", ...AFTER_WHERE]);
  }
  if (clauses.takeWords("WHERE")) change.where = clauses.expression(AFTER_WHERE, mode).expr;
  if (clauses.takeWords("ORDER", "BY")) {
    do {
      const { expr } = clauses.expression(["ASC", "DESC", "LIMIT"], mode);
      const descending = clauses.takeWords("DESC");
      if (!descending) clauses.takeWords("ASC");
      change.orderBy.push({ expr, descending });
    } while (clauses.takeOp(","));
  }
  if (clauses.takeWords("LIMIT")) change.limit = clauses.int();
  clauses.end();
  return change;
}
