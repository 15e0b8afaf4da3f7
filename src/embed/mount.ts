import { ImportSST } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { Tikv } from "../../gen/tikvpb_pb.ts";
import { etcdRoutes } from "./etcd/mod.ts";
import { type FaultRunner, withFaults } from "./faults/mod.ts";
import type { ConnectRouter } from "./grpc.ts";
import { type Member, memberService, type PdState } from "./pd/mod.ts";
import type { Cluster, StoreState } from "./state/mod.ts";
import { batchCommands, importService, kvService, packedWriteMethod } from "./tikv/mod.ts";

/** Mounts PD's gRPC service and those of its etcd, as one member (default the first) serves it, on a router: of a port, or of an in-process transport. */
export function pdRoutes(
  pd: PdState,
  faults?: FaultRunner,
  member: Member = pd.members[0]!,
): (router: ConnectRouter) => void {
  const plain = memberService(pd, member);
  const service = faults === undefined ? plain : withFaults(plain, "pd", undefined, faults);
  const etcd = etcdRoutes(
    pd.etcd,
    () => ({ clusterId: pd.cluster.id, members: pd.members, leader: pd.leadership.leader }),
    member,
  );
  return (router) => {
    router.service(PD, service);
    etcd(router);
  };
}

/** Mounts one store's services. */
export function storeRoutes(
  cluster: Cluster,
  store: StoreState,
  faults?: FaultRunner,
): (router: ConnectRouter) => void {
  const plainImport = importService(cluster, store);
  const plainKv = kvService(cluster, store);
  const kv = faults === undefined ? plainKv : withFaults(plainKv, "kv", store.id, faults);
  const imports = faults === undefined ? plainImport : withFaults(plainImport, "import", store.id, faults);
  const { write, ...others } = imports;
  return (router) => {
    router.service(Tikv, { ...kv, batchCommands: batchCommands(kv) });
    router.service(ImportSST, others);
    router.rpc(packedWriteMethod, write);
  };
}
