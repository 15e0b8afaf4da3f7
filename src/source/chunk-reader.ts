import { assert } from "../base/mod.ts";
import type { Fields } from "../codec/mod.ts";
import type { Chunk } from "./chunk.ts";
import { CsvScanner } from "./csv-scanner.ts";
import { decompressed } from "./decompress.ts";
import { ROW_BYTES_MAX, type RowScanner, Scan } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { copySqlSession } from "./sql-session.ts";
import { type ByteSource, rangeSource, type Storage } from "./storage.ts";
import { Window } from "./window.ts";

export interface ChunkReaderOptions {
  /** Bytes read at once; the window holds this much beside an unfinished row. */
  readonly windowBytes?: number;
  /** Longer rows are refused. */
  readonly rowBytesMax?: number;
  /** Columns of the table, where known: decides what a blank line of a CSV file without header is. */
  readonly columnCount?: number;
  /** Lightning's reading of SQL literals. */
  readonly compatLightning?: boolean;
  /** SQL mode for literals where the file sets none. */
  readonly sqlMode?: string;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Rows of one chunk:
 *
 *     while (await reader.fill()) while (reader.next(fields)) encode(fields);
 *
 * `fill` waits for bytes once per window; `next` is synchronous. Reading ahead of one window is under way meanwhile.
 */
export class ChunkReader {
  readonly scanner: RowScanner;
  private readonly chunk: Chunk;
  private readonly source: ByteSource;
  private readonly window: Window;
  private readonly windowBytes: number;
  private readonly rowBytesMax: number;
  private ahead: Promise<number> | undefined;
  private readonly aheadBytes: Uint8Array;
  private done = false;

  private constructor(chunk: Chunk, source: ByteSource, options: ChunkReaderOptions) {
    this.chunk = chunk;
    this.source = source;
    this.windowBytes = options.windowBytes ?? WINDOW_BYTES;
    this.rowBytesMax = options.rowBytesMax ?? ROW_BYTES_MAX;
    this.window = new Window(this.windowBytes * 2);
    this.window.base = chunk.start;
    this.aheadBytes = new Uint8Array(this.windowBytes);
    this.scanner = newScanner(chunk, options);
  }

  /** @throws LevinError `ErrUnreadable`, or `ErrChanged` where the file is not the one that was planned. */
  static async open(storage: Storage, chunk: Chunk, options: ChunkReaderOptions = {}): Promise<ChunkReader> {
    const object = await storage.open(chunk.path);
    if (object.sizeBytes !== chunk.fileSizeBytes) {
      await object.close();
      const detail = `its size was ${chunk.fileSizeBytes} bytes when the import was planned and is ${object.sizeBytes} now`;
      throw sourceError("Levin:Source:ErrChanged", "read", detail, { file: chunk.path, byte: chunk.start });
    }
    if (chunk.compression === "none") {
      return new ChunkReader(chunk, rangeSource(object, chunk.start, Math.min(chunk.end, object.sizeBytes)), options);
    }
    const source = decompressed(rangeSource(object, 0, object.sizeBytes), chunk.compression, chunk.path);
    return new ChunkReader(chunk, source, options);
  }

  /** Position in the file's decompressed stream behind the last row taken. */
  get position(): number {
    return this.window.base + this.window.start;
  }

  /** Makes more rows available; false when the chunk is read to its end. */
  async fill(): Promise<boolean> {
    if (this.done) return false;
    const { window } = this;
    if (window.final) {
      assert(window.start === window.end, "a final window is scanned to its end");
      this.done = true;
      return false;
    }
    const left = window.end - window.start;
    if (left > this.rowBytesMax) {
      const row = this.scanner.rowNumber + 1;
      const detail = `the row is longer than ${this.rowBytesMax} bytes`;
      throw sourceError("Levin:Source:ErrSyntax", "parse row in", detail, {
        file: this.chunk.path,
        row,
        byte: this.position,
      });
    }
    // An unfinished row is scanned again from its begin: doubling keeps the whole work linear.
    const want = Math.max(this.windowBytes, left);
    window.makeRoom(want);
    let got = 0;
    while (got < want && !window.final) {
      const size = await this.takeAhead();
      if (size === 0) window.final = true;
      else {
        window.makeRoom(size);
        window.bytes.set(this.aheadBytes.subarray(0, size), window.end);
        window.end += size;
        got += size;
      }
      if (!window.final) this.readAhead();
    }
    return true;
  }

  /** The next row of what `fill` brought; false: call `fill`. */
  next(fields: Fields): boolean {
    return this.scanner.next(this.window, fields) === Scan.row;
  }

  async close(): Promise<void> {
    this.done = true;
    await this.ahead?.catch(() => 0);
    await this.source.close();
  }

  private readAhead(): void {
    this.ahead = this.source.read(this.aheadBytes);
    // A failure is reported by the next `fill`; until then nobody waits for it.
    this.ahead.catch(() => 0);
  }

  private async takeAhead(): Promise<number> {
    const size = await (this.ahead ?? this.source.read(this.aheadBytes));
    this.ahead = undefined;
    return size;
  }
}

function newScanner(chunk: Chunk, options: ChunkReaderOptions): RowScanner {
  if (chunk.format === "csv") {
    assert(chunk.dialect !== undefined, "a CSV chunk has a dialect");
    return new CsvScanner({
      file: chunk.path,
      dialect: chunk.dialect,
      columns: chunk.columns,
      atFileStart: chunk.start === 0,
      columnCount: options.columnCount,
    });
  }
  return new SqlScanner({
    file: chunk.path,
    session: chunk.session === undefined ? undefined : copySqlSession(chunk.session),
    compatLightning: options.compatLightning,
  });
}
