/**
 * Cuts sorted pairs into blocks and stores them as one run. Blocks are laid out in a ring of scratch areas, so packing and storing
 * overlap and memory does not depend on the run's size. The run's record is written when all its blocks are on disk.
 */
import { assert } from "../base/mod.ts";
import type { KvChange, KvDb } from "../kvdb/mod.ts";
import type { BlockWriter, NewBlock } from "./block-store.ts";
import { BLOCK_HEADER_BYTES, encodeRun, type RunInfo, runKey, writeBlockHeader } from "./layout.ts";
import {
  COPY_SLACK_BYTES,
  compareKeys,
  copyBytes,
  entryEndOf,
  keyLengthOf,
  keyStartOf,
  valueLengthBetween,
} from "./packed-pairs.ts";
import { POINT_BYTES, POINT_KEYS, type RangePoint } from "./range-index.ts";

/** Scratch areas: one is being filled while the others are being stored. */
const AREAS = 4;
/** Least size of an area: what is stored in one piece. Four blocks of 64 KiB fit with their headers. */
const AREA_BYTES = 260 * 1024;

/** Measured, ns a pair in random order of 64 MiB (Bun): without touching 204 (106 bytes), from 32 entries on 65 (106) and 42 (44 bytes). */
const TOUCH_ENTRIES = 64;
/** Entries are touched up to this size. */
const TOUCH_BYTES_MAX = 512;
/** Where so many entries lie in this many bytes, they lie side by side. */
const NEAR_BYTES = TOUCH_ENTRIES * 1024;
/** A cache line. */
const LINE_BYTES = 64;

/** Offsets of entries: as they came, or sorted. */
export type Offsets = Uint32Array | Int32Array;

/** One buffer with the entries to write and, behind `scratchAt`, `scratchBytes` to lay out blocks. */
export interface RunSpace {
  bytes: Uint8Array;
  scratchAt: number;
}

/** Room that a builder needs for its blocks. */
export function scratchBytes(blockBytes: number, entryBytesMax: number): number {
  return AREAS * Math.max(AREA_BYTES, BLOCK_HEADER_BYTES + Math.max(blockBytes, entryBytesMax) + COPY_SLACK_BYTES);
}

export interface RunBuilderOptions {
  kvdb: KvDb;
  prefix: Uint8Array;
  runId: number;
  blocks: BlockWriter;
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
  readonly #view: DataView;
  readonly #points: RangePoint[] = [];
  readonly #areaBytes: number;
  /** What each scratch area waits for before it is filled again. */
  readonly #storing: Promise<void>[] = Array.from({ length: AREAS }, () => Promise.resolve());
  #area = 0;
  #areaEnd: number;
  /** Blocks that lie complete in the area. */
  #closed: NewBlock[] = [];
  /** First entry of the open block, and behind its last. */
  #blockAt: number;
  #writeAt: number;
  /** The entry written last and its key. */
  #lastAt = 0;
  #lastKeyAt = 0;
  #lastKeyLength = -1;
  /** What the run had before the open block. */
  #pairsBefore = 0;
  #bytesBefore = 0;
  #blocks = 0;
  #pairs = 0;
  #pairBytes = 0;
  #packedBytes = 0;
  #entryBytesMax = 0;
  #blockBytesMax = 0;
  #equalKeys = false;
  #strict = false;
  /** Nobody reads it; it keeps `touch` from being optimised away. */
  touchSum = 0;

