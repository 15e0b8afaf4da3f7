import { assert } from "../base/mod.ts";
import { ByteSink, type Charset, Converter, isIdentity, isUtf16 } from "./charset.ts";
import { ROW_BYTES_MAX } from "./row-scanner.ts";
import { sourceError } from "./source-error.ts";
import { SpareBuffers } from "./spare-buffers.ts";
import type { ByteSource } from "./storage.ts";
import type { Window } from "./window.ts";

export interface WindowFeedOptions {
  /** For messages. */
  readonly file: string;
  /** Position in the file's decompressed stream of the source's first byte. */
  readonly start: number;
  readonly charset: Charset;
  /** Stands in for bytes that are invalid in the charset; undefined: they are an error. */
  readonly replacement?: string;
  readonly windowBytes: number;
  readonly rowBytesMax?: number;
  /** Where buffers come from and go to. */
  readonly spare?: SpareBuffers | undefined;
}

const MARK_BYTES_MAX = 3;

/** A stretch of the window's stream and the source bytes that it was made from. Without `raw` one is the other. */
interface Segment {
  /** Position in the window's stream. */
  readonly stream: number;
  /** Position in the source. */
  readonly source: number;
  readonly raw: Uint8Array | undefined;
  readonly charset: Charset;
}

/**
 * Fills a window from a source: reads ahead by one block, takes a byte order mark away, converts the character set, and knows
 * where in the source each byte of the window came from.
 */
export class WindowFeed {
  readonly window: Window;
  charset: Charset;
  /** Invalid characters that were replaced. */
  replacedCount = 0;

  private readonly options: WindowFeedOptions;
  private readonly source: ByteSource;
  private readonly block: Uint8Array;
  private readonly replacement: Uint8Array | undefined;
  private ahead: Promise<number> | undefined;
  private converter: Converter | undefined;
  private segments: Segment[] = [];
  /** Source bytes of a character that a block's end cuts, or of an invalid one. */
  private carry: Uint8Array = new Uint8Array(0);
  /** Position in the source behind the last byte taken from it. */
  private taken: number;
  private ended = false;
  private closed = false;

  constructor(source: ByteSource, options: WindowFeedOptions) {
    this.source = source;
    this.options = options;
    const { spare = new SpareBuffers(0), windowBytes } = options;
    this.window = spare.takeWindow(windowBytes * 2);
    this.window.base = options.start;
    this.block = spare.takeBlock(Math.max(windowBytes, MARK_BYTES_MAX));
    this.replacement = options.replacement === undefined ? undefined : new TextEncoder().encode(options.replacement);
    this.taken = options.start;
    this.charset = options.charset;
    this.use(options.charset, options.start);
  }

  /**
   * Brings more bytes; false where none follow. `row` is the number of the row that the window's start stands before.
   * @throws LevinError `ErrUnreadable`, `ErrCorrupt`; `ErrEncoding` for invalid bytes, `ErrSyntax` for a row over the limit.
   */
  async fill(row: number): Promise<boolean> {
    const { window } = this;
    if (window.final || this.closed) return false;
    const left = window.end - window.start;
    this.checkRow(left, row);
    // An unfinished row is scanned again from its begin: doubling keeps the whole work linear.
    const want = Math.max(this.options.windowBytes, left);
    const before = window.end - window.start;
    while (window.end - window.start - before < want && !window.final) {
      const size = await this.take();
      const bytes = this.block.subarray(0, size);
      if (size === 0) this.ended = true;
      else this.absorb(this.taken === 0 ? this.withoutMark(bytes) : bytes);
      window.final = this.ended && this.carry.length === 0;
      if (this.blocked()) break;
      if (!this.ended) this.readAhead();
    }
    if (this.blocked() && window.end - window.start === before) throw this.invalid(row);
    this.forget();
    return true;
  }

  /** Position in the source of a position in the window's stream. */
  sourcePosition(stream: number): number {
    let k = this.segments.length - 1;
    // Nothing was converted yet.
    if (k < 0) return this.taken - this.carry.length;
    while (k > 0 && this.segments[k]!.stream > stream) k--;
    const { raw, source, stream: begin, charset } = this.segments[k]!;
    if (raw === undefined) return source + stream - begin;
    const sink = new ByteSink();
    const converter = new Converter(charset, this.replacement);
    let at = 0;
    while (at < raw.length && sink.length < stream - begin) {
      const width = Math.min(4, raw.length - at);
      let next = at;
      for (let size = 1; next === at && size <= width; size++) next = converter.convert(raw, at, at + size, sink);
      if (next === at) break;
      at = next;
    }
    return source + at;
  }

  /** Reads everything from the window's start on in another character set. */
  recode(charset: Charset): void {
    if (charset === this.charset || isUtf16(this.charset)) return;
    const { window } = this;
    const from = this.sourcePosition(window.base + window.start);
    const raw = this.rawFrom(from);
    this.carry = new Uint8Array(0);
    this.taken = from;
    window.end = window.start;
    window.version++;
    this.charset = charset;
    this.use(charset, from);
    this.absorb(raw);
    window.final = this.ended && this.carry.length === 0;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.ahead?.catch(() => 0);
    await this.source.close();
    this.options.spare?.give(this.window, this.block);
  }

