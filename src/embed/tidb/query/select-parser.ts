import type { Expr, SqlMode } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";
import type { Clauses } from "./clauses.ts";

export interface SelectItem {
  /** Undefined for `*`; `table` for `t.*`. */
  expr: Expr | undefined;
  /** Name of the result column. */
  name: string;
  /** The name was given with AS. */
  aliased?: boolean;
}

/** The SELECTs that the sandbox answers: one table at most, no joins, no subqueries, no GROUP BY; UNION ALL of some in parentheses. */
export interface Select {
  items: SelectItem[];
  from: { db: string | undefined; table: string } | undefined;
  where: Expr | undefined;
  orderBy: { expr: Expr; descending: boolean }[];
  limit: number | undefined;
  offset: number;
  /** FOR UPDATE. */
  locking?: boolean;
}

const AFTER_ITEM = ["FROM", "AS", "WHERE", "ORDER", "LIMIT", "FOR"];
const AFTER_TABLE = new Set(
  "WHERE ORDER LIMIT FOR GROUP HAVING USE FORCE IGNORE JOIN INNER LEFT RIGHT CROSS NATURAL STRAIGHT_JOIN UNION LOCK PARTITION".split(
    " ",
  ),
);

const refused = (what: string): SqlError =>
  new SqlError(1235, `the sandbox does not take ${what} in a SELECT`, "42000");

const AFTER_WHERE = ["ORDER", "LIMIT", "FOR", "GROUP", "HAVING"];

/** `COUNT(*)`, whose star is no expression. */
function countStar(clauses: Clauses): { expr: Expr; text: string } | undefined {
  const [word, open, star, close] = clauses.tokens.slice(clauses.at, clauses.at + 4);
  if (word?.upper !== "COUNT" || open?.text !== "(" || star?.text !== "*" || close?.text !== ")") return undefined;
  clauses.at += 4;
  const arg: Expr = { kind: "column", name: "*", at: star.start };
  return {
    expr: { kind: "call", name: "count", args: [arg], at: word.start },
    text: clauses.sql.slice(word.start, close.end),
  };
}

function selectItem(clauses: Clauses, mode: SqlMode): SelectItem {
  if (clauses.takeOp("*")) return { expr: undefined, name: "*" };
  const [one, dot, star] = clauses.tokens.slice(clauses.at, clauses.at + 3);
  if ((one?.kind === "word" || one?.kind === "quoted") && dot?.text === "." && star?.text === "*") {
    clauses.at += 3;
    return { expr: undefined, name: "*" };
  }
  const { expr, text } = countStar(clauses) ?? clauses.expression(AFTER_ITEM, mode);
  const { token } = clauses;
  const as = clauses.takeWords("AS");
  const alias = as ? clauses.token : token;
  // Without AS an alias is a name or a string right behind the expression.
  if (as || alias.kind === "quoted" || alias.kind === "string") {
    clauses.at++;
    return { expr, name: alias.text, aliased: true };
  }
  if (expr.kind === "column") return { expr, name: expr.name };
  const written = clauses.written(text.trim());
  return { expr, name: expr.kind === "string" && written === text.trim() ? expr.text : written };
}

/** Parses `(SELECT …) UNION ALL (SELECT …) …`. */
export function parseUnion(clauses: Clauses, mode: SqlMode): Select[] {
  const selects: Select[] = [];
  do {
    if (!clauses.takeOp("(")) throw clauses.fail();
    selects.push(selectAhead(clauses, mode));
    if (!clauses.takeOp(")")) throw clauses.fail();
  } while (clauses.takeWords("UNION", "ALL"));
  clauses.end();
  return selects;
}

/** Parses a SELECT whose first word is still ahead. */
export function parseSelect(clauses: Clauses, mode: SqlMode): Select {
  const select = selectAhead(clauses, mode);
  clauses.end();
  return select;
}

function selectAhead(clauses: Clauses, mode: SqlMode): Select {
  if (!clauses.takeWords("SELECT")) throw clauses.fail();
  const items: SelectItem[] = [];
  do items.push(selectItem(clauses, mode));
  while (clauses.takeOp(","));
  const select: Select = { items, from: undefined, where: undefined, orderBy: [], limit: undefined, offset: 0 };
  if (clauses.takeWords("FROM")) {
    select.from = clauses.tableName();
    const alias = clauses.takeWords("AS") || clauses.token.kind === "quoted" || !AFTER_TABLE.has(clauses.token.upper);
    if (alias && (clauses.token.kind === "word" || clauses.token.kind === "quoted")) clauses.name();
    if (clauses.token.kind === "op" && clauses.token.text === ",") throw refused("joins");
    if (/^(JOIN|INNER|LEFT|RIGHT|CROSS|NATURAL|STRAIGHT_JOIN)$/.test(clauses.token.upper)) throw refused("joins");
    for (const words of [
      ["USE", "INDEX"],
      ["FORCE", "INDEX"],
      ["IGNORE", "INDEX"],
    ]) {
      if (!clauses.takeWords(...words)) continue;
      if (!clauses.takeOp("(")) throw clauses.fail();
      while (!clauses.takeOp(")")) {
        if (clauses.done) throw clauses.fail();
        clauses.at++;
      }
    }
  }
  if (clauses.takeWords("WHERE")) select.where = clauses.expression(AFTER_WHERE, mode).expr;
  if (clauses.takeWords("ORDER", "BY")) {
    do {
      const { expr } = clauses.expression(["ASC", "DESC", "LIMIT", "FOR"], mode);
      const descending = clauses.takeWords("DESC");
      if (!descending) clauses.takeWords("ASC");
      select.orderBy.push({ expr, descending });
    } while (clauses.takeOp(","));
  }
  if (clauses.takeWords("LIMIT")) {
    select.limit = clauses.int();
    if (clauses.takeOp(",")) {
      select.offset = select.limit;
      select.limit = clauses.int();
    } else if (clauses.takeWords("OFFSET")) select.offset = clauses.int();
  }
  if (clauses.takeWords("FOR")) {
    clauses.takeWords("UPDATE");
    select.locking = true;
  }
  for (const word of ["GROUP", "HAVING", "UNION"]) if (clauses.token.upper === word) throw refused(word);
  return select;
}
