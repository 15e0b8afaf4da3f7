import { compareBytes } from "../base/mod.ts";
import { afterKey, type Cluster, decodeKey, encodeKey, leaderOf, type ReadPair, type Region } from "./state/mod.ts";
import { type Change, type FrontStorage, type RegionFacts, SqlError } from "./tidb/mod.ts";
import { checksumRange } from "./tikv/mod.ts";

/** Pairs of one piece of a scan. */
const PIECE_PAIRS = 1024;

/** The data of a cluster as the TiDB front reads and changes it. Keys are raw; an empty end is the end of all keys. */
export function frontStorage(cluster: Cluster): FrontStorage {
  // A reader's timestamp is taken when every commit below it is written, so that a snapshot never changes.
  const committing = new Set<Promise<void>>();
  return {
    async currentTs() {
      if (committing.size > 0) await Promise.allSettled(committing);
      return cluster.tso.next();
    },
    scan: (start, end, ts) => scan(cluster, start, end, ts),
    get: async (key, ts) => (await cluster.mvcc.get(key, ts))?.value,
    async checksum(start, end, ts) {
      const { crc64Xor, kvs, bytes } = await checksumRange(cluster, { start, end }, ts);
      return { crc: crc64Xor, kvs, bytes };
    },
    async commit(changes, startTs) {
      const done = commit(cluster, changes, startTs);
      committing.add(done);
      await done.finally(() => committing.delete(done));
    },
    regions: (start, end) => regions(cluster, start, end),
    destroyRange: (start, end) => cluster.destroyRange(start, end),
    async splitAt(key) {
      await cluster.placement.splitAt([encodeKey(key)]);
    },
  };
}

async function* scan(cluster: Cluster, start: Uint8Array, end: Uint8Array, ts: bigint): AsyncGenerator<ReadPair[]> {
  let from = start;
  for (;;) {
    const piece = await cluster.reader.scan(from, end.length === 0 ? undefined : end, ts, { limit: PIECE_PAIRS });
    if (piece.length > 0) yield piece;
    if (piece.length < PIECE_PAIRS) return;
    from = afterKey(piece[piece.length - 1]!.key);
  }
}

/** Changes of one transaction, whose keys the front has locked among its own sessions. */
async function commit(cluster: Cluster, changes: readonly Change[], startTs: bigint): Promise<void> {
  for (const { key } of changes) {
    if (cluster.mvcc.lockOf(key) !== undefined)
      throw new SqlError(1205, "Lock wait timeout exceeded; try restarting transaction");
  }
  await cluster.mvcc.write(changes, startTs, await cluster.tso.next());
}

function regions(cluster: Cluster, start: Uint8Array, end: Uint8Array): RegionFacts[] {
  const [from, to] = [encodeKey(start), encodeKey(end)];
  const overlaps = (region: Region) =>
    (end.length === 0 || compareBytes(region.startKey, to) < 0) &&
    (region.endKey.length === 0 || start.length === 0 || compareBytes(region.endKey, from) > 0);
  return cluster.regions
    .all()
    .filter(overlaps)
    .map((region) => regionFacts(cluster, region));
}

const MIB = 1 << 20;

function regionFacts(cluster: Cluster, region: Region): RegionFacts {
  const start = raw(region.startKey);
  const end = raw(region.endKey);
  let bytes = 0;
  let keys = 0;
  for (const block of cluster.blocksIn(start, end.length === 0 ? undefined : end)) {
    bytes += block.bytes;
    keys += block.pairs;
  }
  const leader = leaderOf(region);
  return {
    id: region.id,
    start,
    end,
    confVer: region.confVer,
    version: region.version,
    leaderId: leader?.id ?? 0n,
    leaderStoreId: leader?.storeId ?? 0n,
    peerIds: region.peers.map(({ id }) => id),
    sizeMiB: Math.max(1, Math.round(bytes / MIB)),
    keys,
  };
}

/** Borders of regions are encoded keys, mostly of whole raw keys. */
function raw(key: Uint8Array): Uint8Array {
  return key.length === 0 ? key : (decodeKey(key) ?? key);
}
