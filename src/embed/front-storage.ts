import { afterKey, type Cluster, encodeKey, type ReadPair } from "./state/mod.ts";
import type { FrontStorage } from "./tidb/mod.ts";
import { checksumRange } from "./tikv/mod.ts";

/** Pairs of one piece of a scan. */
const PIECE_PAIRS = 1024;

/** The data of a cluster as the TiDB front reads and changes it. Keys are raw; an empty end is the end of all keys. */
export function frontStorage(cluster: Cluster): FrontStorage {
  return {
    currentTs: () => cluster.tso.next(),
    scan: (start, end, ts) => scan(cluster, start, end, ts),
    get: async (key, ts) => (await cluster.mvcc.get(key, ts))?.value,
    async checksum(start, end, ts) {
      const { crc64Xor, kvs, bytes } = await checksumRange(cluster, { start, end }, ts);
      return { crc: crc64Xor, kvs, bytes };
    },
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
