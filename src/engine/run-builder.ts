/**
 * Cuts sorted pairs into blocks and stores them as one run. Blocks are laid out in one half of the scratch area while the other half
 * is being stored, so packing and disk overlap and memory does not depend on the run's size.
 *
 * Each batch is synced: LevelDB may change its log between two batches and does not sync the old one, so a synced commit record alone
 * would not prove that the blocks before it are on disk.
 */
import { assert } from "../base/mod.ts";
import type { KvChange, KvDb } from "../kvdb/mod.ts";
import { BLOCK_HEADER_BYTES, blockKey, encodeRun, type RunInfo, runKey, writeBlockHeader } from "./layout.ts";
import { entryEndOf, keyLengthOf, keyStartOf, valueLengthBetween } from "./packed-pairs.ts";
import { POINT_BYTES, POINT_KEYS, type RangePoint } from "./range-index.ts";

/** Target size of a block's packed pairs: the smallest at which LevelDB comes near to its best speed (design §2). */
export const BLOCK_BYTES = 256 * 1024;

/** One buffer with the entries to write and, behind `scratchAt`, room for two batches of blocks. */
export interface RunSpace {
  bytes: Uint8Array;
  scratchAt: number;
}

export interface RunBuilderOptions {
  kvdb: KvDb;
  prefix: Uint8Array;
  runId: number;
  /** Target size of a block. */
  blockBytes: number;
  space: RunSpace;
}

/** What goes into a run's record besides what the builder counts. */
export interface RunSeal {
  checksum: bigint;
  note: Uint8Array;
  sources: number[];
  /** Further changes of the batch that commits the run. */
  changes: KvChange[];
}

export class RunBuilder {
  readonly #options: RunBuilderOptions;
  readonly #bytes: Uint8Array;
  readonly #halfBytes: number;
  readonly #points: RangePoint[] = [];
  /** The half of the scratch area that is being filled, and the batch that the other one waits for. */
  #half = 0;
  #changes: KvChange[] = [];
  #storing: Promise<void> = Promise.resolve();
  /** Header of the open block, behind its last entry, and the key written last. */
  #blockAt: number;
  #writeAt: number;
  #lastKeyAt = 0;
  #lastKeyLength = -1;
  #blockFirstPair = 0;
  #blockFirstByte = 0;
  #blocks = 0;
  #pairs = 0;
  #pairBytes = 0;
  #packedBytes = 0;
  #entryBytesMax = 0;
  #equalKeys = false;

  constructor(options: RunBuilderOptions) {
    this.#options = options;
    this.#bytes = options.space.bytes;
    this.#halfBytes = (this.#bytes.length - options.space.scratchAt) >>> 1;
    this.#blockAt = options.space.scratchAt;
    this.#writeAt = this.#blockAt + BLOCK_HEADER_BYTES;
  }

