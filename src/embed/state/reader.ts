import { compareBytes } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import type { BlockCache } from "./block-cache.ts";
import { compareSlices } from "./keys.ts";
import { firstKey, type Run, type RunSet } from "./runs.ts";
import { RunSource, type Source, WriteSource, writeBefore } from "./source.ts";

/** Takes one visible pair; true = stop. The slices are valid during the call only. */
export type PairVisitor = (
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  commitTs: bigint,
) => boolean;

/** Takes all pairs of a block from an element on at once; false = it wants them one by one. */
export type ElementsVisitor = (block: Uint8Array, from: number) => boolean;

export interface ReadPair {
  key: Uint8Array;
  value: Uint8Array;
}

export interface ScanOptions {
  /** 0 or absent = all. */
  limit?: number;
  reverse?: boolean;
  keyOnly?: boolean;
}

/** Single writes in one piece of a reverse scan. */
const BACK_WRITES = 256;

/** One version of a key. */
export interface VersionedPair {
  key: Uint8Array;
  value: Uint8Array;
  commitTs: bigint;
}

/**
 * Reads what is visible at a timestamp: a merge over the ingested runs that overlap the range and the single writes. A run is
 * opened only when its first key is reached.
 */
export class Reader {
  readonly #db: KvDb;
  readonly #runs: RunSet;
  readonly #cache: BlockCache;

  constructor(db: KvDb, runs: RunSet, cache: BlockCache) {
    this.#db = db;
    this.#runs = runs;
    this.#cache = cache;
  }

  /**
   * Visits the newest versions not above `ts` of the raw keys in [start, end); deleted keys are left out. Where all pairs of a block are
   * visible, `visitElements` is asked first; its caller looks at each block once.
   */
  async forEach(
    start: Uint8Array,
    end: Uint8Array | undefined,
    ts: bigint,
    visit: PairVisitor,
    visitElements?: ElementsVisitor,
  ): Promise<void> {
    const waiting = this.#runs.overlapping(start, end).filter((run) => run.commitTs <= ts);
    waiting.reverse();
    const active: Source[] = [];
    const opened: Source[] = [];
    const writes = new WriteSource(this.#db, start, end, ts);
    try {
      if ((await writes.load()) && (await advance(writes))) active.push(writes);
      for (;;) {
        await this.#open(active, waiting, start, visitElements === undefined ? undefined : opened);
        if (active.length === 0) return;
        const best = newest(active);
        if (end !== undefined && compareSlices(best.key, best.keyStart, best.keyEnd, end, 0, end.length) >= 0) return;
        if (aloneUpTo(active, waiting, end)) {
          const from = visitElements === undefined ? -1 : best.elementsFrom;
          if (from >= 0 && visitElements!(best.key, from)) best.skipPiece();
          else {
            do {
              if (
                visit(best.key, best.keyStart, best.keyEnd, best.value, best.valueStart, best.valueEnd, best.commitTs)
              )
                return;
            } while (best.step());
          }
          if (!((await best.load()) && (await advance(best)))) active.splice(active.indexOf(best), 1);
          continue;
        }
        const { key, keyStart, keyEnd, value, valueStart, valueEnd } = best;
        if (!best.deleted && visit(key, keyStart, keyEnd, value, valueStart, valueEnd, best.commitTs)) return;
        await skipKey(active, key.slice(keyStart, keyEnd));
      }
    } finally {
      await writes.close();
      for (const source of opened) await source.close();
    }
  }

  /** Visible pairs of [start, end), at most `limit` (0 = all), ascending or, in reverse, from the end. */
  async scan(
    start: Uint8Array,
    end: Uint8Array | undefined,
    ts: bigint,
    options: ScanOptions = {},
  ): Promise<ReadPair[]> {
    const limit = options.limit ? options.limit : Number.MAX_SAFE_INTEGER;
    if (options.reverse) return this.#scanBack(start, end, ts, limit, options.keyOnly ?? false);
    const out: ReadPair[] = [];
    await this.#collect(start, end, ts, limit, options.keyOnly ?? false, out);
    return out;
  }

  async #collect(
    start: Uint8Array,
    end: Uint8Array | undefined,
    ts: bigint,
    limit: number,
    keyOnly: boolean,
    out: ReadPair[],
  ): Promise<void> {
    await this.forEach(start, end, ts, (key, keyStart, keyEnd, value, valueStart, valueEnd) => {
      out.push({
        key: key.slice(keyStart, keyEnd),
        value: keyOnly ? new Uint8Array(0) : value.slice(valueStart, valueEnd),
      });
      return out.length >= limit;
    });
  }

