import { textOf } from "../base/mod.ts";
import { newFields } from "../codec/mod.ts";
import type { Charset } from "./charset.ts";
import type { TableName } from "./chunk.ts";
import type { Cut } from "./plan.ts";
import { Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import type { SqlStatementKind } from "./sql-classify.ts";
import { assertReadable, currentCharset, sameTable } from "./sql-data.ts";
import { type FoundStatement, SqlScanner } from "./sql-scanner.ts";
import { newSqlSession, type SqlContext } from "./sql-session.ts";
import type { ByteSource } from "./storage.ts";
import { WindowFeed } from "./window-feed.ts";

/** A statement that makes or changes a database object, as the dump has it, version comments opened. */
export interface SchemaStatement {
  readonly kind: Extract<
    SqlStatementKind,
    | "create-database"
    | "create-table"
    | "create-view"
    | "create-sequence"
    | "create-index"
    | "alter-table"
    | "set-sequence"
  >;
  /** As written, or what USE says; undefined: the dump does not say. */
  readonly database: string | undefined;
  /** Empty for databases. */
  readonly name: string;
  readonly text: string;
  /** SQL mode that the dump set for it. */
  readonly sqlMode: string | undefined;
  readonly file: string;
  readonly byte: number;
}

/** Rows of one table in a SQL file. */
export interface DumpRows extends TableName {
  readonly pieces: readonly Cut[];
}

/** What a SQL file holds. */
export interface DumpContent {
  readonly statements: readonly SchemaStatement[];
  readonly rows: readonly DumpRows[];
  /** Statements without use for an import: how many of each kind. */
  readonly leftOut: ReadonlyMap<SqlStatementKind, number>;
  /** Of mysqldump's head comment: what the file's unqualified names stand in. */
  readonly headDatabase: string | undefined;
  /**
   * Text is in each column's own character set: SET NAMES binary, or mydumper without it (from TiDB), but not Dumpling, which
   * writes SET NAMES binary over UTF-8.
   */
  readonly textInColumnCharset: boolean;
  /** It was read to its end. */
  readonly complete: boolean;
  /** It begins as mysqldump's files do and was read to its end, which is not how they end: the export was cut. */
  readonly unfinished: boolean;
}

export interface DumpOptions {
  readonly file: string;
  readonly charset: Charset;
  readonly sqlMode?: string;
  readonly invalidReplacement?: string;
  /** Bytes of the stream; Infinity where not known. */
  readonly sizeBytes: number;
  /** Cut the rows of a table into pieces of about this size. */
  readonly chunkBytes?: number;
  /** Stop at the first row: what precedes it is wanted only. */
  readonly headOnly?: boolean;
  readonly signal?: AbortSignal;
}

const WINDOW_BYTES = 1024 * 1024;
/** Of small files; a compressed one may be larger than its size says. */
const WINDOW_BYTES_MIN = 4096;
/** Enough for what tools write before the first statement. */
const HEAD_BYTES = 2048;
/** Enough for what they write behind the last one. */
const TAIL_BYTES = 512;

/**
 * Reads a SQL file's statements and finds where which table's rows are, without reading the rows. The source is closed.
 * @throws LevinError `ErrSyntax`, `ErrUnsupported` for statements that change rows.
 */
export async function readSqlDump(source: ByteSource, options: DumpOptions): Promise<DumpContent> {
  const feed = new WindowFeed(source, {
    ...options,
    start: 0,
    windowBytes: Math.min(
      options.headOnly === true ? WINDOW_BYTES / 16 : WINDOW_BYTES,
      Math.max(options.sizeBytes, WINDOW_BYTES_MIN),
    ),
  });
  const reader = new DumpReader(feed, options);
  try {
    return await reader.read();
  } finally {
    await feed.close();
  }
}

interface OpenPiece {
  readonly table: TableName;
  readonly start: number;
  readonly sql: SqlContext | undefined;
  readonly rowsBefore: number;
}

class DumpReader {
  private readonly feed: WindowFeed;
  private readonly options: DumpOptions;
  private readonly scanner: SqlScanner;
  private readonly statements: SchemaStatement[] = [];
  private readonly rows = new Map<string, { table: TableName; pieces: Cut[] }>();
  /** Tables that have had rows, by lower-case name. */
  private readonly filled = new Map<string, TableName[]>();
  private readonly leftOut = new Map<SqlStatementKind, number>();
  private piece: OpenPiece | undefined;
  private names: string | undefined;
  private begun = false;

  constructor(feed: WindowFeed, options: DumpOptions) {
    this.feed = feed;
    this.options = options;
    this.scanner = new SqlScanner({
      file: options.file,
      session: newSqlSession(options.sqlMode),
      placeOf: (position) => feed.sourcePosition(position),
      onStatement: (statement) => this.statement(statement),
      onInsert: (database, table, at) => this.insert({ database, table }, feed.sourcePosition(at)),
      onSkippedRow: (position) => this.row(position),
    });
  }

  async read(): Promise<DumpContent> {
    const { feed, options, scanner } = this;
    const fields = newFields(1);
    let head = "";
    let tail = "";
    while (await feed.fill(scanner.rowNumber + 1)) {
      options.signal?.throwIfAborted();
      if (head === "") head = textOf(feed.window.bytes.subarray(0, Math.min(HEAD_BYTES, feed.window.end)));
      tail = (
        tail + textOf(feed.window.bytes.subarray(Math.max(0, feed.window.end - TAIL_BYTES), feed.window.end))
      ).slice(-TAIL_BYTES);
      while (scanner.next(feed.window, fields) === Scan.recode) {
        feed.recode(currentCharset(scanner.session.charset, options.charset));
      }
      if (options.headOnly === true && this.piece !== undefined) break;
    }
    const complete = feed.window.final;
    this.close(complete ? Math.min(options.sizeBytes, this.here()) : this.here());
    const rows = [...this.rows.values()].map(({ table, pieces }) => ({ ...table, pieces }));
    const textInColumnCharset =
      !DUMPLING.test(head) && (this.names === "binary" || (this.names === undefined && MYDUMPER.test(head)));
    const { statements, leftOut } = this;
    const unfinished = complete && MYSQLDUMP.test(head) && !tail.includes(MYSQLDUMP_END);
    return {
      statements,
      rows,
      leftOut,
      headDatabase: HEAD_DATABASE.exec(head)?.[1],
      textInColumnCharset,
      complete,
      unfinished,
    };
  }

  private here(): number {
    const { window } = this.feed;
    return this.feed.sourcePosition(window.base + window.start);
  }

  private insert(table: TableName, at: number): void {
    assertReadable(this.scanner.session.charset, this.options.file);
    this.begin();
    if (this.piece !== undefined) {
      if (sameTable(this.piece.table, table) && this.piece.table.database === table.database) return;
      this.close(at);
    }
    const known = this.filled.get(table.table.toLowerCase());
    if (known === undefined) this.filled.set(table.table.toLowerCase(), [table]);
    else if (!known.some(({ database }) => database === table.database)) known.push(table);
    this.open(table, at, at === 0 ? undefined : this.scanner.context());
  }

  private open(table: TableName, start: number, sql: SqlContext | undefined): void {
    this.piece = { table, start, sql, rowsBefore: this.scanner.rowNumber };
  }

  private row(position: number): void {
    const { chunkBytes } = this.options;
    const { piece } = this;
    if (piece === undefined || chunkBytes === undefined) return;
    const at = this.feed.sourcePosition(position);
    if (at - piece.start < chunkBytes) return;
    const sql = this.scanner.context();
    this.close(at);
    this.open(piece.table, at, sql);
  }

  private close(end: number): void {
    const { piece } = this;
    if (piece === undefined) return;
    this.piece = undefined;
    const { table, start, sql, rowsBefore } = piece;
    const rowCount = this.scanner.rowNumber - rowsBefore;
    const endsInFile = end < this.options.sizeBytes;
    const key = `${table.database ?? ""}\0${table.table}`;
    const entry = this.rows.get(key) ?? { table, pieces: [] };
    entry.pieces.push({ start, end, endsInFile, columns: undefined, sql, rowsBefore, rowCount });
    this.rows.set(key, entry);
  }

  /** Remembers the SET NAMES of the head. */
  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.names = this.scanner.session.charset;
  }

  private statement(statement: FoundStatement): void {
    const { head } = statement;
    const { session } = this.scanner;
    const byte = this.feed.sourcePosition(statement.from);
    switch (head.kind) {
      case "set":
      case "use":
      case "empty":
        return;
      case "create-database":
      case "create-table":
      case "create-view":
      case "create-sequence":
      case "create-index":
      case "alter-table":
      case "set-sequence":
        this.begin();
        this.statements.push({
          kind: head.kind,
          database: head.database ?? session.database,
          name: head.name ?? "",
          text: statement.text(),
          sqlMode: session.sqlMode,
          file: this.options.file,
          byte,
        });
        return;
      case "drop-table":
        this.drop({ database: head.database ?? session.database, table: head.name ?? "" }, byte);
        break;
      case "refused":
        throw sourceError("Levin:Source:ErrUnsupported", "import statement in", "the statement is no row data", {
          file: this.options.file,
          byte,
        });
      default:
    }
    this.leftOut.set(head.kind, (this.leftOut.get(head.kind) ?? 0) + 1);
  }

  /** DROP or TRUNCATE before a table's rows is what dumps begin with; behind them the rows would be gone. */
  private drop(name: TableName, byte: number): void {
    const known = this.filled.get(name.table.toLowerCase());
    if (known === undefined || !known.some((table) => sameTable(table, name))) return;
    const detail = `it drops or empties the table "${name.table}" behind its rows`;
    throw sourceError("Levin:Source:ErrUnsupported", "import statement in", detail, { file: this.options.file, byte });
  }
}

/** `-- Host: localhost    Database: shop`: what mysqldump writes; with several databases it is empty or the first. */
const HEAD_DATABASE = /^-- Host: .*? {2,}Database: (.+?)\s*$/m;

/** What mysqldump and mariadb-dump write first and last; --compact and --skip-comments leave out both. */
const MYSQLDUMP = /^-- (?:MySQL|MariaDB) dump /m;
const MYSQLDUMP_END = "-- Dump completed";

/** How Dumpling's SQL files begin: the newer, and those up to 6.x. */
const DUMPLING =
  /^\s*\/\*!40014 SET FOREIGN_KEY_CHECKS=0\*\/;\s*\/\*!40101 SET NAMES binary\*\/;|^\s*\/\*!40101 SET NAMES binary\*\/;\s*(?:SET FOREIGN|INSERT|CREATE)/;

/** A line that mydumper writes and Dumpling does not. */
const MYDUMPER = /^\s*\/\*!40103 SET TIME_ZONE='\+00:00' \*\/;/;
