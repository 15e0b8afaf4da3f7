/**
 * Many rows at a time: source bytes → packed pairs, in a kernel made for the table. It takes plain rows only and stops before the first
 * other one, which the caller gives to `TableEncoder.encodeRow`; so nothing that needs a word to the user happens here.
 */
import { KeyOrder, type PackedBatch, type PackedSink } from "../../codec/mod.ts";
import { type Kernel, startKernel } from "../../kernel/mod.ts";
import type { PlainSyntax, RowScanner, Window } from "../../source/mod.ts";
import type { AutoIds } from "../auto-id.ts";
import {
  INDEX_OUT,
  INDEX_STARTS,
  INPUT,
  INPUT_BYTES,
  INSIDE,
  MARKER_BEGIN,
  OUTPUT_BYTES,
  OUTSIDE,
  PAGES,
  PAIRS_MAX,
  POWERS,
  POWERS_MAX,
  RECORD_OUT,
  RECORD_STARTS,
  RESULTS,
  Result,
  ROW_EXTRA_BYTES,
  WEIGHTS,
  WEIGHTS_BYTES,
} from "./memory.ts";
import type { BulkPlan } from "./plan.ts";
import { kernelSource } from "./row-code.ts";
import { KernelSums } from "./sums.ts";

/** Fewer rows than this at once are not worth the call. */
const ROWS_WORTH = 8;
/** Largest number of rows that go the other way before the next try. */
const PAUSE_MAX = 255;
/** Bytes behind the input that end every field: a quote or line end, then what is in no text, so that one that begins there ends. */
const END_MARK_BYTES = 256;
const NO_TEXT = 0xff;

interface BulkSinks {
  readonly record: PackedSink;
  readonly index: PackedSink;
}

/** A batch whose members change: one object for all runs. */
type Batch = { -readonly [K in keyof PackedBatch]: PackedBatch[K] };

export class BulkEncoder {
  readonly syntax: PlainSyntax;
  private readonly plan: BulkPlan;
  private readonly kernel: Kernel;
  private readonly sinks: BulkSinks;
  private readonly autoIds: AutoIds;
  private readonly results: Int32Array;
  private readonly sums: KernelSums;
  private readonly record: Batch;
  private readonly index: Batch;
  /** Byte behind the input. */
  private readonly endMark: number;
  /** Position in the window's stream of the input's first byte, and its size; 0 where there is none. */
  private inputBase = 0;
  private inputSize = 0;
  private inputVersion = 0;
  private pause = 0;
  private pauseLeft = 0;

  private constructor(plan: BulkPlan, kernel: Kernel, sinks: BulkSinks, autoIds: AutoIds) {
    this.plan = plan;
    this.syntax = plan.syntax;
    this.kernel = kernel;
    this.sinks = sinks;
    this.autoIds = autoIds;
    const { bytes } = kernel;
    this.results = new Int32Array(bytes.buffer, RESULTS, 32);
    this.sums = new KernelSums(kernel);
    const batch = (from: number, starts: number): Batch => ({
      bytes,
      from,
      to: from,
      starts: new Uint32Array(bytes.buffer, starts, PAIRS_MAX),
      count: 0,
      pairBytes: 0,
      entryBytesMax: 0,
      order: KeyOrder.strict,
    });
    this.record = batch(RECORD_OUT, RECORD_STARTS);
    this.index = batch(INDEX_OUT, INDEX_STARTS);
    const { quote, escapedBy, separator, rowEnds, nulls } = plan.syntax;
    this.endMark = quote >= 0 ? quote : rowEnds[0]!;
    for (const byte of [quote, escapedBy, separator, ...rowEnds]) if (byte >= 0) bytes[OUTSIDE + byte] = 1;
    for (const byte of [quote, escapedBy]) if (byte >= 0) bytes[INSIDE + byte] = 1;
    for (const classes of [OUTSIDE, INSIDE]) bytes.fill(2, classes + 0x80, classes + 0x100);
    for (const marker of nulls) if (marker.length > 0) bytes[MARKER_BEGIN + marker[0]!] = 1;
    const view = new DataView(bytes.buffer);
    for (let i = 0; i <= POWERS_MAX; i++) view.setFloat64(POWERS + 8 * i, Number(`1e${i}`), true);
    plan.weights.forEach((table, i) => {
      table.forEach((weight, character) => {
        view.setUint16(WEIGHTS + i * WEIGHTS_BYTES + 2 * character, weight);
      });
    });
    kernel.functions["crcInit"]!();
  }

