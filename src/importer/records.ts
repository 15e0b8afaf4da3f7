/**
 * What the journal of an import holds, in the order it is written. All 64-bit numbers are decimal strings, keys are hex.
 *
 *   job         first; the fingerprint decides whether a later run may continue
 *   batch       tables that share an engine, and the commit timestamp of their pairs
 *   chunks      further chunks of a batch; everything after it refers to their ids
 *   flushed     runs that are committed, and the chunks that they complete (written only after the runs are on disk)
 *   early       the disk quota is used up: what the batch's engines hold is imported before the next chunk is encoded
 *   round       that is in, its engines are gone, and the batch goes on with new ones
 *   lost        runs of a batch were gone from the disk; all of it is encoded again
 *   encoded     a batch has no chunk left to encode
 *   conflicts   rows of a batch that have the same key were found, and what stays of them is on disk
 *   cleared     the first ingest of a batch follows: its tables are empty still, or rows that others replace are gone; what is left there, and the
 *               commit timestamp, which is taken anew
 *   range       a range of an engine was answered "ingested"
 *   ingested    all ranges of a batch are in
 *   table       a table was verified, with its figures
 *   done        last
 *   reset       somebody had a table forgotten (`levin reset DIR TABLE`); it goes into a batch of its own
 */
export type JobRecord =
  | { type: "job"; format: 1; fingerprint: Fingerprint; startedMs: number; version: string }
  | {
      type: "batch";
      batch: number;
      tables: string[];
      commitTs: string;
      /** Tables that have rows already, and the largest row id that is given out there. */
      filled?: { table: string; rowIdBase: number }[];
    }
  | { type: "chunks"; batch: number; chunks: PlannedChunk[] }
  | { type: "flushed"; batch: number; runs: EngineRuns; chunks: ChunkResult[] }
  /** `told`: `cleared` comes before the first ingest; journals of before 2026-11-22 had it for tables with rows only. */
  | { type: "early"; batch: number; told?: true }
  | { type: "round"; batch: number }
  | { type: "lost"; batch: number }
  | { type: "encoded"; batch: number; told?: true }
  | ConflictRecord
  | { type: "cleared"; batch: number; commitTs: string; base: TableSums[] }
  | { type: "range"; batch: number; engine: EngineName; start: string; end: string }
  | { type: "ingested"; batch: number }
  | { type: "table"; table: string; result: TableFigures; verified: boolean }
  | { type: "done" }
  | { type: "reset"; table: string; forgiven: string[] };

/** What rows that others keep out would have added. */
export interface ConflictRecord {
  type: "conflicts";
  batch: number;
  /** Rows that are left out. */
  losers: number;
  /** Those that have any. */
  tables: TableSums[];
  /** Rows of the target that are to go, as WHERE clauses name them. */
  deletes?: { table: string; where: string[] }[];
  /** Of the logical backend: tables whose rows were compared before they were sent. */
  checked?: string[];
}

export type TableSums = { table: string } & TableFigures;

/** What must be the same for a run to continue an earlier one; name → text, so that a difference can be told in words. */
export type Fingerprint = Record<string, string>;

/** Record pairs and index pairs of a batch are sorted apart: the former often come in order. */
export type EngineName = "data" | "index";

/** Ids of committed runs. */
export type EngineRuns = Record<EngineName, number[]>;

export interface PlannedChunk {
  id: number;
  /** `db.table` */
  table: string;
  path: string;
  start: number;
  /** null: the end of a compressed file, whose size is not known. */
  end: number | null;
}

/** A chunk whose pairs are all in committed runs. */
export interface ChunkResult {
  chunk: number;
  table: string;
  rows: number;
  kvs: number;
  bytes: number;
  /** CRC-64 xor, decimal. */
  crc: string;
  /** Largest values seen, for the allocators; "0" = none. */
  autoIncrementMax: string;
  autoRandomMax: string;
  rowIdMax: string;
  /** Absent ones are 0. */
  counts?: ChunkCounts;
}

/** What a run's end tells of the source beside rows. */
export interface ChunkCounts {
  /** Left out because a value could not be cast; in the report. */
  rejectedRows?: number;
  /** In the way of others by primary key or unique index, and so left out or replaced. */
  conflictRows?: number;
  /** Filled up with defaults. */
  shortRows?: number;
  /** Quoted fields that look like a NULL marker. */
  quotedNulls?: number;
  /** SQL literals read in Lightning's way, which is not MySQL's. */
  lightningLiterals?: number;
  /** Invalid characters that were replaced. */
  replacedCharacters?: number;
  /** Values that did not fit and were changed, as the SQL mode lets it: by the encoder, or by the target of statements. */
  changedValues?: number;
  /** 1: statements of the chunk had come in before the run that ended it, whose changed values are not counted. */
  continuedChunks?: number;
}

export interface TableFigures {
  rows: number;
  kvs: string;
  bytes: string;
  crc: string;
}

/** Names and values that differ, in words; empty when the runs belong together. Forgiven names may be anything. */
export function differences(
  before: Fingerprint,
  now: Fingerprint,
  forgiven: ReadonlySet<string> = new Set(),
): string[] {
  const out: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (before[name] === now[name] || forgiven.has(name)) continue;
    if (before[name] === undefined) out.push(`${name} is new`);
    else if (now[name] === undefined) out.push(`${name} is gone`);
    else out.push(`${name} was ${before[name]} and is ${now[name]}`);
  }
  return out;
}
