import type { Charset } from "./charset.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import type { Compression, DataFormat } from "./file-name.ts";
import type { ExtraColumn } from "./routes.ts";
import type { SqlContext } from "./sql-session.ts";

/**
 * A stretch of one data file with whole rows of one table: what a worker takes. Plain data, fit for `postMessage`. Positions are
 * bytes of the decompressed file.
 */
export interface Chunk {
  /** Path below the storage's root. */
  readonly path: string;
  /** Names in the target. */
  readonly database: string;
  readonly table: string;
  /** Names that INSERT statements of a SQL file must have; undefined: any. */
  readonly insertNames: TableName | undefined;
  readonly format: DataFormat;
  readonly compression: Compression;
  readonly charset: Charset;
  /** Of CSV files. */
  readonly dialect: CsvDialect | undefined;
  /** The first row begins at or behind it. */
  readonly start: number;
  /** The last row ends at or before it; Infinity: to the end of a compressed file, whose size is not known. */
  readonly end: number;
  /** The file goes on behind `end`. */
  readonly endsInFile: boolean;
  /** Bytes of the stored file that the chunk stands for, for progress. */
  readonly sourceBytes: number;
  /** The file's size and time when the plan was made; a file that changed since is refused. */
  readonly fileSizeBytes: number;
  readonly fileMtimeMs: number;
  /** Column names from the header of a CSV file, for chunks that do not begin with it. */
  readonly columns: readonly string[] | undefined;
  /** State of a SQL file at `start`; undefined: at the file's begin. */
  readonly sql: SqlContext | undefined;
  /** Columns that are in no file: filled from the names of the source (`[[routes]]` extract-*). */
  readonly extraColumns: readonly ExtraColumn[];
  /** Rows of the file before the chunk, where they were counted; else 0. */
  readonly rowsBefore: number;
  /** The chunk's rows have the row ids from this + 1 on. */
  readonly rowIdBase: number;
  /** No more rows than these are in the chunk. */
  readonly rowCountMax: number;
  /** The chunk's bytes where the cutter has decompressed them; a buffer of their own, to be handed on. */
  readonly plain?: Uint8Array<ArrayBuffer> | undefined;
}

export interface TableName {
  /** Undefined: any. */
  readonly database: string | undefined;
  readonly table: string;
}
