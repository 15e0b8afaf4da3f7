import { assert } from "../base/mod.ts";
import type { Fields } from "../codec/mod.ts";
import type { Chunk } from "./chunk.ts";
import { CsvScanner } from "./csv-scanner.ts";
import { decompressed } from "./decompress.ts";
import { type ColumnCoding, ColumnDecoder } from "./field-coding.ts";
import { demandSize } from "./plain-streams.ts";
import type { PlainSyntax } from "./plain-syntax.ts";
import { type RowScanner, Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import type { SpareBuffers } from "./spare-buffers.ts";
import { currentCharset, newDataScanner } from "./sql-data.ts";
import type { SqlScanner } from "./sql-scanner.ts";
import { type ByteSource, memorySource, part, rangeSource, type Storage } from "./storage.ts";
import type { Window } from "./window.ts";
import { WindowFeed } from "./window-feed.ts";

export interface ChunkReaderOptions {
  /** Bytes read at once; the window holds this much beside an unfinished row. */
  readonly windowBytes?: number;
  /** Longer rows are refused. */
  readonly rowBytesMax?: number;
  /** Buffers of readers that have ended. */
  readonly spare?: SpareBuffers | undefined;
  /** Columns of the table, where known: decides what a blank line of a CSV file without header is. */
  readonly columnCount?: number;
  /** Lightning's reading of SQL literals. */
  readonly compatLightning?: boolean;
  /** SQL mode for literals where the file sets none. */
  readonly sqlMode?: string;
  /** Columns that are coded in the source, by lower-case name: `charsetOfColumn`, and binary ones written as hex or base64. */
  readonly codings?: ReadonlyMap<string, ColumnCoding>;
  /** The table's columns, for rows without a list of their own; needed with `codings`. */
  readonly columnNames?: readonly string[];
  /** Stands in for bytes that are invalid in the file's character set; undefined: they are an error. */
  readonly invalidReplacement?: string;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Rows of one chunk:
 *
 *     while (await reader.fill()) while (reader.next(fields)) encode(fields);
 *
 * `fill` waits for bytes once per window; `next` is synchronous. Reading ahead of one block is under way meanwhile.
 */
export class ChunkReader {
  /** Row number, columns and counts; its positions are the window's, `rowPosition` is the file's. */
  readonly scanner: RowScanner;
  private readonly chunk: Chunk;
  private readonly feed: WindowFeed;
  private readonly decoder: ColumnDecoder | undefined;

  private constructor(chunk: Chunk, source: ByteSource, options: ChunkReaderOptions) {
    this.chunk = chunk;
    this.feed = new WindowFeed(source, {
      file: chunk.path,
      start: chunk.start,
      charset: currentCharset(chunk.sql?.session.charset, chunk.charset),
      replacement: options.invalidReplacement,
      windowBytes: Math.min(options.windowBytes ?? WINDOW_BYTES, Math.max(chunk.end - chunk.start, 1)),
      rowBytesMax: options.rowBytesMax,
      spare: options.spare,
    });
    this.scanner = newScanner(chunk, options, (position) => this.feed.sourcePosition(position));
    const { codings, columnNames, invalidReplacement } = options;
    if (codings === undefined || codings.size === 0) return;
    this.decoder = new ColumnDecoder(codings, columnNames ?? [], invalidReplacement);
  }

  /** @throws LevinError `ErrUnreadable`, or `ErrChanged` where the file is not the one that was planned. */
  static async open(storage: Storage, chunk: Chunk, options: ChunkReaderOptions = {}): Promise<ChunkReader> {
    if (chunk.plain !== undefined) return new ChunkReader(chunk, memorySource(chunk.plain), options);
    const object = await storage.open(chunk.path);
    await demandSize(object, chunk.path, chunk.fileSizeBytes);
    if (chunk.compression === "none") {
      return new ChunkReader(chunk, rangeSource(object, chunk.start, Math.min(chunk.end, object.sizeBytes)), options);
    }
    const plain = decompressed(rangeSource(object, 0, object.sizeBytes), chunk.compression, chunk.path);
    return new ChunkReader(chunk, part(plain, chunk.start, chunk.end), options);
  }

  /** Position in the file's decompressed stream behind the last row taken. */
  get position(): number {
    return this.feed.sourcePosition(this.feed.window.base + this.feed.window.start);
  }

  /** Position in the file's decompressed stream of the last row's first byte. */
  get rowPosition(): number {
    return this.feed.sourcePosition(this.scanner.rowStart);
  }

  /** Invalid characters that were replaced so far. */
  get replacedCount(): number {
    return this.feed.replacedCount;
  }

  /** Makes more rows available; false when the chunk is read to its end. */
  fill(): Promise<boolean> {
    return this.feed.fill(this.scanner.rowNumber + 1);
  }

  /** The next row of what `fill` brought; false: call `fill`. */
  next(fields: Fields): boolean {
    for (;;) {
      const result = this.scanner.next(this.feed.window, fields);
      if (result === Scan.row) {
        if (this.decoder !== undefined) this.decode(this.decoder, fields);
        return true;
      }
      if (result !== Scan.recode) return false;
      const { session } = this.scanner as SqlScanner;
      this.feed.recode(currentCharset(session.charset, this.chunk.charset));
    }
  }

  /** What is read and not yet taken, for callers that read plain rows themselves. */
  get window(): Window {
    return this.feed.window;
  }

  /** As the scanner's; undefined where fields are coded. */
  plainSyntax(): PlainSyntax | undefined {
    return this.decoder === undefined ? this.scanner.plainSyntax() : undefined;
  }

  close(): Promise<void> {
    return this.feed.close();
  }

  private decode(decoder: ColumnDecoder, fields: Fields): void {
    const invalid = decoder.decode(fields, this.scanner);
    if (invalid < 0) return;
    const place = { file: this.chunk.path, row: this.scanner.rowNumber, column: invalid + 1, byte: this.rowPosition };
    const detail = `the field is not valid ${decoder.codingOf(invalid)}`;
    throw sourceError("Levin:Source:ErrEncoding", "read", detail, place);
  }
}

function newScanner(chunk: Chunk, options: ChunkReaderOptions, placeOf: (position: number) => number): RowScanner {
  if (chunk.format === "sql") return newDataScanner(chunk, options, placeOf);
  assert(chunk.dialect !== undefined, "a CSV chunk has a dialect");
  return new CsvScanner({
    file: chunk.path,
    dialect: chunk.dialect,
    columns: chunk.columns,
    atFileStart: chunk.start === 0,
    endsInFile: chunk.endsInFile,
    rowsBefore: chunk.rowsBefore,
    columnCount: options.columnCount,
    placeOf,
  });
}
