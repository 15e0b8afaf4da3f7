import type { Clock } from "../../base/mod.ts";
import type { Cluster } from "../state/mod.ts";
import { openCatalog } from "./catalog-store.ts";
import { type Front, type FrontStorage, listenStatusPort, openSession } from "./session/mod.ts";
import { listenMysql } from "./wire/mod.ts";

export interface FrontOptions {
  storage: FrontStorage;
  host: string;
  /** 0 = any free one. */
  port: number;
  statusPort: number;
  /** `host:port` of PD, shown in `/settings`. */
  pd: string[];
  clock: Clock;
  newCollations: boolean;
}

export interface TidbFront {
  readonly host: string;
  readonly port: number;
  readonly statusPort: number;
  close(): Promise<void>;
}

/** As the newest stable TiDB says it, so that clients take the paths meant for it. */
const VERSION = "8.0.11-TiDB-v8.5.0-levin-sandbox";
const PACKET_SIZE_MAX = 64 << 20;

/** Starts the MySQL port and the status port over a cluster. */
export async function startFront(cluster: Cluster, options: FrontOptions): Promise<TidbFront> {
  const { storage } = options;
  const front: Front = {
    storage,
    catalog: await openCatalog(cluster, storage, { newCollations: options.newCollations, nowMs: options.clock.nowMs }),
    clock: options.clock,
    newCollations: options.newCollations,
    version: VERSION,
    globals: new Map(),
    addresses: { host: options.host, port: 0, statusPort: 0, pd: options.pd },
  };
  const mysql = await listenMysql({
    host: options.host,
    port: options.port,
    version: VERSION,
    passwordHash: (user) => (user === "root" ? "" : undefined),
    openSession: (connectionId, user) => openSession(front, connectionId, user),
    packetSizeMax: PACKET_SIZE_MAX,
  });
  front.addresses.port = mysql.port;
  const status = await listenStatusPort(front, { host: options.host, port: options.statusPort });
  front.addresses.statusPort = status.port;
  return {
    host: options.host,
    port: mysql.port,
    statusPort: status.port,
    async close() {
      await mysql.close();
      await status.close();
    },
  };
}
