/**
 * The synchronous heart of reading: a k-way merge of packed blocks into packed batches, in rounds. A round takes from each source what
 * lies before the first end of a block, and puts it in order (merge-round.ts). A block that ends before any other source goes on is not
 * looked into at all. So overlap decides what merging costs.
 */
import { assert, LevinError, toHex } from "../base/mod.ts";
import type { Block } from "./block-cursor.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { STRIDE } from "./entry-sorter.ts";
import { MergeRound } from "./merge-round.ts";
import { MergeSources } from "./merge-sources.ts";
import {
  COPY_SLACK_BYTES,
  compareEntryKeys,
  copyBytes,
  entryEndOf,
  keyLengthOf,
  keyStartOf,
  type Pair,
  pairAt,
  valueLengthBetween,
} from "./packed-pairs.ts";

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
  /** Run of each source, and the size of its largest block. Among equal keys the source named first comes first. */
  sources: readonly {
    runId: number;
    blockBytesMax: number;
    equalKeys: boolean;
  }[];
  /** About how much output is gathered; a larger entry makes an output of its own. */
  batchBytes: number;
  /** Size of the largest entry of all. */
  entryBytesMax: number;
  /** What happens to equal keys: all are kept (they stand side by side), or each but the first is reported and left out. */
  equalKeys: "keep" | ((duplicate: DuplicateKey) => void);
  buffers: BufferPool;
}

/** What `fill` has written since the last `take`. */
export interface MergeOutput {
  /** The caller's, to be given back to the buffers. */
  packed: Uint8Array;
  pairs: number;
  /** Bytes of keys and values. */
  pairBytes: number;
  lastKey: Uint8Array;
}

/** A batch that is being written. */
interface Output {
  bytes: Uint8Array;
  view: DataView;
  used: number;
  /** The entry written last. */
  lastAt: number;
  pairs: number;
  pairBytes: number;
}

export class Merger {
  readonly #options: MergerOptions;
  readonly #sources: MergeSources;
  readonly #round: MergeRound;
  /** Next record of the round. */
  #next = 0;
  /** What has been written, `bytes[0, used)`; undefined while nothing has. */
  #output: Output | undefined;
  /** A copy of the entry written last, when the output has been taken, and its source. */
  #last: Uint8Array | undefined;
  #lastSource = -1;

