import { textOf, utf8 } from "../base/mod.ts";
import { FieldKind, type Fields, growFields } from "../codec/mod.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import { NullMarkers } from "./csv-nulls.ts";
import { CsvTokens, END_OF_DATA, MORE, Token } from "./csv-tokens.ts";
import { unescapeCsv, unescapeCsvBytes } from "./csv-unescape.ts";
import { csvPlainSyntax, type PlainSyntax } from "./plain-syntax.ts";
import { type RowScanner, Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import type { Window } from "./window.ts";

/** How a field was written, kept until its row is complete. */
const Mark = { plain: 0, escaped: 1, quoted: 2, quotedEscaped: 3 } as const;

/** As literals, and of the same values, in the innermost loop. */
const QUOTED = Mark.quoted;

const NO_BYTES = new Uint8Array(0);
/** The match of a separator of one byte. */
const SEPARATOR = Token.separator + 8;
/** The match of a terminator of one byte. */
const TERMINATOR = Token.terminator + 8;

interface CsvScannerOptions {
  /** For messages. */
  readonly file: string;
  readonly dialect: CsvDialect;
  /** The header of the file, for a chunk that does not begin with it. */
  readonly columns?: readonly string[];
  /** The window begins at the file's begin: there are lines to skip and a header. */
  readonly atFileStart: boolean;
  /** The data ends before the file does, so that its last row must have a terminator. */
  readonly endsInFile?: boolean;
  /** Rows of the file before the first of these. */
  readonly rowsBefore?: number;
  /** Place in the file of a position in the window's stream, for messages. */
  readonly placeOf?: (position: number) => number;
  /** Columns of the table, where known: decides what a blank line is. */
  readonly columnCount?: number;
}

/**
 * CSV as Lightning's option set describes it (lightning.md §1.6), read safely: a quote inside an unquoted field, text behind a
 * closing quote, an unterminated quote and a dangling escape are errors; a quoted NULL marker is text; an empty line of a file
 * with one column is a row. Counts what other readings would have changed.
 */
export class CsvScanner implements RowScanner {
  rowStart = 0;
  rowNumber = 0;
  columns: readonly string[] | undefined;
  columnsVersion = 0;
  /** Quoted fields that look like a NULL marker. */
  quotedNullCount = 0;
  /** Unquoted fields `\N` that are no NULL marker and so became the text `N`. */
  escapedNullCount = 0;
  /** Lines without content that were skipped. */
  blankLineCount = 0;
  /** A line without content is a row; settled once the header was read. */
  blankIsRow: boolean;
  /** Bytes before a row's STARTING BY text. */
  skippedByteCount = 0;

  private readonly options: CsvScannerOptions;
  private readonly dialect: CsvDialect;
  private readonly tokens: CsvTokens;
  private readonly nulls: NullMarkers;
  private readonly startingBy: Uint8Array;
  private readonly nullTextLength: number;
  /** The delimiter where it is one byte that begins nothing else, else -1. */
  private readonly quote: number;
  /** Delimiter and escape are one byte each, and quotes are doubled. */
  private readonly plainTokens: boolean;
  /** Undefined until asked for; null where there is none. */
  private plain: PlainSyntax | null | undefined;
  private marks = new Uint8Array(64);
  private marked = false;
  /** The record had a separator. */
  private separated = false;
  private linesToSkip: number;
  private headerDue: boolean;
  /** Where the last field ended, its token excluded. */
  private contentEnd = 0;
  private mark: number = Mark.plain;
  /** Position of the token behind the last field. */
  private at = 0;

  constructor(options: CsvScannerOptions) {
    this.options = options;
    this.rowNumber = options.rowsBefore ?? 0;
    this.dialect = options.dialect;
    this.tokens = new CsvTokens(options.dialect);
    this.nulls = new NullMarkers(options.dialect);
    this.startingBy = utf8(options.dialect.startingBy);
    this.nullTextLength = this.tokens.escape.length + 1;
    const quote = this.tokens.delimiter[0] ?? 0;
    this.quote = this.tokens.outside[quote] === Token.delimiter + 8 ? quote : -1;
    this.plainTokens = this.quote >= 0 && this.tokens.escape.length <= 1 && !options.dialect.unescapedQuote;
    this.columns = options.columns;
    this.linesToSkip = options.atFileStart ? options.dialect.skipLines : 0;
    this.headerDue = options.atFileStart && options.dialect.header;
    this.blankIsRow = this.blankLineIsRow(options.columns?.length ?? options.columnCount);
  }

  plainSyntax(): PlainSyntax | undefined {
    if (this.linesToSkip > 0 || this.headerDue) return undefined;
    if (this.plain === undefined) this.plain = csvPlainSyntax(this.dialect);
    return this.plain ?? undefined;
  }

  readonly atFirstRow = false;

  takePlainRows(window: Window, rows: number, lastRow: number, to: number): void {
    this.rowStart = window.base + lastRow;
    this.rowNumber += rows;
    window.start = to;
  }

  next(window: Window, fields: Fields): number {
    while (this.linesToSkip > 0 || this.headerDue) {
      const result = this.linesToSkip > 0 ? this.line(window) : this.header(window, fields);
      if (result !== Scan.row) return result;
    }
    for (;;) {
      const result = this.record(window, fields);
      if (result !== Scan.row) return result;
      if (fields.count === 1 && !this.blankIsRow && this.isBlank(fields)) {
        this.blankLineCount++;
        continue;
      }
      this.rowNumber++;
      if (this.marked) this.resolve(fields);
      return Scan.row;
    }
  }

  private line(window: Window): number {
    const { bytes, end, final } = window;
    for (let i = window.start; i < end; i++) {
      const match = this.tokens.matchTerminator(bytes, i, end, final);
      if (match === MORE) return Scan.more;
      if (match === Token.plain) continue;
      window.start = i + (match >> 3);
      this.linesToSkip--;
      return Scan.row;
    }
    if (!final) return Scan.more;
    window.start = end;
    return Scan.end;
  }

  private header(window: Window, fields: Fields): number {
    const result = this.record(window, fields);
    if (result !== Scan.row) return result;
    if (fields.count === 1 && this.isBlank(fields)) {
      this.blankLineCount++;
      return Scan.row;
    }
    if (this.marked) this.resolve(fields);
    const names: string[] = [];
    for (let k = 0; k < fields.count; k++) {
      names.push(textOf(fields.bytes.subarray(fields.start[k]!, fields.end[k]!)).trim());
    }
    this.headerDue = false;
    this.blankIsRow = this.blankLineIsRow(names.length);
    if (this.dialect.headerSchemaMatch) {
      this.columns = names;
      this.columnsVersion++;
    }
    return Scan.row;
  }

  /** Cuts one record, blank ones included, and takes it off the window. Escapes stay as they are: the row may be incomplete. */
  private record(window: Window, fields: Fields): number {
    const { bytes, end, final } = window;
    const { outside, inside } = this.tokens;
    const { quote } = this;
    const { mayBegin, lengthEnd } = this.nulls;
    bytes[end] = this.tokens.sentinel;
    let i = this.startingBy.length > 0 ? this.rowBegin(window) : window.start;
    if (i < 0) return Scan.more;
    if (i >= end) return final ? Scan.end : Scan.more;
    this.rowStart = window.base + i;
    this.marked = false;
    let { start: starts, end: ends, kind: kinds } = fields;
    let { marks } = this;
    let n = 0;
    for (;;) {
      if (n >= marks.length || n >= kinds.length) {
        this.grow(fields, n + 1);
        ({ start: starts, end: ends, kind: kinds } = fields);
        marks = this.marks;
      }
      let from = i;
      let to = i;
      let match: number = Token.unsure;
      let mark = 0;
      if (bytes[i] === quote) {
        to++;
        while (inside[bytes[to]!] === 0) to++;
        if (bytes[to] === quote && to + 1 < end) match = outside[bytes[to + 1]!]!;
        mark = QUOTED;
        from++;
        i = to + 1;
      } else {
        while (outside[bytes[i]!] === 0) i++;
        to = i;
        if (i < end) match = outside[bytes[i]!]!;
      }
      if (match !== SEPARATOR && match !== TERMINATOR) {
        const start = from - (mark >> 1);
        match = this.field(window, start, mark === QUOTED ? start : to, n);
        if (match === MORE) return Scan.more;
        mark = this.mark;
        from = mark >= QUOTED ? start + this.tokens.delimiter.length : start;
        to = this.contentEnd;
        i = this.at;
      }
      starts[n] = from;
      ends[n] = to;
      const mayBeNull = to - from < lengthEnd && (to === from || mayBegin[bytes[from]!] === 1);
      kinds[n] = mayBeNull ? this.kindOf(bytes, from, to, mark) : FieldKind.string;
      marks[n] = mark;
      n++;
      i += match >> 3;
      if ((match & 7) === 2) break;
    }
    fields.bytes = bytes;
    fields.count = n;
    window.start = i;
    this.separated = n > 1;
    if (this.dialect.trimLastSeparator && n > 1 && this.isEmpty(fields, n - 1)) fields.count = n - 1;
    return Scan.row;
  }

  /**
   * The rest of field `n`, which begins at `from` and is plain up to `i`. Gives the match of the token behind it, or `MORE`;
   * sets `at`, `contentEnd` and `mark`.
   */
  private field(window: Window, from: number, i: number, n: number): number {
    const { bytes, end, final } = window;
    const { outside } = this.tokens;
    this.mark = Mark.plain;
    let at = i;
    for (;;) {
      const match = this.tokenAt(window, at, n);
      if (match === Token.plain) {
        at++;
      } else if (match === MORE) {
        return MORE;
      } else if ((match & 7) === Token.escape) {
        this.mark = Mark.escaped;
        this.marked = true;
        at += (match >> 3) + 1;
        if (at > end) {
          if (!final) return MORE;
          throw this.syntax("the file ends with an escape character", window, end, n);
        }
        // A dump never ends so: it was cut, or the tool did not escape a value that ends with this character.
        if (at === end && final && !this.options.endsInFile && (bytes[at - 1] === 10 || bytes[at - 1] === 13)) {
          throw this.syntax("the file's last line end is escaped", window, at - 1, n);
        }
      } else if ((match & 7) === Token.delimiter) {
        if (at === from) return this.quoted(window, at + (match >> 3), n);
        if (!this.dialect.unescapedQuote) throw this.syntax("a quote inside an unquoted field", window, at, n);
        at += match >> 3;
      } else {
        this.at = at;
        this.contentEnd = at;
        return match;
      }
      while (outside[bytes[at]!] === Token.plain) at++;
    }
  }

  /** As `field`, for a quoted one whose content begins at `from`. */
  private quoted(window: Window, from: number, n: number): number {
    const { bytes, end, final } = window;
    const { inside } = this.tokens;
    const { quote } = this;
    const width = this.tokens.delimiter.length;
    this.mark = Mark.quoted;
    let i = from;
    for (;;) {
      while (inside[bytes[i]!] === Token.plain) i++;
      if (i >= end) {
        if (!final) return MORE;
        throw this.syntax("the quoted field has no end", window, from - width, n);
      }
      let match = inside[bytes[i]!]!;
      if (match === Token.unsure) match = this.tokens.matchInside(bytes, i, end, final);
      if (match === MORE) return MORE;
      if (match === Token.plain) {
        i++;
      } else if ((match & 7) === Token.escape) {
        this.mark = Mark.quotedEscaped;
        this.marked = true;
        i += (match >> 3) + 1;
      } else {
        // The common case first: a delimiter of one byte, doubled.
        if (bytes[i + 1] === quote && i + 1 < end && !this.dialect.unescapedQuote) {
          this.mark = Mark.quotedEscaped;
          this.marked = true;
          i += 2;
          continue;
        }
        const next = this.behindQuote(window, i + width, n);
        if (next === MORE) return MORE;
        if (next !== Token.plain) {
          this.contentEnd = i;
          this.at = i + width;
          return next;
        }
        if (!this.dialect.unescapedQuote) {
          this.mark = Mark.quotedEscaped;
          this.marked = true;
          i += width;
        }
        i += width;
      }
    }
  }

  /** What follows a delimiter inside quotes at `at`: the match of the token that ends the field, or `Token.plain` if it goes on. */
  private behindQuote(window: Window, at: number, n: number): number {
    const { bytes, end, final } = window;
    const loose = this.dialect.unescapedQuote;
    if (!loose) {
      const again = at < end ? this.tokens.matchDelimiter(bytes, at, end, final) : final ? Token.plain : MORE;
      if (again !== Token.plain) return again === MORE ? MORE : Token.plain;
    }
    const match = this.tokenAt(window, at, n);
    const kind = match & 7;
    if (match === MORE || kind === Token.separator || kind === Token.terminator) return match;
    if (loose) return Token.plain;
    throw this.syntax("text behind a closing quote", window, at, n);
  }

  /** The match at `at` outside quotes; the end of the data ends a row. */
  private tokenAt(window: Window, at: number, n: number): number {
    const { bytes, end, final } = window;
    if (at >= end) {
      if (!final) return MORE;
      if (this.options.endsInFile) throw this.syntax("a row goes beyond the end of its chunk", window, at, n);
      return END_OF_DATA;
    }
    const match = this.tokens.outside[bytes[at]!]!;
    return match === Token.unsure ? this.tokens.match(bytes, at, end, final) : match;
  }

  private kindOf(bytes: Uint8Array, from: number, to: number, mark: number): number {
    if (!this.nulls.has(bytes, from, to)) return FieldKind.string;
    if (mark < Mark.quoted) return FieldKind.null;
    this.marked = true;
    return this.dialect.quotedNullIsText ? FieldKind.string : FieldKind.null;
  }

  /** Resolves escapes and doubled quotes of a complete row in place, and counts what looks like NULL but is text. */
  private resolve(fields: Fields): void {
    const { bytes } = fields;
    const { escape: escapeBytes, delimiter } = this.tokens;
    for (let k = 0; k < fields.count; k++) {
      const mark = this.marks[k]!;
      const from = fields.start[k]!;
      const to = fields.end[k]!;
      if (mark >= Mark.quoted && to - from < this.nulls.lengthEnd && this.nulls.has(bytes, from, to)) {
        this.quotedNullCount++;
        continue;
      }
      if (fields.kind[k] === FieldKind.null) continue;
      if (mark === Mark.escaped) {
        if (to - from === this.nullTextLength && bytes[to - 1] === 0x4e) this.escapedNullCount++;
        fields.end[k] =
          escapeBytes.length === 1
            ? unescapeCsvBytes(bytes, from, to, this.tokens.inside, escapeBytes[0]!, -1)
            : unescapeCsv(bytes, from, to, escapeBytes, NO_BYTES);
      } else if (mark === Mark.quotedEscaped && this.plainTokens) {
        fields.end[k] = unescapeCsvBytes(bytes, from, to, this.tokens.inside, escapeBytes[0] ?? -1, this.quote);
      } else if (mark === Mark.quotedEscaped) {
        fields.end[k] = unescapeCsv(bytes, from, to, escapeBytes, this.dialect.unescapedQuote ? NO_BYTES : delimiter);
      }
    }
  }

  /** Where the next row's content begins, behind its STARTING BY text; below 0 where more bytes are needed. */
  private rowBegin(window: Window): number {
    const { bytes, end, final } = window;
    const { startingBy } = this;
    for (let i = window.start; i + startingBy.length <= end; i++) {
      let k = 0;
      while (k < startingBy.length && bytes[i + k] === startingBy[k]) k++;
      if (k < startingBy.length) continue;
      if (i > window.start) this.skippedByteCount += i - window.start;
      return i + k;
    }
    if (!final) return -1;
    this.skippedByteCount += end - window.start;
    return end;
  }

  private blankLineIsRow(columnCount: number | undefined): boolean {
    return this.dialect.blankLines === "row" || (this.dialect.blankLines === "auto" && columnCount === 1);
  }

  /** A line without separator and with white space only, unquoted. */
  private isBlank(fields: Fields): boolean {
    if (this.separated || this.marks[0] !== Mark.plain) return false;
    for (let i = fields.start[0]!; i < fields.end[0]!; i++) {
      const byte = fields.bytes[i]!;
      if (byte !== 32 && (byte < 9 || byte > 13)) return false;
    }
    return true;
  }

  private isEmpty(fields: Fields, k: number): boolean {
    return this.marks[k] === Mark.plain && fields.start[k] === fields.end[k];
  }

  private grow(fields: Fields, capacity: number): void {
    growFields(fields, capacity);
    if (this.marks.length >= fields.kind.length) return;
    const marks = new Uint8Array(fields.kind.length);
    marks.set(this.marks);
    this.marks = marks;
  }

  private syntax(detail: string, window: Window, at: number, n: number): Error {
    const { file, placeOf } = this.options;
    const byte = window.base + at;
    return sourceError("Levin:Source:ErrSyntax", "parse row in", detail, {
      file,
      row: this.rowNumber + 1,
      column: n + 1,
      byte: placeOf === undefined ? byte : placeOf(byte),
    });
  }
}
