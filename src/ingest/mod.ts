/**
 * Sorted pairs → the cluster: split regions at range borders, scatter them, write each range to every peer of its region, ingest at
 * the leader; then compare checksums. What a region error means is decided in one table (region-errors.ts), where a job goes on in
 * one function (job.ts).
 *
 * Invariants, because nothing in TiKV protects against their breach (tikv.md 3):
 * 1. Ingest only what every peer of the region, at that epoch, has answered the Write of.
 * 2. A fresh uuid for each attempt; the same commit timestamp for the whole table, from PD, never 0.
 * 3. Every key inside the SST's range, and that inside the region; keys strictly ascending; no two SSTs overlap.
 * 4. A range counts as done only when all its ingests were answered OK. Doing it again is harmless.
 * 5. What is written is written by one function (write-region.ts), in this thread or in others (write-threads.ts, write-task.ts), which are told of
 *    ranges and answer with metas or errors; what becomes of an answer is decided in this one.
 * 6. What is changed in the cluster for the import's sake (import mode, paused schedulers) ends by itself when nobody renews it.
 *
 * Not here: where pairs come from (`engine`, through `PairSource`), the order of steps (`importer`).
 */
export { type ChecksumOptions, checksumTable, type NamedRange, type RangeChecksum } from "./checksum.ts";
export { EngineSource, type EngineSourceOptions } from "./engine-source.ts";
export { ImportModeKeeper } from "./import-mode.ts";
export { type IngestOptions, ingestRanges, WINDOW_MESSAGES } from "./ingest-ranges.ts";
export type { PairSource, PlannedRange } from "./pair-source.ts";
export type { RegionWriter } from "./region-writer.ts";
export { type Restored, restoreCluster } from "./restore-cluster.ts";
export { type ScannedPair, scanPairs } from "./scan-pairs.ts";
export { scatterRegions } from "./scatter.ts";
export { SchedulerPause } from "./scheduler-pause.ts";
export { innerBorders } from "./split-plan.ts";
export { type SplitOptions, splitRegions } from "./split-regions.ts";
export { CLOSE_WRITER, type FromWriter, type ToWriter, type WriterPort, type WriterSetup } from "./write-messages.ts";
export { type WriterWorld, WriteTask } from "./write-task.ts";
export { WriteThreads } from "./write-threads.ts";
