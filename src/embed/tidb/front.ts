import type { Clock } from "../../base/mod.ts";
import type { Cluster } from "../state/mod.ts";
import { openCatalog } from "./catalog-store.ts";
import type { MakeRowEncoder } from "./dml/mod.ts";
import type { EvaluateVirtual } from "./reader/mod.ts";
import { type Front, type FrontStorage, listenStatusPort, openSession } from "./session/mod.ts";
import { AutoIds, KeyLocks } from "./store/mod.ts";
import { listenMysql, SqlError } from "./wire/mod.ts";

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
  /** Encodes the rows of INSERT, UPDATE and DELETE; without it these are refused. */
  makeRowEncoder?: MakeRowEncoder;
  /** Fills in virtual generated columns; without it they read as NULL. */
  evaluateVirtual?: EvaluateVirtual;
  /** Both ports speak TLS too; the status port nothing else. */
  tls?: { cert: string; key: string; ca?: string };
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
const COUNTERS = "auto-ids";

function refuseRows(): never {
  throw new SqlError(1105, "this sandbox takes no rows by SQL: it was started without an encoder");
}

/** What the sessions of a front share; without ports of its own, for use inside of one process. */
export async function openFrontState(cluster: Cluster, options: FrontOptions): Promise<Front> {
  const { storage, clock, newCollations } = options;
  const autoIds = await AutoIds.open(
    {
      load: () => cluster.facts.get(COUNTERS),
      save: (counters) => cluster.facts.set(COUNTERS, counters),
    },
    clock,
  );
  return {
    storage,
    catalog: await openCatalog(cluster, storage, { newCollations, autoIds, nowMs: () => clock.nowMs() }),
    clock,
    newCollations,
    version: VERSION,
    globals: new Map(),
    autoIds,
    locks: new KeyLocks(clock),
    userLocks: new KeyLocks(clock),
    makeRowEncoder: options.makeRowEncoder ?? refuseRows,
    evaluateVirtual: options.evaluateVirtual,
    sessions: new Map(),
    startedMs: clock.nowMs(),
    addresses: { host: options.host, port: options.port, statusPort: options.statusPort, pd: options.pd },
  };
}

/** Starts the MySQL port and the status port over a cluster. */
export async function startFront(cluster: Cluster, options: FrontOptions): Promise<TidbFront> {
  const { tls } = options;
  const front = await openFrontState(cluster, options);
  const mysql = await listenMysql({
    host: options.host,
    port: options.port,
    version: VERSION,
    passwordHash: (user) => (user === "root" ? "" : undefined),
    openSession: (connectionId, user, client) => openSession(front, connectionId, user, client),
    packetSizeMax: PACKET_SIZE_MAX,
    ...(tls && { tls }),
  });
  front.addresses.port = mysql.port;
  const status = await listenStatusPort(front, { host: options.host, port: options.statusPort, ...(tls && { tls }) });
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
