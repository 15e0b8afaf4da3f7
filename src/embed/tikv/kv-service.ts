import type { Context } from "../../../gen/kvrpcpb_pb.ts";
import type { Tikv } from "../../../gen/tikvpb_pb.ts";
import { Code, ConnectError, type ServiceImpl } from "../grpc.ts";
import type { Cluster, StoreState } from "../state/mod.ts";
import { coprocessor } from "./checksum.ts";
import { KvReads } from "./kv-reads.ts";
import { KvWrites } from "./kv-writes.ts";
import { splitRegion } from "./split.ts";

/** `tikvpb.Tikv` of one store; raw calls are unimplemented. */
export function kvService(cluster: Cluster, store: StoreState): Partial<ServiceImpl<typeof Tikv>> {
  const reads = new KvReads(cluster, store);
  const writes = new KvWrites(cluster, store);
  const sameCluster = <Request extends { context?: Context | undefined }, Answer>(
    serve: (request: Request) => Answer,
  ) => {
    return (request: Request): Answer => {
      const asked = request.context?.clusterId ?? 0n;
      if (asked === 0n || asked === cluster.id) return serve(request);
      const text = "the cluster id of the request does not match the TiKV cluster";
      throw new ConnectError(text, Code.InvalidArgument);
    };
  };
  return {
    kvGet: sameCluster((request) => reads.get(request)),
    kvBatchGet: sameCluster((request) => reads.batchGet(request)),
    kvScan: sameCluster((request) => reads.scan(request)),
    kvPrewrite: sameCluster((request) => writes.prewrite(request)),
    kvCommit: sameCluster((request) => writes.commit(request)),
    kvBatchRollback: sameCluster((request) => writes.batchRollback(request)),
    kvCheckTxnStatus: sameCluster((request) => writes.checkTxnStatus(request)),
    kvResolveLock: sameCluster((request) => writes.resolveLock(request)),
    kvScanLock: sameCluster((request) => writes.scanLock(request)),
    kvTxnHeartBeat: sameCluster((request) => writes.heartBeat(request)),
    coprocessor: sameCluster((request) => coprocessor(cluster, store, request)),
    splitRegion: sameCluster((request) => splitRegion(cluster, store, request)),
    unsafeDestroyRange: sameCluster(async ({ startKey, endKey }) => {
      await cluster.destroyRange(startKey, endKey);
      return {};
    }),
  };
}