  constructor(options: RunBuilderOptions) {
    this.#options = options;
    this.#bytes = options.space.bytes;
    this.#areaBytes = Math.floor((this.#bytes.length - options.space.scratchAt) / AREAS);
    const least = BLOCK_HEADER_BYTES + options.blockBytes + COPY_SLACK_BYTES;
    assert(this.#areaBytes >= least, "a scratch area holds a block");
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#blockAt = options.space.scratchAt + BLOCK_HEADER_BYTES;
    this.#writeAt = this.#blockAt;
    this.#areaEnd = options.space.scratchAt + this.#areaBytes - COPY_SLACK_BYTES;
  }

  /**
   * Adds the entries at `offsets[0, count)`, in that order: keys ascend over all calls. Blocks are stored as they fill. `strict`: it is
   * known that no key is there twice, so that they are compared at the begin of each block only.
   */
  async add(offsets: Offsets, count: number, strict = false): Promise<void> {
    this.#strict = strict;
    let taken = this.#pack(offsets, 0, count);
    while (taken < count) {
      this.#storeArea();
      await this.#storing[this.#area];
      taken = this.#pack(offsets, taken, count);
    }
  }

  /** Stores what is left, and when all blocks are on disk the run's record: from then on the run exists. There must be a pair. */
  async commit(seal: RunSeal): Promise<RunInfo> {
    assert(this.#pairs > 0, "a run has pairs");
    const { kvdb, prefix, runId } = this.#options;
    this.#closeBlock();
    this.#storeArea();
    const lastKey = this.#lastKey();
    if (this.#pairs > this.#points[this.#points.length - 1]!.pairs) this.#addPoint();
    const run: RunInfo = {
      runId,
      blocks: this.#blocks,
      pairs: this.#pairs,
      bytes: this.#pairBytes,
      packedBytes: this.#packedBytes,
      entryBytesMax: this.#entryBytesMax,
      blockBytesMax: this.#blockBytesMax,
      firstKey: this.#points[0]!.key,
      lastKey,
      equalKeys: this.#equalKeys,
      checksum: seal.checksum,
      sources: seal.sources,
      points: this.#points,
      note: seal.note,
    };
    await Promise.all(this.#storing);
    await this.#options.blocks.finish();
    const record = { key: runKey(prefix, runId), value: encodeRun(run) };
    await kvdb.batch([...seal.changes, record], { sync: true });
    return run;
  }

  /** Waits until nothing is being written any more; for a run that is given up. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#storing);
    await this.#options.blocks.abandon();
  }

  /** Lays entries out in blocks until the area is full, with no block open; returns the index behind the last one taken. */
  #pack(offsets: Offsets, from: number, to: number): number {
    for (let i = from; i < to; ) {
      i = this.#packBlock(offsets, i, to);
      if (i === to) break;
      this.#closeBlock();
      const room = this.#areaEnd - this.#blockAt;
      const next = entryEndOf(this.#bytes, offsets[i]!) - offsets[i]!;
      if (room < this.#options.blockBytes || room < next) return i;
    }
    return to;
  }

  /** Lays entries out in the open block until it is full; returns the index behind the last one taken. */
  #packBlock(offsets: Offsets, from: number, to: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const blockAt = this.#blockAt;
    const blockEnd = blockAt + this.#options.blockBytes;
    const strict = this.#strict;
    let writeAt = this.#writeAt;
    let lastAt = this.#lastAt;
    let lastKeyAt = this.#lastKeyAt;
    let lastKeyLength = this.#lastKeyLength;
    let pairBytes = this.#pairBytes;
    let entryBytesMax = this.#entryBytesMax;
    let { bytes: pointBytes, pairs: pointPairs } = this.#points[this.#points.length - 1] ?? NO_POINT;
    const pairsBefore = this.#pairs - from;
    // Entries that lie side by side are copied together: [copyFrom, copyTo) is to go where the block's bytes end.
    let copyFrom = 0;
    let copyTo = 0;
    let touched = from;
    let i = from;
    for (; i < to; i++) {
      const at = offsets[i]!;
      if (at !== copyTo) {
        copyBytes(view, writeAt - (copyTo - copyFrom), view, copyFrom, copyTo - copyFrom);
        copyFrom = at;
        copyTo = at;
        if (i >= touched) {
          touched = Math.min(to, i + TOUCH_ENTRIES);
          if (!areNear(offsets, i, touched)) this.touchSum = touch(bytes, offsets, i, touched, this.#usualBytes());
        }
      }
      const end = entryEndOf(bytes, at);
      const size = end - at;
      if (writeAt + size > blockEnd && writeAt > blockAt) break;
      const keyAt = keyStartOf(bytes, at);
      const keyLength = keyLengthOf(bytes, at);
      if (!strict || writeAt === blockAt) {
        const order = lastKeyLength < 0 ? -1 : compareKeys(view, lastKeyAt, lastKeyLength, keyAt, keyLength);
        assert(order <= 0, "keys of a run ascend");
        if (order === 0) this.#equalKeys = true;
      }
      copyTo = end;
      lastAt = writeAt;
      lastKeyAt = keyAt;
      lastKeyLength = keyLength;
      writeAt += size;
      if (size > entryBytesMax) entryBytesMax = size;
      pairBytes += keyLength + valueLengthBetween(keyAt + keyLength, end);
      const pairs = pairsBefore + i + 1;
      if (pairBytes - pointBytes >= POINT_BYTES || pairs - pointPairs >= POINT_KEYS) {
        const key = bytes.slice(lastKeyAt, lastKeyAt + lastKeyLength);
        this.#points.push({ key, bytes: pairBytes, pairs });
        pointBytes = pairBytes;
        pointPairs = pairs;
      }
    }
    copyBytes(view, writeAt - (copyTo - copyFrom), view, copyFrom, copyTo - copyFrom);
    // From where it was read to where it was written: the caller may overwrite the former.
    if (i > from) lastKeyAt += lastAt - offsets[i - 1]!;
    this.#writeAt = writeAt;
    this.#lastAt = lastAt;
    this.#lastKeyAt = lastKeyAt;
    this.#lastKeyLength = lastKeyLength;
    this.#pairBytes = pairBytes;
    this.#pairs = pairsBefore + i;
    this.#entryBytesMax = entryBytesMax;
    return i;
  }

  /** Size of an entry, as those of the blocks so far have it. */
  #usualBytes(): number {
    return this.#pairsBefore === 0
      ? LINE_BYTES
      : Math.min(TOUCH_BYTES_MAX, Math.ceil(this.#packedBytes / this.#pairsBefore));
  }

  /** Completes the open block and opens one behind it. */
  #closeBlock(): void {
    if (this.#writeAt === this.#blockAt) return;
    const value = this.#bytes.subarray(this.#blockAt - BLOCK_HEADER_BYTES, this.#writeAt);
    const keyAt = keyStartOf(value, BLOCK_HEADER_BYTES);
    const firstKey = value.slice(keyAt, keyAt + keyLengthOf(value, BLOCK_HEADER_BYTES));
    writeBlockHeader(value, {
      runId: this.#options.runId,
      ordinal: this.#blocks,
      pairs: this.#pairs - this.#pairsBefore,
      bytes: this.#pairBytes - this.#bytesBefore,
      lastAt: this.#lastAt - this.#blockAt,
    });
    this.#closed.push({ firstKey, value });
    const size = value.length - BLOCK_HEADER_BYTES;
    this.#packedBytes += size;
    if (size > this.#blockBytesMax) this.#blockBytesMax = size;
    this.#blocks++;
    this.#pairsBefore = this.#pairs;
    this.#bytesBefore = this.#pairBytes;
    this.#blockAt = this.#writeAt + BLOCK_HEADER_BYTES;
    this.#writeAt = this.#blockAt;
  }

  /** Starts storing the area's blocks and goes on to the next area, which may still be being stored. */
  #storeArea(): void {
    if (this.#closed.length === 0) return;
    const stored = this.#options.blocks.put(this.#closed);
    // It is awaited later; a failure in between must not count as unhandled.
    stored.catch(() => {});
    this.#storing[this.#area] = stored;
    this.#closed = [];
    this.#area = (this.#area + 1) % AREAS;
    const areaAt = this.#options.space.scratchAt + this.#area * this.#areaBytes;
    this.#areaEnd = areaAt + this.#areaBytes - COPY_SLACK_BYTES;
    this.#blockAt = areaAt + BLOCK_HEADER_BYTES;
    this.#writeAt = this.#blockAt;
  }

  #addPoint(): void {
    this.#points.push({ key: this.#lastKey(), bytes: this.#pairBytes, pairs: this.#pairs });
  }

  #lastKey(): Uint8Array {
    return this.#bytes.slice(this.#lastKeyAt, this.#lastKeyAt + this.#lastKeyLength);
  }
}

/**
 * Reads a byte of each cache line of each entry. Sorted entries lie anywhere in the arena; read one after the other, their cache misses
 * overlap, while the copies that follow would take them one by one.
 */
function touch(bytes: Uint8Array, offsets: Offsets, from: number, to: number, entryBytes: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const at = offsets[i]!;
    const last = at + entryBytes - 1;
    for (let line = at; line < last; line += LINE_BYTES) sum += bytes[line]!;
    sum += bytes[last]!;
  }
  return sum;
}

/** Whether entries lie as closely as sorted input leaves them, where the processor reads ahead by itself. */
function areNear(offsets: Offsets, from: number, to: number): boolean {
  const distance = offsets[to - 1]! - offsets[from]!;
  return distance >= 0 && distance < NEAR_BYTES;
}

/** Before the first pair: makes that one a point. */
const NO_POINT = { bytes: 0, pairs: -POINT_KEYS };
