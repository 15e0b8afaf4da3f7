import type { KeyRange } from "../cluster/mod.ts";

/** Sorted pairs in wire form: elements `0x12 len 0x0a klen key 0x12 vlen value` of `import_sstpb.WriteBatch`, one after another. */
export interface PackedBatch {
  /** Not written to again by the source as long as anyone holds it. */
  readonly bytes: Uint8Array;
  readonly pairs: number;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
}

/** A range with what it is estimated to hold. */
export interface PlannedRange extends KeyRange {
  /** Bytes of pairs. */
  readonly bytes: number;
  readonly pairs: number;
}

/**
 * Where an import's pairs are: an engine, or a test's array. Keys are raw and unique. Reading the same range again gives the same
 * pairs; ranges are read concurrently.
 */
export interface PairSource {
  /** First and last key that the range holds, undefined when it holds none. */
  bounds(range: KeyRange, signal?: AbortSignal): Promise<{ first: Uint8Array; last: Uint8Array } | undefined>;
  /** The pairs in ascending order; breaking off the loop releases what reading took. */
  read(range: KeyRange, signal?: AbortSignal): AsyncIterable<PackedBatch>;
  /** Cuts a range into parts of about so much; the parts join without holes. */
  cut(range: KeyRange, limits: { bytesMax: number; pairsMax: number }): Promise<PlannedRange[]> | PlannedRange[];
}
