import { LevinError } from "../base/mod.ts";
import { PdClient, PdHttp, parseJson, StoreDirectory, TikvClient } from "../cluster/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import { readStatusPort } from "./status-port.ts";

/** The clients of one target cluster; closed together. */
export interface ClusterLink {
  pd: PdClient;
  pdHttp: PdHttp;
  tikv: TikvClient;
  close(): void;
}

const SETTINGS_PATIENCE_MS = 60_000;

/** Of commands that a person waits for, and that nothing is lost with. */
const COMMAND_PATIENCE_MS = 10_000;

/** Connects for one command, without the patience that an import has. */
export function openClusterForCommand(options: ImportOptions, env: ImportEnvironment): Promise<ClusterLink> {
  return openCluster({ ...options, retryDeadlineMs: Math.min(options.retryDeadlineMs, COMMAND_PATIENCE_MS) }, env);
}

/** PD's addresses: as configured, else as TiDB's `/settings` has them in `path`. */
export async function pdAddresses(options: ImportOptions, env: ImportEnvironment): Promise<string[]> {
  if (options.pdAddresses.length > 0) return options.pdAddresses;
  // TiDB may restart right now; but a status port that is configured wrong is not waited for as long.
  const patienceMs = Math.min(options.retryDeadlineMs, SETTINGS_PATIENCE_MS);
  const settings = parseJson(await readStatusPort(options, env, "/settings", patienceMs));
  const path =
    typeof settings === "object" && settings !== null ? (settings as Record<string, unknown>)["path"] : undefined;
  const addresses =
    typeof path === "string"
      ? path
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one.includes(":"))
      : [];
  if (addresses.length === 0) {
    throw new LevinError(
      "Levin:Config:ErrInvalid",
      "Cannot find PD: TiDB's settings name no PD address; give --pd-urls",
    );
  }
  return addresses;
}

/** Connects to PD; stores are connected to when they are first needed. */
export async function openCluster(options: ImportOptions, env: ImportEnvironment): Promise<ClusterLink> {
  const addresses = await pdAddresses(options, env);
  const { clock, random, world } = env;
  const tls = options.clusterTls;
  const connect = world.connect(tls);
  const pd = new PdClient({ clock, random, connect, addresses });
  const pdHttp = new PdHttp({
    clock,
    random,
    send: world.sendHttp(tls),
    addresses,
    tls: tls !== undefined,
  });
  const tikv = new TikvClient({ connect, stores: new StoreDirectory(pd) });
  const close = (): void => {
    tikv.close();
    pd.close();
  };
  try {
    await pd.connect(env.signal);
  } catch (error) {
    close();
    throw error;
  }
  return { pd, pdHttp, tikv, close };
}
