import { compareBytes } from "../../base/mod.ts";
import type { KvCursor, KvDb } from "../../kvdb/mod.ts";
import type { BlockCache } from "./block-cache.ts";
import { compareSlices, decodeKey, encodeKey } from "./keys.ts";
import { firstKey, lastKey, type Run } from "./runs.ts";
import { readBe64, tableKey, tableRange } from "./tables.ts";
import { WriteOp } from "./write-record.ts";

/**
 * One stream of versions in key order, newest version of a key first. The current one is in the fields; `step` moves on inside
 * what is in memory, `load` brings the next piece.
 */
export abstract class Source {
  key: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  value: Uint8Array = this.key;
  valueStart = 0;
  valueEnd = 0;
  commitTs = 0n;
  deleted = false;
  /** Of equal keys and timestamps the version of the highest order counts. */
  order = 0;

  /** The next version; false = `load` first. */
  abstract step(): boolean;
  /** Brings the next piece; false = end. */
  abstract load(): Promise<boolean>;
  abstract close(): Promise<void>;
  /** Highest key of the piece in memory, if that is cheaply known. */
  pieceEnd: Uint8Array | undefined;

  /** Where the current version's element begins, if the rest of the piece is elements `12 len 0a klen key 12 vlen value`; -1 = it is not. */
  get elementsFrom(): number {
    return -1;
  }

  /** Moves behind the last version of the piece in memory. */
  skipPiece(): void {
    while (this.step());
  }
}

/** The versions of a run from a key on. All have the run's timestamp. */
export class RunSource extends Source {
  readonly #run: Run;
  readonly #cache: BlockCache;
  readonly #start: Uint8Array;
  readonly #once: boolean;
  #buffer: Uint8Array | undefined;
  #block: number;
  #at = 0;
  #element = 0;

  /** `once`: blocks are not kept; the caller closes the source when nobody looks at its fields any more. */
  constructor(run: Run, cache: BlockCache, start: Uint8Array, once: boolean) {
    super();
    this.#once = once;
    this.#run = run;
    this.#cache = cache;
    this.#start = start;
    this.commitTs = run.commitTs;
    this.order = run.order;
    this.#block = firstBlockWith(run, start) - 1;
  }

  get firstKey(): Uint8Array {
    return firstKey(this.#run);
  }

  async load(): Promise<boolean> {
    this.#block++;
    const meta = this.#run.blocks[this.#block];
    if (meta === undefined) return false;
    const number = this.#run.firstBlock + this.#block;
    if (this.#once) {
      this.#buffer ??= this.#cache.buffers.take();
      this.key = await this.#cache.getOnce(this.#run.fileId, number, meta, this.#buffer);
    } else this.key = await this.#cache.get(this.#run.fileId, number, meta);
    this.value = this.key;
    this.pieceEnd = meta.last;
    this.#at = 0;
    return true;
  }

  step(): boolean {
    const bytes = this.key;
    let at = this.#at;
    if (this.pieceEnd === undefined || at >= bytes.length) return false;
    this.#element = at;
    // A block holds `12 len 0a klen key 12 vlen value` elements, written by BlockCutter.
    at++;
    while (bytes[at]! >= 0x80) at++;
    at += 2;
    let length = bytes[at]!;
    if (length >= 0x80) {
      length &= 0x7f;
      for (let scale = 128; ; scale *= 128) {
        const byte = bytes[++at]!;
        length += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
    }
    this.keyStart = ++at;
    at += length;
    this.keyEnd = at++;
    length = bytes[at]!;
    if (length >= 0x80) {
      length &= 0x7f;
      for (let scale = 128; ; scale *= 128) {
        const byte = bytes[++at]!;
        length += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
    }
    this.valueStart = ++at;
    at += length;
    this.valueEnd = at;
    this.#at = at;
    return true;
  }

  override get elementsFrom(): number {
    return this.#element;
  }

  override skipPiece(): void {
    this.#at = this.key.length;
  }

  /** Steps to the first version not below the start key; false = nothing there in this piece. */
  seek(): boolean {
    while (this.step()) {
      if (compareSlices(this.key, this.keyStart, this.keyEnd, this.#start, 0, this.#start.length) >= 0) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    if (this.#buffer !== undefined) this.#cache.buffers.giveBack(this.#buffer);
    this.#buffer = undefined;
  }
}

/** Index of the first block of a run whose last key is not below `key`. */
function firstBlockWith(run: Run, key: Uint8Array): number {
  if (compareBytes(lastKey(run), key) < 0) return run.blocks.length;
  let low = 0;
  let high = run.blocks.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(run.blocks[middle]!.last, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The versions that were written one by one (transactions, the TiDB front): of each key the newest visible one, or all. */
export class WriteSource extends Source {
  readonly #cursor: KvCursor;
  readonly #readTs: bigint;
  readonly #every: boolean;
  #piece: [Uint8Array, Uint8Array][] = [];
  #at = 0;
  #lastKey: Uint8Array | undefined;

  constructor(db: KvDb, start: Uint8Array, end: Uint8Array | undefined, readTs: bigint, every = false) {
    super();
    this.#readTs = readTs;
    this.#every = every;
    this.#cursor = db.cursor({
      start: tableKey("v", encodeKey(start)),
      end: end === undefined ? tableRange("v").end : tableKey("v", encodeKey(end)),
    });
    this.order = Number.MAX_SAFE_INTEGER;
  }

  async load(): Promise<boolean> {
    this.#piece = await this.#cursor.next(256);
    this.#at = 0;
    return this.#piece.length > 0;
  }

  step(): boolean {
    while (this.#at < this.#piece.length) {
      const [key, value] = this.#piece[this.#at++]!;
      const commitTs = ~readBe64(key, key.length - 8) & 0xffffffffffffffffn;
      const op = value[0]!;
      if (commitTs > this.#readTs || (op !== WriteOp.put && op !== WriteOp.delete)) continue;
      const encoded = key.subarray(1, key.length - 8);
      if (!this.#every && this.#lastKey !== undefined && compareBytes(this.#lastKey, encoded) === 0) continue;
      this.#lastKey = encoded;
      const raw = decodeKey(encoded)!;
      this.key = raw;
      this.keyEnd = raw.length;
      this.value = value;
      this.valueStart = 9;
      this.valueEnd = value.length;
      this.commitTs = commitTs;
      this.deleted = op === WriteOp.delete;
      return true;
    }
    return false;
  }

  close(): Promise<void> {
    return this.#cursor.close();
  }
}

/** Raw key of the `count`-th single write below `end`, or of the first in [start, end) when there are fewer; undefined = none. */
export async function writeBefore(
  db: KvDb,
  start: Uint8Array,
  end: Uint8Array | undefined,
  count: number,
): Promise<Uint8Array | undefined> {
  const behind = end === undefined ? tableRange("v").end : tableKey("v", encodeKey(end));
  const cursor = db.cursor({ start: tableKey("v", encodeKey(start)), end: behind }, { reverse: true });
  try {
    const piece = await cursor.next(count);
    const last = piece[piece.length - 1];
    return last === undefined ? undefined : decodeKey(last[0].subarray(1, last[0].length - 8));
  } finally {
    await cursor.close();
  }
}
