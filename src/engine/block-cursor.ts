import { assert, LevinError } from "../base/mod.ts";
import type { BlockReader, BlockStore, KeyBounds, StoredBlock } from "./block-store.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { BLOCK_HEADER_BYTES, type RunInfo, readBlockHeader } from "./layout.ts";
import { compareEntryKey, entryEndOf, keyLengthOf, keyStartOf, valueLengthBetween } from "./packed-pairs.ts";

/** Entries of a block that lie in the range asked for: `value[start, end)`; there is at least one. */
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
  blocks: BlockStore;
  /** For error messages. */
  engineName: string;
  run: RunInfo;
  bounds: KeyBounds;
  /** About how many bytes are read at once; twice as much is held. */
  readBytes: number;
  /** A block's bytes may be used again after the next one was asked for. */
  buffers: BufferPool;
}

/** The blocks of one run that hold keys of a range, checked and trimmed to it, with the next read under way. */
export class BlockCursor {
  readonly #options: BlockCursorOptions;
  #opening: Promise<BlockReader> | undefined;
  #reader: BlockReader | undefined;
  #closed = false;
  #ahead: Promise<StoredBlock[]> | undefined;
  #stored: StoredBlock[] = [];
  #at = 0;
  /** Ordinal of the block that comes next. */
  #ordinal = 0;
  #first = true;

  constructor(options: BlockCursorOptions) {
    this.#options = options;
  }

  /** The next block, undefined behind the last. Fails with `Levin:Engine:ErrCorrupt` where a block is not what was written. */
  async next(): Promise<Block | undefined> {
    if (this.#reader === undefined) {
      const { blocks, run } = this.#options;
      this.#opening ??= blocks.read(run.runId, this.#options);
      this.#reader = await this.#opening;
      this.#ordinal = this.#reader.firstOrdinal;
      this.#ahead = this.#reader.read();
    }
    const { endOrdinal } = this.#reader;
    // Only the last block can reach beyond the range. Where it is not known which that is, one is kept back until another follows.
    const keptBack = endOrdinal === undefined ? 1 : 0;
    for (;;) {
      while (this.#stored.length - this.#at <= keptBack && this.#ahead !== undefined) await this.#read();
      const stored = this.#stored[this.#at++];
      if (stored === undefined) {
        this.#checkEnd();
        return undefined;
      }
      const last = endOrdinal === undefined ? this.#at === this.#stored.length : stored.ordinal === endOrdinal - 1;
      const block = this.#trim(this.#check(stored), last);
      if (block.end > block.start) return block;
    }
  }

  /** Also while `next` is under way, which then gives or throws something of no meaning. */
  async close(): Promise<void> {
    this.#closed = true;
    // What is under way has to end before the reader may be closed: another cursor of the same merge may have failed meanwhile.
    await this.#opening?.catch(() => {});
    await this.#ahead?.catch(() => {});
    this.#ahead = undefined;
    await this.#reader?.close();
  }

  async #read(): Promise<void> {
    assert(this.#reader !== undefined && this.#ahead !== undefined, "a cursor reads only while it is open");
    const rest = this.#stored.slice(this.#at);
    const stored = await this.#ahead;
    this.#ahead = stored.length === 0 || this.#closed ? undefined : this.#reader.read();
    // It is awaited by the next read; a failure in between must not count as unhandled.
    this.#ahead?.catch(() => {});
    this.#stored = rest.length === 0 ? stored : [...rest, ...stored];
    this.#at = 0;
  }

  #check(stored: StoredBlock): Block {
    const { engineName, run } = this.#options;
    return checkBlock(engineName, run, stored, this.#ordinal++);
  }

  #checkEnd(): void {
    const { engineName, run, bounds } = this.#options;
    if (bounds.end !== undefined || this.#ordinal === run.blocks) return;
    throw corrupt(engineName, run, this.#ordinal, `it is missing, the run has ${run.blocks}`);
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
}

/** Looks at the header of the block that should be the one with this ordinal. Fails with `Levin:Engine:ErrCorrupt`. */
export function checkBlock(engineName: string, run: RunInfo, { ordinal, value }: StoredBlock, expected: number): Block {
  if (ordinal !== expected) throw corrupt(engineName, run, expected, `block ${ordinal} stands in its place`);
  const facts = readBlockHeader(value);
  if (facts === undefined) throw corrupt(engineName, run, ordinal, "its checksum does not fit");
  if (facts.runId !== run.runId || facts.ordinal !== ordinal) {
    throw corrupt(engineName, run, ordinal, `it is block ${facts.ordinal} of run ${facts.runId}`);
  }
  const lastAt = BLOCK_HEADER_BYTES + facts.lastAt;
  return { value, start: BLOCK_HEADER_BYTES, end: value.length, lastAt, pairs: facts.pairs, bytes: facts.bytes };
}

function corrupt(engineName: string, { runId }: RunInfo, block: number, detail: string): LevinError {
  const text = `Cannot read engine "${engineName}": block ${block} of run ${runId} is damaged: ${detail}`;
  return new LevinError("Levin:Engine:ErrCorrupt", text, { fields: { engine: engineName, run: runId, block } });
}
