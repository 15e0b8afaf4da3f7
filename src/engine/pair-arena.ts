/**
 * Where an encoder's pairs are gathered until a run is written: one buffer of packed pairs and the offset of each.
 *
 *   buffer := pairs (room bytes, gaps between them allowed) scratch (some blocks)
 *
 * The scratch area belongs to the run builder, which gathers inside one array: copies by words there are cheaper than `set(subarray)` and make no
 * garbage.
 *
 * Memory is `memoryBytes`, whatever comes in, with one exception: a single row larger than the reserve makes the buffer grow.
 */
import { assert } from "../base/mod.ts";
import { KeyOrder, type PackedBatch, type PairSink } from "../codec/mod.ts";
import { EntrySorter } from "./entry-sorter.ts";
import { ENTRY_BYTES_MAX, entrySize, keyLengthOf, keyStartOf, writeEntryHead, writeValueHead } from "./packed-pairs.ts";
import { type Offsets, type RunSpace, scratchBytes } from "./run-builder.ts";

interface PairArenaOptions {
  /** Bytes of packed pairs that fit. */
  capacityBytes: number;
  /** Pairs that fit; one per 64 bytes of capacity when absent. */
  capacityPairs?: number;
}

/** Scratch area for blocks of usual sizes; it grows for larger ones. */
const SCRATCH_BYTES = scratchBytes(256 * 1024, 0);

/** From this length on a native copy is faster than a loop (Bun 1.4, source in cache). */
const NATIVE_COPY_BYTES = 128;

/** Pairs sorted by key; offsets point into `bytes`. Valid until the arena is next written to or cleared. */
export interface SortedEntries extends RunSpace {
  offsets: Offsets;
  /** No key is there twice, as was seen when they came; false where nobody looked. */
  strict: boolean;
}

export class PairArena implements PairSink {
  #bytes: Uint8Array;
  #roomBytes: number;
  #scratchBytes = SCRATCH_BYTES;
  #entryBytesMax = 0;
  #starts: Uint32Array;
  #fullBytes: number;
  #fullCount: number;
  #used = 0;
  #count = 0;
  #pairBytes = 0;
  #order: number = KeyOrder.strict;
  #lastKey = 0;
  #lastKeyLength = 0;
  #sorter: EntrySorter | undefined;

  constructor({ capacityBytes, capacityPairs = Math.ceil(capacityBytes / 64) }: PairArenaOptions) {
    assert(capacityBytes >= 4096 && capacityPairs >= 16, "an arena has room for some rows");
    assert(capacityBytes + SCRATCH_BYTES < 2 ** 31, "an arena stays below 2 GiB");
    this.#roomBytes = capacityBytes;
    this.#bytes = new Uint8Array(capacityBytes + SCRATCH_BYTES);
    this.#starts = new Uint32Array(capacityPairs);
    // The reserve is for the pairs of the row that is being encoded when the arena becomes full.
    this.#fullBytes = capacityBytes - Math.min(256 * 1024, capacityBytes >>> 2);
    this.#fullCount = capacityPairs - Math.min(1024, capacityPairs >>> 2);
  }

  /** Pairs in the arena. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of packed pairs in the arena. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Bytes of all keys and values in the arena, as TiDB's checksum counts them. */
  get pairBytes(): number {
    return this.#pairBytes;
  }

  /** Whether it is time to write a run. Asked between rows: the reserve takes the rest of the current one. */
  get full(): boolean {
    return this.#used >= this.#fullBytes || this.#count >= this.#fullCount;
  }

  /** Whether the keys came in ascending order so far, equal ones included. */
  get inOrder(): boolean {
    return this.#order !== KeyOrder.none;
  }

