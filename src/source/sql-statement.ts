import { textOf } from "../base/mod.ts";
import { CHAR, Char, MORE, type SqlLexer } from "./sql-lexer.ts";
import type { SqlSession } from "./sql-session.ts";
import { unescapeSql } from "./sql-unescape.ts";

/** A token of a statement that is not row data. `text` is decoded: without quotes, escapes resolved. */
export interface SqlToken {
  readonly kind: "word" | "name" | "string" | "symbol";
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** A statement up to its delimiter. Positions are offsets into the lexer's bytes. */
export interface SqlStatement {
  /** The first `TOKENS_MAX` tokens. */
  readonly tokens: readonly SqlToken[];
  readonly from: number;
  /** Behind the last byte before the delimiter. */
  readonly to: number;
  /** Behind the delimiter. */
  readonly next: number;
}

/** Enough for every SET line and every CREATE head of a dump. */
const TOKENS_MAX = 256;

/** Reads the statement at `i` (not blank there); `MORE` where the window ends before it. */
export function readStatement(lexer: SqlLexer, session: SqlSession, i: number): SqlStatement | typeof MORE {
  const tokens: SqlToken[] = [];
  let at = i;
  let to = i;
  for (;;) {
    at = lexer.blank(at);
    if (at === MORE) return MORE;
    if (at >= lexer.end) return { tokens, from: i, to, next: at };
    const width = delimiterAt(lexer, session, at);
    if (width === MORE) return MORE;
    if (width > 0) return { tokens, from: i, to, next: at + width };
    const token = readToken(lexer, session, at);
    if (token === MORE) return MORE;
    if (tokens.length < TOKENS_MAX) tokens.push(token);
    at = to = token.to;
  }
}

/**
 * Text of a statement that was just read, with its version comments opened: `/*!50001` and the closing belong to no statement
 * alone, as tools put several in a row around parts of one.
 */
export function statementText(lexer: SqlLexer, statement: SqlStatement): string {
  const { from, to } = statement;
  const copy = lexer.bytes.slice(from, to);
  for (let k = 0; k < lexer.commentMarks.length; k += 2) {
    const start = Math.max(lexer.commentMarks[k]!, from) - from;
    const end = Math.min(lexer.commentMarks[k + 1]!, to) - from;
    if (start < end) copy.fill(0x20, start, end);
  }
  return textOf(copy).trimEnd();
}

/** Length of the delimiter where it stands at `at`, else 0. */
export function delimiterAt(lexer: SqlLexer, session: SqlSession, at: number): number {
  const { bytes, end, final } = lexer;
  const { delimiter } = session;
  for (let k = 0; k < delimiter.length; k++) {
    if (at + k >= end) return final ? 0 : MORE;
    if (bytes[at + k] !== delimiter.charCodeAt(k)) return 0;
  }
  return delimiter.length;
}

/** The token at `at`, which is not blank. */
export function readToken(lexer: SqlLexer, session: SqlSession, at: number): SqlToken | typeof MORE {
  const { bytes } = lexer;
  const byte = bytes[at]!;
  if (byte === 0x27 || byte === 0x22 || byte === 0x60) {
    const to = lexer.quoted(at, session);
    if (to === MORE) return MORE;
    const name = byte === 0x60 || (byte === 0x22 && session.ansiQuotes);
    const inner = bytes.slice(at + 1, to - 1);
    const backslash = byte !== 0x60 && !session.noBackslashEscapes && !name;
    const length = lexer.escaped ? unescapeSql(inner, 0, inner.length, byte, backslash) : inner.length;
    return { kind: name ? "name" : "string", text: textOf(inner.subarray(0, length)), from: at, to };
  }
  if (CHAR[byte]! & Char.word) {
    const to = lexer.word(at);
    return to === MORE ? MORE : { kind: "word", text: textOf(bytes.subarray(at, to)), from: at, to };
  }
  return { kind: "symbol", text: String.fromCharCode(byte), from: at, to: at + 1 };
}
