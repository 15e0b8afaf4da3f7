/**
 * The cluster as an importer sees it: PD over gRPC and HTTP, TiKV stores over gRPC, and the nouns Store, Region, Peer, Epoch.
 *
 * 1. Keys are raw on this side of the door; the encoded form exists in keys.ts and on the wire only.
 * 2. Every call has a deadline on the injected clock and ends at once when its signal is aborted.
 * 3. PD calls find the leader and retry within a bounded time; TiKV calls do not retry: what a refusal means depends on the step
 *    that the caller is at.
 *
 * Not here: what to do about region errors (`ingest`), SQL and TiDB's status port (`tidb`).
 */
export * from "./backoff.ts";
export { type HttpAnswer, type HttpRequest, nodeHttp, type SendHttp } from "./http.ts";
export { type Json, member, parseJson } from "./json.ts";
export {
  compareEnds,
  decodeBorder,
  encodeBorder,
  encodeKey,
  intersectRanges,
  type KeyRange,
  rangeHolds,
  successorKey,
} from "./keys.ts";
export { type Peer, type Region, regionOf, regionText, type Store } from "./nouns.ts";
export type { PdLimits } from "./pd-call.ts";
export { PdClient } from "./pd-client.ts";
export { PdHttp, type StoreStatus, sizeBytes } from "./pd-http.ts";
export { scanRegions } from "./region-scan.ts";
export { SnapshotHold } from "./safe-point.ts";
export { StoreDirectory } from "./store-directory.ts";
export {
  type Checksum,
  type DuplicatePair,
  defaultTikvLimits,
  TikvClient,
  type TikvLimits,
  type WriteTarget,
} from "./tikv-client.ts";
export { type Connect, grpcConnect, wordsOf } from "./wire.ts";
