/** Runners for the three kinds of jobs. */
import type { LevinError } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import { FileHome, type Home } from "./homes.ts";
import type { GoText } from "./json-text.ts";
import { backupPaths } from "./layout.ts";
import { BrLock, type LockOptions } from "./lock.ts";
import { pendingLogFiles, pendingRanges, pendingRestoreItems } from "./pending.ts";
import { CheckpointRunner, type RunnerOptions } from "./runner.ts";
import type { BackupRange, BrLayout, LogFile, RestoreItem } from "./shapes.ts";
import type { TsoSource } from "./tso.ts";

export interface BackupRunnerOptions extends Omit<RunnerOptions, "home" | "lock"> {
  storage: ObjectStorage;
  tso: TsoSource;
  layout?: BrLayout;
  lockOptions?: Pick<LockOptions, "ttlMs" | "settleMs">;
}

/** Takes the lock (which lasts 3 s) and starts a runner for a backup. Errors: those of `BrLock.acquire`. */
export async function startBackupRunner(options: BackupRunnerOptions): Promise<CheckpointRunner<GoText, BackupRange>> {
  const { storage, tso, clock, signal, layout = "2025" } = options;
  const paths = backupPaths(layout);
  const lock = await BrLock.acquire({ ...options.lockOptions, storage, name: paths.lock!, tso, clock, signal });
  try {
    return new CheckpointRunner(pendingRanges(layout), { ...options, home: new FileHome(storage, paths), lock });
  } catch (error) {
    await lock.release();
    throw error as LevinError;
  }
}

/** A runner for a snapshot or custom SST restore; keys are ids of downstream tables or partitions. */
export function startRestoreRunner(
  options: RunnerOptions & { home: Home; layout?: BrLayout },
): CheckpointRunner<bigint, RestoreItem> {
  return new CheckpointRunner(pendingRestoreItems(options.layout ?? "2025"), options);
}

/** A runner for a log restore; keys are names of groups of the log metadata. */
export function startLogRunner(options: RunnerOptions): CheckpointRunner<GoText, LogFile> {
  return new CheckpointRunner(pendingLogFiles(), options);
}

/** Range key of an SST file: its name without `_<cf>.sst`. */
export function rangeKeyOf(fileName: string): string {
  const at = fileName.lastIndexOf("_");
  return at < 0 ? fileName : fileName.slice(0, at);
}
