import type { KvChecksum } from "./kv-checksum.ts";

/**
 * Where an encoder puts the pairs of a row: record pairs go to one sink, index pairs to another. The callee copies the bytes
 * at once, so the caller may reuse both buffers. Key: `key[0, keyLength)`; value: `value[0, valueLength)`.
 */
export interface PairSink {
  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void;
  /** Where pairs of many rows may be put at once; absent where only `put` will do. */
  readonly packed?: PackedSink;
}

/** How keys follow each other; the order of a whole is that of its parts and of their borders, combined by `&`. */
export const KeyOrder = {
  none: 0,
  /** They ascend, equal ones included. */
  ascending: 1,
  /** Each is above the one before. */
  strict: 3,
} as const;

/** Pairs as the engine keeps them: entries of `WriteBatch.pairs` (see `engine/packed-pairs.ts`), gaps between them allowed. */
export interface PackedBatch {
  readonly bytes: Uint8Array;
  /** The entries lie in `bytes[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** Offset in `bytes` of each entry: `starts[0, count)`. */
  readonly starts: Uint32Array;
  readonly count: number;
  /** Bytes of keys and values, and of the largest entry. */
  readonly pairBytes: number;
  readonly entryBytesMax: number;
  /** A value of `KeyOrder`. */
  readonly order: number;
}

export interface PackedSink {
  /** What fits at once. */
  readonly roomBytes: number;
  readonly roomPairs: number;
  /** Copies the pairs; they are not added to `checksum`. */
  putPacked(batch: PackedBatch): void;
  /** Where the sums of the pairs go, some time later. */
  readonly checksum: KvChecksum;
}
