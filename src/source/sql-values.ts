import { FieldKind } from "../codec/mod.ts";
import { asciiLower, everyDigit, fitsInteger, isOperator } from "./sql-digits.ts";
import { CHAR, Char, MORE, type SqlLexer } from "./sql-lexer.ts";
import type { SqlSession } from "./sql-session.ts";

/** How a value's bytes become its slice once the row is complete. */
export const Mark = {
  done: 0,
  /** Content of a string literal with escapes or doubled quotes; the byte before it is the quote. */
  escaped: 1,
  hex: 2,
  bits: 3,
  /** Several string literals side by side, quotes included. */
  joined: 4,
  /** A number whose sign stands apart: the sign goes to the byte before the digits. */
  minus: 5,
} as const;

/** Parentheses and CONVERT/CAST around one value, nested at most this deep. */
const DEPTH_MAX = 16;

/** Why a value cannot be read. `unsupported`: valid SQL that would have to be executed. */
export class ValueProblem extends Error {
  readonly at: number;
  readonly unsupported: boolean;

  constructor(message: string, at: number, unsupported = false) {
    super(message);
    this.at = at;
    this.unsupported = unsupported;
  }
}

/**
 * Reads one value of a row in all its forms. `read` gives the position behind it or `MORE` and sets the other fields; the bytes
 * stay untouched. The common forms are read by the scanner itself.
 */
export class SqlValueReader {
  from = 0;
  to = 0;
  kind: number = FieldKind.null;
  mark: number = Mark.done;
  /** Charset of an introducer or CONVERT, lower case; undefined: the session's. */
  charset: string | undefined;
  /** Lightning reads any unquoted word as its text. */
  wordsAreText = false;
  /** Words and `\N` that were read as text; the row reader sets it back. */
  textWordCount = 0;

  private readonly lexer: SqlLexer;
  private readonly session: SqlSession;

  constructor(lexer: SqlLexer, session: SqlSession) {
    this.lexer = lexer;
    this.session = session;
  }

  read(i: number, depth = 0): number {
    this.charset = undefined;
    const byte = this.lexer.bytes[i]!;
    if (byte === 0x27 || (byte === 0x22 && !this.session.ansiQuotes)) return this.string(i, depth);
    if (this.wordsAreText && byte !== 0x28) {
      const to = this.lightningWord(i);
      if (to !== i) return to;
    }
    if (byte === 0x2d || byte === 0x2b) return this.signed(i, depth);
    if (CHAR[byte]! & Char.digit || byte === 0x2e) return this.number(i, i);
    if (byte === 0x28) return this.parentheses(i, depth);
    if (byte === 0x5c) return this.backslashN(i);
    if (CHAR[byte]! & Char.word) return this.word(i, depth);
    if (byte === 0x40) throw new ValueProblem("a variable is no constant", i, true);
    throw new ValueProblem("expected a value", i);
  }

  private set(kind: number, mark: number, from: number, to: number): void {
    this.kind = kind;
    this.mark = mark;
    this.from = from;
    this.to = to;
  }

  /** One string literal, or several side by side, which SQL joins. */
  private string(i: number, depth: number): number {
    const { lexer } = this;
    let at = lexer.quoted(i, this.session);
    if (at === MORE) return MORE;
    this.set(FieldKind.string, lexer.escaped ? Mark.escaped : Mark.done, i + 1, at - 1);
    if (depth < 0) return at;
    for (;;) {
      const { inVersionComment } = lexer;
      const next = lexer.blank(at);
      if (next === MORE) return MORE;
      const quote = next < lexer.end ? lexer.bytes[next] : 0;
      if (quote !== 0x27 && (quote !== 0x22 || this.session.ansiQuotes)) {
        lexer.inVersionComment = inVersionComment;
        return at;
      }
      const behind = lexer.quoted(next, this.session);
      if (behind === MORE) return MORE;
      at = behind;
      this.set(FieldKind.string, Mark.joined, i, at);
    }
  }

