import { compareBytes } from "../../base/mod.ts";

export interface Peer {
  id: bigint;
  storeId: bigint;
  learner: boolean;
}

/** One region (raft group). Keys are encoded; an empty end is the end of all keys. */
export interface Region {
  readonly id: bigint;
  startKey: Uint8Array;
  endKey: Uint8Array;
  confVer: bigint;
  version: bigint;
  peers: Peer[];
  /** Peer id of the leader; 0 = none. */
  leader: bigint;
}

export function leaderOf(region: Region): Peer | undefined {
  return region.peers.find((peer) => peer.id === region.leader);
}

export function peerOn(region: Region, storeId: bigint): Peer | undefined {
  return region.peers.find((peer) => peer.storeId === storeId);
}

/** Whether an encoded key lies in the region. */
export function inRegion(region: Region, key: Uint8Array): boolean {
  return (
    compareBytes(key, region.startKey) >= 0 && (region.endKey.length === 0 || compareBytes(key, region.endKey) < 0)
  );
}

/** All regions in key order. They cover every key exactly once. */
export class RegionMap {
  readonly #byId = new Map<bigint, Region>();
  #sorted: Region[] = [];

  get size(): number {
    return this.#sorted.length;
  }

  /** In key order. */
  all(): readonly Region[] {
    return this.#sorted;
  }

  byId(id: bigint): Region | undefined {
    return this.#byId.get(id);
  }

  /** The region that holds an encoded key. */
  at(key: Uint8Array): Region | undefined {
    return this.#sorted[this.#indexOf(key)];
  }

  /** The region left of the one that holds `key`. */
  before(key: Uint8Array): Region | undefined {
    return this.#sorted[this.#indexOf(key) - 1];
  }

  /** Regions that overlap [start, end) of encoded keys; an empty end is the end of all keys. `limit` 0 = all. */
  scan(start: Uint8Array, end: Uint8Array, limit: number): Region[] {
    const out: Region[] = [];
    if (end.length > 0 && compareBytes(start, end) >= 0) return out;
    for (let i = this.#indexOf(start); i < this.#sorted.length; i++) {
      const region = this.#sorted[i]!;
      if (end.length > 0 && compareBytes(region.startKey, end) >= 0) break;
      out.push(region);
      if (limit > 0 && out.length >= limit) break;
    }
    return out;
  }

  /** Takes a region that lies where no other is (loading), in any order; call `seal` afterwards. */
  load(region: Region): void {
    this.#byId.set(region.id, region);
    this.#sorted.push(region);
  }

  seal(): void {
    this.#sorted.sort((a, b) => compareBytes(a.startKey, b.startKey));
  }

  /** The table as it is now; later changes do not show in it. */
  copy(): RegionMap {
    const out = new RegionMap();
    for (const region of this.#sorted) out.load({ ...region, peers: [...region.peers] });
    return out;
  }

  /** Puts `parts` (left to right, the last of them the cut region itself) in the place of the cut region. */
  split(parts: readonly Region[]): void {
    const kept = parts[parts.length - 1]!;
    const index = this.#sorted.indexOf(kept);
    this.#sorted.splice(index, 1, ...parts);
    for (const part of parts) this.#byId.set(part.id, part);
  }

  /** Removes a region that its right neighbour took over. */
  remove(region: Region): void {
    this.#byId.delete(region.id);
    this.#sorted.splice(this.#sorted.indexOf(region), 1);
  }

  #indexOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#sorted[middle]!.startKey, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
