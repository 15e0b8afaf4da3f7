/** Metadata documents in external storage: save, load, exists for each kind. Any problem is an error here; nothing is tolerated. */
import { LevinError } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import { FileHome } from "./homes.ts";
import { type BrPaths, backupPaths, restorePaths } from "./layout.ts";
import {
  printBackupMetadata,
  printFileRestoreMetadata,
  printFileTaskInfo,
  printIngestRepairs,
  printLogMetadata,
  printProgress,
  printSnapshotMetadata,
  readBackupMetadata,
  readFileRestoreMetadata,
  readFileTaskInfo,
  readIngestRepairs,
  readLogMetadata,
  readProgress,
  readSnapshotMetadata,
} from "./metadata-json.ts";
import { LoadReport } from "./report.ts";
import type {
  BackupMetadata,
  BrLayout,
  ChecksumItem,
  FileRestoreMetadata,
  FileTaskInfo,
  IngestIndexRepair,
  LogMetadata,
  SnapshotMetadata,
} from "./shapes.ts";
import { loadChecksums } from "./walk.ts";

async function loadDocument<T>(
  storage: ObjectStorage,
  name: string,
  read: (bytes: Uint8Array, what: string) => T,
): Promise<T> {
  const bytes = await storage.read(name);
  if (bytes === undefined) {
    throw new LevinError("Levin:Br:ErrMissing", `Cannot read "${storage.uri}${name}": there is no such file`, {
      fields: { path: `${storage.uri}${name}` },
    });
  }
  return read(bytes, `"${name}"`);
}

async function exists(storage: ObjectStorage, name: string): Promise<boolean> {
  return (await storage.read(name)) !== undefined;
}

export async function saveBackupMetadata(
  storage: ObjectStorage,
  metadata: BackupMetadata,
  layout: BrLayout = "2025",
): Promise<void> {
  await storage.write(backupPaths(layout).meta, printBackupMetadata(metadata, layout));
}

export interface LoadedBackupMetadata {
  metadata: BackupMetadata;
  checksums: Map<bigint, ChecksumItem>;
}

/** The metadata with all stored checksums. Errors: Levin:Br:ErrMissing, ErrFormat, ErrStorage; with a strict report ErrDamaged. */
export async function loadBackupMetadata(
  storage: ObjectStorage,
  options: { layout?: BrLayout; report?: LoadReport } = {},
): Promise<LoadedBackupMetadata> {
  const paths = backupPaths(options.layout ?? "2025");
  const metadata = await loadDocument(storage, paths.meta, readBackupMetadata);
  const checksums = await loadChecksums(new FileHome(storage, paths), options.report ?? new LoadReport());
  return { metadata, checksums };
}

export function existsBackupMetadata(storage: ObjectStorage, layout: BrLayout = "2025"): Promise<boolean> {
  return exists(storage, backupPaths(layout).meta);
}

/** The layout of a backup checkpoint that is there; undefined when there is none. */
export async function findBackupLayout(storage: ObjectStorage): Promise<BrLayout | undefined> {
  if ((await storage.list("checkpoints/backup")).length > 0) return "2025";
  const older = backupPaths("2023");
  if (await exists(storage, older.meta)) return "2023";
  for (const folder of [older.dataDir, older.checksumDir]) {
    if ((await storage.list(folder)).length > 0) return "2023";
  }
  return undefined;
}

/** Restores of 2024 keep their state in files: the functions below take the task's name (see `restorePaths`). */
export async function saveRestoreMetadata(
  storage: ObjectStorage,
  task: string,
  metadata: FileRestoreMetadata,
): Promise<void> {
  await storage.write(restorePaths(task).meta, printFileRestoreMetadata(metadata));
}

export function loadRestoreMetadata(storage: ObjectStorage, task: string): Promise<FileRestoreMetadata> {
  return loadDocument(storage, restorePaths(task).meta, readFileRestoreMetadata);
}

export function existsRestoreMetadata(storage: ObjectStorage, task: string): Promise<boolean> {
  return exists(storage, restorePaths(task).meta);
}

const taskInfoName = (clusterId: bigint): string => `checkpoints/restore-${clusterId}/taskInfo.meta`;

export async function saveTaskInfo(storage: ObjectStorage, clusterId: bigint, info: FileTaskInfo): Promise<void> {
  await storage.write(taskInfoName(clusterId), printFileTaskInfo(info));
}

export function loadTaskInfo(storage: ObjectStorage, clusterId: bigint): Promise<FileTaskInfo> {
  return loadDocument(storage, taskInfoName(clusterId), readFileTaskInfo);
}

export function existsTaskInfo(storage: ObjectStorage, clusterId: bigint): Promise<boolean> {
  return exists(storage, taskInfoName(clusterId));
}

const repairName = (task: string): string => restorePaths(task).ingestRepair!;

export async function saveFileIngestRepairs(
  storage: ObjectStorage,
  task: string,
  repairs: readonly IngestIndexRepair[],
): Promise<void> {
  await storage.write(repairName(task), printIngestRepairs(repairs));
}

export function loadFileIngestRepairs(storage: ObjectStorage, task: string): Promise<IngestIndexRepair[] | null> {
  return loadDocument(storage, repairName(task), readIngestRepairs);
}

export function existsFileIngestRepairs(storage: ObjectStorage, task: string): Promise<boolean> {
  return exists(storage, repairName(task));
}

/** Restores of 2025 with `--checkpoint-storage`: the documents of the tables as files. */
export async function saveFileSnapshotMetadata(
  storage: ObjectStorage,
  task: string,
  metadata: SnapshotMetadata,
): Promise<void> {
  await storage.write(restorePaths(task).meta, printSnapshotMetadata(metadata));
}

export function loadFileSnapshotMetadata(storage: ObjectStorage, task: string): Promise<SnapshotMetadata> {
  return loadDocument(storage, restorePaths(task).meta, readSnapshotMetadata);
}

export async function saveFileLogMetadata(storage: ObjectStorage, task: string, metadata: LogMetadata): Promise<void> {
  await storage.write(restorePaths(task).meta, printLogMetadata(metadata));
}

export function loadFileLogMetadata(storage: ObjectStorage, task: string): Promise<LogMetadata> {
  return loadDocument(storage, restorePaths(task).meta, readLogMetadata);
}

const progressName = (task: string): string => `checkpoints/restore-${task}/progress.meta`;

export async function saveFileProgress(storage: ObjectStorage, task: string, progress: bigint): Promise<void> {
  await storage.write(progressName(task), printProgress(progress));
}

export function loadFileProgress(storage: ObjectStorage, task: string): Promise<bigint> {
  return loadDocument(storage, progressName(task), readProgress);
}

export function existsFileProgress(storage: ObjectStorage, task: string): Promise<boolean> {
  return exists(storage, progressName(task));
}

export type { BrPaths };
