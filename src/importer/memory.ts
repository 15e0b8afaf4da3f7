import { assert } from "../base/mod.ts";
import type { WorkerSizes } from "./encode/messages.ts";
import { type BlockStore, levelBytes } from "./engines.ts";

const MIB = 1 << 20;
/** Of the runtime, the program (its pages count) and everything that is not counted below. */
const BASE_BYTES = 112 * MIB;
/** Per worker: its heap, scratch areas of two arenas, windows. */
const WORKER_FIXED_BYTES = 28 * MIB;
const ARENAS_MIN_BYTES = 16 * MIB;
/** Per thread that writes: its heap and the program in it; messages and read-ahead are those of the region jobs, whoever does them. */
const WRITER_FIXED_BYTES = 24 * MIB;
/** Buffers of the import's own thread where others write: it ingests what is small. */
const SMALL_INGEST_BYTES = 16 * MIB;
/**
 * Of a table with its files, statements and results, beside its model: half of it lives, the runtime lets as much again become garbage before
 * it looks at what is old (measured at 10 000 tables of one file).
 */
const TABLE_BYTES = 12 << 10;

export interface MemoryPlan {
  worker: WorkerSizes;
  /** Messages to stores that are under way. */
  inFlightBytes: number;
  /** Read-ahead of each region job. */
  rangeReadBytes: number;
  /** Buffers of the import's own thread for ingesting that lie idle. */
  keptBytes: number;
  /** Of each thread that writes, where there are some: their parts of messages and of buffers that lie idle. */
  writer: { inFlightBytes: number; keptBytes: number };
  /** What all of it adds up to; at most the budget. */
  totalBytes: number;
}

/** Default of `--memory`: 288 MiB, 96 MiB a worker, and what threads that write take; at most a quarter of the machine. More makes fewer runs to merge. */
export function defaultMemoryBytes(machineBytes: number, workers: number, writers = 0): number {
  return Math.min((288 + 96 * workers) * MIB + writersBytes(writers), Math.floor(machineBytes / 4));
}

function writersBytes(writers: number): number {
  return writers === 0 ? 0 : writers * WRITER_FIXED_BYTES + SMALL_INGEST_BYTES;
}

/** Buffers of ingesting that lie idle at most. */
export function idleBufferBytes(
  { inFlightBytes, rangeReadBytes }: Pick<MemoryPlan, "inFlightBytes" | "rangeReadBytes">,
  rangeJobs: number,
): number {
  return inFlightBytes + rangeJobs * rangeReadBytes;
}

/** Splits the budget among arenas, windows and queues; what the tables take is not theirs. `modelBytes`: packed. */
export function planMemory(
  budgetBytes: number,
  {
    workers,
    rangeJobs,
    blocks,
    writers = 0,
    tables = 0,
    modelBytes = 0,
  }: {
    workers: number;
    rangeJobs: number;
    blocks: BlockStore;
    writers?: number;
    tables?: number;
    modelBytes?: number;
  },
): MemoryPlan {
  const inFlightBytes = 32 * MIB;
  const rangeReadBytes = 6 * MIB;
  const shared = BASE_BYTES + levelBytes[blocks] + inFlightBytes + rangeJobs * rangeReadBytes;
  const ofWriters = writersBytes(writers);
  const ofTables = tables * TABLE_BYTES + 2 * modelBytes;
  const fixed = shared + workers * WORKER_FIXED_BYTES + ofWriters + ofTables;
  const forArenas = Math.max(workers * ARENAS_MIN_BYTES, budgetBytes - fixed);
  // With small pairs the offsets and the sorter's space add up to 44 % of an arena.
  const arena = Math.min(512 * MIB, Math.floor(forArenas / workers / 2 / 1.44));
  const arenaBytes = arena - (arena % MIB) || MIB;
  const worker: WorkerSizes = { dataArenaBytes: arenaBytes, indexArenaBytes: arenaBytes, windowBytes: MIB };
  const totalBytes = fixed + forArenas;
  assert(workers * 2 * arenaBytes <= forArenas, "arenas fit their share");
  const idleBytes = idleBufferBytes({ inFlightBytes, rangeReadBytes }, rangeJobs);
  const share = (bytes: number): number => Math.floor(bytes / Math.max(1, writers));
  const writer = { inFlightBytes: share(inFlightBytes), keptBytes: share(idleBytes) };
  assert(Math.max(1, writers) * writer.keptBytes <= idleBytes, "threads keep no more than one would");
  const keptBytes = writers === 0 ? idleBytes : SMALL_INGEST_BYTES;
  return { worker, inFlightBytes, rangeReadBytes, keptBytes, writer, totalBytes };
}
