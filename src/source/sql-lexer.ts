import type { SqlSession } from "./sql-session.ts";

/** The window ends before what was begun does. */
export const MORE = -1;

/** Bits of `CHAR`. */
export const Char = { blank: 1, digit: 2, word: 4 } as const;

/** What each byte may be part of: white space, a number, an unquoted word (MySQL: letters, digits, `_`, `$`, bytes from 0x80). */
export const CHAR = new Uint8Array(256);
for (const byte of [9, 10, 11, 12, 13, 32]) CHAR[byte] = Char.blank;
for (let byte = 0x30; byte <= 0x39; byte++) CHAR[byte] = Char.digit | Char.word;
for (let byte = 0x41; byte <= 0x5a; byte++) CHAR[byte] = CHAR[byte + 32] = Char.word;
for (let byte = 0x80; byte <= 0xff; byte++) CHAR[byte] = Char.word;
CHAR[0x5f] = CHAR[0x24] = Char.word;

/**
 * Version comments of MySQL up to 9.x are executed; from 10.0 on the numbers are MariaDB's (`/*!100100 …`), which neither MySQL
 * nor TiDB executes.
 */
const VERSION_MAX = 99999;

/** Bytes that end the plain stretch of quoted text: its quote, the backslash, and 0, which scanners put behind the data. */
export const SINGLE_STOP: Uint8Array = stops(0x27);
export const DOUBLE_STOP: Uint8Array = stops(0x22);
const BACKTICK_STOP = stops(0x60);

function stops(quote: number): Uint8Array {
  const table = new Uint8Array(256);
  table[0] = table[quote] = table[0x5c] = 1;
  return table;
}

/** What an unclosed comment or quote is reported as. */
export class Unclosed extends Error {
  readonly at: number;
  readonly what: string;

  constructor(what: string, at: number) {
    super(what);
    this.at = at;
    this.what = what;
  }
}

/**
 * Steps over what stands between tokens, and over quoted text. All functions take the window's data end; `final` says that no
 * byte follows it. They give `MORE` where the end cuts a token.
 */
export class SqlLexer {
  /** The byte at `end`, if there is one, is 0. */
  bytes: Uint8Array = new Uint8Array(0);
  end = 0;
  final = false;
  /** Between the opening and the closing of a version comment, whose content counts. */
  inVersionComment = false;
  /** A literal's content had escapes or doubled quotes. */
  escaped = false;
  /** Begin and end of each opening and closing of a version comment since it was last emptied. */
  readonly commentMarks: number[] = [];

  /** The next byte at or behind `i` that is neither white space nor comment; `end` where there is none. */
  blank(i: number): number {
    const { bytes, end } = this;
    let at = i;
    for (;;) {
      while (at < end && CHAR[bytes[at]!]! & Char.blank) at++;
      if (at >= end) return this.final ? end : MORE;
      const next = this.comment(at);
      if (next === at || next === MORE) return next;
      at = next;
    }
  }

  /** Behind the comment that begins at `at`; `at` itself where none does. */
  private comment(at: number): number {
    const { bytes, end, final } = this;
    const byte = bytes[at];
    if (byte === 0x23) return this.lineEnd(at);
    if (byte !== 0x2d && byte !== 0x2f && byte !== 0x2a) return at;
    if (at + 1 >= end) return final ? at : MORE;
    const second = bytes[at + 1]!;
    if (byte === 0x2a) {
      if (second !== 0x2f || !this.inVersionComment) return at;
      this.inVersionComment = false;
      this.commentMarks.push(at, at + 2);
      return at + 2;
    }
    if (byte === 0x2d) {
      if (second !== 0x2d) return at;
      if (at + 2 >= end) return final ? end : MORE;
      return bytes[at + 2]! <= 32 ? this.lineEnd(at) : at;
    }
    return second === 0x2a ? this.block(at) : at;
  }

  private lineEnd(at: number): number {
    const found = this.bytes.indexOf(10, at);
    if (found >= 0 && found < this.end) return found + 1;
    return this.final ? this.end : MORE;
  }

  private block(at: number): number {
    const { bytes, end, final } = this;
    if (at + 2 >= end && !final) return MORE;
    if (bytes[at + 2] === 0x21 && at + 2 < end) {
      let i = at + 3;
      let version = 0;
      while (i < end && CHAR[bytes[i]!]! & Char.digit) version = version * 10 + bytes[i++]! - 0x30;
      if (i >= end && !final) return MORE;
      if (version <= VERSION_MAX) {
        this.inVersionComment = true;
        this.commentMarks.push(at, i);
        return i;
      }
    }
    for (let i = at + 2; i + 1 < end; i++) {
      if (bytes[i] === 0x2a && bytes[i + 1] === 0x2f) return i + 2;
    }
    if (!final) return MORE;
    throw new Unclosed("the comment has no end", at);
  }

  /**
   * Behind the quoted text that begins at `i` with `'`, `"` or a backtick; sets `escaped`. Backslashes escape in the first two
   * unless the session says otherwise.
   */
  quoted(i: number, session: SqlSession): number {
    const { bytes, end, final } = this;
    const quote = bytes[i]!;
    const backslash = quote !== 0x60 && !session.noBackslashEscapes && !(quote === 0x22 && session.ansiQuotes);
    const stop = quote === 0x27 ? SINGLE_STOP : quote === 0x22 ? DOUBLE_STOP : BACKTICK_STOP;
    this.escaped = false;
    let at = i + 1;
    for (;;) {
      while (stop[bytes[at]!] === 0) at++;
      if (at >= end) {
        if (!final) return MORE;
        throw new Unclosed("the quoted text has no end", i);
      }
      if (bytes[at] !== quote) {
        const escapes = bytes[at] === 0x5c && backslash;
        if (escapes) this.escaped = true;
        at += escapes ? 2 : 1;
      } else if (at + 1 >= end && !final) {
        return MORE;
      } else if (at + 1 < end && bytes[at + 1] === quote) {
        this.escaped = true;
        at += 2;
      } else {
        return at + 1;
      }
    }
  }

  /** Behind the word at `i`. */
  word(i: number): number {
    const { bytes, end, final } = this;
    let at = i;
    while (at < end && CHAR[bytes[at]!]! & Char.word) at++;
    return at >= end && !final ? MORE : at;
  }

  /** Whether the ASCII text (lower case) stands at [from, to), in any case. */
  is(text: string, from: number, to: number): boolean {
    if (to - from !== text.length) return false;
    for (let k = 0; k < text.length; k++)
      if ((this.bytes[from + k]! | 0x20) !== (text.charCodeAt(k) | 0x20)) return false;
    return true;
  }
}