  /** Adds the entries at `offsets[from, to)` as far as there is room; returns the index behind the last one taken. */
  #addSome(offsets: Uint32Array, from: number, to: number): number {
    const bytes = this.#bytes;
    const blockBytes = this.#options.blockBytes + BLOCK_HEADER_BYTES;
    const halfEnd = this.#options.space.scratchAt + (this.#half + 1) * this.#halfBytes;
    for (let i = from; i < to; i++) {
      const at = offsets[i]!;
      const end = entryEndOf(bytes, at);
      const size = end - at;
      if (this.#pairs > this.#blockFirstPair && this.#writeAt + size - this.#blockAt > blockBytes) this.#closeBlock();
      const writeAt = this.#writeAt;
      if (writeAt + size > halfEnd) return i;
      const keyAt = writeAt + keyStartOf(bytes, at) - at;
      const keyLength = keyLengthOf(bytes, at);
      bytes.copyWithin(writeAt, at, end);
      this.#checkOrder(keyAt, keyLength);
      this.#writeAt = writeAt + size;
      if (size > this.#entryBytesMax) this.#entryBytesMax = size;
      this.#pairs++;
      this.#pairBytes += keyLength + valueLengthBetween(keyAt + keyLength, writeAt + size);
      this.#lastKeyAt = keyAt;
      this.#lastKeyLength = keyLength;
      this.#notePoint(false);
    }
    return to;
  }

  /** Adds the entries at `offsets[0, count)`, in that order: keys ascend over all calls. Blocks are stored as the scratch area fills. */
  async add(offsets: Uint32Array, count: number): Promise<void> {
    let taken = this.#addSome(offsets, 0, count);
    while (taken < count) {
      await this.#flush();
      taken = this.#addSome(offsets, taken, count);
    }
  }

  /** Starts storing the blocks laid out so far and waits until the other half of the scratch area is free. */
  async #flush(): Promise<void> {
    if (this.#pairs > this.#blockFirstPair) this.#closeBlock();
    assert(this.#changes.length > 0, "a scratch area has room for the largest entry");
    const { kvdb, space } = this.#options;
    const before = this.#storing;
    this.#storing = kvdb.batch(this.#changes, { sync: true });
    // It is awaited by the next flush; a failure in between must not count as unhandled.
    this.#storing.catch(() => {});
    this.#changes = [];
    await before;
    this.#half = 1 - this.#half;
    this.#blockAt = space.scratchAt + this.#half * this.#halfBytes;
    this.#writeAt = this.#blockAt + BLOCK_HEADER_BYTES;
  }

  /** Stores what is left together with the run's record: from then on the run exists. There must be a pair. */
  async commit(seal: RunSeal): Promise<RunInfo> {
    assert(this.#pairs > 0, "a run has pairs");
    const { kvdb, prefix, runId } = this.#options;
    if (this.#pairs > this.#blockFirstPair) this.#closeBlock();
    const first = this.#points[0]!.key;
    const lastKey = this.#lastKey();
    this.#notePoint(true);
    const run: RunInfo = {
      runId,
      blocks: this.#blocks,
      pairs: this.#pairs,
      bytes: this.#pairBytes,
      packedBytes: this.#packedBytes,
      entryBytesMax: this.#entryBytesMax,
      firstKey: first,
      lastKey,
      equalKeys: this.#equalKeys,
      checksum: seal.checksum,
      sources: seal.sources,
      points: this.#points,
      note: seal.note,
    };
    await this.#storing;
    const record = { key: runKey(prefix, runId), value: encodeRun(run) };
    await kvdb.batch([...this.#changes, ...seal.changes, record], { sync: true });
    this.#changes = [];
    return run;
  }

  /** Waits until nothing is being written any more; for a run that is given up. */
  async abandon(): Promise<void> {
    await this.#storing.catch(() => {});
  }

  #closeBlock(): void {
    const { prefix, runId } = this.#options;
    const value = this.#bytes.subarray(this.#blockAt, this.#writeAt);
    const firstAt = BLOCK_HEADER_BYTES;
    const keyAt = keyStartOf(value, firstAt);
    const firstKey = value.subarray(keyAt, keyAt + keyLengthOf(value, firstAt));
    writeBlockHeader(value, {
      runId,
      ordinal: this.#blocks,
      pairs: this.#pairs - this.#blockFirstPair,
      bytes: this.#pairBytes - this.#blockFirstByte,
    });
    this.#changes.push({ key: blockKey(prefix, runId, firstKey, this.#blocks), value });
    this.#packedBytes += value.length - BLOCK_HEADER_BYTES;
    this.#blocks++;
    this.#blockFirstPair = this.#pairs;
    this.#blockFirstByte = this.#pairBytes;
    this.#blockAt = this.#writeAt;
    this.#writeAt += BLOCK_HEADER_BYTES;
  }

  #checkOrder(keyAt: number, keyLength: number): void {
    const bytes = this.#bytes;
    const last = this.#lastKeyAt;
    const lastLength = this.#lastKeyLength;
    const n = Math.min(keyLength, lastLength);
    let i = 0;
    while (i < n && bytes[keyAt + i] === bytes[last + i]) i++;
    if (i < n) assert(bytes[keyAt + i]! > bytes[last + i]!, "keys of a run ascend");
    else if (keyLength <= lastLength) {
      assert(keyLength === lastLength, "keys of a run ascend");
      this.#equalKeys = true;
    }
  }

  /** Puts a point of the range index at the last key when one is due, or when the run ends behind the last point. */
  #notePoint(end: boolean): void {
    const point = this.#points[this.#points.length - 1];
    const due =
      point === undefined ||
      (end
        ? this.#pairs > point.pairs
        : this.#pairBytes - point.bytes >= POINT_BYTES || this.#pairs - point.pairs >= POINT_KEYS);
    if (due) this.#points.push({ key: this.#lastKey(), bytes: this.#pairBytes, pairs: this.#pairs });
  }

  #lastKey(): Uint8Array {
    return this.#bytes.slice(this.#lastKeyAt, this.#lastKeyAt + this.#lastKeyLength);
  }
}
