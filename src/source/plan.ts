import type { Charset } from "./charset.ts";
import type { Chunk } from "./chunk.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import type { Compression } from "./file-name.ts";
import { openCounted, type PlainStreams, TapedSource } from "./plain-streams.ts";
import { csvCuts } from "./plan-csv.ts";
import { sqlCuts } from "./plan-sql.ts";
import type { DataFile } from "./router.ts";
import { type ByteSource, rangeSource, type Storage } from "./storage.ts";

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
  /** Where the pieces of compressed dumps are read from, so that chunks carry their bytes; shared by the tables of a source. */
  readonly streams?: PlainStreams;
  readonly signal?: AbortSignal;
}

/** Small enough that the last chunks of a table do not leave workers idle for long; several seconds of work each. */
const CHUNK_BYTES = 64 * 1024 * 1024;

/** Chunks of compressed files wait in memory, two or three a worker. */
export const COMPRESSED_CHUNK_BYTES = 4 * 1024 * 1024;

/** Smaller compressed files are one chunk. */
const COMPRESSED_WHOLE_BYTES = 256 * 1024;

/** Where a table has this many compressed files of like size, workers take whole files and decompress side by side. */
const COMPRESSED_FILES = 16;

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

/** What a cutter reads: a file's plain bytes from its begin. */
export interface CutInput {
  readonly source: ByteSource;
  /** Infinity: known at the end only. */
  readonly sizeBytes: number;
}

/** A cut with its bytes, and the stored ones that they were. */
type FilledCut = Cut & { readonly plain?: Uint8Array<ArrayBuffer>; readonly storedBytes?: number };

/**
 * Cuts the files of one table, in the given order, into chunks. Cuts are proved: a large file is passed over from its begin, by
 * quotes and line ends, and a chunk is given out as soon as the end of its last row was seen, so that workers start while the
 * pass goes on. Readers fail where a chunk does not end with a row. Large compressed files are decompressed here and their chunks
 * carry their bytes; where there are many of them each stays whole.
 */
export async function* planChunks(
  storage: Storage,
  files: readonly DataFile[],
  options: PlanOptions = {},
): AsyncGenerator<Chunk> {
  let rowIdBase = 0;
  const compressedBytes = files.reduce(
    (sum, { file, compression }) => sum + (compression === "none" ? 0 : file.sizeBytes),
    0,
  );
  for (const given of files) {
    const dialect = given.format === "csv" ? (given.dialect ?? options.dialect?.(given)) : undefined;
    const file = { ...given, dialect };
    for await (const { rowCount, ...cut } of cutsOf(storage, file, compressedBytes, options)) {
      const rowCountMax = rowCount ?? rowsMax(file, cut.end - cut.start, options.columnCount);
      yield chunkOf(file, cut, rowIdBase, rowCountMax);
      rowIdBase += rowCountMax;
    }
  }
}

function chunkOf(file: DataFile, filled: Omit<FilledCut, "rowCount">, rowIdBase: number, rowCountMax: number): Chunk {
  const { sizeBytes, mtimeMs, path } = file.file;
  const { database, table, insertNames, format, compression, charset, dialect, extraColumns } = file;
  const names = { path, database, table, insertNames, format, compression, dialect, extraColumns };
  const { plain, storedBytes, ...cut } = filled;
  const share = Number.isFinite(cut.end) ? cut.end - cut.start : sizeBytes;
  const sourceBytes = storedBytes ?? (compression === "none" ? share : Math.min(share, sizeBytes));
  return {
    ...names,
    ...cut,
    charset: cut.charset ?? charset,
    sourceBytes,
    fileSizeBytes: sizeBytes,
    fileMtimeMs: mtimeMs,
    rowIdBase,
    rowCountMax,
    plain,
  };
}

/** An upper bound: a CSV row has a byte per column (separators, terminator), a SQL row two and its parentheses. */
function rowsMax(file: DataFile, bytes: number, columnCount = 1): number {
  const decompressed = Number.isFinite(bytes) ? bytes : file.file.sizeBytes * EXPANSION_MAX[file.compression];
  const rowBytesMin = file.format === "csv" ? columnCount : 2 * columnCount + 2;
  return Math.ceil(decompressed / rowBytesMin) + 1;
}

const WHOLE = {
  start: 0,
  endsInFile: false,
  columns: undefined,
  sql: undefined,
  rowsBefore: 0,
  rowCount: undefined,
} as const;

async function* cutsOf(
  storage: Storage,
  file: DataFile,
  compressedBytes: number,
  options: PlanOptions,
): AsyncGenerator<FilledCut> {
  const size = file.file.sizeBytes;
  const chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  if (file.compression !== "none") {
    if (file.pieces !== undefined) yield* filledPieces(file, file.pieces, options);
    else if (size <= Math.min(chunkBytes, COMPRESSED_WHOLE_BYTES) || size < compressedBytes / COMPRESSED_FILES)
      yield { ...WHOLE, end: Number.POSITIVE_INFINITY };
    else yield* compressedCuts(storage, file, { ...options, chunkBytes: Math.min(chunkBytes, COMPRESSED_CHUNK_BYTES) });
  } else if (file.pieces !== undefined) {
    yield* file.pieces;
  } else if (size <= chunkBytes * 1.1) {
    yield { ...WHOLE, end: size };
  } else {
    const object = await storage.open(file.file.path);
    const source = rangeSource(object, 0, object.sizeBytes);
    yield* cutFile(storage, file, { source, sizeBytes: size }, { ...options, chunkBytes });
  }
}

function cutFile(
  storage: Storage,
  file: DataFile,
  input: CutInput,
  options: PlanOptions & { chunkBytes: number },
): AsyncGenerator<Cut> {
  return file.format === "csv" ? csvCuts(storage, file, input, options) : sqlCuts(file, input, options);
}

/** Decompresses a file and cuts it meanwhile. */
async function* compressedCuts(
  storage: Storage,
  file: DataFile,
  options: PlanOptions & { chunkBytes: number },
): AsyncGenerator<FilledCut> {
  const { source, storedBytes } = await openCounted(storage, file);
  const tape = new TapedSource(source);
  let told = 0;
  for await (const cut of cutFile(storage, file, { source: tape, sizeBytes: Number.POSITIVE_INFINITY }, options)) {
    const stored = storedBytes() - told;
    told += stored;
    yield { ...cut, plain: tape.take(cut.end), storedBytes: stored };
  }
}

async function* filledPieces(
  file: DataFile,
  pieces: readonly Cut[],
  { streams, signal }: PlanOptions,
): AsyncGenerator<FilledCut> {
  for (const piece of pieces) {
    signal?.throwIfAborted();
    if (streams === undefined) {
      yield piece;
    } else {
      const { bytes, storedBytes } = await streams.read(file, piece.start, piece.end);
      yield { ...piece, plain: bytes, storedBytes };
    }
  }
}
