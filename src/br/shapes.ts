import type { Json } from "./json-reader.ts";
import type { GoText } from "./json-text.ts";

/** Checksum of one table or partition in a backup file (`backuppb.TableMeta`). Integers are 64 bits wide. */
export interface TableMeta {
  physicalId: bigint;
  crc64xor: bigint;
  totalKvs: bigint;
  totalBytes: bigint;
}

/** An SST file of a backup (`backuppb.File`); null bytes are absent in the document. */
export interface BackupFile {
  name: GoText;
  sha256: Uint8Array | null;
  startKey: Uint8Array | null;
  endKey: Uint8Array | null;
  startVersion: bigint;
  endVersion: bigint;
  crc64xor: bigint;
  totalKvs: bigint;
  totalBytes: bigint;
  cf: GoText;
  size: bigint;
  cipherIv: Uint8Array | null;
  tableMetas: TableMeta[] | null;
}

/** A range of keys that a backup finished, with its files. */
export interface BackupRange {
  startKey: Uint8Array | null;
  endKey: Uint8Array | null;
  files: (BackupFile | null)[] | null;
}

/** What a snapshot restore ingested: known by its range key (2024 and later), its file name (compacted files) or its keys. */
export interface RestoreItem {
  rangeKey: GoText;
  name: GoText;
  /** Releases 7.1 to 7.x knew it by its keys. */
  range?: BackupRange;
}

/** Files of one group of a log metadata that a log restore applied: downstream table id → file offsets. */
export interface LogItem {
  goff: bigint;
  foffs: Map<bigint, bigint[] | null> | null;
}

/** One applied log file, as a log restore appends it. */
export interface LogFile {
  tableId: bigint;
  goff: bigint;
  foff: bigint;
}

/** Checksum of a finished table. */
export interface ChecksumItem {
  tableId: bigint;
  crc64xor: bigint;
  totalKvs: bigint;
  totalBytes: bigint;
}

export interface BackupMetadata {
  gcServiceId: GoText;
  configHash: Uint8Array | null;
  backupTs: bigint;
  ranges: BackupRange[] | null;
}

/** PD's settings that a restore changed and that are to be put back. */
export interface SchedulersConfig {
  schedulers: GoText[] | null;
  scheduleCfg: { [name: string]: Json } | null;
  /** Newer releases only; kept as it is. */
  ruleId?: GoText;
}

/** Metadata of a snapshot restore in the target cluster (2025). */
export interface SnapshotMetadata {
  upstreamClusterId: bigint;
  restoredTs: bigint;
  schedulersConfig: SchedulersConfig | null;
  /** Text form with dashes. */
  restoreUuid: string;
}

export interface TiflashItem {
  count: bigint;
  locationLabels: string[] | null;
  available: boolean;
  availablePartitionIds: bigint[] | null;
}

/** Metadata of a log restore in the target cluster (2025). */
export interface LogMetadata {
  upstreamClusterId: bigint;
  restoredTs: bigint;
  startTs: bigint;
  rewriteTs: bigint;
  gcRatio: GoText;
  tiflashItems: Map<bigint, TiflashItem> | null;
}

/** Metadata of a restore in files (2024): snapshot restore has the first, log restore the second. */
export interface FileRestoreMetadata {
  schedulersConfig: SchedulersConfig | null;
  gcRatio: GoText;
}

/** Task info of a log restore in files (2024). */
export interface FileTaskInfo {
  progress: bigint;
  startTs: bigint;
  restoreTs: bigint;
  rewriteTs: bigint;
  tiflashItems: Map<bigint, TiflashItem> | null;
}

/** `InSnapshotRestore`. */
export const PROGRESS_SNAPSHOT = 0n;
/** `InLogRestoreAndIdMapPersist`: the snapshot part must never be repeated. */
export const PROGRESS_LOG = 1n;

/** A name as TiDB keeps it: original and lower-case form. */
export interface CiName {
  original: string;
  lower: string;
}

/** An index that is to be built again after a log restore. */
export interface IngestIndexRepair {
  indexId: bigint;
  schemaName: CiName;
  tableName: CiName;
  indexName: string;
  /** With %n and %? for names and values. */
  addSql: string;
  addArgs: Json[] | null;
}

/** The lease of a backup. */
export interface LockFile {
  lockId: bigint;
  /** Milliseconds of PD's physical time. */
  expireAt: bigint;
}

/** Which release's form is written; all are read. */
export type BrLayout = "2025" | "2024" | "2023";
