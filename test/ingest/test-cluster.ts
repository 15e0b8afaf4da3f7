import { type Clock, type Random, seededRandom } from "../../src/base/mod.ts";
import {
  type Connect,
  defaultTikvLimits,
  grpcConnect,
  PdClient,
  StoreDirectory,
  TikvClient,
  type TikvLimits,
} from "../../src/cluster/mod.ts";
import { Cluster, type ClusterOptions, pdRoutes, startSandbox, storeRoutes } from "../../src/embed/mod.ts";
import { openPdState } from "../../src/embed/pd/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { createInProcessTransport } from "../../src/rpc/mod.ts";
import { scaledClock } from "../cluster/scaled-clock.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";
import { FaultyNetwork } from "./faults.ts";

export interface TestCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: PdClient;
  readonly tikv: TikvClient;
  /** Between the clients and the stores; PD is reached without faults. */
  readonly network: FaultyNetwork;
  /** PD's `host:port`. */
  readonly pdAddress: string;
  /** What the stores refused although real ones would have taken it to their harm. */
  readonly harms: string[];
  /** Cuts a store off; its leaders move to the others. */
  stopStore(id: bigint): Promise<void>;
  startStore(id: bigint): Promise<void>;
}

interface Options extends Partial<ClusterOptions> {
  tikvLimits?: Partial<TikvLimits>;
  /** Calls of PD may fail as well. */
  faultyPd?: boolean;
}

/** An embedded cluster and the importer's clients of it in this process, without sockets, on a virtual clock. */
export async function openCluster(options: Options = {}): Promise<TestCluster> {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  const harms: string[] = [];
  const cluster = await Cluster.open(memoryKvDb(), {
    clock,
    random,
    onHarm: (text) => void harms.push(text),
    ...options,
  });
  const state = await openPdState(cluster);
  state.clientUrl = "http://pd";
  const stores = [...cluster.stores.values()];
  for (const store of stores) store.address = `tikv-${store.id}`;
  const connect: Connect = (address) => {
    const store = stores.find((candidate) => candidate.address === address);
    const routes = store === undefined ? pdRoutes(state) : storeRoutes(cluster, store);
    return createInProcessTransport(routes, { target: address, clock });
  };
  const network = new FaultyNetwork(connect);
  network.isDown = (address) => stores.some((store) => store.address === address && store.down);
  return {
    cluster,
    clock,
    random,
    network,
    harms,
    pdAddress: "pd",
    ...(await clientsOf({ clock, random, connect, network, addresses: ["pd"], options })),
    async stopStore(id) {
      cluster.stores.get(id)!.down = true;
      await cluster.placement.electWithout(id);
    },
    async startStore(id) {
      cluster.stores.get(id)!.down = false;
    },
    async [Symbol.asyncDispose]() {
      clock.stop();
      await cluster.close();
    },
  };
}

/** The same over ports of this host, on a clock that runs twenty times faster than the real one. */
export async function openSandbox(options: Options = {}): Promise<TestCluster> {
  const clock = scaledClock(20);
  const random = seededRandom(7);
  const harms: string[] = [];
  const sandbox = await startSandbox({ clock, random, onHarm: (text) => void harms.push(text), ...options });
  const connect = grpcConnect({ clock });
  const network = new FaultyNetwork(connect);
  const clients = await clientsOf({ clock, random, connect, network, addresses: sandbox.pd, options });
  return {
    cluster: sandbox.cluster,
    clock,
    random,
    network,
    harms,
    pdAddress: sandbox.pd[0]!,
    ...clients,
    stopStore: (id) => sandbox.stopStore(id),
    startStore: (id) => sandbox.startStore(id),
    async [Symbol.asyncDispose]() {
      clients.pd.close();
      clients.tikv.close();
      await sandbox.close();
    },
  };
}

interface ClientParts {
  clock: Clock;
  random: Random;
  connect: Connect;
  network: FaultyNetwork;
  addresses: string[];
  options: Options;
}

async function clientsOf(parts: ClientParts): Promise<{ pd: PdClient; tikv: TikvClient }> {
  const { clock, random, connect, network, addresses, options } = parts;
  const pd = new PdClient({ clock, random, connect: options.faultyPd ? network.connect : connect, addresses });
  const limits = { ...defaultTikvLimits, ...options.tikvLimits };
  const tikv = new TikvClient({ connect: network.connect, stores: new StoreDirectory(pd), limits });
  await pd.connect();
  return { pd, tikv };
}
