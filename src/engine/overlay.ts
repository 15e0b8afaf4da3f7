/**
 * Pairs of an engine with some of them replaced or taken out by those of another one, the overlay: a pair there stands for all pairs of
 * its key, and one without value says that there is none.
 */
import { assert, compareBytes } from "../base/mod.ts";
import {
  compareEntryKey,
  compareEntryKeys,
  entryEndOf,
  keyLengthOf,
  keyStartOf,
  valueLengthBetween,
} from "./packed-pairs.ts";
import type { PairBatch } from "./read-pairs.ts";

/** Calls `take` with the offsets of each pair; for readers that must not make an object a pair. */
export function forEachPair(
  packed: Uint8Array,
  take: (keyAt: number, keyEnd: number, valueAt: number, valueEnd: number) => void,
): void {
  for (let at = 0; at < packed.length; ) {
    const end = entryEndOf(packed, at);
    const keyAt = keyStartOf(packed, at);
    const keyEnd = keyAt + keyLengthOf(packed, at);
    take(keyAt, keyEnd, end - valueLengthBetween(keyEnd, end), end);
    at = end;
  }
}

/** Goes through the overlay's pairs. */
class Cursor {
  readonly #batches: AsyncIterator<PairBatch>;
  packed: Uint8Array = new Uint8Array(0);
  /** Of the pair at hand; the end of `packed` where there is none. */
  at = 0;

  constructor(batches: AsyncIterable<PairBatch>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  get ended(): boolean {
    return this.at >= this.packed.length;
  }

  /** Makes sure that a pair is at hand, if there is one. */
  async settle(): Promise<void> {
    while (this.ended) {
      const { done, value } = await this.#batches.next();
      if (done) return;
      this.packed = value.packed;
      this.at = 0;
    }
  }

  async close(): Promise<void> {
    await this.#batches.return?.(undefined);
  }
}

/** The bytes of pairs that stand one behind the other somewhere. */
interface Piece {
  bytes: Uint8Array;
  from: number;
  to: number;
}

/**
 * Reads `pairs` as the overlay says, which must have no key that they lack. Batches that it does not touch pass as they are; `release` is
 * given those that were copied.
 */
export async function* overlaid(
  pairs: AsyncIterable<PairBatch>,
  overlay: AsyncIterable<PairBatch>,
  release: (packed: Uint8Array) => void = () => undefined,
): AsyncGenerator<PairBatch> {
  const cursor = new Cursor(overlay);
  try {
    for await (const batch of pairs) {
      await cursor.settle();
      if (cursor.ended || compareEntryKey(cursor.packed, cursor.at, batch.lastKey) > 0) {
        yield batch;
        continue;
      }
      const changed = await change(batch, cursor);
      release(batch.packed);
      if (changed !== undefined) yield changed;
    }
    await cursor.settle();
    assert(cursor.ended, "an overlay hides pairs that are there");
  } finally {
    await cursor.close();
  }
}

async function change(batch: PairBatch, cursor: Cursor): Promise<PairBatch | undefined> {
  const { packed, lastKey } = batch;
  const pieces: Piece[] = [];
  let { pairs, bytes } = batch;
  let from = 0;
  let at = 0;
  while (!cursor.ended && compareEntryKey(cursor.packed, cursor.at, lastKey) <= 0) {
    let order = 1;
    while (at < packed.length) {
      order = compareEntryKeys(packed, at, cursor.packed, cursor.at);
      if (order >= 0) break;
      at = entryEndOf(packed, at);
    }
    assert(order === 0, "an overlay hides pairs that are there");
    if (at > from) pieces.push({ bytes: packed, from, to: at });
    bytes -= pairBytes(packed, at);
    pairs--;
    at = entryEndOf(packed, at);
    from = at;
    const end = entryEndOf(cursor.packed, cursor.at);
    if (valueLengthBetween(keyEndOf(cursor.packed, cursor.at), end) > 0) {
      pieces.push({ bytes: cursor.packed, from: cursor.at, to: end });
      bytes += pairBytes(cursor.packed, cursor.at);
      pairs++;
    }
    cursor.at = end;
    if (cursor.ended) await cursor.settle();
  }
  if (packed.length > from) pieces.push({ bytes: packed, from, to: packed.length });
  return pairs === 0 ? undefined : gather(pieces, pairs, bytes);
}

function gather(pieces: readonly Piece[], pairs: number, bytes: number): PairBatch {
  const out = new Uint8Array(pieces.reduce((sum, { from, to }) => sum + to - from, 0));
  let used = 0;
  let lastAt = 0;
  for (const { bytes: source, from, to } of pieces) {
    out.set(source.subarray(from, to), used);
    used += to - from;
  }
  for (let at = 0; at < out.length; at = entryEndOf(out, at)) lastAt = at;
  const result = { packed: out, pairs, bytes, firstKey: keyOf(out, 0), lastKey: keyOf(out, lastAt) };
  assert(compareBytes(result.firstKey, result.lastKey) <= 0, "keys ascend");
  return result;
}

function keyEndOf(packed: Uint8Array, at: number): number {
  return keyStartOf(packed, at) + keyLengthOf(packed, at);
}

function keyOf(packed: Uint8Array, at: number): Uint8Array {
  return packed.slice(keyStartOf(packed, at), keyEndOf(packed, at));
}

function pairBytes(packed: Uint8Array, at: number): number {
  return keyLengthOf(packed, at) + valueLengthBetween(keyEndOf(packed, at), entryEndOf(packed, at));
}