  /** Undefined where the runtime cannot run kernels. */
  static start(plan: BulkPlan, sinks: BulkSinks, autoIds: AutoIds): BulkEncoder | undefined {
    const kernel = startKernel(kernelSource(plan), PAGES);
    return kernel && new BulkEncoder(plan, kernel, sinks, autoIds);
  }

  /** What is read from now on is another stream. */
  forgetInput(): void {
    this.inputSize = 0;
  }

  /**
   * Encodes plain rows from the window's start on and takes them off; gives their number. The first one has the number `rowId`. 0: the row
   * at hand is for the other paths, or it is not complete.
   */
  encode(window: Window, scanner: RowScanner, rowId: number): number {
    if (this.pauseLeft > 0) {
      this.pauseLeft--;
      return 0;
    }
    const rows = this.run(window, scanner, rowId);
    // A row that only the input's end cuts is not odd.
    const isCut = rows > 0 && this.inputBase + this.inputSize < window.base + window.end;
    if (rows >= ROWS_WORTH || this.results[Result.stopped] === 0 || isCut) this.pause = 0;
    else this.pause = Math.min(PAUSE_MAX, this.pause * 2 + 1);
    this.pauseLeft = this.pause;
    return rows;
  }

  /** Hands the sums of all pairs so far over; to be called before anybody looks at them. */
  drain(): void {
    this.sums.drain(this.sinks.record.checksum, this.sinks.index.checksum);
  }

  private run(window: Window, scanner: RowScanner, rowId: number): number {
    const { record, index } = this.sinks;
    // Both may be one sink.
    const room = Math.floor(Math.min(record.roomBytes, index.roomBytes) / 2);
    const pairs = Math.min(PAIRS_MAX, record.roomPairs, index.roomPairs);
    const rowsMax = Math.floor(pairs / (1 + this.plan.indexes.length));
    const limit = Math.min(OUTPUT_BYTES, room - INPUT_BYTES - ROW_EXTRA_BYTES);
    if (limit <= 0 || rowsMax === 0) return 0;
    let offset = window.base + window.start - this.inputBase;
    if (offset < 0 || offset >= this.inputSize || window.version !== this.inputVersion) offset = this.load(window);
    let rows = this.runFrom(offset, scanner, rowId, rowsMax, limit);
    if (rows === 0 && offset > 0 && this.inputBase + this.inputSize < window.base + window.end) {
      // The row at hand may go on behind the input.
      offset = this.load(window);
      rows = this.runFrom(offset, scanner, rowId, rowsMax, limit);
    }
    if (rows === 0) return 0;
    const { results } = this;
    const start = window.start - offset - INPUT;
    scanner.takePlainRows(window, rows, start + results[Result.lastRow]!, start + results[Result.position]!);
    this.handOver();
    if (this.plan.handle < 0 && this.plan.clustered === undefined) this.autoIds.noteSourceRowId(rowId + rows - 1);
    return rows;
  }

  /** Copies what follows in the window; gives the offset of the window's start in the input, which is 0. */
  private load(window: Window): number {
    const { bytes } = this.kernel;
    const size = Math.min(INPUT_BYTES, window.end - window.start);
    bytes.set(window.bytes.subarray(window.start, window.start + size), INPUT);
    bytes[INPUT + size] = this.endMark;
    bytes.fill(NO_TEXT, INPUT + size + 1, INPUT + size + END_MARK_BYTES);
    this.inputBase = window.base + window.start;
    this.inputSize = size;
    this.inputVersion = window.version;
    return 0;
  }

  private runFrom(offset: number, scanner: RowScanner, rowId: number, rowsMax: number, limit: number): number {
    return this.kernel.functions["run"]!(
      INPUT + offset,
      INPUT + this.inputSize,
      scanner.atFirstRow ? 1 : 0,
      rowId | 0,
      Math.floor(rowId / 0x100000000),
      rowsMax,
      RECORD_OUT + limit,
      INDEX_OUT + limit,
    );
  }

  private handOver(): void {
    const { record, index, results, autoIds } = this;
    record.to = results[Result.recordEnd]!;
    record.count = results[Result.recordCount]!;
    record.pairBytes = results[Result.recordBytes]!;
    record.entryBytesMax = results[Result.recordMax]!;
    record.order = results[Result.recordOrder]!;
    index.to = results[Result.indexEnd]!;
    index.count = results[Result.indexCount]!;
    index.pairBytes = results[Result.indexBytes]!;
    index.entryBytesMax = results[Result.indexMax]!;
    index.order = results[Result.indexOrder]!;
    this.sinks.record.putPacked(record);
    if (index.count > 0) this.sinks.index.putPacked(index);
    autoIds.noteIncrement(results[Result.notedHigh]!, results[Result.notedLow]!);
  }
}
