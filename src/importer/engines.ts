import { dirname } from "node:path";
import { type Files, joinPath, utf8 } from "../base/mod.ts";
import { type Engine, type MapStore, openEngine } from "../engine/mod.ts";
import type { KvDb, LevelKvDbOptions } from "../kvdb/mod.ts";
import type { ImportEnvironment } from "./options.ts";
import type { EngineName } from "./records.ts";

/** Both engines of a batch share one LevelDB directory; the prefix tells them apart. */
export const dataPrefix = utf8("d");
export const indexPrefix = utf8("i");
/** Rows that may be in each other's way, and what of the pairs stays. */
export const rowsPrefix = utf8("c");
const overlayPrefix = utf8("o");

/** Where blocks of pairs are kept: in LevelDB beside the runs' records, or in a file a run. */
export type BlockStore = "level" | "files";

const MIB = 1 << 20;
/**
 * LevelDB keeps at least 64 table files mapped, whose pages count as the process's own once they were read: 64 times 2 MiB, and in
 * the worst case its 12 youngest files as large as the write buffer.
 */
const levelSizes: LevelKvDbOptions = {
  writeBufferBytes: 4 * MIB,
  fileBytes: 2 * MIB,
  openFilesMax: 74,
  cacheBytes: MIB,
};

/** What one open batch's LevelDB takes beside the arenas: two write buffers and, when it keeps blocks, its mapped files. */
export const levelBytes: Record<BlockStore, number> = { files: 10 * MIB, level: 10 * MIB + (64 * 2 + 12 * 4) * MIB };

/** Where an engine's blocks are, when they are in files. */
export function blockDirOf(dir: string, name: EngineName): string {
  return joinPath(dir, `blocks-${name}`);
}

/** One engine's part of a batch's directory; owner and writers must ask for the same. */
export function engineStore(kvdb: KvDb, dir: string, blocks: BlockStore, name: EngineName, files: Files): MapStore {
  return blocks === "files" ? { kvdb, blockDir: blockDirOf(dir, name), files } : { kvdb };
}

export interface BatchEngines {
  kvdb: KvDb;
  engines: Record<EngineName, Engine>;
  /** Where the run looks for rows in each other's way. */
  conflict: { rows: Engine; overlay: Engine } | undefined;
  close(): Promise<void>;
}

/** Of a directory that is being removed. */
const GONE = ".gone";

/**
 * Removes a batch's directory. Under its own name it is there as a whole or not at all: one whose removal was broken off would be taken for a
 * LevelDB that has lost files.
 */
export async function removeEngineDir(files: Files, dir: string): Promise<void> {
  const aside = `${dir}${GONE}`;
  await files.removeTree(aside);
  if ((await files.entries(dir)) === undefined) return;
  await files.rename(dir, aside);
  await files.syncDir(dirname(dir));
  await files.removeTree(aside);
}

/** Removes what imports keep in the directory of sorted pairs; anything else there is not levin's. */
export async function removeEngines(files: Files, dir: string): Promise<void> {
  for (const name of await files.list(dir)) {
    if (!/^batch-\d+(-\d+)?(\.gone)?$/.test(name)) continue;
    const path = joinPath(dir, name);
    if (name.endsWith(GONE)) await files.removeTree(path);
    else await removeEngineDir(files, path);
  }
}

/** Opens the engines of a batch as their owner; workers open the same directory as writers while they are open. */
export async function openBatchEngines(
  { world, files }: Pick<ImportEnvironment, "world" | "files">,
  dir: string,
  blocks: BlockStore,
  withConflicts: boolean,
): Promise<BatchEngines> {
  const kvdb = await world.openKvDb(dir, { shared: true, ...levelSizes });
  try {
    const open = (name: EngineName, prefix: Uint8Array): Promise<Engine> =>
      openEngine({ name: `${dir}:${name}`, store: engineStore(kvdb, dir, blocks, name, files), prefix });
    const data = await open("data", dataPrefix);
    const index = await open("index", indexPrefix);
    const aside = (name: string, prefix: Uint8Array): Promise<Engine> =>
      openEngine({ name: `${dir}:${name}`, store: { kvdb, files }, prefix });
    const conflict = withConflicts
      ? { rows: await aside("rows", rowsPrefix), overlay: await aside("overlay", overlayPrefix) }
      : undefined;
    const close = async (): Promise<void> => {
      await data.close();
      await index.close();
      await kvdb.close();
    };
    return { kvdb, engines: { data, index }, conflict, close };
  } catch (error) {
    await kvdb.close();
    throw error;
  }
}
