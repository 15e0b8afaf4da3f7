import { afterKey, type Cluster, encodeKey } from "../state/mod.ts";
import { checksumRange } from "../tikv/mod.ts";
import type { FrontStorage } from "./session/mod.ts";

/** Pairs in one batch of a scan. */
const SCAN_PAIRS = 1000;

/** The cluster's data as the SQL layer reads it, without the detour over the wire. */
export function clusterStorage(cluster: Cluster): FrontStorage {
  return {
    currentTs: () => cluster.tso.next(),
    async *scan(start, end, ts) {
      let from = start;
      for (;;) {
        const batch = await cluster.reader.scan(from, end, ts, { limit: SCAN_PAIRS });
        if (batch.length > 0) yield batch;
        if (batch.length < SCAN_PAIRS) return;
        from = afterKey(batch[batch.length - 1]!.key);
      }
    },
    async get(key, ts) {
      const [found] = await cluster.reader.scan(key, afterKey(key), ts, { limit: 1 });
      return found?.value;
    },
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
