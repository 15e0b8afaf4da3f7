import type { CsvDialect } from "./csv-dialect.ts";
import type { Compression, DataFormat } from "./file-name.ts";
import type { SqlSession } from "./sql-session.ts";

/**
 * A stretch of one data file with whole rows: what a worker takes. Plain data, fit for `postMessage`.
 * Rows whose first byte lies in [start, end) belong to the chunk, and the last of them ends at or before `end`.
 */
export interface Chunk {
  /** Path below the storage's root. */
  readonly path: string;
  readonly database: string;
  readonly table: string;
  readonly format: DataFormat;
  readonly compression: Compression;
  /** Bytes of the decompressed stream. */
  readonly start: number;
  /** Infinity: to the end of a compressed file, whose size is not known. */
  readonly end: number;
  /** Bytes of the stored file that the chunk stands for, for progress. */
  readonly sourceBytes: number;
  /** The file's size and time when the plan was made; a file that changed since is refused. */
  readonly fileSizeBytes: number;
  readonly fileMtimeMs: number;
  /** Of CSV files. */
  readonly dialect: CsvDialect | undefined;
  /** Column names from the header of the file, for chunks that do not begin with it. */
  readonly columns: readonly string[] | undefined;
  /** State of a SQL file where the chunk begins; undefined: at the file's begin. */
  readonly session: SqlSession | undefined;
  /** Row ids of the chunk's rows are above this, and below those of the next chunk of the table. */
  readonly rowIdBase: number;
  /** No more rows than these can be in the chunk. */
  readonly rowCountMax: number;
}
