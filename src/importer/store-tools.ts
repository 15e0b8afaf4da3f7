import { LevinError } from "../base/mod.ts";
import type { Store } from "../cluster/mod.ts";
import { type ClusterLink, openClusterForCommand } from "./cluster-link.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";

/** What became of one store. */
export interface StoreAnswer {
  readonly address: string;
  readonly text: string;
  readonly failed: boolean;
}

/** The lowest level of RocksDB: everything is compacted. */
const LOWEST_LEVEL = -1;

/** Compacts all data of all stores to a level of RocksDB, the lowest if absent; may take hours. */
export function compactStores(
  options: ImportOptions,
  env: ImportEnvironment,
  level = LOWEST_LEVEL,
): Promise<StoreAnswer[]> {
  return onAllStores(options, env, async ({ tikv }, store) => {
    const known = await tikv.compact(store, level, env.signal);
    return known ? "compacted" : "does not compact on demand";
  });
}

export function switchModes(
  mode: "import" | "normal",
  options: ImportOptions,
  env: ImportEnvironment,
): Promise<StoreAnswer[]> {
  return onAllStores(options, env, async ({ tikv }, store) => {
    const known = await tikv.switchMode(store, mode, [], env.signal);
    return known ? `told to be in ${mode} mode` : "has no import mode";
  });
}

/** Import mode by what it does: TiKV shows a limit of pending compaction of 0 then (lightning/pkg, tikv.FetchMode). */
export function storeModes(options: ImportOptions, env: ImportEnvironment): Promise<StoreAnswer[]> {
  const scheme = options.clusterTls === undefined ? "http" : "https";
  const send = env.world.sendHttp(options.clusterTls);
  return onAllStores(options, env, async (_, store) => {
    const url = `${scheme}://${store.statusAddress}/metrics`;
    const { body } = await send({ method: "GET", url }, env.signal);
    const limit = /^tikv_config_rocksdb\{cf="default",name="hard_pending_compaction_bytes_limit"\} ([^\n]+)$/m.exec(
      body,
    );
    if (limit === null) throw new Error("its metrics do not show the mode");
    return `${limit[1] === "0" ? "Import" : "Normal"} mode`;
  });
}

/** One after another, as each answer is for people; one that fails does not keep the others from theirs. */
async function onAllStores(
  options: ImportOptions,
  env: ImportEnvironment,
  ask: (cluster: ClusterLink, store: Store) => Promise<string>,
): Promise<StoreAnswer[]> {
  const cluster = await openClusterForCommand(options, env);
  try {
    const answers: StoreAnswer[] = [];
    for (const store of await cluster.pd.getStores(env.signal)) {
      if (store.state === "tombstone" || store.isTiFlash) continue;
      const { address } = store;
      try {
        answers.push({ address, text: await ask(cluster, store), failed: false });
      } catch (thrown) {
        env.signal.throwIfAborted();
        answers.push({ address, text: LevinError.from(thrown).message, failed: true });
      }
    }
    return answers;
  } finally {
    cluster.close();
  }
}
