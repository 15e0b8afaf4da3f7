import { newFields } from "../codec/mod.ts";
import type { Chunk } from "./chunk.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import { CsvScanner } from "./csv-scanner.ts";
import type { Compression } from "./file-name.ts";
import type { DataFile } from "./router.ts";
import { ROW_BYTES_MAX, type RowScanner, Scan } from "./row-scanner.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { copySqlSession, newSqlSession, type SqlSession } from "./sql-session.ts";
import { rangeSource, type Storage } from "./storage.ts";
import { Window } from "./window.ts";

export interface PlanOptions {
  /** Aim for a chunk's size; files up to a tenth larger stay whole. Lightning's max-region-size is 256 MiB. */
  readonly chunkBytes?: number;
  /** How a CSV file is written. */
  readonly dialect: (file: DataFile) => CsvDialect;
  /** Columns of the table, where known: bounds the number of rows. */
  readonly columnCount?: number;
  /** SQL mode for literals where a file sets none. */
  readonly sqlMode?: string;
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024 * 1024;
const WINDOW_BYTES = 1024 * 1024;

/**
 * Bytes that one compressed byte can become at most: deflate 1032 (zlib's manual); zstd 128 KiB from a block of 4 bytes
 * (RFC 8878: 3 bytes of header, RLE); snappy 64 bytes from a copy of 3; lz4 255; xz generously.
 */
const EXPANSION_MAX: Readonly<Record<Compression, number>> = {
  none: 1,
  gzip: 1032,
  zstd: 32768,
  snappy: 22,
  lz4: 255,
  xz: 65536,
};

/**
 * Cuts the files of one table, in the given order, into chunks. Cuts are proved, not guessed: a large file is scanned from its
 * begin, and a chunk is given out as soon as the row that begins it was reached, so that workers start while the scan goes on.
 * Compressed files stay whole.
 */
export async function* planChunks(
  storage: Storage,
  files: readonly DataFile[],
  options: PlanOptions,
): AsyncGenerator<Chunk> {
  let rowIdBase = 0;
  for (const file of files) {
    for await (const cut of cuts(storage, file, options)) {
      const rowCountMax = rowsMax(file, cut.end - cut.start, options.columnCount);
      yield { ...whole(file, options), ...cut, rowIdBase, rowCountMax };
      rowIdBase += rowCountMax;
    }
  }
}

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly sourceBytes: number;
  readonly columns: readonly string[] | undefined;
  readonly session: SqlSession | undefined;
}

function whole(file: DataFile, options: PlanOptions): Omit<Chunk, keyof Cut | "rowIdBase" | "rowCountMax"> {
  return {
    path: file.file.path,
    database: file.database,
    table: file.table,
    format: file.format,
    compression: file.compression,
    fileSizeBytes: file.file.sizeBytes,
    fileMtimeMs: file.file.mtimeMs,
    dialect: file.format === "csv" ? options.dialect(file) : undefined,
  };
}

/** An upper bound: a CSV row has a byte per column (separators, terminator), a SQL row two and its parentheses. */
function rowsMax(file: DataFile, bytes: number, columnCount = 1): number {
  const decompressed = Number.isFinite(bytes) ? bytes : file.file.sizeBytes * EXPANSION_MAX[file.compression];
  const rowBytesMin = file.format === "csv" ? columnCount : 2 * columnCount + 2;
  return Math.ceil(decompressed / rowBytesMin) + 1;
}

async function* cuts(storage: Storage, file: DataFile, options: PlanOptions): AsyncGenerator<Cut> {
  const size = file.file.sizeBytes;
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  const session = file.format === "sql" ? newSqlSession(options.sqlMode) : undefined;
  if (file.compression !== "none" || size <= chunkBytes * 1.1) {
    const end = file.compression === "none" ? size : Number.POSITIVE_INFINITY;
    yield { start: 0, end, sourceBytes: size, columns: undefined, session };
    return;
  }
  let start = 0;
  let columns: readonly string[] | undefined;
  let state = session;
  for await (const place of boundaries(storage, file, options, chunkBytes)) {
    yield { start, end: place.at, sourceBytes: place.at - start, columns, session: state };
    start = place.at;
    columns = place.columns;
    state = place.session;
  }
  yield { start, end: size, sourceBytes: size - start, columns, session: state };
}

interface Boundary {
  readonly at: number;
  readonly columns: readonly string[] | undefined;
  readonly session: SqlSession | undefined;
}

/** Places about `chunkBytes` apart where a chunk can begin: before a CSV row, before an INSERT. */
async function* boundaries(
  storage: Storage,
  file: DataFile,
  options: PlanOptions,
  chunkBytes: number,
): AsyncGenerator<Boundary> {
  const name = file.file.path;
  let goal = chunkBytes;
  let found: Boundary | undefined;
  let scanner: RowScanner;
  if (file.format === "csv") {
    scanner = new CsvScanner({ file: name, dialect: options.dialect(file), atFileStart: true });
  } else {
    const sql: SqlScanner = new SqlScanner({
      file: name,
      session: newSqlSession(options.sqlMode),
      onInsert: (_database, _table, from) => {
        if (from >= goal) found ??= { at: from, columns: undefined, session: copySqlSession(sql.session) };
      },
    });
    scanner = sql;
  }
  const fields = newFields(64);
  for await (const window of windows(storage, file, options.signal)) {
    while (scanner.next(window, fields) === Scan.row) {
      if (file.format === "csv" && scanner.rowStart >= goal) {
        found = { at: scanner.rowStart, columns: scanner.columns, session: undefined };
      }
      if (found === undefined) continue;
      yield found;
      goal = found.at + chunkBytes;
      found = undefined;
    }
  }
}

async function* windows(storage: Storage, file: DataFile, signal: AbortSignal | undefined): AsyncGenerator<Window> {
  const object = await storage.open(file.file.path);
  const source = rangeSource(object, 0, object.sizeBytes);
  const window = new Window(2 * WINDOW_BYTES);
  try {
    // A row beyond the limit ends the cutting; the reader of the last chunk reports it.
    while (!window.final && window.end - window.start <= ROW_BYTES_MAX) {
      signal?.throwIfAborted();
      window.makeRoom(Math.max(WINDOW_BYTES, window.end - window.start));
      const size = await source.read(window.bytes.subarray(window.end, window.end + window.room));
      window.end += size;
      window.final = size === 0;
      yield window;
    }
  } finally {
    await source.close();
  }
}
