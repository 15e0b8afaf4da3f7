import type { Files } from "../base/mod.ts";
import { joinPath } from "../base/mod.ts";
import type { TaskMode } from "./loader-config.ts";
import { isLocalPath, localPath } from "./storage-path.ts";

/** Rows of a dump by their files' names: `.sql` and `.csv`, compressed or not. */
const DATA = /\.(sql|csv|parquet)(\.(gz|gzip|zst|zstd|snappy|lz4|xz|bz2))?$/i;
/** What replication still needs. */
const KEPT = /-schema(-create|-view|-post|-triggers|-sequence)?\.sql(\.[a-z0-9]+)?$/i;

/**
 * Removes a dump that was loaded. In mode `full` all of the directory; else only files of rows: `metadata`, schema files and checkpoints stay
 * for the unit that follows. Never fails: `warn` is told.
 */
export async function cleanDumpFiles(
  files: Files,
  dir: string,
  mode: TaskMode,
  warn: (message: string) => void,
): Promise<void> {
  if (!isLocalPath(dir))
    return warn(`the dump in ${dir.replace(/\?.*$/, "")} is not removed: it is not on this machine`);
  const path = localPath(dir);
  try {
    if (mode === "full") return await files.removeTree(path);
    for (const { name, isDir } of (await files.entries(path)) ?? []) {
      if (!isDir && DATA.test(name) && !KEPT.test(name)) await files.remove(joinPath(path, name));
    }
  } catch (error) {
    warn(`the dump in ${path} was not removed: ${(error as Error).message}`);
  }
}
