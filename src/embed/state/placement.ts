import { assert, compareBytes } from "../../base/mod.ts";
import type { IdAllocator } from "./ids.ts";
import type { Journal } from "./journal.ts";
import type { ClusterOptions, StoreState } from "./options.ts";
import { inRegion, peerOn, type Region, type RegionMap } from "./region.ts";
import { encodeRegion } from "./region-codec.ts";
import { newStore, storeChange } from "./stores.ts";
import { be64, tableKey } from "./tables.ts";

/** A move of peers counts as adding one, two joint states and removing one. */
const CONF_VER_OF_MOVE = 4n;

/** Changes of the region table: what raft groups do to themselves when PD or a client asks. All keys are encoded. */
export class Placement {
  readonly #regions: RegionMap;
  readonly #stores: Map<bigint, StoreState>;
  readonly #ids: IdAllocator;
  readonly #journal: Journal;

  constructor(regions: RegionMap, stores: Map<bigint, StoreState>, ids: IdAllocator, journal: Journal) {
    this.#regions = regions;
    this.#stores = stores;
    this.#ids = ids;
    this.#journal = journal;
  }

  /** A new cluster: its stores and one region over all keys. */
  async bootstrap(options: ClusterOptions): Promise<void> {
    const count = options.stores ?? 1;
    const replicas = Math.min(options.replicas ?? 3, count);
    const stores: StoreState[] = [];
    for (let i = 0; i < count; i++) stores.push(newStore(this.#ids.take(), options));
    for (const store of stores) this.#stores.set(store.id, store);
    const id = this.#ids.take();
    const peers = stores
      .slice(0, replicas)
      .map((store) => ({ id: this.#ids.take(), storeId: store.id, learner: false }));
    const none = new Uint8Array(0);
    const confVer = BigInt(2 * replicas - 1);
    const region = { id, startKey: none, endKey: none, confVer, version: 1n, peers, leader: peers[0]!.id };
    this.#regions.load(region);
    this.#regions.seal();
    await this.#journal.write([...stores.map(storeChange), regionChange(region)]);
  }

  /**
   * Cuts a region at keys strictly inside it, ascending and without repeats. Returns all parts, left to right; the right-most keeps
   * the id.
   */
  async split(region: Region, keys: readonly Uint8Array[]): Promise<Region[]> {
    assert(keys.length > 0, "a split has keys");
    const version = region.version + BigInt(keys.length);
    const parts: Region[] = [];
    let start = region.startKey;
    for (const key of keys) {
      assert(inRegion(region, key) && compareBytes(key, start) > 0, "split keys ascend inside the region");
      const id = this.#ids.take();
      const peers = region.peers.map((peer) => ({ ...peer, id: this.#ids.take() }));
      const leaderAt = region.peers.findIndex((peer) => peer.id === region.leader);
      const leader = peers[leaderAt]?.id ?? 0n;
      parts.push({ id, startKey: start, endKey: key, confVer: region.confVer, version, peers, leader });
      start = key;
    }
    region.startKey = start;
    region.version = version;
    parts.push(region);
    this.#regions.split(parts);
    await this.#journal.write(parts.map(regionChange));
    return parts;
  }

  /** Cuts wherever a key is no border yet; returns the regions that now start at the keys. */
  async splitAt(keys: readonly Uint8Array[]): Promise<Region[]> {
    const sorted = [...keys].sort(compareBytes);
    for (let i = 0; i < sorted.length; ) {
      // Looked up anew for each region: while the one before was written, somebody else may have cut.
      const region = this.#regions.at(sorted[i]!)!;
      const inside: Uint8Array[] = [];
      for (; i < sorted.length && inRegion(region, sorted[i]!); i++) {
        if (compareBytes(sorted[i]!, inside.at(-1) ?? region.startKey) > 0) inside.push(sorted[i]!);
      }
      if (inside.length > 0) await this.split(region, inside);
    }
    return sorted.map((key) => this.#regions.at(key)!);
  }

  /** Makes the peer on that store the leader; false = there is none that can lead. */
  async transferLeader(region: Region, storeId: bigint): Promise<boolean> {
    const peer = peerOn(region, storeId);
    if (peer === undefined || peer.learner) return false;
    region.leader = peer.id;
    await this.#journal.write([regionChange(region)]);
    return true;
  }

  /** Replaces the peer on one store by a new one on another. */
  async movePeer(region: Region, from: bigint, to: bigint): Promise<boolean> {
    const old = peerOn(region, from);
    if (old === undefined || peerOn(region, to) !== undefined) return false;
    const peer = { id: this.#ids.take(), storeId: to, learner: false };
    region.peers = region.peers.map((other) => (other === old ? peer : other));
    if (region.leader === old.id) region.leader = peer.id;
    region.confVer += CONF_VER_OF_MOVE;
    await this.#journal.write([regionChange(region)]);
    return true;
  }

  /** Gives the peer on a store a new id, as after its removal and return. */
  async replacePeer(region: Region, storeId: bigint): Promise<void> {
    const old = peerOn(region, storeId);
    if (old === undefined) return;
    const peer = { ...old, id: this.#ids.take() };
    region.peers = region.peers.map((other) => (other === old ? peer : other));
    if (region.leader === old.id) region.leader = peer.id;
    region.confVer += CONF_VER_OF_MOVE;
    await this.#journal.write([regionChange(region)]);
  }

  /** Adds a learner on a store without a peer of the region. */
  async addLearner(region: Region, storeId: bigint): Promise<boolean> {
    if (peerOn(region, storeId) !== undefined) return false;
    region.peers = [...region.peers, { id: this.#ids.take(), storeId, learner: true }];
    region.confVer++;
    await this.#journal.write([regionChange(region)]);
    return true;
  }

  /** Merges a region into its right neighbour, which takes over its keys; false = none with the same stores. */
  async mergeRight(left: Region): Promise<boolean> {
    const right = left.endKey.length === 0 ? undefined : this.#regions.at(left.endKey);
    if (right === undefined || !left.peers.every((peer) => peerOn(right, peer.storeId) !== undefined)) return false;
    if (left.peers.length !== right.peers.length) return false;
    this.#regions.remove(left);
    right.startKey = left.startKey;
    if (left.version > right.version) right.version = left.version;
    right.version++;
    await this.#journal.write([{ key: regionKey(left), value: undefined }, regionChange(right)]);
    return true;
  }

  /** Lets other peers lead what a lost store led. */
  async electWithout(storeId: bigint): Promise<void> {
    for (const region of this.#regions.all()) {
      if (peerOn(region, storeId)?.id !== region.leader) continue;
      const other = region.peers.find((peer) => !peer.learner && this.#stores.get(peer.storeId)?.down === false);
      if (other !== undefined) await this.transferLeader(region, other.storeId);
    }
  }
}

function regionKey(region: Region): Uint8Array {
  return tableKey("r", be64(region.id));
}

function regionChange(region: Region): { key: Uint8Array; value: Uint8Array } {
  return { key: regionKey(region), value: encodeRegion(region) };
}
