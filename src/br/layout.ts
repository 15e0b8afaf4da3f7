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
  /** Log restore only (2024). */
  ingestRepair?: string;
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

/**
 * A restore's checkpoint in files (2024). Task names: the cluster id for snapshot restore, `<cluster id>/<start ts>.<restored ts>` for log
 * restore, whose task info lies one folder above.
 */
export function restorePaths(task: string): BrPaths {
  const root = `checkpoints/restore-${task}`;
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
  return /^checkpoints\/restore-([^/]+(?:\/[^/]+)?)\/(?:data\/.*|checksum\/.*|checkpoint\.meta|ingest-repair\.meta)$/.exec(
    name,
  )?.[1];
}
