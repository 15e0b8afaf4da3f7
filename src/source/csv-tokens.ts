import { utf8 } from "../base/mod.ts";
import type { CsvDialect } from "./csv-dialect.ts";

/**
 * What a token is. A match is the kind plus 8 times the token's length; `kindOf` and `lengthOf` take it apart.
 */
export const Token = {
  plain: 0,
  separator: 1,
  terminator: 2,
  delimiter: 3,
  escape: 4,
  /** Several tokens begin with this byte, or one of several bytes does: ask `CsvTokens.match`. */
  unsure: 5,
} as const;

/** The match of a terminator that the end of the data stands for. */
export const END_OF_DATA: number = Token.terminator;

/** `CsvTokens.match` needs bytes behind the window's end. */
export const MORE = -1;

/**
 * A dialect compiled for scanning: byte classes, and the longest-match rule for tokens of several bytes. Where tokens begin
 * alike the order is terminator, separator, delimiter, escape, so that a terminator may contain the separator.
 */
export class CsvTokens {
  /** Outside quotes: the match of a token of one byte, `Token.unsure`, or `Token.plain`. */
  readonly outside = new Uint8Array(256);
  /** The same inside quotes: delimiter, escape, or plain. */
  readonly inside = new Uint8Array(256);
  readonly separator: Uint8Array;
  readonly delimiter: Uint8Array;
  /** Empty: CR, LF, CRLF. */
  readonly terminator: Uint8Array;
  readonly escape: Uint8Array;
  /** A byte that no inner loop runs over, neither outside nor inside quotes. */
  readonly sentinel: number;

  constructor(dialect: CsvDialect) {
    this.separator = utf8(dialect.separator);
    this.delimiter = utf8(dialect.delimiter);
    this.terminator = utf8(dialect.terminator);
    this.escape = utf8(dialect.escapedBy);
    this.sentinel = this.delimiter[0] ?? this.separator[0]!;
    const claim = (classes: Uint8Array, token: Uint8Array, kind: number): void => {
      const first = token[0];
      if (first === undefined) return;
      classes[first] = token.length > 1 || classes[first] !== Token.plain ? Token.unsure : kind + 8;
    };
    claim(this.outside, this.escape, Token.escape);
    claim(this.outside, this.delimiter, Token.delimiter);
    claim(this.outside, this.separator, Token.separator);
    if (this.terminator.length === 0) {
      this.outside[13] = Token.unsure;
      claim(this.outside, LF, Token.terminator);
    } else {
      claim(this.outside, this.terminator, Token.terminator);
    }
    claim(this.inside, this.escape, Token.escape);
    claim(this.inside, this.delimiter, Token.delimiter);
  }

  /**
   * The match of the token at `at` outside quotes; `Token.plain` where there is none; `MORE` where bytes behind the window's
   * end decide.
   */
  match(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    const terminator = this.matchTerminator(bytes, at, end, final);
    if (terminator !== 0) return terminator;
    const separator = matchToken(this.separator, Token.separator, bytes, at, end, final);
    if (separator !== 0) return separator;
    const delimiter = matchToken(this.delimiter, Token.delimiter, bytes, at, end, final);
    if (delimiter !== 0) return delimiter;
    return matchToken(this.escape, Token.escape, bytes, at, end, final);
  }

  /** As `match`, for the terminator alone. */
  matchTerminator(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    if (this.terminator.length > 0) {
      return matchToken(this.terminator, Token.terminator, bytes, at, end, final);
    }
    const byte = bytes[at]!;
    if (at >= end) return 0;
    if (byte === 10) return Token.terminator + 8;
    if (byte !== 13) return 0;
    if (at + 1 < end) return Token.terminator + (bytes[at + 1] === 10 ? 16 : 8);
    return final ? Token.terminator + 8 : MORE;
  }

  /** As `match`, for the delimiter alone. */
  matchDelimiter(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    return matchToken(this.delimiter, Token.delimiter, bytes, at, end, final);
  }

  /** As `match`, inside quotes: delimiter, escape or plain. */
  matchInside(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    const delimiter = matchToken(this.delimiter, Token.delimiter, bytes, at, end, final);
    if (delimiter !== 0) return delimiter;
    return matchToken(this.escape, Token.escape, bytes, at, end, final);
  }
}

const LF = Uint8Array.of(10);

function matchToken(
  token: Uint8Array,
  kind: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  final: boolean,
): number {
  if (token.length === 0) return 0;
  for (let k = 0; k < token.length; k++) {
    if (at + k >= end) return final || k === 0 ? 0 : MORE;
    if (bytes[at + k] !== token[k]) return 0;
  }
  return kind + 8 * token.length;
}
