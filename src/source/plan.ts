import type { Charset } from "./charset.ts";
import type { Chunk } from "./chunk.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import type { Compression } from "./file-name.ts";
import { csvCuts } from "./plan-csv.ts";
import { sqlCuts } from "./plan-sql.ts";
import type { DataFile } from "./router.ts";
import type { Storage } from "./storage.ts";

export interface PlanOptions {
  /** Aim for a chunk's size; files up to a tenth larger stay whole. */
  readonly chunkBytes?: number;
  /** How CSV files are written that do not carry their dialect (those of `routeFiles`). */
  readonly dialect?: (file: DataFile) => CsvDialect;
  /** CSV line ends stand at row ends only: cut without proof, readers verify it (mydumper.strict-format). */
  readonly strictFormat?: boolean;
  /** Columns of the table, where known: bounds the number of rows, and decides what a blank CSV line is. */
  readonly columnCount?: number;
  /** SQL mode for literals where a file sets none. */
  readonly sqlMode?: string;
  readonly invalidReplacement?: string;
  readonly signal?: AbortSignal;
}

/** Small enough that the last chunks of a table do not leave workers idle for long; several seconds of work each. */
const CHUNK_BYTES = 64 * 1024 * 1024;

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

/** Part of a file, as a cutter found it. */
export type Cut = Pick<Chunk, "start" | "end" | "endsInFile" | "columns" | "sql" | "rowsBefore"> & {
  /** Of a byte order mark; undefined: the file's. */
  readonly charset?: Charset;
  /** Undefined: not counted. */
  readonly rowCount: number | undefined;
};

/**
 * Cuts the files of one table, in the given order, into chunks. Cuts are proved: a large file is passed over from its begin, by
 * quotes and line ends, and a chunk is given out as soon as the end of its last row was seen, so that workers start while the
 * pass goes on. Readers fail where a chunk does not end with a row. Compressed files stay whole.
 */
export async function* planChunks(
  storage: Storage,
  files: readonly DataFile[],
  options: PlanOptions = {},
): AsyncGenerator<Chunk> {
  let rowIdBase = 0;
  for (const given of files) {
    const dialect = given.format === "csv" ? (given.dialect ?? options.dialect?.(given)) : undefined;
    const file = { ...given, dialect };
    for await (const { rowCount, ...cut } of cutsOf(storage, file, options)) {
      const rowCountMax = rowCount ?? rowsMax(file, cut.end - cut.start, options.columnCount);
      yield chunkOf(file, cut, rowIdBase, rowCountMax);
      rowIdBase += rowCountMax;
    }
  }
}

function chunkOf(file: DataFile, cut: Omit<Cut, "rowCount">, rowIdBase: number, rowCountMax: number): Chunk {
  const { sizeBytes, mtimeMs, path } = file.file;
  const { database, table, insertNames, format, compression, charset, dialect, extraColumns } = file;
  const names = { path, database, table, insertNames, format, compression, dialect, extraColumns };
  const share = Number.isFinite(cut.end) ? cut.end - cut.start : sizeBytes;
  const sourceBytes = compression === "none" ? share : Math.min(share, sizeBytes);
  return {
    ...names,
    ...cut,
    charset: cut.charset ?? charset,
    sourceBytes,
    fileSizeBytes: sizeBytes,
    fileMtimeMs: mtimeMs,
    rowIdBase,
    rowCountMax,
  };
}

/** An upper bound: a CSV row has a byte per column (separators, terminator), a SQL row two and its parentheses. */
function rowsMax(file: DataFile, bytes: number, columnCount = 1): number {
  const decompressed = Number.isFinite(bytes) ? bytes : file.file.sizeBytes * EXPANSION_MAX[file.compression];
  const rowBytesMin = file.format === "csv" ? columnCount : 2 * columnCount + 2;
  return Math.ceil(decompressed / rowBytesMin) + 1;
}

async function* cutsOf(storage: Storage, file: DataFile, options: PlanOptions): AsyncGenerator<Cut> {
  const size = file.file.sizeBytes;
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  if (file.pieces !== undefined) {
    yield* file.pieces;
  } else if (file.compression !== "none" || size <= chunkBytes * 1.1) {
    const end = file.compression === "none" ? size : Number.POSITIVE_INFINITY;
    yield { start: 0, end, endsInFile: false, columns: undefined, sql: undefined, rowsBefore: 0, rowCount: undefined };
  } else if (file.format === "csv") {
    yield* csvCuts(storage, file, { ...options, chunkBytes });
  } else {
    yield* sqlCuts(storage, file, { ...options, chunkBytes });
  }
}
