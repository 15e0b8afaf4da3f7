/**
 * The synchronous heart of reading: a k-way merge of packed blocks into packed batches.
 *
 * A heap holds the sources by the key of their next entry. Keys of one range share a prefix; the six bytes behind it, as a number,
 * decide most comparisons. The source on top is drained for as long as it stays ahead of the second best, and what it gave is copied
 * as one piece: overlap decides what merging costs, and runs that hardly overlap are copied block by block.
 */
import { assert, LevinError, toHex } from "../base/mod.ts";
import type { Block } from "./block-cursor.ts";
import { compareEntryKeys, entryEndOf, keyLengthOf, keyStartOf, pairAt, valueLengthBetween } from "./packed-pairs.ts";

/** Two pairs with one key. The first is kept, the second is left out. */
export interface DuplicateKey {
  key: Uint8Array;
  firstValue: Uint8Array;
  secondValue: Uint8Array;
  firstRunId: number;
  secondRunId: number;
}

export interface MergerOptions {
  /** For error messages. */
  engineName: string;
  /** Bytes in which all keys agree. */
  commonPrefixBytes: number;
  /** What happens to equal keys: all are kept (they stand side by side), or each but the first is reported and left out. */
  equalKeys: "keep" | ((duplicate: DuplicateKey) => void);
}

/** One sorted input; the entry that is next lies at `at`. */
interface Source {
  runId: number;
  bytes: Uint8Array;
  at: number;
  entryEnd: number;
  /** Behind the block's last entry. */
  end: number;
}

/** What the merger writes to. */
export interface MergeOutput {
  bytes: Uint8Array;
  /** Behind the last entry written. */
  used: number;
  pairs: number;
  /** Bytes of keys and values. */
  pairBytes: number;
}

const PREFIX_BYTES = 6;

export class Merger {
  readonly #options: MergerOptions;
  readonly #sources: Source[] = [];
  /** The bytes behind the common prefix of each source's next key, as a number. */
  readonly #prefixes: Float64Array;
  readonly #heap: Int32Array;
  #size = 0;
  /** The entry emitted last: all later keys are above its key. */
  #last: { bytes: Uint8Array; at: number; prefix: number; runId: number } | undefined;

  constructor(sourcesMax: number, options: MergerOptions) {
    this.#options = options;
    this.#prefixes = new Float64Array(sourcesMax);
    this.#heap = new Int32Array(sourcesMax);
  }