  constructor(options: MergerOptions) {
    this.#options = options;
    this.#sources = new MergeSources(
      options.sources.map(({ blockBytesMax }) => blockBytesMax),
      options.buffers,
    );
    this.#round = new MergeRound(this.#sources);
  }

  /** Gives a source its next block, or says that there is none: each source once before the first `fill`, then the one it asks for. */
  supply(index: number, block: Block | undefined): void {
    this.#sources.supply(index, block);
    this.#round.renew(index);
  }

  /**
   * Merges until the output is full or a source has run dry. Returns "full", "done" when all sources have ended, or the index of the
   * source that needs its next block.
   */
  fill(): number | "full" | "done" {
    for (;;) {
      if (this.#next < this.#round.count && !this.#emit()) return "full";
      const dry = this.#sources.dry();
      if (dry >= 0) return dry;
      if (!this.#sources.findBound()) return "done";
      if (this.#sources.takingCount > 1) this.#round.takeSorted();
      else {
        const source = this.#sources.taking[0]!;
        const passed = this.#passBlock(source);
        if (passed === "full") return "full";
        if (passed === "passed") continue;
        this.#round.takeInOrder(source, this.#options.sources[source]!.equalKeys);
      }
      this.#next = 0;
    }
  }

  /** What has been written; the output is empty afterwards. undefined when there is nothing. */
  take(): MergeOutput | undefined {
    const output = this.#output;
    if (output === undefined) return undefined;
    this.#output = undefined;
    const { bytes, used, lastAt, pairs, pairBytes } = output;
    this.#last = bytes.slice(lastAt, used);
    const lastKey = pairAt(this.#last, 0).key;
    return { packed: bytes.subarray(0, used), pairs, pairBytes, lastKey };
  }

  /** Gives the memory back; nothing may be called afterwards. */
  close(): void {
    const { buffers } = this.#options;
    buffers.give(this.#sources.bytes);
    if (this.#output !== undefined) buffers.give(this.#output.bytes);
    this.#output = undefined;
  }

  /**
   * Writes the whole block of the only source that has entries up to the bound, in one piece: when nothing of it has been written and its
   * keys ascend strictly. Blocks that are large beside a batch are taken apart, so that batches get the size asked for.
   */
  #passBlock(source: number): "passed" | "full" | "no" {
    const sources = this.#sources;
    const at = sources.at[source]!;
    const end = sources.end[source]!;
    if (!sources.isWhole(source) || this.#options.sources[source]!.equalKeys) return "no";
    if (4 * (end - at) > this.#options.batchBytes) return "no";
    if (this.#lastSource >= 0 && this.#compareWithLast(at) >= 0) return "no";
    const output = this.#output ?? this.#newOutput();
    if (output.used + end - at > this.#options.batchBytes) return "full";
    output.bytes.set(sources.bytes.subarray(at, end), output.used);
    const { pairs, pairBytes } = sources.pairsOf(source);
    output.lastAt = output.used + sources.lastAt[source]! - at;
    output.used += end - at;
    output.pairs += pairs;
    output.pairBytes += pairBytes;
    this.#lastSource = source;
    sources.moveTo(source, end);
    return "passed";
  }

  /** Writes the round's entries; false when the output is full before the last one. */
  #emit(): boolean {
    const { bytes, view } = this.#sources;
    const { records, count } = this.#round;
    const { batchBytes } = this.#options;
    const output = this.#output ?? this.#newOutput();
    let { used, lastAt, pairs, pairBytes } = output;
    let last = -1;
    let high = 0;
    let low = 0;
    // The open piece: entries that lie side by side are copied at once.
    let from = 0;
    let to = 0;
    let i = this.#next;
    for (; i < count; i++) {
      const at = records[STRIDE * i + 2]!;
      const entryHigh = records[STRIDE * i]!;
      const entryLow = records[STRIDE * i + 1]!;
      if (last < 0 || (entryHigh === high && entryLow === low)) {
        if (this.#isDuplicate(last, at)) continue;
      }
      high = entryHigh;
      low = entryLow;
      const length = bytes[at + 1]!;
      const usual = length < 0x80;
      const end = usual ? at + 2 + length : entryEndOf(bytes, at);
      if (used + end - at > batchBytes && pairs > 0) break;
      if (at !== to) {
        copyPiece(output, used - (to - from), view, from, to);
        from = at;
      }
      to = end;
      lastAt = used;
      used += end - at;
      pairs++;
      pairBytes += usual ? length - 4 : pairBytesOf(bytes, at, end);
      last = at;
    }
    copyPiece(output, used - (to - from), view, from, to);
    if (last >= 0) this.#lastSource = this.#sources.sourceOf(last);
    output.used = used;
    output.lastAt = lastAt;
    output.pairs = pairs;
    output.pairBytes = pairBytes;
    this.#next = i;
    return i === count;
  }

  #newOutput(): Output {
    const { buffers, batchBytes, entryBytesMax } = this.#options;
    const bytes = buffers.take(Math.max(batchBytes, entryBytesMax));
    this.#output = {
      bytes,
      view: new DataView(bytes.buffer),
      used: 0,
      lastAt: 0,
      pairs: 0,
      pairBytes: 0,
    };
    return this.#output;
  }

  /** Order of the entry written last and another one in the sources' buffer. */
  #compareWithLast(at: number): number {
    const { bytes } = this.#sources;
    const output = this.#output;
    if (output !== undefined && output.pairs > 0) return compareEntryKeys(output.bytes, output.lastAt, bytes, at);
    return this.#last === undefined ? -1 : compareEntryKeys(this.#last, 0, bytes, at);
  }

  /**
   * Whether an entry has the key of the one before it and is to be left out; fails when it is below it. `last` is the one before, in the
   * sources' buffer; -1: the one written last.
   */
  #isDuplicate(last: number, at: number): boolean {
    const { bytes } = this.#sources;
    const order = last < 0 ? this.#compareWithLast(at) : compareEntryKeys(bytes, last, bytes, at);
    if (order < 0) return false;
    const { engineName, equalKeys, sources } = this.#options;
    const runId = sources[this.#sources.sourceOf(at)]!.runId;
    const second = pairAt(bytes, at);
    if (order > 0) {
      const text = `Cannot read engine "${engineName}": keys of run ${runId} do not ascend at ${toHex(second.key)}`;
      throw new LevinError("Levin:Engine:ErrCorrupt", text, {
        fields: { engine: engineName, run: runId },
      });
    }
    if (equalKeys === "keep") return false;
    const first = last < 0 ? this.#lastPair() : pairAt(bytes, last);
    const firstSource = last < 0 ? this.#lastSource : this.#sources.sourceOf(last);
    equalKeys({
      key: second.key,
      firstValue: first.value,
      secondValue: second.value,
      firstRunId: sources[firstSource]!.runId,
      secondRunId: runId,
    });
    return true;
  }

  #lastPair(): Pair {
    const output = this.#output;
    if (output !== undefined && output.pairs > 0) return pairAt(output.bytes, output.lastAt);
    assert(this.#last !== undefined, "something has been written");
    return pairAt(this.#last, 0);
  }
}

function pairBytesOf(bytes: Uint8Array, at: number, end: number): number {
  const keyLength = keyLengthOf(bytes, at);
  return keyLength + valueLengthBetween(keyStartOf(bytes, at) + keyLength, end);
}

/** Copies `source[from, to)` to `at` of the output, whose bytes behind it are not in use. */
function copyPiece({ bytes, view }: Output, at: number, source: DataView, from: number, to: number): void {
  if (at + to - from + COPY_SLACK_BYTES <= bytes.length) copyBytes(view, at, source, from, to - from);
  else for (let i = from; i < to; i++) bytes[at + i - from] = source.getUint8(i);
}
