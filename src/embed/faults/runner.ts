import { Code, ConnectError } from "../grpc.ts";
import { type Cluster, decodeKey, encodeKey, peerOn, type Region } from "../state/mod.ts";
import type { Fault, FaultKind, FaultPlan, FaultPoint } from "./plan.ts";

/** Something that ends by itself. */
interface Passing {
  untilMs: number;
  undo: () => void;
}

/** How a region is known inside a request: its id and, if there is one, a range of encoded keys with data. */
export interface RegionHint {
  regionId: bigint | undefined;
  range?: { start: Uint8Array; end: Uint8Array } | undefined;
}

/**
 * Asks the plan at each call and does what it says to the cluster. Faults of the store's or region's state are done here; those of
 * the call itself are given back to the wrapper.
 */
export class FaultRunner {
  readonly cluster: Cluster;
  /** How often each kind struck. */
  readonly fired = new Map<FaultKind, number>();
  /** Calls seen. */
  calls = 0;
  readonly #plan: FaultPlan;
  #passing: Passing[] = [];
  #pdLeads = true;

  constructor(cluster: Cluster, plan: FaultPlan) {
    this.cluster = cluster;
    this.#plan = plan;
  }

  /** Called before a call is served. Throws when the store is down or the fault is an error. */
  async strike(point: Omit<FaultPoint, "call" | "regionId">, hint: RegionHint): Promise<Fault | undefined> {
    this.#expire();
    const fault = this.#plan({ ...point, regionId: hint.regionId, call: ++this.calls });
    if (fault !== undefined) {
      this.fired.set(fault.kind, (this.fired.get(fault.kind) ?? 0) + 1);
      await this.#toState(fault, point.storeId, hint);
    }
    if (point.service === "pd" && !this.#pdLeads && point.method !== "GetMembers") throw unavailable("not leader");
    const store = point.storeId === undefined ? undefined : this.cluster.stores.get(point.storeId);
    if (store?.down) throw unavailable(`store ${store.id} is down`);
    if (fault?.kind === "error") throw new ConnectError(fault.message ?? "injected", fault.code ?? Code.Unavailable);
    if (fault?.kind === "delay") await this.cluster.options.clock.sleep(fault.ms);
    return fault;
  }

  /** Ends everything that passes by itself. */
  heal(): void {
    for (const { undo } of this.#passing) undo();
    this.#passing = [];
  }

  #expire(): void {
    const now = this.cluster.options.clock.nowMs();
    for (const passing of this.#passing) if (passing.untilMs <= now) passing.undo();
    this.#passing = this.#passing.filter(({ untilMs }) => untilMs > now);
  }

  #pass(ms: number, undo: () => void): void {
    this.#passing.push({ untilMs: this.cluster.options.clock.nowMs() + ms, undo });
  }

  async #toState(fault: Fault, storeId: bigint | undefined, hint: RegionHint): Promise<void> {
    const store = storeId === undefined ? undefined : this.cluster.stores.get(storeId);
    const region = hint.regionId === undefined ? undefined : this.cluster.regions.byId(hint.regionId);
    switch (fault.kind) {
      case "disk-full":
        if (store === undefined) return;
        store.diskFull = true;
        return this.#pass(fault.ms, () => {
          store.diskFull = false;
        });
      case "store-down":
        if (store === undefined) return;
        store.down = true;
        this.#pass(fault.ms, () => {
          store.down = false;
        });
        return this.cluster.placement.electWithout(store.id);
      case "stale-regions":
        this.cluster.freezeRegionView();
        return this.#pass(fault.ms, () => this.cluster.thawRegionView());
      case "pd-not-leader":
        this.#pdLeads = false;
        return this.#pass(fault.ms, () => {
          this.#pdLeads = true;
        });
      case "split":
        if (region !== undefined) await this.#split(region, hint.range);
        return;
      case "merge":
        if (region !== undefined) await this.cluster.placement.mergeRight(region);
        return;
      case "leader-move":
        if (region !== undefined) await this.#moveLeader(region);
        return;
      case "peer-move":
        if (region !== undefined) await this.#movePeer(region);
        return;
      default:
        return;
    }
  }

  async #split(region: Region, range: RegionHint["range"]): Promise<void> {
    const low = decodeKey(range?.start ?? region.startKey) ?? new Uint8Array(0);
    const high = decodeKey(range?.end ?? region.endKey);
    const middle = encodeKey(between(low, high));
    const start = region.startKey;
    if (Buffer.compare(middle, start) <= 0) return;
    if (region.endKey.length > 0 && Buffer.compare(middle, region.endKey) >= 0) return;
    await this.cluster.placement.split(region, [middle]);
  }

  async #moveLeader(region: Region): Promise<void> {
    const others = region.peers.filter((peer) => !peer.learner && peer.id !== region.leader);
    const up = others.filter((peer) => this.cluster.stores.get(peer.storeId)?.down === false);
    const chosen = up[Math.floor(this.cluster.options.random.next() * up.length)];
    if (chosen !== undefined) await this.cluster.placement.transferLeader(region, chosen.storeId);
  }

  async #movePeer(region: Region): Promise<void> {
    const free = [...this.cluster.stores.keys()].find((id) => peerOn(region, id) === undefined);
    const follower = region.peers.find((peer) => peer.id !== region.leader) ?? region.peers[0]!;
    if (free !== undefined) await this.cluster.placement.movePeer(region, follower.storeId, free);
    else await this.cluster.placement.replacePeer(region, follower.storeId);
  }
}

export function unavailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}

/** A key about in the middle of two; `high` undefined = no end. Not below `low`. */
function between(low: Uint8Array, high: Uint8Array | undefined): Uint8Array {
  const size = Math.max(low.length, high?.length ?? 0, 1) + 1;
  const toNumber = (key: Uint8Array): bigint => {
    const padded = new Uint8Array(size);
    padded.set(key);
    return BigInt(`0x${Buffer.from(padded).toString("hex")}`);
  };
  const top = high === undefined ? 1n << BigInt(size * 8) : toNumber(high);
  const middle = (toNumber(low) + top) / 2n;
  return new Uint8Array(Buffer.from(middle.toString(16).padStart(size * 2, "0"), "hex"));
}
