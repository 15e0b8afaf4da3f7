import { type Expr, parseExpr, type SqlMode, type Token, tokenize } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";

/** Error 1064; `at` is the offset of the word that does not fit. */
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

  readonly #start: number;
  /** Literals that stand for `?`, in their order. */
  parameters: readonly string[] = [];

  /** `tokens`: those of one statement within `sql`, which begins at `start`, the last one `eof` where it ends. */
  constructor(sql: string, tokens: Token[], start = 0) {
    this.sql = sql;
    this.tokens = tokens;
    this.#start = start;
  }

  /** Source text of the statement, with version comments that reach beyond its tokens. */
  get text(): string {
    return this.sql.slice(this.#start, this.tokens[this.tokens.length - 1]!.start);
  }

  /** A piece of the text as it was written: with `?` for the parameters of a prepared statement. */
  written(text: string): string {
    return this.parameters.reduce((out, literal) => out.replace(literal, "?"), text);
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

/** Cuts a text at its semicolons; empty statements are left out. */
export function splitStatements(sql: string, mode: SqlMode): Clauses[] {
  let tokens: Token[];
  try {
    tokens = tokenize(sql, mode);
  } catch {
    throw syntaxError(sql, 0);
  }
  const out: Clauses[] = [];
  // A version comment may wrap a statement, so that it begins behind the last semicolon, not at its first token.
  let start = 0;
  let first = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== "eof" && !(token.kind === "op" && token.text === ";")) continue;
    if (i > first) {
      const end: Token = { kind: "eof", text: "", upper: "", start: token.start, end: token.start };
      out.push(new Clauses(sql, [...tokens.slice(first, i), end], start));
    }
    start = token.end;
    first = i + 1;
  }
  return out;
}
