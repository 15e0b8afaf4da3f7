/**
 * Packed pairs → the `WriteBatch` messages of a Write stream: `08 <commit_ts>` and then the pairs as they are. Each message is built
 * once, however many peers get it.
 */
import { assert, compareBytes } from "../base/mod.ts";
import { type KeyRange, rangeHolds } from "../cluster/mod.ts";
import type { PackedBatch } from "./pair-source.ts";

export interface WriteBatchOptions {
  readonly commitTs: bigint;
  /** Every key lies in it. */
  readonly range: KeyRange;
  /** Size of a message, about; a single larger pair makes a larger message. */
  readonly messageBytes: number;
}

/** Totals of what was yielded, filled while the batches are read. */
export interface WrittenTotals {
  pairs: number;
  bytes: number;
}

/** Bytes of `08 <commit_ts>`. */
export function commitTsPrefix(commitTs: bigint): Uint8Array {
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
  batches: AsyncIterable<PackedBatch>,
  options: WriteBatchOptions,
  totals: WrittenTotals,
): AsyncGenerator<Uint8Array> {
  const prefix = commitTsPrefix(options.commitTs);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let last: Uint8Array | undefined;
  for await (const batch of batches) {
    assertFits(batch, last, options.range);
    last = batch.lastKey;
    totals.pairs += batch.pairs;
    totals.bytes += batch.bytes.length;
    for (const piece of pieces(batch.bytes, options.messageBytes)) {
      if (pendingBytes > 0 && pendingBytes + piece.length > options.messageBytes) {
        yield join(prefix, pending, pendingBytes);
        pending = [];
        pendingBytes = 0;
      }
      pending.push(piece);
      pendingBytes += piece.length;
    }
  }
  if (pendingBytes > 0) yield join(prefix, pending, pendingBytes);
}

/** Cheap: looks at the batch's borders; that a batch is sorted inside is the engine's own assertion. */
function assertFits(batch: PackedBatch, last: Uint8Array | undefined, range: KeyRange): void {
  assert(batch.pairs > 0 && batch.bytes.length > 0, "a batch holds pairs");
  const order = compareBytes(batch.firstKey, batch.lastKey);
  assert(batch.pairs === 1 ? order === 0 : order < 0, "the keys of a batch ascend");
  assert(last === undefined || compareBytes(last, batch.firstKey) < 0, "batches ascend strictly");
  assert(rangeHolds(range, batch.firstKey) && rangeHolds(range, batch.lastKey), "a batch lies inside its range");
}

/** Cuts packed pairs at pair borders when there are too many bytes for one message. */
function pieces(bytes: Uint8Array, bytesMax: number): Uint8Array[] {
  if (bytes.length <= bytesMax) return [bytes];
  const out: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  while (end < bytes.length) {
    const next = pairEnd(bytes, end);
    if (next - start > bytesMax && end > start) {
      out.push(bytes.subarray(start, end));
      start = end;
    }
    end = next;
  }
  out.push(bytes.subarray(start, end));
  return out;
}

/** Behind the packed pair that begins at `at`. */
export function pairEnd(bytes: Uint8Array, at: number): number {
  assert(bytes[at] === 0x12, "a packed pair begins with its tag");
  let length = 0;
  let shift = 1;
  for (let i = at + 1; ; i++) {
    const byte = bytes[i];
    assert(byte !== undefined && i < at + 6, "the length of a packed pair is whole");
    length += (byte & 0x7f) * shift;
    shift *= 128;
    if (byte < 0x80) {
      const end = i + 1 + length;
      assert(end <= bytes.length, "a packed pair is whole");
      return end;
    }
  }
}

function join(prefix: Uint8Array, parts: readonly Uint8Array[], size: number): Uint8Array {
  const out = new Uint8Array(prefix.length + size);
  out.set(prefix);
  let at = prefix.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
