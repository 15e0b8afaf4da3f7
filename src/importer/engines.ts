import { utf8 } from "../base/mod.ts";
import { type Engine, openEngine } from "../engine/mod.ts";
import type { KvDb } from "../kvdb/mod.ts";
import type { EngineName } from "./records.ts";
import type { ImportWorld } from "./world.ts";

/** Both engines of a batch share one LevelDB directory; the prefix tells them apart. */
export const dataPrefix = utf8("d");
export const indexPrefix = utf8("i");

export interface BatchEngines {
  kvdb: KvDb;
  engines: Record<EngineName, Engine>;
  close(): Promise<void>;
}

/** Opens the engines of a batch as their owner; workers open the same directory as writers while they are open. */
export async function openBatchEngines(
  world: Pick<ImportWorld, "openKvDb">,
  dir: string,
  openFilesMax: number,
): Promise<BatchEngines> {
  const kvdb = await world.openKvDb(dir, { shared: true, openFilesMax });
  try {
    const store = { kvdb };
    const data = await openEngine({ name: `${dir}:data`, store, prefix: dataPrefix });
    const index = await openEngine({ name: `${dir}:index`, store, prefix: indexPrefix });
    return { kvdb, engines: { data, index }, close: () => kvdb.close() };
  } catch (error) {
    await kvdb.close();
    throw error;
  }
}
