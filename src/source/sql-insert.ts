import { textOf } from "../base/mod.ts";
import { CHAR, Char, MORE, type SqlLexer } from "./sql-lexer.ts";
import type { SqlSession } from "./sql-session.ts";
import { delimiterAt, readToken, type SqlToken } from "./sql-statement.ts";

/** The head of an INSERT or REPLACE up to VALUES. */
export interface InsertHead {
  readonly database: string | undefined;
  readonly table: string;
  readonly columns: string[] | undefined;
  /** Behind VALUES. */
  readonly next: number;
}

/** Why a statement that begins like an INSERT cannot be read. */
export interface InsertProblem {
  readonly problem: string;
  readonly at: number;
  /** Valid SQL that an importer does not execute, as opposed to a syntax error. */
  readonly unsupported: boolean;
}

const MODIFIERS = new Set(["low_priority", "delayed", "high_priority", "ignore", "into"]);

/** Reads `INSERT|REPLACE [words] [INTO] name [PARTITION (…)] [(columns)] VALUES|VALUE` at `i`. */
export function readInsertHead(
  lexer: SqlLexer,
  session: SqlSession,
  i: number,
): InsertHead | InsertProblem | typeof MORE {
  const cursor = new Cursor(lexer, session, i);
  try {
    return head(cursor);
  } catch (thrown) {
    if (thrown === NEED_MORE) return MORE;
    if (thrown instanceof Problem) return { problem: thrown.message, at: thrown.at, unsupported: thrown.unsupported };
    throw thrown;
  }
}

/** Not an error: unwinds the reading of a head that the window cuts. */
const NEED_MORE = Symbol("more");

class Problem extends Error {
  readonly at: number;
  readonly unsupported: boolean;

  constructor(message: string, at: number, unsupported = false) {
    super(message);
    this.at = at;
    this.unsupported = unsupported;
  }
}

/** MySQL's names have up to 64 characters. */
const NAME_BYTES_MAX = 256;

class Cursor {
  token: SqlToken | undefined;
  private readonly lexer: SqlLexer;
  private readonly session: SqlSession;
  private at: number;

  constructor(lexer: SqlLexer, session: SqlSession, at: number) {
    this.lexer = lexer;
    this.session = session;
    this.at = at;
    this.step();
  }

  /** Where the current token begins, or the data ends. */
  get place(): number {
    return this.token?.from ?? this.at;
  }

  get word(): string | undefined {
    return this.token?.kind === "word" ? this.token.text.toLowerCase() : undefined;
  }

  /** Moves to the next token; undefined at the statement's or the data's end. */
  step(): void {
    const { lexer } = this;
    const at = lexer.blank(this.at);
    if (at === MORE) throw NEED_MORE;
    this.at = at;
    this.token = undefined;
    if (at >= lexer.end) return;
    const width = delimiterAt(lexer, this.session, at);
    if (width === MORE) throw NEED_MORE;
    if (width > 0) return;
    const token = readToken(lexer, this.session, at);
    if (token === MORE) throw NEED_MORE;
    this.token = token;
    this.at = token.to;
  }

  isSymbol(text: string): boolean {
    return this.token?.kind === "symbol" && this.token.text === text;
  }

  /**
   * A name in backticks that are not doubled inside, as mydumper writes them: up to a backtick before "," or ")", in one line.
   * Steps over it.
   */
  looseName(from: number): string | undefined {
    const { bytes, end, final } = this.lexer;
    if (bytes[from] !== 0x60) return undefined;
    for (let at = from + 1; at < end; at++) {
      if (bytes[at] === 0x0a || at - from > NAME_BYTES_MAX) return undefined;
      if (bytes[at] !== 0x60) continue;
      const next = this.lexer.blank(at + 1);
      if (next === MORE) throw NEED_MORE;
      if (bytes[next] !== 0x2c && bytes[next] !== 0x29) continue;
      this.at = at + 1;
      this.step();
      return textOf(bytes.subarray(from + 1, at));
    }
    if (!final) throw NEED_MORE;
    return undefined;
  }

  /** A name, quoted or not; steps over it. */
  name(what: string): string {
    const { token } = this;
    if (token === undefined || (token.kind !== "word" && token.kind !== "name")) {
      throw new Problem(`expected ${what}`, this.place);
    }
    this.step();
    return token.text;
  }
}

function head(cursor: Cursor): InsertHead {
  cursor.step();
  while (cursor.word !== undefined && MODIFIERS.has(cursor.word)) cursor.step();
  let table = cursor.name("a table name");
  let database: string | undefined;
  if (cursor.isSymbol(".")) {
    cursor.step();
    database = table;
    table = cursor.name("a table name");
  }
  if (cursor.word === "partition") {
    cursor.step();
    if (cursor.isSymbol("(")) list(cursor, "a partition name");
  }
  const columns = cursor.isSymbol("(") ? list(cursor, "a column name") : undefined;
  const { word, place, token } = cursor;
  if (word === "values" || word === "value") return { database, table, columns, next: token!.to };
  if (word === "select" || word === "with" || word === "table" || word === "set") {
    throw new Problem(`INSERT … ${word.toUpperCase()} is not row data`, place, true);
  }
  throw new Problem("expected VALUES", place);
}

/** Names in parentheses; a qualified column name counts by its last part. */
function list(cursor: Cursor, what: string): string[] {
  const names: string[] = [];
  cursor.step();
  while (!cursor.isSymbol(")")) {
    if (names.length > 0) {
      if (!cursor.isSymbol(",")) throw new Problem('expected "," or ")"', cursor.place);
      cursor.step();
    }
    const from = cursor.place;
    let name = cursor.name(what);
    while (cursor.isSymbol(".")) {
      cursor.step();
      name = cursor.name(what);
    }
    if (!cursor.isSymbol(",") && !cursor.isSymbol(")")) name = cursor.looseName(from) ?? name;
    names.push(name);
  }
  cursor.step();
  return names;
}

/** Whether INSERT or REPLACE begins at `i`: true, false, or `MORE`. */
export function insertBegins(lexer: SqlLexer, i: number): boolean | typeof MORE {
  if (!(CHAR[lexer.bytes[i]!]! & Char.word)) return false;
  const to = lexer.word(i);
  if (to === MORE) return MORE;
  return lexer.is("insert", i, to) || lexer.is("replace", i, to);
}
