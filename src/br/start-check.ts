/** What a starting backup asks of its storage, and whether it may resume what is there. */
import { equalBytes, LevinError } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import { type LoadedBackupMetadata, loadBackupMetadata } from "./file-metadata.ts";
import { backupPaths } from "./layout.ts";

const NONE = new Uint8Array(0);
const SUFFIX = ": [BR:Common:ErrInvalidArgument]invalid argument";

function refuse(message: string): LevinError {
  return new LevinError("Levin:Br:ErrExists", `${message}${SUFFIX}`);
}

/**
 * Looks at the storage before a backup: the checkpoint to resume, or undefined for a first run. Refuses a finished backup
 * (Levin:Br:ErrExists), one begun without checkpoints, and a checkpoint whose metadata is broken (Levin:Br:ErrFormat).
 */
export async function openBackup(storage: ObjectStorage): Promise<LoadedBackupMetadata | undefined> {
  if ((await storage.read("backupmeta")) !== undefined) {
    throw refuse(
      `backup meta file exists in ${storage.uri}backupmeta, there may be some backup files in the path already, please specify a correct backup directory!`,
    );
  }
  try {
    return await loadBackupMetadata(storage);
  } catch (error) {
    const known = LevinError.from(error);
    if (known.code !== "Levin:Br:ErrMissing") {
      throw new LevinError(
        known.code,
        `error occurred when loading ${backupPaths("2025").meta} file: ${known.message}`,
        { cause: error },
      );
    }
  }
  if ((await storage.read("backup.lock")) === undefined) return undefined;
  if ((await storage.list("")).some(({ name }) => name.endsWith(".sst"))) {
    throw refuse(
      `backup lock file and sst file exist in ${storage.uri}backup.lock, there are some backup files in the path already, but hasn't checkpoint metadata, please specify a correct backup directory!`,
    );
  }
  return undefined;
}

/** Refuses to resume with other settings than those the checkpoint was begun with (Levin:Br:ErrConfigChanged). */
export function checkConfigHash(storage: ObjectStorage, stored: Uint8Array | null, own: Uint8Array | null): void {
  if (equalBytes(stored ?? NONE, own ?? NONE)) return;
  throw new LevinError(
    "Levin:Br:ErrConfigChanged",
    `failed to backup to ${storage.uri.replace(/\/$/, "")}, because the checkpoint mode is used, but the hashs of the configs are not the same. Please check the config${SUFFIX}`,
  );
}
