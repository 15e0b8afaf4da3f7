/**
 * Packed pairs → the `WriteBatch` messages of a Write stream: `08 <commit_ts>`, then the pairs. The head is put into the free bytes
 * before a batch, so that pairs are not copied here, and however many peers get a message it exists once.
 */
import { assert, compareBytes } from "../base/mod.ts";
import { type KeyRange, rangeHolds } from "../cluster/mod.ts";
import { BATCH_HEADROOM_BYTES, type PairBatch } from "../engine/mod.ts";

export interface WriteBatchOptions {
  readonly commitTs: bigint;
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

/** Bytes of `08 <commit_ts>`, at most eleven. */
export function commitTsHead(commitTs: bigint): Uint8Array {
  assert(commitTs > 0n && commitTs < 1n << 64n, "a commit timestamp is not zero and has 64 bits");
  const out = [0x08];
  let rest = commitTs;
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

export async function* writeBatches(
  batches: AsyncIterable<PairBatch>,
  options: WriteBatchOptions,
  totals: WrittenTotals,
): AsyncGenerator<Uint8Array> {
  const head = commitTsHead(options.commitTs);
  assert(head.length <= BATCH_HEADROOM_BYTES, "the head of a message fits before a batch");
  let last: Uint8Array | undefined;
  for await (const batch of batches) {
    assertFits(batch, last, options);
    last = batch.lastKey;
    totals.pairs += batch.pairs;
    totals.bytes += batch.bytes;
    yield withHead(batch.packed, head);
  }
}

/** Cheap: looks at the batch's borders; that a batch is sorted inside is the engine's own assertion. */
function assertFits(batch: PairBatch, last: Uint8Array | undefined, options: WriteBatchOptions): void {
  const { range, lastKey } = options;
  assert(batch.pairs > 0 && batch.packed[0] === 0x12, "a batch holds packed pairs");
  const order = compareBytes(batch.firstKey, batch.lastKey);
  assert(batch.pairs === 1 ? order === 0 : order < 0, "the keys of a batch ascend");
  assert(last === undefined || compareBytes(last, batch.firstKey) < 0, "batches ascend strictly");
  assert(rangeHolds(range, batch.firstKey) && rangeHolds(range, batch.lastKey), "a batch lies inside its range");
  assert(compareBytes(batch.lastKey, lastKey) <= 0, "no key lies behind the SST's range");
}

function withHead(packed: Uint8Array, head: Uint8Array): Uint8Array {
  const start = packed.byteOffset - head.length;
  assert(start >= 0, "there is room before a batch");
  const message = new Uint8Array(packed.buffer, start, head.length + packed.length);
  message.set(head);
  return message;
}
