import { type Cluster, leaderOf, peerOn, type Region } from "../state/mod.ts";

/** How long an operator shows as running. */
const RUN_MS = 100;
/** PD forgets finished operators after ten minutes. */
const KEEP_MS = 600_000;

/** Groups whose loads are remembered; the one used longest ago is forgotten first. */
const MAX_GROUPS = 256;

export interface Operator {
  desc: string;
  kind: string;
  startedMs: number;
}

/** PD's operators: what it did to regions when asked. The work itself is done at once; the record lives on like PD's. */
export class Operators {
  readonly #cluster: Cluster;
  readonly #byRegion = new Map<bigint, Operator>();
  /** Leaders and peers given to a store by the scatters of a group. */
  readonly #groups = new Map<string, Map<bigint, { leaders: number; peers: number }>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The newest operator of a region and whether it still runs. */
  get(regionId: bigint): { operator: Operator; running: boolean } | undefined {
    const operator = this.#byRegion.get(regionId);
    if (operator === undefined) return undefined;
    const age = this.#cluster.options.clock.nowMs() - operator.startedMs;
    if (age > KEEP_MS) {
      this.#byRegion.delete(regionId);
      return undefined;
    }
    return { operator, running: age < RUN_MS };
  }

  note(regionId: bigint, desc: string, kind: string): void {
    this.#byRegion.set(regionId, { desc, kind, startedMs: this.#cluster.options.clock.nowMs() });
  }

  /** Spreads peers and leader of a region over the stores; false = too few stores are up. */
  async scatter(region: Region, group: string): Promise<boolean> {
    const up = [...this.#cluster.stores.values()].filter((store) => store.state === 0 && !store.down);
    const load = this.#groups.get(group) ?? new Map<bigint, { leaders: number; peers: number }>();
    this.#groups.delete(group);
    this.#groups.set(group, load);
    if (this.#groups.size > MAX_GROUPS) this.#groups.delete(this.#groups.keys().next().value!);
    for (const store of up) if (!load.has(store.id)) load.set(store.id, { leaders: 0, peers: 0 });
    if (up.length < region.peers.filter((peer) => !peer.learner).length) return false;
    for (const peer of [...region.peers]) {
      if (peer.learner) continue;
      const free = up.filter((store) => peerOn(region, store.id) === undefined);
      const best = free.sort((a, b) => load.get(a.id)!.peers - load.get(b.id)!.peers)[0];
      const own = load.get(peer.storeId)?.peers ?? Number.MAX_SAFE_INTEGER;
      if (best !== undefined && load.get(best.id)!.peers < own) {
        await this.#cluster.placement.movePeer(region, peer.storeId, best.id);
      }
    }
    const voters = region.peers.filter(
      (peer) => !peer.learner && this.#cluster.stores.get(peer.storeId)?.down === false,
    );
    const least = [...voters].sort((a, b) => load.get(a.storeId)!.leaders - load.get(b.storeId)!.leaders)[0];
    const moved = least !== undefined && least.id !== leaderOf(region)?.id;
    if (moved) await this.#cluster.placement.transferLeader(region, least.storeId);
    for (const peer of region.peers) {
      const count = load.get(peer.storeId);
      if (count === undefined) continue;
      count.peers++;
      if (peer.id === region.leader) count.leaders++;
    }
    if (moved) this.note(region.id, "scatter-region", "admin,leader");
    return true;
  }
}
