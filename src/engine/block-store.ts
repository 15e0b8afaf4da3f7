import type { KvCursor, KvDb } from "../kvdb/mod.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { blockKey, blockKeyOf, blockKeys, keysOfRuns, ordinalOfBlockKey, RUN_ID_MAX, runIdOfKey } from "./layout.ts";

/** Keys from `start` (absent: the first) to before `end` (absent: behind the last). */
export interface KeyBounds {
  start?: Uint8Array;
  end?: Uint8Array;
}

export interface StoredBlock {
  /** Place in its run, from 0. */
  ordinal: number;
  /** Header and packed pairs. */
  value: Uint8Array;
}

/** A block on its way to the store. */
export interface NewBlock {
  /** A copy. */
  firstKey: Uint8Array;
  value: Uint8Array;
}

/** Takes the blocks of one run, in order. */
export interface BlockWriter {
  /** Stores blocks that lie side by side in one buffer, which must not change until the promise resolves. Several may be under way. */
  put(blocks: readonly NewBlock[]): Promise<void>;
  /** All blocks are on disk when it resolves. */
  finish(): Promise<void>;
  /** Ends after a failure; what was stored stays until it is removed. Does not fail. */
  abandon(): Promise<void>;
}

/** Gives the blocks of one run that may hold keys of a range, in order. */
export interface BlockReader {
  /** Ordinal that the first block must have. */
  readonly firstOrdinal: number;
  /** Ordinal behind the last block; undefined when it is not known beforehand. */
  readonly endOrdinal: number | undefined;
  /** The next blocks, about as many bytes as was asked for; none: the end. One call at a time. */
  read(): Promise<StoredBlock[]>;
  close(): Promise<void>;
}

export interface BlockReadOptions {
  bounds: KeyBounds;
  /** About how much one `read` returns. */
  readBytes: number;
  /** Where memory is taken from. Blocks of one `read` are done with when the second read after it begins: their memory is used again. */
  buffers: BufferPool;
}

/** Where an engine keeps the blocks of its runs. */
export interface BlockStore {
  write(runId: number): Promise<BlockWriter>;
  read(runId: number, options: BlockReadOptions): Promise<BlockReader>;
  /** The last block that begins before `end` (absent: the last), if there is one; it is not to be changed. */
  readLast(runId: number, end: Uint8Array | undefined): Promise<StoredBlock | undefined>;
  /** Runs that have stored something, committed or not. */
  runIds(): Promise<number[]>;
  remove(runId: number): Promise<void>;
  close(): Promise<void>;
}

/** How many blocks one read asks for at most; `readBytes` is the bound that matters. */
const READ_BLOCKS = 64;

/** Blocks as entries of the engine's ordered map, one a key. */
export class MapBlockStore implements BlockStore {
  readonly #kvdb: KvDb;
  readonly #prefix: Uint8Array;

  constructor(kvdb: KvDb, prefix: Uint8Array) {
    this.#kvdb = kvdb;
    this.#prefix = prefix;
  }

  async write(runId: number): Promise<BlockWriter> {
    const kvdb = this.#kvdb;
    let ordinal = 0;
    return {
      // One block a batch: a LevelDB batch of several costs five times the time on the calling thread, for the batch's string grows
      // by reallocation (measured: 0.2 against 1.0 s per 512 MiB).
      put: async (blocks) => {
        await Promise.all(
          blocks.map(({ firstKey, value }) => {
            return kvdb.batch([{ key: blockKey(this.#prefix, runId, firstKey, ordinal++), value }]);
          }),
        );
      },
      // LevelDB may change its log between two batches and does not sync the old one.
      finish: () => kvdb.sync(),
      abandon: async () => {},
    };
  }

  async read(runId: number, { bounds, readBytes }: BlockReadOptions): Promise<BlockReader> {
    const all = blockKeys(this.#prefix, runId);
    let { start } = all;
    let firstOrdinal = 0;
    if (bounds.start !== undefined) {
      // The range may begin inside the last block that begins before it.
      start = blockKeyOf(this.#prefix, runId, bounds.start);
      const entry = await firstOf(
        this.#kvdb.cursor({ start: all.start, end: start }, { reverse: true, keysOnly: true }),
      );
      if (entry !== undefined) {
        start = entry[0];
        firstOrdinal = ordinalOfBlockKey(start);
      }
    }
    const end = bounds.end === undefined ? all.end : blockKeyOf(this.#prefix, runId, bounds.end);
    const cursor = this.#kvdb.cursor({ start, end }, { batchBytes: readBytes });
    return {
      firstOrdinal,
      endOrdinal: undefined,
      read: async () =>
        (await cursor.next(READ_BLOCKS)).map(([key, value]) => ({ ordinal: ordinalOfBlockKey(key), value })),
      close: () => cursor.close(),
    };
  }

  async readLast(runId: number, end: Uint8Array | undefined): Promise<StoredBlock | undefined> {
    const all = blockKeys(this.#prefix, runId);
    const behind = end === undefined ? all.end : blockKeyOf(this.#prefix, runId, end);
    const entry = await firstOf(this.#kvdb.cursor({ start: all.start, end: behind }, { reverse: true }));
    return entry && { ordinal: ordinalOfBlockKey(entry[0]), value: entry[1] };
  }

  async runIds(): Promise<number[]> {
    return storedRunIds(this.#kvdb, this.#prefix);
  }

  async remove(runId: number): Promise<void> {
    await this.#kvdb.clear(blockKeys(this.#prefix, runId));
  }

  async close(): Promise<void> {}
}

/** The cursor's first entry, undefined when there is none; closes the cursor. */
async function firstOf(cursor: KvCursor): Promise<[key: Uint8Array, value: Uint8Array] | undefined> {
  try {
    return (await cursor.next(1))[0];
  } finally {
    await cursor.close();
  }
}

/** Runs that have any entry in the map. Seeks from run to run. */
export async function storedRunIds(kvdb: KvDb, prefix: Uint8Array): Promise<number[]> {
  const ids: number[] = [];
  for (let next = 0; next <= RUN_ID_MAX; ) {
    const entry = await firstOf(kvdb.cursor(keysOfRuns(prefix, next, RUN_ID_MAX + 1), { keysOnly: true }));
    if (entry === undefined) break;
    const runId = runIdOfKey(prefix, entry[0]);
    ids.push(runId);
    next = runId + 1;
  }
  return ids;
}