  /** Reads pieces from the end, each forward: a piece begins at the highest block border or single write below its end. */
  async #scanBack(
    start: Uint8Array,
    end: Uint8Array | undefined,
    ts: bigint,
    limit: number,
    keyOnly: boolean,
  ): Promise<ReadPair[]> {
    const out: ReadPair[] = [];
    let upper = end;
    for (;;) {
      const lower = await this.#pieceStart(start, upper);
      const piece: ReadPair[] = [];
      await this.#collect(lower, upper, ts, Number.MAX_SAFE_INTEGER, keyOnly, piece);
      for (let i = piece.length - 1; i >= 0; i--) {
        out.push(piece[i]!);
        if (out.length >= limit) return out;
      }
      if (compareBytes(lower, start) <= 0) return out;
      upper = lower;
    }
  }

  async #pieceStart(start: Uint8Array, end: Uint8Array | undefined): Promise<Uint8Array> {
    let best = start;
    for (const run of this.#runs.overlapping(start, end)) {
      for (let i = run.blocks.length - 1; i >= 0; i--) {
        const { first } = run.blocks[i]!;
        if (end !== undefined && compareBytes(first, end) >= 0) continue;
        if (compareBytes(first, best) > 0) best = first;
        break;
      }
    }
    const write = await writeBefore(this.#db, start, end, BACK_WRITES);
    return write !== undefined && compareBytes(write, best) > 0 ? write : best;
  }

  /** All versions above `minTs`, newest first, of each raw key in [start, end) that has more than one of them. */
  async *repeated(start: Uint8Array, end: Uint8Array | undefined, minTs: bigint): AsyncGenerator<VersionedPair[]> {
    const waiting = this.#runs.overlapping(start, end).filter((run) => run.commitTs > minTs);
    waiting.reverse();
    const active: Source[] = [];
    const writes = new WriteSource(this.#db, start, end, 0xffffffffffffffffn, true);
    try {
      if ((await writes.load()) && (await advance(writes))) active.push(writes);
      for (;;) {
        await this.#open(active, waiting, start);
        if (active.length === 0) return;
        const low = lowest(active);
        if (end !== undefined && compareSlices(low.key, low.keyStart, low.keyEnd, end, 0, end.length) >= 0) return;
        const key = low.key.slice(low.keyStart, low.keyEnd);
        const found: VersionedPair[] = [];
        await skipKey(active, key, (source) => {
          if (source.commitTs <= minTs || source.deleted) return;
          const value = source.value.slice(source.valueStart, source.valueEnd);
          if (!found.some((pair) => pair.commitTs === source.commitTs))
            found.push({ key, value, commitTs: source.commitTs });
        });
        if (found.length > 1) yield found.sort((a, b) => (a.commitTs > b.commitTs ? -1 : 1));
      }
    } finally {
      await writes.close();
    }
  }

  /** Opens the waiting runs whose first key is not above the lowest key of the active ones. `once`: those that are to be closed. */
  async #open(active: Source[], waiting: Run[], start: Uint8Array, once?: Source[]): Promise<void> {
    while (waiting.length > 0) {
      const run = waiting[waiting.length - 1]!;
      if (active.length > 0) {
        const low = lowest(active);
        const first = firstKey(run);
        if (compareSlices(low.key, low.keyStart, low.keyEnd, first, 0, first.length) < 0) return;
      }
      waiting.pop();
      const one = once !== undefined;
      const source =
        run.holes.length === 0
          ? new RunSource(run, this.#cache, start, one)
          : new HoledRunSource(run, this.#cache, start, one);
      once?.push(source);
      if ((await source.load()) && (await seek(source))) active.push(source);
    }
  }
}

/** A run source that leaves out destroyed ranges. */
class HoledRunSource extends RunSource {
  readonly #holes: Run["holes"];

  constructor(run: Run, cache: BlockCache, start: Uint8Array, once: boolean) {
    super(run, cache, start, once);
    this.#holes = run.holes;
  }

  override step(): boolean {
    while (super.step()) if (!this.#inHole()) return true;
    return false;
  }

  override get elementsFrom(): number {
    return -1;
  }

  #inHole(): boolean {
    for (const { start, end } of this.#holes) {
      const behindStart = compareSlices(this.key, this.keyStart, this.keyEnd, start, 0, start.length) >= 0;
      if (
        behindStart &&
        (end.length === 0 || compareSlices(this.key, this.keyStart, this.keyEnd, end, 0, end.length) < 0)
      )
        return true;
    }
    return false;
  }
}

async function advance(source: Source): Promise<boolean> {
  while (!source.step()) if (!(await source.load())) return false;
  return true;
}

async function seek(source: RunSource): Promise<boolean> {
  while (!source.seek()) if (!(await source.load())) return false;
  return true;
}

function lowest(sources: readonly Source[]): Source {
  let low = sources[0]!;
  for (let i = 1; i < sources.length; i++) {
    const other = sources[i]!;
    if (compareSlices(other.key, other.keyStart, other.keyEnd, low.key, low.keyStart, low.keyEnd) < 0) low = other;
  }
  return low;
}

/** The newest version of the lowest key. */
function newest(sources: readonly Source[]): Source {
  let best = sources[0]!;
  for (let i = 1; i < sources.length; i++) {
    const other = sources[i]!;
    const order = compareSlices(other.key, other.keyStart, other.keyEnd, best.key, best.keyStart, best.keyEnd);
    if (order < 0) best = other;
    else if (order === 0) {
      if (other.commitTs > best.commitTs || (other.commitTs === best.commitTs && other.order > best.order))
        best = other;
    }
  }
  return best;
}

/** Whether the only active source can be emptied up to the end of its piece without a look at keys. */
function aloneUpTo(active: readonly Source[], waiting: readonly Run[], end: Uint8Array | undefined): boolean {
  const only = active[0]!;
  if (active.length > 1 || only.pieceEnd === undefined) return false;
  if (end !== undefined && compareBytes(only.pieceEnd, end) >= 0) return false;
  const next = waiting[waiting.length - 1];
  return next === undefined || compareBytes(only.pieceEnd, firstKey(next)) < 0;
}

/** Moves every source behind `key`. */
async function skipKey(active: Source[], key: Uint8Array, see?: (source: Source) => void): Promise<void> {
  for (let i = active.length - 1; i >= 0; i--) {
    const source = active[i]!;
    while (compareSlices(source.key, source.keyStart, source.keyEnd, key, 0, key.length) === 0) {
      see?.(source);
      if (source.step()) continue;
      if (await advance(source)) continue;
      active.splice(i, 1);
      break;
    }
  }
}