  /** What the arena holds of the machine's memory, the sorter included. */
  get memoryBytes(): number {
    return this.#bytes.length + this.#starts.length * (4 + EntrySorter.BYTES_PER_ENTRY);
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    const at = this.#used;
    const size = entrySize(keyLength, valueLength);
    if (at + size > this.#roomBytes || this.#count === this.#starts.length) this.#grow(size);
    const bytes = this.#bytes;
    const keyAt = writeEntryHead(bytes, at, keyLength, valueLength);
    if (keyLength < NATIVE_COPY_BYTES) for (let i = 0; i < keyLength; i++) bytes[keyAt + i] = key[i]!;
    else bytes.set(key.subarray(0, keyLength), keyAt);
    const valueAt = writeValueHead(bytes, keyAt + keyLength, valueLength);
    if (valueLength < NATIVE_COPY_BYTES) for (let i = 0; i < valueLength; i++) bytes[valueAt + i] = value[i]!;
    else bytes.set(value.subarray(0, valueLength), valueAt);
    if (this.#order !== KeyOrder.none) this.#noteOrder(keyAt, keyLength);
    this.#starts[this.#count++] = at;
    this.#used = at + size;
    if (size > this.#entryBytesMax) this.#entryBytesMax = size;
    this.#pairBytes += keyLength + valueLength;
  }

  /** Bytes and pairs that fit without growing. */
  get roomBytes(): number {
    return this.#roomBytes - this.#used;
  }

  get roomPairs(): number {
    return this.#starts.length - this.#count;
  }

  /** Copies the pairs with the gaps between them. */
  putPacked(batch: PackedBatch): void {
    const { bytes, from, to, count, order } = batch;
    if (count === 0) return;
    const size = to - from;
    while (size > this.roomBytes || count > this.roomPairs) this.#grow(size);
    const at = this.#used;
    this.#bytes.set(bytes.subarray(from, to), at);
    const starts = this.#starts;
    const before = this.#count;
    const shift = at - from;
    for (let i = 0; i < count; i++) starts[before + i] = batch.starts[i]! + shift;
    if (this.#order !== KeyOrder.none) {
      this.#noteEntry(starts[before]!);
      if (count > 1) this.#noteEntry(starts[before + count - 1]!);
      this.#order &= order;
    }
    this.#count = before + count;
    this.#used = at + size;
    this.#entryBytesMax = Math.max(this.#entryBytesMax, batch.entryBytesMax);
    this.#pairBytes += batch.pairBytes;
  }

  /** Empties the arena; its memory stays. */
  clear(): void {
    this.#used = 0;
    this.#count = 0;
    this.#pairBytes = 0;
    this.#order = KeyOrder.strict;
    this.#lastKeyLength = 0;
  }

  /**
   * The pairs in key order; equal keys in order of arrival; with scratch room for blocks of this size. Sorted input is recognised and
   * costs nothing.
   */
  sorted(blockBytes = 1): SortedEntries {
    const scratch = scratchBytes(blockBytes, this.#entryBytesMax);
    if (scratch > this.#scratchBytes) {
      this.#scratchBytes = scratch;
      this.#reallocate();
    }
    const bytes = this.#bytes;
    const scratchAt = this.#roomBytes;
    const strict = this.#order === KeyOrder.strict;
    if (this.inOrder) return { bytes, offsets: this.#starts.subarray(0, this.#count), strict, scratchAt };
    this.#sorter ??= new EntrySorter(this.#starts.length);
    return { bytes, offsets: this.#sorter.sort(bytes, this.#starts, this.#count), strict, scratchAt };
  }

  #noteEntry(at: number): void {
    this.#noteOrder(keyStartOf(this.#bytes, at), keyLengthOf(this.#bytes, at));
  }

  #noteOrder(keyAt: number, keyLength: number): void {
    const bytes = this.#bytes;
    const last = this.#lastKey;
    const n = Math.min(keyLength, this.#lastKeyLength);
    let i = 0;
    while (i < n && bytes[keyAt + i] === bytes[last + i]) i++;
    const d = i < n ? bytes[keyAt + i]! - bytes[last + i]! : keyLength - this.#lastKeyLength;
    if (d <= 0) this.#order = d < 0 ? KeyOrder.none : this.#order & KeyOrder.ascending;
    this.#lastKey = keyAt;
    this.#lastKeyLength = keyLength;
  }

  /** A row that is larger than the reserve: rare, so everything is simply moved. */
  #grow(size: number): void {
    assert(size < ENTRY_BYTES_MAX, "a pair is smaller than 256 MiB");
    if (this.#used + size > this.#roomBytes) {
      this.#roomBytes = this.#used + size + (this.#roomBytes >>> 2);
      this.#reallocate();
    }
    if (this.#count === this.#starts.length) {
      const starts = new Uint32Array(this.#starts.length + (this.#starts.length >>> 1));
      starts.set(this.#starts);
      this.#starts = starts;
      this.#sorter = undefined;
    }
  }

  #reallocate(): void {
    const bytes = new Uint8Array(this.#roomBytes + this.#scratchBytes);
    bytes.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = bytes;
  }
}
