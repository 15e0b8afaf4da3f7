/** Where BR's releases keep the parts of a checkpoint in external storage. Names have no leading slash. */
import type { BrLayout } from "./shapes.ts";

/** Names of one checkpoint's parts. */
export interface BrPaths {
  layout: BrLayout;
  meta: string;
  dataDir: string;
  checksumDir: string;
  /** Backup only. */
  lock?: string;
  /** What removal may touch: everything below, or the named parts alone where the folder is shared. */
  root: string | undefined;
  /** Log restore only (2024). */
  taskInfo?: string;
  /** Log restore only (2024, and 2025 in files). */
  ingestRepair?: string;
  /** Log restore only (2025 in files). */
  progress?: string;
}

/** A backup's checkpoint; 2024 and 2025 share the names on a local disk. */
export function backupPaths(layout: BrLayout): BrPaths {
  if (layout === "2023") {
    return {
      layout,
      meta: "checkpoint.meta",
      dataDir: "checkpoints/data",
      checksumDir: "checkpoints/checksum",
      lock: "checkpoints/checkpoint.lock",
      root: undefined,
    };
  }
  return {
    layout,
    meta: "checkpoints/backup/checkpoint.meta",
    dataDir: "checkpoints/backup/data",
    checksumDir: "checkpoints/backup/checksum",
    lock: "checkpoints/backup/checkpoint.lock",
    root: "checkpoints/backup",
  };
}

/** Task of 2025 in files (`--checkpoint-storage`): `<cluster id>/snapshot_<restore id>` or `…/log_<restore id>`. */
const TASK_2025 = /^\d+\/([a-z_]+)_\d+$/;

/**
 * What kind of restore a task in files is of. Names of 2024: the cluster id for snapshot restore, `<cluster id>/<start ts>.<restored ts>` for
 * log restore.
 */
export function restoreKindOf(task: string): "restore" | "log" {
  const prefix = TASK_2025.exec(task)?.[1];
  if (prefix !== undefined) return prefix === "log" ? "log" : "restore";
  return task.includes("/") ? "log" : "restore";
}

/**
 * A restore's checkpoint in files, by the task's name (see `restoreKindOf`). The task info of a log restore of 2024 lies one folder above.
 */
export function restorePaths(task: string): BrPaths {
  const root = `checkpoints/restore-${task}`;
  if (TASK_2025.test(task)) {
    return {
      layout: "2025",
      meta: `${root}/checkpoint.meta`,
      dataDir: `${root}/data`,
      checksumDir: `${root}/checksum`,
      root,
      ingestRepair: `${root}/ingest_index.meta`,
      progress: `${root}/progress.meta`,
    };
  }
  const slash = task.indexOf("/");
  return {
    layout: "2024",
    meta: `${root}/checkpoint.meta`,
    dataDir: `${root}/data`,
    checksumDir: `${root}/checksum`,
    root,
    ingestRepair: `${root}/ingest-repair.meta`,
    ...(slash < 0 ? {} : { taskInfo: `checkpoints/restore-${task.slice(0, slash)}/taskInfo.meta` }),
  };
}

/** The restore task that a listed file belongs to, from where its data, checksums or metadata lie; undefined for other files. */
export function restoreTaskOf(name: string): string | undefined {
  return /^checkpoints\/restore-([^/]+(?:\/[^/]+)?)\/(?:data\/.*|checksum\/.*|checkpoint\.meta|ingest-repair\.meta|ingest_index\.meta|progress\.meta)$/.exec(
    name,
  )?.[1];
}
