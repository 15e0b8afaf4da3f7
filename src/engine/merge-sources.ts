import { assert } from "../base/mod.ts";
import type { Block } from "./block-cursor.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { COPY_SLACK_BYTES, compareKeys, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/**
 * The inputs of a merge, each with one block at a time, all in one buffer. Up to the smallest of the blocks' last keys, the bound,
 * everything is there that comes next.
 */
export class MergeSources {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  /** Next entry of each source and the end of its block; equal when the block is used up. */
  readonly at: Uint32Array;
  readonly end: Uint32Array;
  /** First entry of the block. */
  readonly slot: Uint32Array;
  /** Last entry of the block. */
  readonly lastAt: Uint32Array;
  /** Sources that have entries up to the bound, ascending: `taking[0..takingCount)`. */
  readonly taking: Uint32Array;
  takingCount = 0;
  #boundKeyAt = 0;
  #boundKeyLength = 0;
  /** Sources up to this one take what is equal to the bound. */
  #boundSource = -1;
  readonly #keyAt: Uint32Array;
  readonly #keyLength: Uint32Array;
  readonly #lastKeyAt: Uint32Array;
  readonly #lastKeyLength: Uint32Array;
  readonly #pairs: Uint32Array;
  readonly #pairBytes: Uint32Array;
  /** 1: no block comes any more. */
  readonly #ended: Uint8Array;

  /** `buffers` gives the buffer, and gets it back from the caller. */
  constructor(slotBytes: ReadonlyArray<number>, buffers: BufferPool) {
    this.count = slotBytes.length;
    const numbers = (): Uint32Array => new Uint32Array(this.count);
    this.at = numbers();
    this.end = numbers();
    this.slot = numbers();
    this.lastAt = numbers();
    this.taking = numbers();
    this.#keyAt = numbers();
    this.#keyLength = numbers();
    this.#lastKeyAt = numbers();
    this.#lastKeyLength = numbers();
    this.#pairs = numbers();
    this.#pairBytes = numbers();
    this.#ended = new Uint8Array(this.count);
    let size = 0;
    slotBytes.forEach((bytes, i) => {
      this.slot[i] = this.at[i] = this.end[i] = size;
      size += bytes;
    });
    // Offsets are kept as signed numbers of 32 bits.
    assert(size + COPY_SLACK_BYTES < 2 ** 31, "the blocks of a merge fit into one buffer");
    this.bytes = buffers.take(size + COPY_SLACK_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Copies a block into the source's slot; its first entry becomes the next one. undefined: the source has ended. */
  supply(index: number, block: Block | undefined): void {
    assert(this.at[index] === this.end[index], "a source gets a block when it needs one");
    if (block === undefined) {
      this.#ended[index] = 1;
      return;
    }
    const slot = this.slot[index]!;
    const size = block.end - block.start;
    assert(slot + size <= (this.slot[index + 1] ?? this.bytes.length - COPY_SLACK_BYTES), "a block fits into its slot");
    this.bytes.set(block.value.subarray(block.start, block.end), slot);
    this.end[index] = slot + size;
    const lastAt = slot + block.lastAt - block.start;
    this.lastAt[index] = lastAt;
    this.#lastKeyAt[index] = keyStartOf(this.bytes, lastAt);
    this.#lastKeyLength[index] = keyLengthOf(this.bytes, lastAt);
    this.#pairs[index] = block.pairs;
    this.#pairBytes[index] = block.bytes;
    this.moveTo(index, slot);
  }

  /** Makes the entry at `at`, if there is one, the source's next one. */
  moveTo(index: number, at: number): void {
    this.at[index] = at;
    if (at === this.end[index]) return;
    this.#keyAt[index] = keyStartOf(this.bytes, at);
    this.#keyLength[index] = keyLengthOf(this.bytes, at);
  }

  /** A source that needs its next block; -1 when there is none. */
  dry(): number {
    for (let i = 0; i < this.count; i++) if (this.at[i] === this.end[i] && this.#ended[i] === 0) return i;
    return -1;
  }

  /** Finds the bound and who has entries up to it; false when all sources have ended. None may be dry. */
  findBound(): boolean {
    let bound = -1;
    for (let i = 0; i < this.count; i++) {
      if (this.at[i] !== this.end[i] && (bound < 0 || this.#compareLastKeys(i, bound) < 0)) bound = i;
    }
    if (bound < 0) return false;
    this.#boundSource = bound;
    this.#boundKeyAt = this.#lastKeyAt[bound]!;
    this.#boundKeyLength = this.#lastKeyLength[bound]!;
    this.#findTaking();
    return true;
  }

  /** Makes the key of this entry the bound, if it is lower; returns whether it is. No block ends at it then. */
  lowerBound(at: number): boolean {
    const keyAt = keyStartOf(this.bytes, at);
    const keyLength = keyLengthOf(this.bytes, at);
    if (this.compareWithBound(keyAt, keyLength) >= 0) return false;
    this.#boundSource = this.count;
    this.#boundKeyAt = keyAt;
    this.#boundKeyLength = keyLength;
    this.#findTaking();
    return true;
  }

  /**
   * Whether entries with the bound as their key come now. Those of sources behind the first one whose block ends with it come later: its
   * next block may begin with that key too, and of equal keys the source named first comes first.
   */
  takesBound(index: number): boolean {
    return index <= this.#boundSource;
  }

  /** Order of a key in the buffer and the bound. */
  compareWithBound(keyAt: number, keyLength: number): number {
    return compareKeys(this.view, keyAt, keyLength, this.#boundKeyAt, this.#boundKeyLength);
  }

  /** Where the bound is in the buffer. */
  get boundKeyAt(): number {
    return this.#boundKeyAt;
  }

  /** Whether none of the block's entries has been taken. */
  isWhole(index: number): boolean {
    return this.at[index] === this.slot[index];
  }

  /** What the block holds, as it came. */
  pairsOf(index: number): { pairs: number; pairBytes: number } {
    return { pairs: this.#pairs[index]!, pairBytes: this.#pairBytes[index]! };
  }

  /** The source in whose slot an entry lies. */
  sourceOf(at: number): number {
    let index = this.count - 1;
    while (this.slot[index]! > at) index--;
    return index;
  }

  #findTaking(): void {
    const { at, end, count, taking } = this;
    let n = 0;
    for (let i = 0; i < count; i++) {
      if (at[i] === end[i]) continue;
      const order = this.compareWithBound(this.#keyAt[i]!, this.#keyLength[i]!);
      if (order < 0 || (order === 0 && this.takesBound(i))) taking[n++] = i;
    }
    this.takingCount = n;
  }

  #compareLastKeys(a: number, b: number): number {
    const { view } = this;
    return compareKeys(
      view,
      this.#lastKeyAt[a]!,
      this.#lastKeyLength[a]!,
      this.#lastKeyAt[b]!,
      this.#lastKeyLength[b]!,
    );
  }
}