  private signed(i: number, depth: number): number {
    const { lexer } = this;
    const negative = lexer.bytes[i] === 0x2d;
    const at = lexer.blank(i + 1);
    if (at === MORE) return MORE;
    const byte = at < lexer.end ? lexer.bytes[at]! : 0;
    if (!(CHAR[byte]! & Char.digit) && byte !== 0x2e) {
      if (byte === 0x28 || byte === 0x2d || byte === 0x2b)
        throw new ValueProblem("an expression is no constant", i, true);
      throw new ValueProblem("expected a number behind the sign", at);
    }
    const next = this.number(negative ? i : at, at);
    if (next === MORE || !negative || depth < 0) return next;
    if (this.kind === FieldKind.hex || this.kind === FieldKind.bit) {
      throw new ValueProblem("an expression is no constant", i, true);
    }
    if (at > i + 1) this.set(this.kind, Mark.minus, at - 1, this.to);
    return next;
  }

  /** A number whose digits begin at `at`; `from` is the sign or `at`. */
  private number(from: number, at: number): number {
    const { lexer } = this;
    const { bytes, end } = lexer;
    const second = at + 1 < end ? bytes[at + 1]! : 0;
    if (bytes[at] === 0x30 && (second === 0x78 || second === 0x62)) return this.prefixed(at, second);
    let i = at;
    let kind: number = from < at || bytes[from] === 0x2d ? FieldKind.int : FieldKind.uint;
    while (i < end && CHAR[bytes[i]!]! & Char.digit) i++;
    if (i < end && bytes[i] === 0x2e) {
      kind = FieldKind.decimal;
      i++;
      while (i < end && CHAR[bytes[i]!]! & Char.digit) i++;
    }
    if (i < end && (bytes[i]! | 0x20) === 0x65) {
      const exponent = this.exponent(i);
      if (exponent === MORE) return MORE;
      if (exponent > i) {
        kind = FieldKind.float;
        i = exponent;
      }
    }
    if (i >= end && !lexer.final) return MORE;
    if (i < end && CHAR[bytes[i]!]! & Char.word) {
      const to = lexer.word(i);
      return to === MORE ? MORE : this.plainWord(from, to);
    }
    if (i === at + 1 && bytes[at] === 0x2e) throw new ValueProblem("expected a value", at);
    if (!fitsInteger(bytes, at, i, kind)) kind = FieldKind.decimal;
    this.set(kind, Mark.done, from, i);
    return i;
  }

  /** Behind `e[+-]digits` at `i`, or `i` where no digit follows. */
  private exponent(i: number): number {
    const { bytes, end, final } = this.lexer;
    let at = i + 1;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    const digits = at;
    while (at < end && CHAR[bytes[at]!]! & Char.digit) at++;
    if (at >= end && !final) return MORE;
    return at > digits ? at : i;
  }

  /** `0x…` and `0b…`; what is neither is a word. */
  private prefixed(at: number, letter: number): number {
    const { lexer } = this;
    const to = lexer.word(at);
    if (to === MORE) return MORE;
    const hex = letter === 0x78;
    const digits = to > at + 2 && everyDigit(lexer.bytes, at + 2, to, hex);
    if (!digits) return this.plainWord(at, to);
    this.set(hex ? FieldKind.hex : FieldKind.bit, hex ? Mark.hex : Mark.bits, at + 2, to);
    return to;
  }

  private parentheses(i: number, depth: number): number {
    const { lexer } = this;
    if (depth >= DEPTH_MAX) throw new ValueProblem(`parentheses are nested more than ${DEPTH_MAX} deep`, i);
    const inner = lexer.blank(i + 1);
    if (inner === MORE) return MORE;
    if (inner >= lexer.end) throw new ValueProblem("expected a value", inner);
    const at = this.read(inner, depth + 1);
    return at === MORE ? MORE : this.close(at);
  }

  /** Behind the `)` at or behind `at`. */
  private close(at: number): number {
    const { lexer } = this;
    const next = lexer.blank(at);
    if (next === MORE) return MORE;
    if (lexer.bytes[next] === 0x29 && next < lexer.end) return next + 1;
    if (next < lexer.end && isOperator(lexer.bytes[next]!))
      throw new ValueProblem("an expression is no constant", next, true);
    throw new ValueProblem('expected ")"', next);
  }

