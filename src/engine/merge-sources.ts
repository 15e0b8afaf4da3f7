import { assert } from "../base/mod.ts";
import type { Block } from "./block-cursor.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { compareEntryKeys, entryEndOf, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Bytes of a key that make its prefix: as many as a number holds exactly, and are loaded quickly. */
const PREFIX_BYTES = 6;
/** Prefix of a source that has ended: above all others. */
const ENDED = 2 ** (8 * PREFIX_BYTES);

/**
 * The inputs of a merge, each with one block at a time, all in one buffer: `output slot*`. Keys are compared by prefixes: all keys of
 * the blocks that are loaded share their first bytes, which are skipped; the next six, as a number, decide nearly every comparison.
 */
export class MergeSources {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Next entry of each source, its key, its end, and the end of the block. */
  readonly at: Uint32Array;
  readonly keyAt: Uint32Array;
  readonly keyLength: Uint32Array;
  readonly entryEnd: Uint32Array;
  readonly end: Uint32Array;
  readonly prefix: Float64Array;
  readonly #slot: Uint32Array;
  readonly #lastAt: Uint32Array;
  readonly #pairs: Uint32Array;
  readonly #pairBytes: Uint32Array;
  #shared = 0;

  /** How many first bytes are the same in all keys that are loaded and in the key that `refresh` was told is not above them. */
  get shared(): number {
    return this.#shared;
  }

  /** `outputBytes` in front of the slots belong to the caller. `buffers` gives the buffer, and gets it back from the caller. */
  constructor(outputBytes: number, slotBytes: ReadonlyArray<number>, buffers: BufferPool) {
    this.count = slotBytes.length;
    const [at, keyAt, keyLength, entryEnd, end, slot, lastAt, pairs, pairBytes] = Array.from(
      { length: 9 },
      () => new Uint32Array(this.count),
    );
    this.at = at!;
    this.keyAt = keyAt!;
    this.keyLength = keyLength!;
    this.entryEnd = entryEnd!;
    this.end = end!;
    this.#slot = slot!;
    this.#lastAt = lastAt!;
    this.#pairs = pairs!;
    this.#pairBytes = pairBytes!;
    this.prefix = new Float64Array(this.count);
    let size = outputBytes;
    slotBytes.forEach((bytes, i) => {
      this.#slot[i] = size;
      size += bytes;
    });
    assert(size < 2 ** 32, "the blocks of a merge fit into one buffer");
    this.bytes = buffers.take(size);
  }

  /** Copies a block into the source's slot; its first entry becomes the next one. Prefixes are to be refreshed then. */
  supply(index: number, block: Block | undefined): void {
    const slot = this.#slot[index]!;
    if (block === undefined) {
      this.at[index] = this.end[index] = slot;
      this.prefix[index] = ENDED;
      return;
    }
    const size = block.end - block.start;
    assert(slot + size <= (this.#slot[index + 1] ?? this.bytes.length), "a block fits into its slot");
    this.bytes.set(block.value.subarray(block.start, block.end), slot);
    this.at[index] = slot;
    this.end[index] = slot + size;
    this.#lastAt[index] = slot + block.lastAt - block.start;
    this.#pairs[index] = block.pairs;
    this.#pairBytes[index] = block.bytes;
  }

  /** Whether none of the block's entries has been taken. */
  isWhole(index: number): boolean {
    return this.at[index] === this.#slot[index];
  }

  /** What the block holds, as it came. */
  wholeBlock(index: number): { lastAt: number; pairs: number; pairBytes: number } {
    return { lastAt: this.#lastAt[index]!, pairs: this.#pairs[index]!, pairBytes: this.#pairBytes[index]! };
  }

  /** Whether the last key of one source's block comes before the next entry of another. */
  endsBefore(index: number, other: number): boolean {
    if (this.prefix[other] === ENDED) return true;
    return compareEntryKeys(this.bytes, this.#lastAt[index]!, this.bytes, this.at[other]!, this.#shared) < 0;
  }

  hasEnded(index: number): boolean {
    return this.prefix[index] === ENDED;
  }

  /** Goes to the source's next entry, of which there is one. */
  advance(index: number): void {
    this.at[index] = this.entryEnd[index]!;
    this.#read(index);
  }

  /**
   * After new blocks: finds how many bytes all keys share that can come before the next block. `floor` is a key that none of them is
   * below. Returns whether that has changed, so that all prefixes have.
   */
  refresh(floor: Uint8Array, floorAt: number, index: number | undefined): boolean {
    let top = -1;
    for (let i = 0; i < this.count; i++) {
      if (this.at[i] === this.end[i]) continue;
      const lastAt = this.#lastAt[i]!;
      if (top < 0 || compareEntryKeys(this.bytes, lastAt, this.bytes, top) > 0) top = lastAt;
    }
    const shared = top < 0 ? 0 : commonBytes(floor, floorAt, this.bytes, top);
    const changed = shared !== this.#shared || index === undefined;
    this.#shared = shared;
    if (changed) {
      for (let i = 0; i < this.count; i++) if (this.at[i] !== this.end[i]) this.#read(i);
    } else if (this.at[index] !== this.end[index]) this.#read(index);
    return changed;
  }

  /** Smallest key among the first entries; -1 when all sources have ended. */
  lowest(): number {
    let low = -1;
    for (let i = 0; i < this.count; i++) {
      if (this.at[i] === this.end[i]) continue;
      if (low < 0 || compareEntryKeys(this.bytes, this.at[i]!, this.bytes, this.at[low]!) < 0) low = i;
    }
    return low;
  }

  /** Whether the next entry of `a` comes before that of `b`; of equal keys the source with the smaller index. */
  before(a: number, b: number): boolean {
    const d = this.prefix[a]! - this.prefix[b]!;
    if (d !== 0) return d < 0;
    return this.#beforeByKey(a, b);
  }

  #beforeByKey(a: number, b: number): boolean {
    if (this.prefix[a] === ENDED) return a < b;
    const order = compareEntryKeys(this.bytes, this.at[a]!, this.bytes, this.at[b]!, this.#shared);
    return order !== 0 ? order < 0 : a < b;
  }

  /** Reads the head of the source's next entry. */
  #read(index: number): void {
    const bytes = this.bytes;
    const at = this.at[index]!;
    const keyAt = keyStartOf(bytes, at);
    const keyLength = keyLengthOf(bytes, at);
    this.entryEnd[index] = entryEndOf(bytes, at);
    this.keyAt[index] = keyAt;
    this.keyLength[index] = keyLength;
    const p = keyAt + this.#shared;
    const rest = keyLength - this.#shared;
    if (rest >= PREFIX_BYTES) {
      const high = (bytes[p]! << 16) | (bytes[p + 1]! << 8) | bytes[p + 2]!;
      this.prefix[index] = high * 0x1000000 + ((bytes[p + 3]! << 16) | (bytes[p + 4]! << 8) | bytes[p + 5]!);
      return;
    }
    let prefix = 0;
    for (let i = 0; i < PREFIX_BYTES; i++) prefix = prefix * 256 + (i < rest ? bytes[p + i]! : 0);
    this.prefix[index] = prefix;
  }
}

/** How many bytes the keys of two entries share. */
function commonBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  const n = Math.min(keyLengthOf(a, aAt), keyLengthOf(b, bAt));
  const aKey = keyStartOf(a, aAt);
  const bKey = keyStartOf(b, bAt);
  let common = 0;
  while (common < n && a[aKey + common] === b[bKey + common]) common++;
  return common;
}
