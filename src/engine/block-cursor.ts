import { assert, LevinError } from "../base/mod.ts";
import type { KvCursor, KvDb } from "../kvdb/mod.ts";
import {
  BLOCK_HEADER_BYTES,
  blockKeyOf,
  blockKeys,
  ordinalOfBlockKey,
  type RunInfo,
  readBlockHeader,
} from "./layout.ts";
import { compareEntryKey, entryEndOf, keyLengthOf, keyStartOf, valueLengthBetween } from "./packed-pairs.ts";

/** Keys from `start` (absent: the first) to before `end` (absent: behind the last). */
export interface KeyBounds {
  start?: Uint8Array;
  end?: Uint8Array;
}

/** Entries of a block that lie in the range asked for: `value[start, end)`; there is at least one. The bytes are the caller's. */
export interface Block {
  value: Uint8Array;
  start: number;
  end: number;
  /** The last entry. */
  lastAt: number;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
}

export interface BlockCursorOptions {
  kvdb: KvDb;
  prefix: Uint8Array;
  /** For error messages. */
  engineName: string;
  run: RunInfo;
  bounds: KeyBounds;
  /** About how many bytes are read at once; up to twice as much is held. */
  readBytes: number;
}

/** How many blocks one read asks for at most; `readBytes` is the bound that matters. */
const READ_BLOCKS = 64;

/** The blocks of one run that hold keys of a range, checked and trimmed to it, with the next read under way. */
export class BlockCursor {
  readonly #options: BlockCursorOptions;
  #cursor: KvCursor | undefined;
  #ahead: Promise<[Uint8Array, Uint8Array][]> | undefined;
  #entries: [Uint8Array, Uint8Array][] = [];
  #at = 0;
  /** Ordinal of the block read last; before the first, -1 when that must be block 0 and undefined when it may be any. */
  #ordinal: number | undefined = -1;
  #first = true;

  constructor(options: BlockCursorOptions) {
    this.#options = options;
  }

  /** The next block, undefined behind the last. Fails with `Levin:Engine:ErrCorrupt` where a block is not what was written. */
  async next(): Promise<Block | undefined> {
    this.#cursor ??= await this.#open();
    for (;;) {
      // One entry is kept back until it is known whether another follows: only the last one can reach beyond the range.
      while (this.#entries.length - this.#at < 2 && this.#ahead !== undefined) await this.#read();
      const entry = this.#entries[this.#at++];
      if (entry === undefined) {
        this.#checkEnd();
        return undefined;
      }
      const last = this.#at === this.#entries.length;
      const block = this.#trim(this.#check(entry), last);
      if (block.end > block.start) return block;
    }
  }

  async close(): Promise<void> {
    // The read that is under way has to end before the cursor may be closed.
    await this.#ahead?.catch(() => {});
    this.#ahead = undefined;
    await this.#cursor?.close();
  }

  async #open(): Promise<KvCursor> {
    const { kvdb, prefix, run, bounds, readBytes } = this.#options;
    const all = blockKeys(prefix, run.runId);
    let start = all.start;
    if (bounds.start !== undefined) {
      // The range may begin inside the last block that begins before it.
      start = blockKeyOf(prefix, run.runId, bounds.start);
      const before = kvdb.cursor({ start: all.start, end: start }, { reverse: true, keysOnly: true });
      const [entry] = await before.next(1);
      await before.close();
      if (entry !== undefined) {
        start = entry[0];
        this.#ordinal = undefined;
      }
    }
    const end = bounds.end === undefined ? all.end : blockKeyOf(prefix, run.runId, bounds.end);
    const cursor = kvdb.cursor({ start, end }, { batchBytes: readBytes });
    this.#ahead = cursor.next(READ_BLOCKS);
    return cursor;
  }

  async #read(): Promise<void> {
    assert(this.#cursor !== undefined && this.#ahead !== undefined, "a cursor reads only while it is open");
    const rest = this.#entries.slice(this.#at);
    const entries = await this.#ahead;
    this.#ahead = entries.length === 0 ? undefined : this.#cursor.next(READ_BLOCKS);
    // It is awaited by the next read; a failure in between must not count as unhandled.
    this.#ahead?.catch(() => {});
    this.#entries = rest.length === 0 ? entries : [...rest, ...entries];
    this.#at = 0;
  }

  #check([key, value]: [Uint8Array, Uint8Array]): Block {
    const { run } = this.#options;
    const ordinal = ordinalOfBlockKey(key);
    const expected = this.#ordinal === undefined ? ordinal : this.#ordinal + 1;
    if (ordinal !== expected) throw this.#corrupt(expected, `block ${ordinal} stands in its place`);
    const facts = readBlockHeader(value);
    if (facts === undefined) throw this.#corrupt(ordinal, "its checksum does not fit");
    if (facts.runId !== run.runId || facts.ordinal !== ordinal) {
      throw this.#corrupt(ordinal, `it is block ${facts.ordinal} of run ${facts.runId}`);
    }
    this.#ordinal = ordinal;
    const lastAt = BLOCK_HEADER_BYTES + facts.lastAt;
    return { value, start: BLOCK_HEADER_BYTES, end: value.length, lastAt, pairs: facts.pairs, bytes: facts.bytes };
  }

  #checkEnd(): void {
    const { run, bounds } = this.#options;
    const seen = (this.#ordinal ?? -1) + 1;
    if (bounds.end !== undefined || seen === run.blocks) return;
    throw this.#corrupt(seen, `it is missing, the run has ${run.blocks}`);
  }

  /** Cuts off what lies before and behind the range. */
  #trim(block: Block, last: boolean): Block {
    const { start, end } = this.#options.bounds;
    const first = this.#first;
    this.#first = false;
    if (!(first && start !== undefined) && !(last && end !== undefined)) return block;
    const out = { value: block.value, start: block.end, end: block.end, lastAt: block.end, pairs: 0, bytes: 0 };
    let inside = false;
    for (let at = block.start; at < block.end; at = entryEndOf(block.value, at)) {
      if (!inside) {
        if (start !== undefined && compareEntryKey(block.value, at, start) < 0) continue;
        inside = true;
        out.start = at;
      }
      if (end !== undefined && compareEntryKey(block.value, at, end) >= 0) {
        out.end = at;
        break;
      }
      const keyLength = keyLengthOf(block.value, at);
      const keyEnd = keyStartOf(block.value, at) + keyLength;
      out.lastAt = at;
      out.pairs++;
      out.bytes += keyLength + valueLengthBetween(keyEnd, entryEndOf(block.value, at));
    }
    return out;
  }

  #corrupt(ordinal: number, detail: string): LevinError {
    const { engineName, run } = this.#options;
    const text = `Cannot read engine "${engineName}": block ${ordinal} of run ${run.runId} is damaged: ${detail}`;
    return new LevinError("Levin:Engine:ErrCorrupt", text, {
      fields: { engine: engineName, run: run.runId, block: ordinal },
    });
  }
}