  /** `\N`: NULL in MySQL up to 5.7 and in MariaDB. */
  private backslashN(i: number): number {
    const { lexer } = this;
    const to = i + 1 >= lexer.end ? (lexer.final ? i + 1 : MORE) : lexer.word(i + 1);
    if (to === MORE) return MORE;
    if (to !== i + 2 || lexer.bytes[i + 1] !== 0x4e) throw new ValueProblem("expected a value", i);
    this.set(FieldKind.null, Mark.done, i, i);
    return to;
  }

  private word(i: number, depth: number): number {
    const { lexer } = this;
    const to = lexer.word(i);
    if (to === MORE) return MORE;
    const { bytes } = lexer;
    const quote = to < lexer.end ? bytes[to] : 0;
    if (quote === 0x27 && to === i + 1) {
      const letter = bytes[i]! | 0x20;
      if (letter === 0x78 || letter === 0x62) return this.quotedDigits(i, to, letter === 0x78);
      if (letter === 0x6e) return this.string(to, depth);
    }
    for (const [text, kind] of CONSTANTS) {
      if (!lexer.is(text, i, to)) continue;
      this.set(kind, Mark.done, i, i);
      return kind === FieldKind.default ? this.notCalled(i, to) : to;
    }
    if (bytes[i] === 0x5f) return this.introduced(i, to, depth);
    if (lexer.is("convert", i, to) || lexer.is("cast", i, to)) return this.converted(i, to, depth);
    if (lexer.is("date", i, to) || lexer.is("time", i, to) || lexer.is("timestamp", i, to)) {
      const next = lexer.blank(to);
      if (next === MORE) return MORE;
      if (next < lexer.end && bytes[next] === 0x27) return this.string(next, depth);
    }
    return this.plainWord(i, to);
  }

  /** `x'…'` and `b'…'`. */
  private quotedDigits(i: number, quote: number, hex: boolean): number {
    const { lexer } = this;
    const at = lexer.quoted(quote, this.session);
    if (at === MORE) return MORE;
    if (!everyDigit(lexer.bytes, quote + 1, at - 1, hex)) {
      throw new ValueProblem(hex ? "not a hex digit in x'…'" : "not a bit in b'…'", i);
    }
    if (hex && (at - quote) % 2 !== 0) throw new ValueProblem("an odd number of digits in x'…'", i);
    this.set(hex ? FieldKind.hex : FieldKind.bit, hex ? Mark.hex : Mark.bits, quote + 1, at - 1);
    return at;
  }

  /** `_charset` before a string, hex or bit literal. */
  private introduced(i: number, to: number, depth: number): number {
    const { lexer } = this;
    const charset = asciiLower(lexer.bytes, i + 1, to);
    const next = lexer.blank(to);
    if (next === MORE) return MORE;
    const byte = next < lexer.end ? lexer.bytes[next]! : 0;
    const literal = byte === 0x27 || byte === 0x22 || byte === 0x30 || (byte | 0x20) === 0x78 || (byte | 0x20) === 0x62;
    if (!literal) return this.plainWord(i, to);
    const at = this.read(next, depth);
    if (at === MORE) return MORE;
    this.introduce(charset);
    return at;
  }

  /** Gives the literal just read the charset: its bytes are text, or a binary string. */
  private introduce(charset: string): void {
    if (charset === "binary") {
      this.kind = FieldKind.binary;
    } else {
      this.kind = FieldKind.string;
      this.charset = charset;
    }
  }

  /** `CONVERT(value USING charset)`, `CAST(value AS JSON)` and the like: what mydumper and mysqldump wrap around JSON and text. */
  private converted(i: number, to: number, depth: number): number {
    const { lexer } = this;
    const open = lexer.blank(to);
    if (open === MORE) return MORE;
    if (open >= lexer.end || lexer.bytes[open] !== 0x28) return this.plainWord(i, to);
    if (depth >= DEPTH_MAX) throw new ValueProblem(`calls are nested more than ${DEPTH_MAX} deep`, i);
    const inner = lexer.blank(open + 1);
    if (inner === MORE) return MORE;
    if (inner >= lexer.end) throw new ValueProblem("expected a value", inner);
    const behind = this.read(inner, depth + 1);
    const using = behind === MORE ? MORE : lexer.blank(behind);
    const usingEnd = using === MORE ? MORE : lexer.word(using);
    const type = usingEnd === MORE ? MORE : lexer.blank(usingEnd);
    const typeEnd = type === MORE ? MORE : lexer.word(type);
    if (typeEnd === MORE) return MORE;
    const wanted = lexer.is("convert", i, to) ? "using" : "as";
    const name = asciiLower(lexer.bytes, type, typeEnd);
    if (!lexer.is(wanted, using, usingEnd)) throw new ValueProblem("a function call is no constant", i, true);
    if (wanted === "using") {
      if (name === "binary") this.introduce(name);
      else if (!UTF8_NAMES.has(name)) throw new ValueProblem(`CONVERT to ${name} is no constant`, i, true);
    } else if (name === "binary") {
      this.introduce(name);
    } else if (name !== "json" && name !== "char") {
      throw new ValueProblem(`CAST to ${name} is no constant`, i, true);
    }
    return this.close(typeEnd);
  }

