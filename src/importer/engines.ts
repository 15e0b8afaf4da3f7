import { joinPath, utf8 } from "../base/mod.ts";
import { type Engine, type MapStore, openEngine } from "../engine/mod.ts";
import type { KvDb } from "../kvdb/mod.ts";
import type { EngineName } from "./records.ts";
import type { ImportWorld } from "./world.ts";

/** Both engines of a batch share one LevelDB directory; the prefix tells them apart. */
export const dataPrefix = utf8("d");
export const indexPrefix = utf8("i");

/** Where blocks of pairs are kept: in LevelDB beside the runs' records, or in a file a run. */
export type BlockStore = "level" | "files";

/** One engine's part of a batch's directory; owner and writers must ask for the same. */
export function engineStore(kvdb: KvDb, dir: string, blocks: BlockStore, name: EngineName): MapStore {
  return blocks === "files" ? { kvdb, blockDir: joinPath(dir, `blocks-${name}`) } : { kvdb };
}

export interface BatchEngines {
  kvdb: KvDb;
  engines: Record<EngineName, Engine>;
  close(): Promise<void>;
}

/** Opens the engines of a batch as their owner; workers open the same directory as writers while they are open. */
export async function openBatchEngines(
  world: Pick<ImportWorld, "openKvDb">,
  dir: string,
  blocks: BlockStore,
  openFilesMax: number,
): Promise<BatchEngines> {
  const kvdb = await world.openKvDb(dir, { shared: true, openFilesMax });
  try {
    const open = (name: EngineName, prefix: Uint8Array): Promise<Engine> =>
      openEngine({ name: `${dir}:${name}`, store: engineStore(kvdb, dir, blocks, name), prefix });
    const data = await open("data", dataPrefix);
    const index = await open("index", indexPrefix);
    return { kvdb, engines: { data, index }, close: () => kvdb.close() };
  } catch (error) {
    await kvdb.close();
    throw error;
  }
}
