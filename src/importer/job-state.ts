import type { BatchPlan, ChunkProgress, EngineName, Fingerprint, JobRecord } from "./records.ts";

export interface BatchState {
  plan: BatchPlan;
  /** Committed runs of the engines; others found there are left-overs. */
  runs: Set<number>;
  chunks: Map<number, ChunkProgress>;
  encoded: boolean;
  commitTs: bigint | undefined;
  /** Ranges that are in, by engine: hex start → hex end. */
  ranges: Record<EngineName, { start: string; end: string }[]>;
  ingested: boolean;
}

export interface TableResult {
  rows: number;
  kvs: bigint;
  bytes: bigint;
  crc: bigint;
  verified: boolean;
}

/** What a journal says has been done. */
export interface JobState {
  fingerprint: Fingerprint | undefined;
  startedMs: number;
  planned: boolean;
  batches: Map<number, BatchState>;
  tables: Map<string, TableResult>;
  done: boolean;
}

export function emptyState(): JobState {
  return { fingerprint: undefined, startedMs: 0, planned: false, batches: new Map(), tables: new Map(), done: false };
}

/** Takes one record into the state; the journal replayed gives the same state as the run that wrote it. */
export function applyRecord(state: JobState, record: JobRecord): void {
  const batchOf = (id: number): BatchState => {
    const batch = state.batches.get(id);
    if (batch === undefined) throw new RangeError(`journal speaks of batch ${id} before it is planned`);
    return batch;
  };
  switch (record.type) {
    case "job":
      state.fingerprint = record.fingerprint;
      state.startedMs = record.startedMs;
      return;
    case "plan":
      state.planned = true;
      for (const plan of record.batches) {
        state.batches.set(plan.id, {
          plan,
          runs: new Set(),
          chunks: new Map(),
          encoded: false,
          commitTs: undefined,
          ranges: { data: [], index: [] },
          ingested: false,
        });
      }
      return;
    case "flushed": {
      const batch = batchOf(record.batch);
      for (const run of record.runs) batch.runs.add(run);
      for (const progress of record.chunks) batch.chunks.set(progress.chunk, progress);
      return;
    }
    case "encoded":
      batchOf(record.batch).encoded = true;
      return;
    case "commit-ts":
      batchOf(record.batch).commitTs = BigInt(record.commitTs);
      return;
    case "range":
      batchOf(record.batch).ranges[record.engine].push({ start: record.start, end: record.end });
      return;
    case "ingested":
      batchOf(record.batch).ingested = true;
      return;
    case "table":
      state.tables.set(record.table, {
        rows: record.rows,
        kvs: BigInt(record.kvs),
        bytes: BigInt(record.bytes),
        crc: BigInt(record.crc),
        verified: record.verified,
      });
      return;
    case "done":
      state.done = true;
  }
}
