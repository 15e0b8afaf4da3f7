import { join } from "node:path";
import { ImportSST } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { Tikv } from "../../gen/tikvpb_pb.ts";
import { memoryKvDb, openLevelKvDb } from "../kvdb/mod.ts";
import { type FaultPlan, FaultRunner, withFaults } from "./faults/mod.ts";
import type { ConnectRouter } from "./grpc.ts";
import { httpListener, Port, type ServerTls } from "./net/mod.ts";
import { openPdState, type PdState, pdHttp, pdService } from "./pd/mod.ts";
import { Cluster, type ClusterOptions, fileBlocks, kvBlocks, type StoreState } from "./state/mod.ts";
import { importService, kvService, packedWriteMethod, storeHttp } from "./tikv/mod.ts";

export interface SandboxOptions extends ClusterOptions {
  /** Where the data lives; without it everything is in memory and gone at the end. */
  dir?: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Fixed ports; 0 or absent = any free one. `tikv[i]` belongs to the i-th store. */
  ports?: { pd?: number; tikv?: number[] };
  tls?: ServerTls;
  /** Makes calls fail; see `faults`. */
  faults?: FaultPlan;
}

export interface Sandbox {
  /** `host:port` of each PD. */
  readonly pd: string[];
  /** `host:port` of each store, by store id. */
  readonly tikv: string[];
  readonly cluster: Cluster;
  /** What the fault plan did; undefined without one. */
  readonly faults: FaultRunner | undefined;
  /** Cuts a store off: its port refuses, its leaders move to the other stores. */
  stopStore(storeId: bigint): Promise<void>;
  /** Brings a stopped store back on its port. */
  startStore(storeId: bigint): Promise<void>;
  close(): Promise<void>;
}

/** Starts PD and the stores on ports of this host. The data of an earlier sandbox in `dir` is there again. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dir } = options;
  const db = dir === undefined ? memoryKvDb() : await openLevelKvDb(join(dir, "cluster"));
  const blocks = dir === undefined ? kvBlocks(db) : await fileBlocks(join(dir, "sst"));
  const cluster = await Cluster.open(db, options, blocks);
  const faults = options.faults === undefined ? undefined : new FaultRunner(cluster, options.faults);
  const host = options.host ?? "127.0.0.1";
  const scheme = options.tls === undefined ? "http" : "https";
  const stores = [...cluster.stores.values()];
  const ports = new Map<bigint, Port>();
  const open = async (store: StoreState, port: number): Promise<void> => {
    const routes = storeRoutes(cluster, store, faults);
    const http = httpListener(storeHttp(cluster, store));
    ports.set(store.id, await Port.open({ host, port, tls: options.tls, routes, http }));
  };
  for (const [i, store] of stores.entries()) {
    await open(store, options.ports?.tikv?.[i] ?? 0);
    store.address = ports.get(store.id)!.address;
    store.statusAddress = store.address;
  }
  const pd = await openPdState(cluster);
  const pdPort = await Port.open({
    host,
    port: options.ports?.pd ?? 0,
    tls: options.tls,
    routes: pdRoutes(pd, faults),
    http: httpListener(pdHttp(pd)),
  });
  pd.clientUrl = `${scheme}://${pdPort.address}`;
  return {
    pd: [pdPort.address],
    tikv: stores.map((store) => store.address),
    cluster,
    faults,
    async stopStore(storeId) {
      cluster.stores.get(storeId)!.down = true;
      await ports.get(storeId)!.close();
      await cluster.placement.electWithout(storeId);
    },
    async startStore(storeId) {
      const store = cluster.stores.get(storeId)!;
      await open(store, ports.get(storeId)!.port);
      store.down = false;
    },
    async close() {
      await pdPort.close();
      for (const [storeId, port] of ports) if (!cluster.stores.get(storeId)!.down) await port.close();
      await cluster.close();
    },
  };
}

/** Mounts PD's gRPC service on a router: of a port, or of an in-process transport. */
export function pdRoutes(pd: PdState, faults?: FaultRunner): (router: ConnectRouter) => void {
  const plain = pdService(pd);
  const service = faults === undefined ? plain : withFaults(plain, "pd", undefined, faults);
  return (router) => void router.service(PD, service);
}

/** Mounts one store's services. */
export function storeRoutes(
  cluster: Cluster,
  store: StoreState,
  faults?: FaultRunner,
): (router: ConnectRouter) => void {
  const plainImport = importService(cluster, store);
  const plainKv = kvService(cluster, store);
  const kv = faults === undefined ? plainKv : withFaults(plainKv, "kv", store.id, faults);
  const imports = faults === undefined ? plainImport : withFaults(plainImport, "import", store.id, faults);
  const { write, ...others } = imports;
  return (router) => {
    router.service(Tikv, kv);
    router.service(ImportSST, others);
    router.rpc(packedWriteMethod, write);
  };
}