  /** Adds a source with its first block; returns its index. Among equal keys the source added first comes first. */
  add(runId: number, block: Block): number {
    const index = this.#sources.length;
    this.#sources.push({ runId, bytes: block.value, at: block.start, entryEnd: block.start, end: block.end });
    this.#load(index);
    let child = this.#size++;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#less(index, this.#heap[parent]!)) break;
      this.#heap[child] = this.#heap[parent]!;
      child = parent;
    }
    this.#heap[child] = index;
    return index;
  }

  /** Gives the source that `fill` asked for its next block, or takes it out when there is none. */
  refill(index: number, block: Block | undefined): void {
    assert(this.#heap[0] === index, "the source that ran dry is the one on top");
    if (block === undefined) {
      this.#heap[0] = this.#heap[--this.#size]!;
    } else {
      const source = this.#sources[index]!;
      source.bytes = block.value;
      source.at = block.start;
      source.end = block.end;
      this.#load(index);
    }
    this.#siftDown();
  }

  get done(): boolean {
    return this.#size === 0;
  }

  /**
   * Moves entries to `out` until the next one does not fit (returns undefined) or a source has run dry (returns its index: `refill`
   * it). Must not be called when `done`.
   */
  fill(out: MergeOutput): number | undefined {
    for (;;) {
      const index = this.#heap[0]!;
      const source = this.#sources[index]!;
      const rival = this.#rival();
      let from = source.at;
      for (;;) {
        if (this.#isDuplicate(index, source)) {
          this.#copy(out, source.bytes, from, source.at);
          from = source.entryEnd;
        } else {
          if (out.used + source.entryEnd - from > out.bytes.length) {
            this.#copy(out, source.bytes, from, source.at);
            return undefined;
          }
          this.#emit(out, index, source);
        }
        source.at = source.entryEnd;
        if (source.at === source.end) {
          this.#copy(out, source.bytes, from, source.at);
          return index;
        }
        this.#load(index);
        if (rival >= 0 && !this.#less(index, rival)) break;
      }
      this.#copy(out, source.bytes, from, source.at);
      this.#siftDown();
    }
  }

  /** Counts the source's next entry as written; its bytes are copied with the rest of the piece. */
  #emit(out: MergeOutput, index: number, source: Source): void {
    const keyLength = keyLengthOf(source.bytes, source.at);
    const keyEnd = keyStartOf(source.bytes, source.at) + keyLength;
    out.pairs++;
    out.pairBytes += keyLength + valueLengthBetween(keyEnd, source.entryEnd);
    const last = this.#last;
    if (last === undefined) {
      const prefix = this.#prefixes[index]!;
      this.#last = { bytes: source.bytes, at: source.at, prefix, runId: source.runId };
      return;
    }
    last.bytes = source.bytes;
    last.at = source.at;
    last.prefix = this.#prefixes[index]!;
    last.runId = source.runId;
  }

  #copy(out: MergeOutput, bytes: Uint8Array, from: number, to: number): void {
    if (to === from) return;
    out.bytes.set(bytes.subarray(from, to), out.used);
    out.used += to - from;
  }

  /** Whether the next entry has the key of the last one and is to be left out; fails when it is below it. */
  #isDuplicate(index: number, source: Source): boolean {
    const last = this.#last;
    if (last === undefined || this.#prefixes[index]! > last.prefix) return false;
    const order = compareEntryKeys(last.bytes, last.at, source.bytes, source.at);
    if (order < 0) return false;
    const { engineName, equalKeys } = this.#options;
    if (order > 0) {
      const { key } = pairAt(source.bytes, source.at);
      const text = `Cannot read engine "${engineName}": keys of run ${source.runId} do not ascend at ${toHex(key)}`;
      throw new LevinError("Levin:Engine:ErrCorrupt", text, { fields: { engine: engineName, run: source.runId } });
    }
    if (equalKeys === "keep") return false;
    const first = pairAt(last.bytes, last.at);
    const second = pairAt(source.bytes, source.at);
    equalKeys({
      key: second.key,
      firstValue: first.value,
      secondValue: second.value,
      firstRunId: last.runId,
      secondRunId: source.runId,
    });
    return true;
  }

  /** The source that is next after the one on top, -1 when there is none. */
  #rival(): number {
    if (this.#size < 2) return -1;
    const left = this.#heap[1]!;
    if (this.#size === 2) return left;
    const right = this.#heap[2]!;
    return this.#less(right, left) ? right : left;
  }

  #siftDown(): void {
    const heap = this.#heap;
    const size = this.#size;
    const index = heap[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#less(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#less(heap[child]!, index)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = index;
  }

  #less(a: number, b: number): boolean {
    const d = this.#prefixes[a]! - this.#prefixes[b]!;
    if (d !== 0) return d < 0;
    const x = this.#sources[a]!;
    const y = this.#sources[b]!;
    const order = compareEntryKeys(x.bytes, x.at, y.bytes, y.at, this.#options.commonPrefixBytes);
    return order !== 0 ? order < 0 : a < b;
  }

  /** Reads the head of the source's next entry. */
  #load(index: number): void {
    const source = this.#sources[index]!;
    const { bytes, at } = source;
    source.entryEnd = entryEndOf(bytes, at);
    const skip = this.#options.commonPrefixBytes;
    const p = keyStartOf(bytes, at) + skip;
    const rest = keyLengthOf(bytes, at) - skip;
    if (rest >= PREFIX_BYTES) {
      const high = (bytes[p]! << 16) | (bytes[p + 1]! << 8) | bytes[p + 2]!;
      this.#prefixes[index] = high * 0x1000000 + ((bytes[p + 3]! << 16) | (bytes[p + 4]! << 8) | bytes[p + 5]!);
      return;
    }
    let prefix = 0;
    for (let i = 0; i < PREFIX_BYTES; i++) prefix = prefix * 256 + (i < rest ? bytes[p + i]! : 0);
    this.#prefixes[index] = prefix;
  }
}
