/** Pairs in an array as the source of an import, and what the cluster should hold of them. */

import { compareBytes } from "../../src/base/mod.ts";
import { type Checksum, type KeyRange, rangeHolds } from "../../src/cluster/mod.ts";
import { Crc64 } from "../../src/embed/state/crc64.ts";
import type { PairBatch } from "../../src/engine/mod.ts";
import type { PairSource, PlannedRange } from "../../src/ingest/mod.ts";

export interface TestPair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** `t{table}_r{handle}`. */
export function recordKey(table: number, handle: number): Uint8Array {
  const out = new Uint8Array(19);
  const view = new DataView(out.buffer);
  out[0] = 0x74;
  view.setBigUint64(1, BigInt(table) | (1n << 63n));
  out.set([0x5f, 0x72], 9);
  view.setBigUint64(11, BigInt(handle) | (1n << 63n));
  return out;
}

/** Records `from` to `to` (exclusive) of a table; every seventh value is too long to stay in the write column family. */
export function records(table: number, from: number, to: number): TestPair[] {
  const out: TestPair[] = [];
  for (let handle = from; handle < to; handle++) {
    const value = new Uint8Array(handle % 7 === 0 ? 400 : 20 + (handle % 50)).fill(handle & 0xff);
    value[0] = 0x80;
    out.push({ key: recordKey(table, handle), value });
  }
  return out;
}

export function checksumOf(pairs: readonly TestPair[]): Checksum {
  let crc64xor = 0n;
  let bytes = 0n;
  for (const { key, value } of pairs) {
    const digest = new Crc64();
    digest.update(key, 0, key.length);
    digest.update(value, 0, value.length);
    crc64xor ^= digest.value();
    bytes += BigInt(key.length + value.length);
  }
  return { crc64xor, kvs: BigInt(pairs.length), bytes };
}

export class ArraySource implements PairSource {
  readonly pairs: readonly TestPair[];
  readonly #batchPairs: number;
  /** Called before each batch. */
  onBatch: (() => Promise<void> | void) | undefined;
  /** Ranges in the order in which they were read. */
  readonly reads: KeyRange[] = [];

  constructor(pairs: readonly TestPair[], batchPairs = 100) {
    this.pairs = [...pairs].sort((a, b) => compareBytes(a.key, b.key));
    this.#batchPairs = batchPairs;
  }

  async lastKey(range: KeyRange): Promise<Uint8Array | undefined> {
    return this.#inside(range).at(-1)?.key;
  }

  async *read(range: KeyRange, signal?: AbortSignal): AsyncGenerator<PairBatch> {
    this.reads.push(range);
    const inside = this.#inside(range);
    for (let at = 0; at < inside.length; at += this.#batchPairs) {
      await this.onBatch?.();
      signal?.throwIfAborted();
      yield packBatch(inside.slice(at, at + this.#batchPairs));
    }
  }

  cut(range: KeyRange, limits: { bytesMax: number; pairsMax: number }): PlannedRange[] {
    const inside = this.#inside(range);
    const parts: PlannedRange[] = [];
    let start = range.start;
    let bytes = 0;
    let pairs = 0;
    for (const pair of inside) {
      if (pairs > 0 && (bytes >= limits.bytesMax || pairs >= limits.pairsMax)) {
        parts.push({ start, end: pair.key, bytes, pairs });
        start = pair.key;
        bytes = 0;
        pairs = 0;
      }
      bytes += pair.key.length + pair.value.length;
      pairs++;
    }
    parts.push({ start, end: range.end, bytes, pairs });
    return parts;
  }

  #inside(range: KeyRange): TestPair[] {
    return this.pairs.filter((pair) => rangeHolds(range, pair.key));
  }
}

export function packBatch(pairs: readonly TestPair[]): PairBatch {
  const bytes: number[] = [];
  let size = 0;
  for (const { key, value } of pairs) {
    const pair = [0x0a, ...varint(key.length), ...key, 0x12, ...varint(value.length), ...value];
    bytes.push(0x12, ...varint(pair.length), ...pair);
    size += key.length + value.length;
  }
  return {
    packed: Uint8Array.from(bytes),
    pairs: pairs.length,
    bytes: size,
    firstKey: pairs[0]!.key,
    lastKey: pairs.at(-1)!.key,
  };
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
