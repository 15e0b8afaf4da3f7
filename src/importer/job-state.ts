import {
  type ChunkResult,
  type ConflictRecord,
  differences,
  type EngineName,
  type Fingerprint,
  type JobRecord,
  type PlannedChunk,
  type TableFigures,
  type TableSums,
} from "./records.ts";

export interface BatchState {
  id: number;
  tables: string[];
  commitTs: bigint;
  /** Those found so far; all of them once the batch is encoded. */
  chunks: PlannedChunk[];
  /** Committed runs of the engines; others found there are left-overs. */
  runs: Record<EngineName, Set<number>>;
  done: Map<number, ChunkResult>;
  /** Bytes of the pairs that the present engines hold. */
  engineBytes: number;
  /** The present engines are being imported before the batch is encoded to its end. */
  early: boolean;
  /** How often the batch began new engines. */
  round: number;
  encoded: boolean;
  /** Tables that had rows before, and the largest row id given out there. */
  filled: string[];
  rowIdBases: Map<string, number>;
  /** Pairs of it may be in the cluster. Nothing is before that, and its tables may have got rows of others. */
  begun: boolean;
  /** What those tables hold beside the import; undefined until the first ingest is due, and the rows that are replaced are gone. */
  cleared?: TableSums[];
  /** Undefined until rows with the same key were looked for. */
  conflicts?: ConflictRecord;
  /** Ranges that are in: hex start → hex end. */
  ranges: Record<EngineName, Map<string, string>>;
  ingested: boolean;
}

/** What a journal says has been done. */
export interface JobState {
  fingerprint: Fingerprint | undefined;
  startedMs: number;
  /** By id, without gaps. */
  batches: BatchState[];
  tables: Map<string, { result: TableFigures; verified: boolean }>;
  done: boolean;
  /** Runs have been committed once, be they forgotten since: what came of them may be in the cluster. */
  encodedAny: boolean;
  /** Tables that were reset and not begun again → names of the fingerprint that may be different until then. */
  forgiven: Map<string, readonly string[]>;
}

export function emptyState(): JobState {
  return {
    fingerprint: undefined,
    startedMs: 0,
    batches: [],
    tables: new Map(),
    done: false,
    encodedAny: false,
    forgiven: new Map(),
  };
}

/**
 * Nothing depends on what the job began with: its runs ended, by a mistake in the source for instance, before a chunk was encoded. (What
 * statements have brought into a target, the target knows.)
 */
export function isUntouched({ fingerprint, batches, done, encodedAny }: JobState): boolean {
  return !done && !encodedAny && (batches.length === 0 || fingerprint?.["backend"] !== "tidb");
}

/** What keeps a job from going on. */
export function changesOf(state: JobState, now: Fingerprint): string[] {
  if (state.fingerprint === undefined || isUntouched(state)) return [];
  return differences(state.fingerprint, now, new Set([...state.forgiven.values()].flat()));
}

/** Takes one record into the state; the journal replayed gives the same state as the run that wrote it. */
export function applyRecord(state: JobState, record: JobRecord): void {
  switch (record.type) {
    case "job":
      // Plans of the source as it was.
      if (isUntouched(state)) state.batches = [];
      state.fingerprint = record.fingerprint;
      state.startedMs = record.startedMs;
      return;
    case "batch":
      state.batches[record.batch] = {
        id: record.batch,
        tables: record.tables,
        commitTs: BigInt(record.commitTs),
        filled: (record.filled ?? []).map(({ table }) => table),
        rowIdBases: new Map((record.filled ?? []).map(({ table, rowIdBase }) => [table, rowIdBase])),
        begun: false,
        ...newProgress(),
      };
      for (const table of record.tables) state.forgiven.delete(table);
      return;
    case "table":
      state.tables.set(record.table, { result: record.result, verified: record.verified });
      return;
    case "done":
      state.done = true;
      return;
    case "reset":
      applyReset(state, record.table, record.forgiven);
      return;
    default:
      if (record.type === "flushed" || record.type === "encoded") state.encodedAny = true;
      applyToBatch(batchOf(state, record.batch), record);
  }
}

/**
 * A table leaves its batch, so that the next run puts it into a new one. What is not in the cluster yet is encoded again for all tables of
 * the batch, as their pairs share its runs.
 */
function applyReset(state: JobState, table: string, forgiven: readonly string[]): void {
  state.done = false;
  state.tables.delete(table);
  state.forgiven.set(table, forgiven);
  const batch = state.batches.find((one) => one?.tables.includes(table));
  if (batch === undefined) return;
  batch.tables = batch.tables.filter((one) => one !== table);
  if (batch.ingested) {
    for (const [id, chunk] of batch.done) if (chunk.table === table) batch.done.delete(id);
    return;
  }
  delete batch.conflicts;
  Object.assign(batch, newProgress());
}

/** Of a batch that was planned and no more. */
function newProgress() {
  return {
    chunks: [],
    runs: { data: new Set<number>(), index: new Set<number>() },
    done: new Map<number, ChunkResult>(),
    engineBytes: 0,
    early: false,
    round: 0,
    encoded: false,
    ranges: { data: new Map<string, string>(), index: new Map<string, string>() },
    ingested: false,
  };
}

function batchOf(state: JobState, id: number): BatchState {
  const batch = state.batches[id];
  if (batch === undefined) throw new RangeError(`the journal speaks of batch ${id} before it is planned`);
  return batch;
}

function applyToBatch(batch: BatchState, record: Extract<JobRecord, { batch: number }>): void {
  switch (record.type) {
    case "chunks":
      for (const chunk of record.chunks) batch.chunks[chunk.id] = chunk;
      return;
    case "flushed":
      for (const run of record.runs.data) batch.runs.data.add(run);
      for (const run of record.runs.index) batch.runs.index.add(run);
      for (const chunk of record.chunks) {
        batch.done.set(chunk.chunk, chunk);
        batch.engineBytes += chunk.bytes;
      }
      return;
    case "early":
      batch.early = true;
      mayHaveBegun(batch, record);
      return;
    case "round":
      batch.early = false;
      batch.round++;
      batch.engineBytes = 0;
      batch.runs = { data: new Set(), index: new Set() };
      batch.ranges = { data: new Map(), index: new Map() };
      return;
    case "lost":
      Object.assign(batch, newProgress());
      return;
    case "encoded":
      batch.encoded = true;
      mayHaveBegun(batch, record);
      return;
    case "conflicts":
      batch.conflicts = record;
      return;
    case "cleared":
      batch.begun = true;
      batch.cleared = record.base;
      batch.commitTs = BigInt(record.commitTs);
      return;
    case "range":
      batch.ranges[record.engine].set(record.start, record.end);
      return;
    case "ingested":
      batch.ingested = true;
  }
}

/** In a journal of before, nothing more is said of a batch without rows until its first range is in. */
function mayHaveBegun(batch: BatchState, { told }: { told?: true }): void {
  if (told !== true && batch.filled.length === 0) batch.begun = true;
}
