/**
 * The state behind the embedded cluster: regions, stores, timestamps, files and versions, kept in one `KvDb`. It knows no message
 * but those it stores; refusals are thrown as `Refusal`, those that guard against harm begin with "sandbox:".
 *
 * Lacks: raft (replicas never differ after ingestion), compaction and garbage collection of old versions.
 */
export { type BlockStore, kvBlocks, smallBlocksIn } from "./block-store.ts";
export { Cluster } from "./cluster.ts";
export { Crc64 } from "./crc64.ts";
export { fileBlocks } from "./file-blocks.ts";
export { afterKey, decodeKey, encodeKey, hexKey } from "./keys.ts";
export type { Lock, WriteVersion } from "./mvcc.ts";
export type { ClusterOptions, StoreState } from "./options.ts";
export { PairSums } from "./pair-sums.ts";
export type { PairVisitor, ReadPair, ScanOptions } from "./reader.ts";
export { Refusal } from "./refusal.ts";
export { inRegion, leaderOf, type Peer, peerOn, type Region } from "./region.ts";
export { pdRegionMessage, peerMessage, regionMessage } from "./region-codec.ts";
export { type SstFile, sstName } from "./sst.ts";
export { storeMessage } from "./stores.ts";
export { LOGICAL_BITS, MAX_TSO_COUNT } from "./tso.ts";
export type { Upload } from "./uploads.ts";
export { WriteOp } from "./write-record.ts";
