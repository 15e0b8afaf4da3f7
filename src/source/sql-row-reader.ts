import { FieldKind, type Fields, growFields } from "../codec/mod.ts";
import { type Charset, charsetOf } from "./charset.ts";
import { FieldConverter } from "./field-coding.ts";
import { isOperator } from "./sql-digits.ts";
import { CHAR, Char, DOUBLE_STOP, MORE, SINGLE_STOP, type SqlLexer, Unclosed } from "./sql-lexer.ts";
import type { SqlSession } from "./sql-session.ts";
import { decodeBits, decodeHex, unescapeSql } from "./sql-unescape.ts";
import { Mark, SqlValueReader, ValueProblem } from "./sql-values.ts";

const DIGIT = Char.digit | Char.word;

/**
 * Reads the values of one row. `row` leaves the bytes as they are, for the row may turn out to be incomplete; `resolve` then
 * brings the slices into their final form, in place.
 */
export class SqlRowReader {
  /** The value being read, from 0, where an error is thrown; below 0 outside rows. */
  column = -1;
  private readonly lexer: SqlLexer;
  /** Literals of complete rows that MySQL reads in another way: words, `\N`, `\%` and `\_`. */
  lightningLiteralCount = 0;
  private readonly session: SqlSession;
  private readonly values: SqlValueReader;
  private marks = new Uint8Array(64);
  /** Character sets of introducers in this row, by field. */
  private introduced: (Charset | undefined)[] = [];
  private readonly converter = new FieldConverter(undefined);
  private marked = false;
  private textMark: number = Mark.done;
  private rowFrom = 0;
  private rowInVersionComment = false;

  constructor(lexer: SqlLexer, session: SqlSession, wordsAreText: boolean) {
    this.lexer = lexer;
    this.session = session;
    this.values = new SqlValueReader(lexer, session);
    this.values.wordsAreText = wordsAreText;
  }

  /** Reads the values of a row from behind its `(`; gives the position behind its `)`, or `MORE`. The bytes stay untouched. */
  row(fields: Fields, open: number): number {
    const { lexer, marks } = this;
    const { bytes, end } = lexer;
    const ansi = this.session.ansiQuotes;
    this.marked = false;
    this.values.textWordCount = 0;
    this.rowFrom = open;
    this.rowInVersionComment = lexer.inVersionComment;
    if (this.introduced.length > 0) this.introduced = [];
    const { start: starts, end: ends, kind: kinds } = fields;
    let i = open;
    let n = 0;
    for (;;) {
      if (n >= kinds.length || n >= marks.length) return this.grown(fields, open, n);
      while (i < end && CHAR[bytes[i]!] === 1) i++;
      const byte = bytes[i]!;
      const from = i;
      if (byte === 0x27 || (byte === 0x22 && !ansi)) {
        i = this.text(i + 1, byte, n);
        if (i === MORE) return MORE;
        starts[n] = from + 1;
        ends[n] = i - 1;
        kinds[n] = FieldKind.string;
        marks[n] = this.textMark;
      } else {
        const first = byte === 0x2d ? i + 1 : i;
        let digits = first;
        while (CHAR[bytes[digits]!]! === DIGIT) digits++;
        let kind: number = byte === 0x2d ? FieldKind.int : FieldKind.uint;
        if (bytes[digits] === 0x2e && digits > first) {
          kind = FieldKind.decimal;
          digits++;
          while (CHAR[bytes[digits]!]! === DIGIT) digits++;
        }
        const after = bytes[digits];
        // Integers of up to 18 digits fit; numbers of other forms, and all else, are read below.
        const plain = digits > first && (digits - first < 19 || kind === FieldKind.decimal);
        if (plain && (after === 0x2c || after === 0x29) && digits < end) {
          starts[n] = from;
          ends[n] = i = digits;
          kinds[n] = kind;
          marks[n] = Mark.done;
        } else if (byte === 0x4e && isNull(bytes, i) && i + 4 < end) {
          starts[n] = ends[n] = i;
          kinds[n] = FieldKind.null;
          marks[n] = Mark.done;
          i += 4;
        } else {
          i = this.value(fields, from, n);
          if (i === MORE) return MORE;
        }
      }
      if (i >= end || (bytes[i] !== 0x2c && bytes[i] !== 0x29)) {
        i = this.behindValue(fields, from, i, n);
        if (i === MORE) return MORE;
      }
      n++;
      if (bytes[i++] === 0x29) break;
    }
    fields.count = n;
    return i;
  }

  /** Makes room for more values and reads the row again. */
  private grown(fields: Fields, open: number, n: number): number {
    growFields(fields, n + 1);
    this.lexer.inVersionComment = this.rowInVersionComment;
    if (this.marks.length < fields.kind.length) this.marks = new Uint8Array(fields.kind.length);
    return this.row(fields, open);
  }

  /** Behind the string whose content begins at `from`; sets `textMark`. */
  private text(from: number, quote: number, n: number): number {
    const { bytes, end } = this.lexer;
    const stop = quote === 0x27 ? SINGLE_STOP : DOUBLE_STOP;
    const backslash = !this.session.noBackslashEscapes;
    this.textMark = Mark.done;
    let i = from;
    for (;;) {
      while (stop[bytes[i]!] === 0) i++;
      if (i >= end) {
        if (!this.lexer.final) return MORE;
        this.column = n;
        throw new Unclosed("the string has no end", from - 1);
      }
      const byte = bytes[i]!;
      if (byte === quote) {
        if (i + 1 >= end && !this.lexer.final) return MORE;
        if (bytes[i + 1] !== quote || i + 1 >= end) return i + 1;
        this.textMark = Mark.escaped;
        this.marked = true;
        i += 2;
      } else if (byte === 0x5c && backslash) {
        this.textMark = Mark.escaped;
        this.marked = true;
        i += 2;
      } else {
        i++;
      }
    }
  }