  /**
   * Lightning's reading of what stands unquoted (lightning.md §1.5): all up to white space, a comma, bracket or quote is one
   * word; digits of 64 bits are numbers, NULL, TRUE and FALSE constants, everything else is text. `i`: a form that is read below.
   */
  private lightningWord(i: number): number {
    const { bytes, end, final } = this.lexer;
    let to = i;
    while (to < end && LIGHTNING_WORD[bytes[to]!] === 1) to++;
    if (to >= end && !final) return MORE;
    if (to === i || (to < end && (bytes[to] === 0x28 || (bytes[to] === 0x27 && to === i + 1)))) return i;
    const text = asciiLower(bytes, i, Math.min(to, i + 8));
    const kind = LIGHTNING_CONSTANTS[text];
    if (kind !== undefined && to - i === text.length) {
      this.set(kind, Mark.done, i, i);
    } else if (
      /^0[xb]/.test(text) &&
      to > i + 2 &&
      bytes[i + 1]! > 0x60 &&
      everyDigit(bytes, i + 2, to, text[1] === "x")
    ) {
      const hex = text[1] === "x";
      this.set(hex ? FieldKind.hex : FieldKind.bit, hex ? Mark.hex : Mark.bits, i + 2, to);
    } else {
      this.set(lightningNumber(bytes, i, to), Mark.done, i, to);
      if (this.kind === FieldKind.string) this.textWordCount++;
    }
    return to;
  }

  /** A word that is no value: a function, or text for Lightning. */
  private plainWord(i: number, to: number): number {
    const next = this.lexer.blank(to);
    if (next === MORE) return MORE;
    const text = asciiLower(this.lexer.bytes, i, Math.min(to, i + 40));
    if (next < this.lexer.end && this.lexer.bytes[next] === 0x28) {
      throw new ValueProblem(`the function "${text}" is no constant`, i, true);
    }
    throw new ValueProblem(`expected a value, found "${text}"`, i);
  }

  private notCalled(i: number, to: number): number {
    const { inVersionComment } = this.lexer;
    const next = this.lexer.blank(to);
    if (next === MORE) return MORE;
    this.lexer.inVersionComment = inVersionComment;
    if (next < this.lexer.end && this.lexer.bytes[next] === 0x28) {
      throw new ValueProblem("DEFAULT of a column is no constant", i, true);
    }
    return to;
  }
}

const UTF8_NAMES = new Set(["utf8mb4", "utf8", "utf8mb3"]);

const CONSTANTS: readonly (readonly [string, number])[] = [
  ["null", FieldKind.null],
  ["true", FieldKind.true],
  ["false", FieldKind.false],
  ["default", FieldKind.default],
];

const LIGHTNING_WORD = new Uint8Array(256).fill(1);
for (const char of " \t\n\r\v\f,;()'\"`/") LIGHTNING_WORD[char.charCodeAt(0)] = 0;

const LIGHTNING_CONSTANTS: Readonly<Record<string, number>> = {
  null: FieldKind.null,
  true: FieldKind.true,
  false: FieldKind.false,
};

function lightningNumber(bytes: Uint8Array, from: number, to: number): number {
  const digits = bytes[from] === 0x2d ? from + 1 : from;
  const kind = digits > from ? FieldKind.int : FieldKind.uint;
  for (let i = digits; i < to; i++) if (!(CHAR[bytes[i]!]! & Char.digit)) return FieldKind.string;
  return digits < to && fitsInteger(bytes, digits, to, kind) ? kind : FieldKind.string;
}