  /** From the window's end on the charset holds; `source` is where that is in the source. */
  private use(charset: Charset, source: number): void {
    const identity = isIdentity(charset);
    this.converter = identity ? undefined : new Converter(charset, this.replacement);
    const stream = this.window.base + this.window.end;
    this.segments = this.segments.filter((segment) => segment.stream < stream);
    if (identity) this.segments.push({ stream, source, raw: undefined, charset });
  }

  /** Takes source bytes into the window. */
  private absorb(bytes: Uint8Array): void {
    const { window, converter } = this;
    if (converter === undefined) {
      window.append(bytes);
      this.taken += bytes.length;
      return;
    }
    const raw = new Uint8Array(this.carry.length + bytes.length);
    raw.set(this.carry);
    raw.set(bytes, this.carry.length);
    const begin = this.taken - this.carry.length;
    this.taken += bytes.length;
    const sink = new ByteSink();
    const end = converter.convert(raw, 0, raw.length, sink);
    this.replacedCount += converter.replacedCount;
    converter.replacedCount = 0;
    this.carry = raw.slice(end);
    if (end === 0) return;
    const stream = window.base + window.end;
    this.segments.push({ stream, source: begin, raw: raw.subarray(0, end), charset: this.charset });
    window.append(sink.bytes.subarray(0, sink.length));
  }

  /** Nothing more can be converted: an invalid character, or one that the end of the data cuts. */
  private blocked(): boolean {
    if (this.carry.length === 0) return false;
    return this.ended || (this.converter?.invalidWidth ?? 0) > 0;
  }

  private invalid(row: number): Error {
    const byte = this.taken - this.carry.length;
    const shown = [...this.carry.subarray(0, Math.max(1, this.converter?.invalidWidth ?? 1))]
      .map((value) => `0x${value.toString(16).padStart(2, "0")}`)
      .join(" ");
    const detail = `${shown} is not valid ${this.charset}`;
    return sourceError("Levin:Source:ErrEncoding", "read", detail, { file: this.options.file, row, byte });
  }

  /** Bytes without their byte order mark, which decides the charset. */
  private withoutMark(bytes: Uint8Array): Uint8Array {
    const marks: readonly [Charset, number[]][] = [
      ["utf8", [0xef, 0xbb, 0xbf]],
      ["utf16le", [0xff, 0xfe]],
      ["utf16be", [0xfe, 0xff]],
    ];
    for (const [charset, mark] of marks) {
      if (bytes.length < mark.length || !mark.every((byte, k) => bytes[k] === byte)) continue;
      assert(this.window.end === 0, "a byte order mark stands before everything");
      this.taken = this.window.base = mark.length;
      this.segments = [];
      this.charset = charset;
      this.use(charset, mark.length);
      return bytes.subarray(mark.length);
    }
    return bytes;
  }

  /** Source bytes from `from` to the last one taken. */
  private rawFrom(from: number): Uint8Array {
    const { window } = this;
    const raw = new Uint8Array(this.taken - from);
    for (let k = 0; k < this.segments.length; k++) {
      const { raw: bytes, source, stream } = this.segments[k]!;
      if (bytes === undefined) {
        const behind = this.segments[k + 1]?.stream ?? window.base + window.end;
        const start = Math.max(stream, window.base + window.start);
        if (behind > start)
          raw.set(window.bytes.slice(start - window.base, behind - window.base), source + start - stream - from);
      } else if (source + bytes.length > from) {
        const start = Math.max(source, from);
        raw.set(bytes.subarray(start - source), start - from);
      }
    }
    raw.set(this.carry, raw.length - this.carry.length);
    return raw;
  }

  /** Drops what only concerns bytes before the window. */
  private forget(): void {
    const { segments, window } = this;
    while (segments.length > 1 && segments[1]!.stream <= window.base + window.start) segments.shift();
  }

  private checkRow(size: number, row: number): void {
    const limit = this.options.rowBytesMax ?? ROW_BYTES_MAX;
    if (size <= limit) return;
    const byte = this.sourcePosition(this.window.base + this.window.start);
    const detail = `the row is longer than ${limit} bytes`;
    throw sourceError("Levin:Source:ErrSyntax", "parse row in", detail, { file: this.options.file, row, byte });
  }

  private readAhead(): void {
    this.ahead = this.source.read(this.block);
    // A failure is reported by the next `fill`; until then nobody waits for it.
    this.ahead.catch(() => 0);
  }

  /** The next block; the first one is long enough for a byte order mark. */
  private async take(): Promise<number> {
    let size = await (this.ahead ?? this.source.read(this.block));
    this.ahead = undefined;
    while (this.taken === 0 && size > 0 && size < MARK_BYTES_MAX && size < this.block.length) {
      const more = await this.source.read(this.block.subarray(size));
      if (more === 0) break;
      size += more;
    }
    return size;
  }
}
