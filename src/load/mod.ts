/**
 * DM's load unit: a long-lived load of one source of one task, which people pause, resume, update and watch; with the task's files, DM's
 * list in the target, its keys in etcd and its errors.
 *
 * 1. What the engine imports is the engine's; this folder decides when it may begin, what its result means, and what others are told.
 * 2. Each step may be repeated after a crash at any point: facts are written before what they allow.
 * 3. What DM reads (list, keys, error texts, status) is DM's, byte for byte; what levin adds lies beside it under names DM does not look at.
 *
 * Lacks: the sync unit, storages other than this machine's directories.
 */
export { type ChangeConsumers, changeConsumers } from "./change-consumers.ts";
export { CheckpointList, type LoadState } from "./checkpoint-list.ts";

export { askControl, type ControlAnswer, type ControlRequest, controlPath, serveControl } from "./control.ts";
export { checksumMismatchText, convertEngineError } from "./convert-error.ts";
export { Barrier, type BarrierOptions } from "./coord/barrier.ts";
export { type BeatOptions, type BeatPlace, type BeatRecord, BeatStore } from "./coord/beat-store.ts";
export {
  type CoordIdentity,
  type CoordState,
  type CoordStore,
  type Member,
  noCoordination,
  type TableSums,
} from "./coord/coordination.ts";
export { DirectoryPlace } from "./coord/directory-place.ts";
export { type EtcdChange, EtcdClient, type EtcdOptions } from "./coord/etcd-client.ts";
export { etcdKey, LEVIN_ALIVE, LIGHTNING_COORD, LOAD_TASK, parseEtcdKey } from "./coord/etcd-keys.ts";
export { EtcdStore } from "./coord/etcd-store.ts";
export { TablePlace } from "./coord/table-place.ts";
export { type DmCode, type DmCodeName, dmCodes, legacyLoadCodes } from "./dm-codes.ts";
export { DmError, dmError, type ProcessError, processError, toDmError } from "./dm-error.ts";
export { type DmPassword, dmPassword, parseSecretKey } from "./dm-password.ts";
export type { EngineResult, EngineRun, LoadEngine } from "./engine.ts";
export { engineConfig, type ResolvedSession } from "./engine-config.ts";
export { type GtidSet, parseGtidSet } from "./gtid.ts";
export {
  adjustDirs,
  defaultLoaderConfig,
  type LoaderConfig,
  readLoaderConfig,
  type TaskMode,
  withSortingDir,
} from "./loader-config.ts";
export {
  type BinlogLocation,
  type DumpMetadata,
  MetadataFormatError,
  parseMetadata,
  positionText,
} from "./metadata.ts";
export { defaultLoadMetrics, type LoadMetrics, newLoadMetrics } from "./metrics.ts";
export { checkpointListName, checkpointSchemaName } from "./names.ts";
export { isResumableError } from "./resumable.ts";
export { LoadSession, type SessionOptions, type SessionState } from "./session.ts";
export { loosenSqlMode, resolveSqlMode, TIME_ZONE_QUERY, timeZoneOffset } from "./sql-mode.ts";
export { dmctlStatus, goJsonStatus, type LoadStatus, progressText, SpeedRecorder } from "./status.ts";
export { appendToPath, isLocalPath, isS3Path, localPath, trimFromPath } from "./storage-path.ts";
export { readSubTask, type SubTask, type TargetDatabase } from "./subtask.ts";
export { type Table, TableReader } from "./table-reader.ts";
export {
  clearLoadCheckpoint,
  type LoadCheckpoint,
  readLoadCheckpoint,
  removalStatements,
  writeLoadCheckpoint,
} from "./task-tables.ts";
export { LoadUnit, type ProcessResult, type UnitDetail } from "./unit.ts";
export type { Acceptance, LoadUnitEnvironment } from "./unit-environment.ts";
export type { Phase, UnitRecord } from "./unit-state.ts";