  /** Reads value `n` in any form; gives the position behind it. */
  private value(fields: Fields, from: number, n: number): number {
    const { lexer, values } = this;
    this.column = n;
    const start = lexer.blank(from);
    if (start === MORE) return MORE;
    if (start >= lexer.end) throw new ValueProblem("the file ends inside a row", start);
    const at = values.read(start);
    if (at === MORE) return MORE;
    fields.start[n] = values.from;
    fields.end[n] = values.to;
    fields.kind[n] = values.kind;
    this.marks[n] = values.mark;
    if (values.mark !== Mark.done) this.marked = true;
    if (values.charset !== undefined) this.introduce(values.charset, start, n);
    this.column = -1;
    return at;
  }

  /** Steps from behind value `n` at `i` to the "," or ")" that follows. */
  private behindValue(fields: Fields, from: number, i: number, n: number): number {
    const { lexer } = this;
    const { inVersionComment } = lexer;
    let at = lexer.blank(i);
    if (at === MORE) return MORE;
    this.column = n;
    if (at < lexer.end && (lexer.bytes[at] === 0x27 || lexer.bytes[at] === 0x22)) {
      lexer.inVersionComment = inVersionComment;
      const behind = this.value(fields, from, n);
      at = behind === MORE ? MORE : lexer.blank(behind);
      if (at === MORE) return MORE;
      this.column = n;
    }
    if (at >= lexer.end) throw new ValueProblem("the file ends inside a row", at);
    const byte = lexer.bytes[at]!;
    if (isOperator(byte)) throw new ValueProblem("an expression is no constant", at, true);
    if (byte !== 0x2c && byte !== 0x29) throw new ValueProblem('expected "," or ")" behind a value', at);
    this.column = -1;
    return at;
  }

  /** Brings the slices of a complete row into their final form, in place. */
  resolve(fields: Fields): void {
    this.lightningLiteralCount += this.values.textWordCount;
    if (!this.marked) return;
    const { bytes } = this.lexer;
    fields.bytes = bytes;
    const backslash = !this.session.noBackslashEscapes;
    for (let k = 0; k < fields.count; k++) {
      const mark = this.marks[k]!;
      if (mark === Mark.done) continue;
      const from = fields.start[k]!;
      const to = fields.end[k]!;
      if (mark === Mark.escaped) {
        if (this.values.wordsAreText && backslash && hasWildcard(bytes, from, to)) this.lightningLiteralCount++;
        fields.end[k] = unescapeSql(bytes, from, to, bytes[from - 1]!, backslash, !this.values.wordsAreText);
      } else if (mark === Mark.hex) {
        fields.end[k] = decodeHex(bytes, from, to);
      } else if (mark === Mark.bits) {
        fields.end[k] = decodeBits(bytes, from, to);
      } else if (mark === Mark.minus) {
        bytes[from] = 0x2d;
      } else {
        fields.end[k] = this.join(from, to);
      }
    }
    if (this.introduced.length === 0) return;
    const invalid = this.converter.convert(fields, this.introduced);
    if (invalid < 0) return;
    this.column = invalid;
    throw new ValueProblem(`the text is not valid ${this.introduced[invalid]}`, this.rowFrom);
  }

  private introduce(name: string, at: number, n: number): void {
    const charset = charsetOf(name);
    if (charset === undefined) throw new ValueProblem(`the character set ${name} is not known`, at, true);
    if (charset === "utf8") return;
    this.introduced[n] = charset;
    this.marked = true;
  }

  /** Joins the literals of bytes[from, to) at `from`; gives the end. */
  private join(from: number, to: number): number {
    const { lexer, session } = this;
    const { bytes } = lexer;
    const { inVersionComment } = lexer;
    let write = from;
    let read = from;
    while (read < to) {
      const quote = bytes[read]!;
      const behind = lexer.quoted(read, session);
      const length = behind - read - 2;
      bytes.copyWithin(write, read + 1, behind - 1);
      write = lexer.escaped
        ? unescapeSql(bytes, write, write + length, quote, !session.noBackslashEscapes, !this.values.wordsAreText)
        : write + length;
      // Comments were looked at when the row was read; here a closing one may come without its opening.
      lexer.inVersionComment = true;
      read = behind < to ? lexer.blank(behind) : to;
    }
    lexer.inVersionComment = inVersionComment;
    return write;
  }
}

/** Whether a literal has `\%` or `\_`. */
function hasWildcard(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    if (bytes[i] !== 0x5c) continue;
    const next = bytes[++i];
    if (next === 0x25 || next === 0x5f) return true;
  }
  return false;
}

/** `NULL` before "," or ")", as dumps write it. */
function isNull(bytes: Uint8Array, i: number): boolean {
  const after = bytes[i + 4];
  return bytes[i + 1] === 0x55 && bytes[i + 2] === 0x4c && bytes[i + 3] === 0x4c && (after === 0x2c || after === 0x29);
}
