import { join } from "node:path";
import { memoryKvDb, openLevelKvDb } from "../kvdb/mod.ts";
import { type FaultPlan, FaultRunner } from "./faults/mod.ts";
import { pdRoutes, storeRoutes } from "./mount.ts";
import { httpListener, Port, type ServerTls } from "./net/mod.ts";
import { openPdState, type PdState, pdHttp } from "./pd/mod.ts";
import { Cluster, type ClusterOptions, fileBlocks, kvBlocks, type StoreState, smallBlocksIn } from "./state/mod.ts";
import { storeHttp } from "./tikv/mod.ts";

export interface SandboxOptions extends ClusterOptions {
  /** Where the data lives; without it everything is in memory and gone at the end. */
  dir?: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Number of PD members; default 1. The first one leads. */
  pds?: number;
  /** Fixed ports; 0 or absent = any free one. `pd` is that of the first member, `tikv[i]` that of the i-th store. */
  ports?: { pd?: number; tikv?: number[] };
  tls?: ServerTls;
  /** Makes calls fail; see `faults`. */
  faults?: FaultPlan;
}

export interface Sandbox {
  /** `host:port` of each PD member. */
  readonly pd: string[];
  /** `host:port` of each store, by store id. */
  readonly tikv: string[];
  readonly cluster: Cluster;
  readonly pdState: PdState;
  /** What the fault plan did; undefined without one. */
  readonly faults: FaultRunner | undefined;
  /** Cuts a store off: its port refuses, its leaders move to the other stores. */
  stopStore(storeId: bigint): Promise<void>;
  /** Brings a stopped store back on its port. */
  startStore(storeId: bigint): Promise<void>;
  /** Cuts a PD member off; if it led, the next one that runs leads. */
  stopPd(index: number): Promise<void>;
  startPd(index: number): Promise<void>;
  /** Lets another PD member lead. */
  movePdLeader(index: number): void;
  close(): Promise<void>;
}

/** Starts PD and the stores on ports of this host. The data of an earlier sandbox in `dir` is there again. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dir } = options;
  const db = dir === undefined ? memoryKvDb() : await openLevelKvDb(join(dir, "cluster"));
  const blocks = dir === undefined ? kvBlocks(db) : smallBlocksIn(db, await fileBlocks(join(dir, "sst")));
  const cluster = await Cluster.open(db, options, blocks);
  const faults = options.faults === undefined ? undefined : new FaultRunner(cluster, options.faults);
  const pd = await openPdState(cluster, options.pds ?? 1);
  const running = new RunningSandbox(options, cluster, pd, faults);
  try {
    await running.open();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningSandbox implements Sandbox {
  readonly cluster: Cluster;
  readonly pdState: PdState;
  readonly faults: FaultRunner | undefined;
  readonly #options: SandboxOptions;
  readonly #storePorts = new Map<bigint, Port>();
  readonly #pdPorts = new Map<number, Port>();
  readonly #stopped = new Set<Port>();

  constructor(options: SandboxOptions, cluster: Cluster, pd: PdState, faults: FaultRunner | undefined) {
    this.#options = options;
    this.cluster = cluster;
    this.pdState = pd;
    this.faults = faults;
  }

  get pd(): string[] {
    return this.pdState.members.map((_, i) => this.#pdPorts.get(i)!.address);
  }

  get tikv(): string[] {
    return [...this.cluster.stores.values()].map((store) => store.address);
  }

  async open(): Promise<void> {
    const { ports } = this.#options;
    for (const [i, store] of [...this.cluster.stores.values()].entries()) {
      await this.#openStore(store, ports?.tikv?.[i] ?? 0);
      store.address = this.#storePorts.get(store.id)!.address;
      store.statusAddress = store.address;
    }
    const scheme = this.#options.tls === undefined ? "http" : "https";
    for (const [i, member] of this.pdState.members.entries()) {
      await this.#openPd(i, i === 0 ? (ports?.pd ?? 0) : 0);
      member.clientUrl = `${scheme}://${this.#pdPorts.get(i)!.address}`;
    }
  }

  async stopStore(storeId: bigint): Promise<void> {
    const port = this.#storePorts.get(storeId)!;
    this.cluster.stores.get(storeId)!.down = true;
    this.#stopped.add(port);
    await port.close();
    await this.cluster.placement.electWithout(storeId);
  }

  async startStore(storeId: bigint): Promise<void> {
    const store = this.cluster.stores.get(storeId)!;
    await this.#openStore(store, this.#storePorts.get(storeId)!.port);
    store.down = false;
  }

  async stopPd(index: number): Promise<void> {
    const port = this.#pdPorts.get(index)!;
    this.#stopped.add(port);
    const next = this.pdState.members.find((_, i) => !this.#stopped.has(this.#pdPorts.get(i)!));
    if (this.pdState.leadership.leader === this.pdState.members[index] && next !== undefined) {
      this.pdState.leadership.moveTo(next);
    }
    await port.close();
  }

  startPd(index: number): Promise<void> {
    return this.#openPd(index, this.#pdPorts.get(index)!.port);
  }

  movePdLeader(index: number): void {
    this.pdState.leadership.moveTo(this.pdState.members[index]!);
  }

  async close(): Promise<void> {
    for (const port of [...this.#pdPorts.values(), ...this.#storePorts.values()]) {
      if (!this.#stopped.has(port)) await port.close();
    }
    await this.cluster.close();
  }

  async #openStore(store: StoreState, port: number): Promise<void> {
    const routes = storeRoutes(this.cluster, store, this.faults);
    const http = httpListener(storeHttp(this.cluster, store));
    this.#storePorts.set(store.id, await Port.open({ ...this.#place(port), routes, http }));
  }

  async #openPd(index: number, port: number): Promise<void> {
    const member = this.pdState.members[index]!;
    const routes = pdRoutes(this.pdState, this.faults, member);
    const http = httpListener(pdHttp(this.pdState, member));
    this.#pdPorts.set(index, await Port.open({ ...this.#place(port), routes, http }));
  }

  #place(port: number): { host: string; port: number; tls: ServerTls | undefined } {
    return { host: this.#options.host ?? "127.0.0.1", port, tls: this.#options.tls };
  }
}
