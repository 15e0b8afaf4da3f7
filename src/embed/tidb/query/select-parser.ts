import { type Expr, parseExpr, type SqlMode, type Token, tokenize } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";

export interface SelectItem {
  /** Undefined for `*`; `table` for `t.*`. */
  expr: Expr | undefined;
  /** Name of the result column. */
  name: string;
}

/** The SELECTs that the sandbox answers: one table at most, no joins, no subqueries, no GROUP BY. */
export interface Select {
  items: SelectItem[];
  from: { db: string | undefined; table: string } | undefined;
  where: Expr | undefined;
  orderBy: { expr: Expr; descending: boolean }[];
  limit: number | undefined;
  offset: number;
}

export function syntaxError(sql: string, at: number): SqlError {
  const line = sql.slice(0, at).split("\n").length;
  const near = sql.slice(at, at + 80);
  const column = at - sql.lastIndexOf("\n", at - 1) - 1;
  return new SqlError(
    1064,
    "You have an error in your SQL syntax; check the manual that corresponds to your TiDB version for the right syntax to use " +
      `line ${line} column ${column} near "${near}"`,
    "42000",
  );
}

/** Tokens of one statement with a cursor, cut at words of the outermost level. */
export class Clauses {
  readonly sql: string;
  readonly tokens: Token[];
  at = 0;

  constructor(sql: string, mode: SqlMode) {
    this.sql = sql;
    try {
      this.tokens = tokenize(sql, mode).filter((token) => !(token.kind === "op" && token.text === ";"));
    } catch {
      throw syntaxError(sql, 0);
    }
  }

  get token(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]!;
  }

  get done(): boolean {
    return this.token.kind === "eof";
  }

  takeWords(...words: string[]): boolean {
    if (!words.every((word, i) => this.tokens[this.at + i]?.upper === word)) return false;
    this.at += words.length;
    return true;
  }

  takeOp(text: string): boolean {
    if (this.token.kind !== "op" || this.token.text !== text) return false;
    this.at++;
    return true;
  }

  fail(): SqlError {
    return syntaxError(this.sql, this.token.start);
  }

  name(): string {
    const token = this.token;
    if (token.kind !== "word" && token.kind !== "quoted") throw this.fail();
    this.at++;
    return token.text;
  }

  tableName(): { db: string | undefined; table: string } {
    const first = this.name();
    return this.takeOp(".") ? { db: first, table: this.name() } : { db: undefined, table: first };
  }

  int(): number {
    const token = this.token;
    if (token.kind !== "int") throw this.fail();
    this.at++;
    return Number(token.text);
  }

  end(): void {
    if (!this.done) throw this.fail();
  }

  /** Source text up to a comma or one of the words, at the level of parentheses where it begins; the cursor stands behind it. */
  textUntil(words: readonly string[]): { text: string; start: number } {
    const start = this.token.start;
    let end = start;
    let depth = 0;
    while (!this.done) {
      const token = this.token;
      if (depth === 0 && ((token.kind === "op" && token.text === ",") || words.includes(token.upper))) break;
      if (token.kind === "op" && token.text === "(") depth++;
      if (token.kind === "op" && token.text === ")") depth--;
      if (depth < 0) break;
      end = token.end;
      this.at++;
    }
    if (end === start) throw this.fail();
    return { text: this.sql.slice(start, end), start };
  }

  expression(words: readonly string[], mode: SqlMode): { expr: Expr; text: string } {
    const { text, start } = this.textUntil(words);
    try {
      return { expr: parseExpr(text, mode), text };
    } catch {
      throw syntaxError(this.sql, start);
    }
  }
}

const AFTER_ITEM = ["FROM", "AS", "WHERE", "ORDER", "LIMIT", "FOR"];
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
  let name = expr.kind === "column" ? expr.name : text.trim();
  if (clauses.takeWords("AS")) {
    name = clauses.token.text;
    clauses.at++;
  }
  return { expr, name };
}

/** Parses a SELECT whose first word is still ahead. */
export function parseSelect(sql: string, mode: SqlMode): Select {
  const clauses = new Clauses(sql, mode);
  if (!clauses.takeWords("SELECT")) throw clauses.fail();
  const items: SelectItem[] = [];
  do items.push(selectItem(clauses, mode));
  while (clauses.takeOp(","));
  const select: Select = { items, from: undefined, where: undefined, orderBy: [], limit: undefined, offset: 0 };
  if (clauses.takeWords("FROM")) {
    select.from = clauses.tableName();
    if (clauses.takeWords("AS")) clauses.name();
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
  if (clauses.takeWords("FOR")) clauses.takeWords("UPDATE");
  clauses.end();
  return select;
}
