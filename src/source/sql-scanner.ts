import { textOf } from "../base/mod.ts";
import { FieldKind, type Fields, growFields } from "../codec/mod.ts";
import { type RowScanner, Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import { classify, type SqlStatementHead } from "./sql-classify.ts";
import { insertBegins, readInsertHead } from "./sql-insert.ts";
import { CHAR, Char, MORE, SqlLexer, Unclosed } from "./sql-lexer.ts";
import { newSqlSession, type SqlSession } from "./sql-session.ts";
import { applySet } from "./sql-set.ts";
import { delimiterAt, readStatement, type SqlStatement } from "./sql-statement.ts";
import { decodeBits, decodeHex, unescapeSql } from "./sql-unescape.ts";
import { isOperator, Mark, SqlValueReader, ValueProblem } from "./sql-values.ts";
import type { Window } from "./window.ts";

/** Between statements; behind VALUES; behind a row. */
const State = { statement: 0, firstRow: 1, behindRow: 2 } as const;

/** A step that gave no row yet (beside the values of `Scan`). */
const GO_ON = 3;

const DIGIT = Char.digit | Char.word;

/** Bytes that end the plain stretch of a string: its quote, the backslash, and the sentinel. */
const SINGLE_STOP = stops(0x27);
const DOUBLE_STOP = stops(0x22);

function stops(quote: number): Uint8Array {
  const table = new Uint8Array(256);
  table[0] = table[quote] = table[0x5c] = 1;
  return table;
}

export interface SqlScannerOptions {
  /** For messages. */
  readonly file: string;
  /** The session where the scanner begins; it goes on to change it. */
  readonly session?: SqlSession;
  /** Takes each statement that is no row data; may throw. The text is valid during the call. */
  readonly onStatement?: (head: SqlStatementHead, text: () => string, place: { from: number; to: number }) => void;
  /** Takes each INSERT's table before its first row; may throw. */
  readonly onInsert?: (database: string | undefined, table: string, from: number) => void;
  /** Lightning's reading of literals: unquoted words and `\N` are text, `\%` and `\_` lose their backslash. */
  readonly compatLightning?: boolean;
}

/**
 * Dump SQL: statements, and the rows of INSERT and REPLACE statements and of bare tuples. Not SQL at large: values are
 * constants, everything else between statements is handed to `onStatement` whole.
 */
export class SqlScanner implements RowScanner {
  rowStart = 0;
  rowNumber = 0;
  columns: readonly string[] | undefined;
  columnsVersion = 0;
  readonly session: SqlSession;
  /** INSERTs with ON DUPLICATE KEY UPDATE, whose update part was left out. */
  updateClauseCount = 0;
  /** The last statement had no delimiter: as some tools write it, and as a file cut between two rows looks. */
  endedWithoutDelimiter = false;

  private readonly options: SqlScannerOptions;
  private readonly lexer = new SqlLexer();
  private readonly values: SqlValueReader;
  private state: number = State.statement;
  private base = 0;
  private marks = new Uint8Array(64);
  private charsets: (string | undefined)[] = [];
  private marked = false;
  private textMark: number = Mark.done;
  /** The value being read, from 0; below 0 outside rows. */
  private column = -1;

  constructor(options: SqlScannerOptions) {
    this.options = options;
    this.session = options.session ?? newSqlSession();
    this.values = new SqlValueReader(this.lexer, this.session);
    this.values.wordsAreText = options.compatLightning ?? false;
  }

  next(window: Window, fields: Fields): number {
    const { lexer } = this;
    lexer.bytes = window.bytes;
    lexer.end = window.end;
    lexer.final = window.final;
    window.bytes[window.end] = 0;
    this.base = window.base;
    for (;;) {
      const { inVersionComment } = lexer;
      this.column = -1;
      let result: number;
      try {
        result = this.state === State.statement ? this.statement(window) : this.rowOrEnd(window, fields);
      } catch (thrown) {
        throw this.located(thrown);
      }
      if (result === GO_ON) continue;
      if (result === Scan.more) lexer.inVersionComment = inVersionComment;
      return result;
    }
  }

  /** Reads what stands between rows: one statement, or the head of an INSERT. */
  private statement(window: Window): number {
    const { lexer, session } = this;
    let i = lexer.blank(window.start);
    if (i === MORE) return Scan.more;
    if (i >= lexer.end) {
      window.start = i;
      return Scan.end;
    }
    if (lexer.bytes[i] === 0x28) {
      this.setColumns(undefined);
      return this.enter(window, i, State.firstRow);
    }
    const width = delimiterAt(lexer, session, i);
    if (width === MORE) return Scan.more;
    if (width > 0) return this.enter(window, i + width, State.statement);
    const insert = insertBegins(lexer, i);
    if (insert === MORE) return Scan.more;
    if (insert) return this.insert(window, i);
    const delimiter = this.delimiterLine(i);
    if (delimiter === MORE) return Scan.more;
    if (delimiter > 0) return this.enter(window, delimiter, State.statement);
    const statement = readStatement(lexer, session, i);
    if (statement === MORE) return Scan.more;
    this.apply(statement);
    i = statement.next;
    return this.enter(window, i, State.statement);
  }

  private enter(window: Window, start: number, state: number): number {
    window.start = start;
    this.state = state;
    return GO_ON;
  }

  private insert(window: Window, i: number): number {
    const head = readInsertHead(this.lexer, this.session, i);
    if (head === MORE) return Scan.more;
    if ("problem" in head) throw new ValueProblem(head.problem, head.at, head.unsupported);
    this.setColumns(head.columns);
    this.options.onInsert?.(head.database ?? this.session.database, head.table, this.base + i);
    return this.enter(window, head.next, State.firstRow);
  }

  private setColumns(columns: readonly string[] | undefined): void {
    const same =
      columns === this.columns ||
      (columns?.length === this.columns?.length && columns?.every((name, k) => name === this.columns?.[k]));
    if (same) return;
    this.columns = columns;
    this.columnsVersion++;
  }

  /** Behind a line `DELIMITER x` at `i`; 0 where there is none. */
  private delimiterLine(i: number): number {
    const { lexer } = this;
    const { bytes, end, final } = lexer;
    if (!(CHAR[bytes[i]!]! & Char.word)) return 0;
    const to = lexer.word(i);
    if (to === MORE) return MORE;
    if (!lexer.is("delimiter", i, to)) return 0;
    let line = to;
    while (line < end && bytes[line] !== 10) line++;
    if (line >= end && !final) return MORE;
    const delimiter = textOf(bytes.subarray(to, line)).trim();
    if (delimiter === "") throw new ValueProblem("DELIMITER without a delimiter", i);
    this.session.delimiter = delimiter;
    return line;
  }

  private apply(statement: SqlStatement): void {
    const { session } = this;
    const head = classify(statement.tokens);
    if (head.kind === "set") {
      const problem = applySet(session, statement.tokens);
      if (problem !== undefined) throw new ValueProblem(`cannot understand ${problem}`, statement.from, true);
    } else if (head.kind === "use") {
      session.database = head.database;
    }
    const { bytes } = this.lexer;
    const text = (): string => textOf(bytes.subarray(statement.from, statement.to));
    const place = { from: this.base + statement.from, to: this.base + statement.to };
    if (this.options.onStatement !== undefined) this.options.onStatement(head, text, place);
    else if (head.kind === "refused") throw new ValueProblem("the statement is no row data", statement.from, true);
  }

  /** The next row of the current statement, or its end. */
  private rowOrEnd(window: Window, fields: Fields): number {
    const { lexer } = this;
    let i = lexer.blank(window.start);
    if (i === MORE) return Scan.more;
    if (this.state === State.behindRow) {
      if (i >= lexer.end) {
        this.endedWithoutDelimiter = true;
        return this.enter(window, i, State.statement);
      }
      if (lexer.bytes[i] !== 0x2c) return this.statementEnd(window, i);
      i = lexer.blank(i + 1);
      if (i === MORE) return Scan.more;
    }
    if (i >= lexer.end) throw new ValueProblem("the file ends where a row should begin", i);
    if (lexer.bytes[i] !== 0x28) throw new ValueProblem('expected "(" of a row', i);
    this.rowStart = this.base + i;
    const behind = this.row(fields, i + 1);
    if (behind === MORE) return Scan.more;
    fields.bytes = lexer.bytes;
    window.start = behind;
    this.state = State.behindRow;
    this.rowNumber++;
    if (this.marked) this.resolve(fields);
    return Scan.row;
  }

  private statementEnd(window: Window, i: number): number {
    const { lexer, session } = this;
    const width = delimiterAt(lexer, session, i);
    if (width === MORE) return Scan.more;
    if (width > 0) return this.enter(window, i + width, State.statement);
    const to = CHAR[lexer.bytes[i]!]! & Char.word ? lexer.word(i) : i;
    if (to === MORE) return Scan.more;
    if (!lexer.is("on", i, to)) throw new ValueProblem('expected "," or ";" behind a row', i);
    const statement = readStatement(lexer, session, i);
    if (statement === MORE) return Scan.more;
    this.updateClauseCount++;
    return this.enter(window, statement.next, State.statement);
  }

  /** Reads the values of a row from behind its `(`; gives the position behind its `)`, or `MORE`. The bytes stay untouched. */
  private row(fields: Fields, open: number): number {
    const { lexer, marks } = this;
    const { bytes, end } = lexer;
    const ansi = this.session.ansiQuotes;
    this.marked = false;
    let i = open;
    let n = 0;
    for (;;) {
      if (n >= fields.kind.length || n >= marks.length) return this.grown(fields, open, n);
      while (i < end && CHAR[bytes[i]!] === Char.blank) i++;
      const byte = bytes[i]!;
      const from = i;
      if (byte === 0x27 || (byte === 0x22 && !ansi)) {
        i = this.text(i + 1, byte, n);
        if (i === MORE) return MORE;
        fields.start[n] = from + 1;
        fields.end[n] = i - 1;
        fields.kind[n] = FieldKind.string;
        marks[n] = this.textMark;
      } else {
        let digits = byte === 0x2d ? i + 1 : i;
        const first = digits;
        while (CHAR[bytes[digits]!]! === DIGIT) digits++;
        const kind = byte === 0x2d ? FieldKind.int : FieldKind.uint;
        const after = bytes[digits];
        if (digits > first && (after === 0x2c || after === 0x29) && digits < end && digits - first < 19) {
          fields.start[n] = from;
          fields.end[n] = i = digits;
          fields.kind[n] = kind;
          marks[n] = Mark.done;
        } else {
          i = this.value(fields, from, n);
          if (i === MORE) return MORE;
        }
      }
      const next = bytes[i]!;
      if (next === 0x2c && i < end) {
        i++;
        n++;
        continue;
      }
      if (next !== 0x29 || i >= end) {
        i = this.behindValue(fields, from, i, n);
        if (i === MORE) return MORE;
        if (bytes[i] === 0x2c) {
          i++;
          n++;
          continue;
        }
      }
      fields.count = n + 1;
      return i + 1;
    }
  }

  /** Makes room for more values and reads the row again. */
  private grown(fields: Fields, open: number, n: number): number {
    growFields(fields, n + 1);
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
    this.charsets[n] = values.charset;
    if (values.mark !== Mark.done || values.charset !== undefined) this.marked = true;
    this.column = -1;
    return at;
  }

  /** Steps from behind value `n` at `i` to the "," or ")" that follows. */
  private behindValue(fields: Fields, from: number, i: number, n: number): number {
    const { lexer } = this;
    let at = lexer.blank(i);
    if (at === MORE) return MORE;
    this.column = n;
    if (at < lexer.end && (lexer.bytes[at] === 0x27 || lexer.bytes[at] === 0x22)) {
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
  private resolve(fields: Fields): void {
    const { bytes } = this.lexer;
    const backslash = !this.session.noBackslashEscapes;
    for (let k = 0; k < fields.count; k++) {
      const mark = this.marks[k]!;
      if (mark === Mark.done) continue;
      const from = fields.start[k]!;
      const to = fields.end[k]!;
      if (mark === Mark.escaped) {
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
  }

  /** Joins the literals of bytes[from, to) at `from`; gives the end. */
  private join(from: number, to: number): number {
    const { lexer, session } = this;
    const { bytes } = lexer;
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
      read = behind < to ? lexer.blank(behind) : to;
    }
    return write;
  }

  private located(thrown: unknown): unknown {
    if (!(thrown instanceof ValueProblem) && !(thrown instanceof Unclosed)) return thrown;
    const unsupported = thrown instanceof ValueProblem && thrown.unsupported;
    const place = {
      file: this.options.file,
      row: this.rowNumber + 1,
      column: this.column < 0 ? undefined : this.column + 1,
      byte: this.base + thrown.at,
    };
    return sourceError(
      unsupported ? "Levin:Source:ErrUnsupported" : "Levin:Source:ErrSyntax",
      unsupported ? "import statement in" : "parse row in",
      thrown.message,
      place,
      thrown,
    );
  }
}
