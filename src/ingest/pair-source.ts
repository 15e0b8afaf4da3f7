import type { KeyRange } from "../cluster/mod.ts";
import type { PairBatch } from "../engine/mod.ts";

/** A range with what it is estimated to hold. */
export interface PlannedRange extends KeyRange {
  readonly bytes: number;
  readonly pairs: number;
}

/**
 * Where an import's pairs are: an engine, or a test's array. Keys are raw and unique. Reading the same range again gives the same
 * pairs; ranges are read concurrently.
 */
export interface PairSource {
  /** The last key that the range holds, undefined when it holds none. */
  lastKey(range: KeyRange, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /**
   * The pairs in ascending order. Each batch belongs to the reader; breaking off the loop releases what reading took.
   */
  read(range: KeyRange, signal?: AbortSignal): AsyncIterable<PairBatch>;
  /** Takes back what a batch of `read` was packed in, when nobody looks at it any more. Need not be called. */
  release?(packed: Uint8Array): void;
  /** Cuts a range into parts of about so much; the parts join without holes and cover the range. */
  cut(range: KeyRange, limits: { bytesMax: number; pairsMax: number }): PlannedRange[];
}
