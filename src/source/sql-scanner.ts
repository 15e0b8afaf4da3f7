import { textOf } from "../base/mod.ts";
import type { Fields } from "../codec/mod.ts";
import { type PlainSyntax, sqlPlainSyntax } from "./plain-syntax.ts";
import { type RowScanner, Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import { classify, type SqlStatementHead } from "./sql-classify.ts";
import { insertBegins, readInsertHead } from "./sql-insert.ts";
import { CHAR, Char, MORE, SqlLexer, Unclosed } from "./sql-lexer.ts";
import { SqlRowReader } from "./sql-row-reader.ts";
import { copySqlSession, newSqlSession, type SqlContext, type SqlSession } from "./sql-session.ts";
import { applySet } from "./sql-set.ts";
import { SqlSkipper } from "./sql-skip.ts";
import { delimiterAt, readStatement, type SqlStatement, statementText } from "./sql-statement.ts";
import { ValueProblem } from "./sql-values.ts";
import type { Window } from "./window.ts";

/** Between statements; behind VALUES; behind a row. */
const State = { statement: 0, firstRow: 1, behindRow: 2 } as const;

/** A step that gave no row yet (beside the values of `Scan`). */
const GO_ON = 8;
/** The window was skipped to its end: more is needed, but nothing is to be read again. */
const SKIPPED = 9;

const NO_HEAD = new Uint8Array(0);

/** What of a session decides how the head of an INSERT reads, and whether its rows can be read. */
function sessionKey(session: SqlSession): string {
  return `${session.database ?? ""}\0${session.charset ?? ""}\0${session.sqlMode ?? ""}\0${session.delimiter}`;
}

/** A statement that is no row data, during a call of `onStatement`. */
export interface FoundStatement {
  readonly head: SqlStatementHead;
  /** Its text with version comments opened, without the delimiter. */
  text(): string;
  /** Positions of its first byte and behind its last. */
  readonly from: number;
  readonly to: number;
}

export interface SqlScannerOptions {
  /** For messages. */
  readonly file: string;
  /** The session where the scanner begins; it goes on to change it. */
  readonly session?: SqlSession;
  /** Where the scanner begins, if not between statements. */
  readonly context?: Pick<SqlContext, "insert" | "inVersionComment">;
  /** Rows of the file before the first of these. */
  readonly rowsBefore?: number;
  /** Place in the file of a position in the window's stream, for messages. */
  readonly placeOf?: (position: number) => number;
  /** Takes each statement that is no row data. */
  readonly onStatement?: (statement: FoundStatement) => void;
  /**
   * Takes an INSERT's table before its first row, where its head differs from that of the INSERT before; `at` is the position of
   * the INSERT.
   */
  readonly onInsert?: (database: string | undefined, table: string, at: number) => void;
  /**
   * Rows are stepped over, not read: `next` gives none. Takes the position behind each row, where another scanner could begin
   * with `context()`, and the number of rows so far.
   */
  readonly onSkippedRow?: (position: number, rows: number) => void;
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
  private readonly rowReader: SqlRowReader;
  private readonly skipper: SqlSkipper;
  private state: number = State.statement;
  /** Bytes of the last INSERT up to VALUES, and what else decided how they read. */
  private lastHead: Uint8Array = NO_HEAD;
  private lastHeadSession = "";
  private base = 0;

  constructor(options: SqlScannerOptions) {
    this.options = options;
    this.session = options.session ?? newSqlSession();
    this.rowReader = new SqlRowReader(this.lexer, this.session, options.compatLightning ?? false);
    this.skipper = new SqlSkipper(this.lexer, this.session);
    this.rowNumber = options.rowsBefore ?? 0;
    this.lexer.inVersionComment = options.context?.inVersionComment ?? false;
    if (options.context?.insert === undefined) return;
    this.columns = options.context.insert.columns;
    this.state = State.behindRow;
  }

  /** Literals that Lightning and MySQL read in different ways, read as Lightning does. */
  get lightningLiteralCount(): number {
    return this.rowReader.lightningLiteralCount;
  }

  /** What a scanner needs to begin here: a copy. */
  context(): SqlContext {
    const insert = this.state === State.statement ? undefined : { columns: this.columns };
    return { session: copySqlSession(this.session), insert, inVersionComment: this.lexer.inVersionComment };
  }

  plainSyntax(): PlainSyntax | undefined {
    if (this.state === State.statement || this.options.onSkippedRow !== undefined) return undefined;
    return sqlPlainSyntax(this.session.noBackslashEscapes);
  }

  get atFirstRow(): boolean {
    return this.state === State.firstRow;
  }

  takePlainRows(window: Window, rows: number, lastRow: number, to: number): void {
    this.rowStart = window.base + lastRow;
    this.rowNumber += rows;
    this.enter(window, to, State.behindRow);
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
      this.rowReader.column = -1;
      let result: number;
      try {
        result = this.state === State.statement ? this.statement(window) : this.rows(window, fields);
      } catch (thrown) {
        throw this.located(thrown);
      }
      if (result === GO_ON) continue;
      if (result === SKIPPED) return Scan.more;
      if (result === Scan.more) lexer.inVersionComment = inVersionComment;
      return result;
    }
  }

  /** Reads what stands between rows: one statement, or the head of an INSERT. */
  private statement(window: Window): number {
    const { lexer, session } = this;
    lexer.commentMarks.length = 0;
    const i = lexer.blank(window.start);
    if (i === MORE) return Scan.more;
    if (i >= lexer.end) {
      window.start = i;
      return Scan.end;
    }
    if (lexer.bytes[i] === 0x28) {
      this.setColumns(undefined);
      this.lastHead = NO_HEAD;
      this.skipper.begin();
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
    const { charset } = session;
    this.apply(statement);
    this.enter(window, statement.next, State.statement);
    return session.charset === charset ? GO_ON : Scan.recode;
  }

  private enter(window: Window, start: number, state: number): number {
    window.start = start;
    this.state = state;
    return GO_ON;
  }

  private insert(window: Window, i: number): number {
    const { lexer, session } = this;
    if (this.isLastHead(i)) {
      this.skipper.begin();
      return this.enter(window, i + this.lastHead.length, State.firstRow);
    }
    const { inVersionComment } = lexer;
    const head = readInsertHead(lexer, session, i);
    if (head === MORE) return Scan.more;
    if ("problem" in head) throw new ValueProblem(head.problem, head.at, head.unsupported);
    this.setColumns(head.columns);
    this.options.onInsert?.(head.database ?? session.database, head.table, this.base + i);
    const repeatable = lexer.inVersionComment === inVersionComment;
    this.lastHead = repeatable ? lexer.bytes.slice(i, head.next) : NO_HEAD;
    this.lastHeadSession = sessionKey(session);
    this.skipper.begin();
    return this.enter(window, head.next, State.firstRow);
  }

  /** Whether the INSERT at `i` begins as the last one did: dumps with a row a statement repeat it all the way. */
  private isLastHead(i: number): boolean {
    const { lexer, lastHead } = this;
    const { bytes, end } = lexer;
    const { length } = lastHead;
    if (length === 0 || i + length >= end || CHAR[bytes[i + length]!]! & Char.word) return false;
    for (let k = 0; k < length; k++) if (bytes[i + k] !== lastHead[k]) return false;
    return this.lastHeadSession === sessionKey(this.session);
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
    const { base, lexer, options } = this;
    if (options.onStatement !== undefined) {
      const text = (): string => statementText(lexer, statement);
      options.onStatement({ head, text, from: base + statement.from, to: base + statement.to });
    } else if (head.kind === "refused") {
      throw new ValueProblem("the statement is no row data", statement.from, true);
    }
  }

  private rows(window: Window, fields: Fields): number {
    const { onSkippedRow } = this.options;
    if (onSkippedRow === undefined) return this.rowOrEnd(window, fields);
    const { base } = window;
    const onRow = (offset: number): void => onSkippedRow(base + offset, ++this.rowNumber);
    if (!this.skipper.skip(window, onRow)) return SKIPPED;
    return this.enter(window, window.start, State.statement);
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
    const behind = this.rowReader.row(fields, i + 1);
    if (behind === MORE) return Scan.more;
    fields.bytes = lexer.bytes;
    this.rowReader.resolve(fields);
    window.start = behind;
    this.state = State.behindRow;
    this.rowNumber++;
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

  private located(thrown: unknown): unknown {
    if (!(thrown instanceof ValueProblem) && !(thrown instanceof Unclosed)) return thrown;
    const unsupported = thrown instanceof ValueProblem && thrown.unsupported;
    const place = {
      file: this.options.file,
      row: this.rowNumber + 1,
      column: this.rowReader.column < 0 ? undefined : this.rowReader.column + 1,
      byte: this.options.placeOf?.(this.base + thrown.at) ?? this.base + thrown.at,
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
