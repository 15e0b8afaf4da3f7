import { type Cluster, decodeKey, type Region, type StoreState } from "../state/mod.ts";

/** What a sandbox store says of its disk. */
const CAPACITY = 100n * 1024n ** 3n;

export function storeCapacity(store: StoreState): bigint {
  return store.diskFull ? 600n * 1024n ** 2n : CAPACITY;
}

/** Bytes of ingested pairs. All stores report the same. */
export function storeUsed(cluster: Cluster): bigint {
  let bytes = 0;
  for (const run of cluster.runs.all()) for (const block of run.blocks) bytes += block.bytes;
  return BigInt(bytes);
}

/** Size as PD counts it: whole MiB, at least 1; and number of keys. */
export function regionSize(cluster: Cluster, region: Region): { mib: number; keys: number } {
  const start = region.startKey.length === 0 ? new Uint8Array(0) : decodeKey(region.startKey)!;
  const end = region.endKey.length === 0 ? undefined : decodeKey(region.endKey);
  let bytes = 0;
  let keys = 0;
  for (const block of cluster.blocksIn(start, end)) {
    bytes += block.bytes;
    keys += block.pairs;
  }
  return { mib: Math.max(1, Math.round(bytes / 1024 ** 2)), keys };
}
