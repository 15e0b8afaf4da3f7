/**
 * An import: the one place that knows the order of its steps (source, schema, encode, ingest, verify, finish) and what of them is done.
 *
 * 1. A record is in the journal only after what it says is on disk or in the cluster.
 * 2. Runs that the journal does not know are dropped before a batch goes on.
 * 3. All pairs of a batch carry one commit timestamp of PD's, kept across runs.
 */

export { type CheckResult, checkSource } from "./check-source.ts";
export { type CheckpointOptions, openCheckpointHome } from "./checkpoint-mirror.ts";
export { type ClusterFacts, checkCluster, judgeCluster } from "./cluster-checks.ts";
export { writeConflictNote } from "./conflict/task-info.ts";
export { EncodeTask } from "./encode/encode-task.ts";
export type { EncodePort, FromWorker, WorkerSetup } from "./encode/messages.ts";
export { jobHolder, readJob } from "./job.ts";
export type { JobState } from "./job-state.ts";
export { defaultMemoryBytes, planMemory } from "./memory.ts";
export type { ClusterSettings, ClusterTls, ConflictOptions, ImportEnvironment, ImportOptions } from "./options.ts";
export { demandIdle, resetTable } from "./reset-table.ts";
export { undoLeftovers } from "./restore-cluster.ts";
export type { ImportResult } from "./result.ts";
export { runImport } from "./run.ts";
export { stateError } from "./state-files.ts";
export { compactStores, type StoreAnswer, storeModes, switchModes } from "./store-tools.ts";
export { type ImportWorld, type StartEncoder, systemWorld } from "./world.ts";
