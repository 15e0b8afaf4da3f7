/**
 * What the journal of an import holds, in the order it is written. All 64-bit numbers are decimal strings, keys are hex.
 *
 *   job         first; the fingerprint decides whether a later run may continue
 *   plan        chunks of each batch, commit timestamp; everything after it refers to its ids
 *   flushed     runs that are committed, and how far they cover the chunks (written only after the runs are on disk)
 *   encoded     a batch has no chunk left to encode
 *   range       a range of an engine was answered "ingested"
 *   ingested    all ranges of a batch are in
 *   table       a table was verified, with its figures
 *   done        last
 */
export type JobRecord =
  | { type: "job"; format: 1; fingerprint: Fingerprint; startedMs: number; version: string }
  | { type: "plan"; batches: BatchPlan[] }
  | { type: "flushed"; batch: number; runs: number[]; chunks: ChunkProgress[] }
  | { type: "encoded"; batch: number }
  | { type: "commit-ts"; batch: number; commitTs: string }
  | { type: "range"; batch: number; engine: EngineName; start: string; end: string }
  | { type: "ingested"; batch: number }
  | { type: "table"; table: string; rows: number; kvs: string; bytes: string; crc: string; verified: boolean }
  | { type: "done" };

/** What must be the same for a run to continue an earlier one; name → text, so that a difference can be told in words. */
export type Fingerprint = Record<string, string>;

/** Record pairs and index pairs of a batch are sorted apart: the former often come in order. */
export type EngineName = "data" | "index";

/** Tables that share engines: one big table, or several small ones. */
export interface BatchPlan {
  id: number;
  tables: string[];
  chunks: PlannedChunk[];
}

export interface PlannedChunk {
  id: number;
  table: string;
  path: string;
  start: number;
  end: number;
  /** Row ids of the chunk are above this and at most `rowIdMax`. */
  rowIdBase: number;
  rowIdMax: number;
  sizeBytes: number;
}

/** Totals of a chunk since its beginning, as far as committed runs cover it. */
export interface ChunkProgress {
  chunk: number;
  done: boolean;
  /** Opaque to all but the reader: where it goes on. */
  resume: string;
  rows: number;
  nextRowId: number;
  totals: PairTotals;
  /** Largest values seen, for the allocators; absent = none. */
  autoIncrementMax?: string;
  autoRandomMax?: string;
  rowIdMax?: string;
}

export interface PairTotals {
  kvs: number;
  bytes: number;
  /** CRC-64 xor, decimal. */
  crc: string;
}

/** Names and values that differ, in words; empty when the runs belong together. */
export function differences(before: Fingerprint, now: Fingerprint): string[] {
  const out: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (before[name] === now[name]) continue;
    if (before[name] === undefined) out.push(`${name} is new`);
    else if (now[name] === undefined) out.push(`${name} is gone`);
    else out.push(`${name} was ${before[name]} and is ${now[name]}`);
  }
  return out;
}
