import { assert, compareBytes } from "../base/mod.ts";
import { type KeyRange, rangeHolds } from "../cluster/mod.ts";
import type { PairBatch } from "../engine/mod.ts";

/** What an SST may hold. */
export interface WriteBounds {
  /** Every key lies in it. */
  readonly range: KeyRange;
  /** No key lies behind it. */
  readonly lastKey: Uint8Array;
}

/** Totals of what was yielded, filled while the batches are read. */
export interface WrittenTotals {
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
}

/** The packed pairs of each batch as they are, after a look at what TiKV does not check. */
export async function* writeBatches(
  batches: AsyncIterable<PairBatch>,
  bounds: WriteBounds,
  totals: WrittenTotals,
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for await (const batch of batches) {
    assertFits(batch, last, bounds);
    last = batch.lastKey;
    totals.pairs += batch.pairs;
    totals.bytes += batch.bytes;
    yield batch.packed;
  }
}

/** Cheap: looks at the batch's borders; that a batch is sorted inside is the engine's own assertion. */
function assertFits(batch: PairBatch, last: Uint8Array | undefined, bounds: WriteBounds): void {
  const { range, lastKey } = bounds;
  assert(batch.pairs > 0 && batch.packed[0] === 0x12, "a batch holds packed pairs");
  const order = compareBytes(batch.firstKey, batch.lastKey);
  assert(batch.pairs === 1 ? order === 0 : order < 0, "the keys of a batch ascend");
  assert(last === undefined || compareBytes(last, batch.firstKey) < 0, "batches ascend strictly");
  assert(rangeHolds(range, batch.firstKey) && rangeHolds(range, batch.lastKey), "a batch lies inside its range");
  assert(compareBytes(batch.lastKey, lastKey) <= 0, "no key lies behind the SST's range");
}
