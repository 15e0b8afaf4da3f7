import { LevinError } from "../base/mod.ts";
import { type Restored, restoreCluster } from "../ingest/mod.ts";
import { openClusterForCommand } from "./cluster-link.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";

/** Undoes what killed runs left in a cluster: import mode on the stores, label rules of levin. */
export async function undoLeftovers(options: ImportOptions, env: ImportEnvironment): Promise<Restored> {
  const cluster = await openClusterForCommand(options, env);
  try {
    return await restoreCluster({
      pd: cluster.pdHttp,
      tikv: cluster.tikv,
      signal: env.signal,
      onTrouble: (thrown, store) => {
        const where = store === undefined ? "" : `store ${store.id} at ${store.address}: `;
        env.emit({ kind: "log", level: "warn", message: `${where}${LevinError.from(thrown).message}` });
      },
    });
  } finally {
    cluster.close();
  }
}
