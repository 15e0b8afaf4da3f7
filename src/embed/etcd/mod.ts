/**
 * The etcd services that PD serves on its own port, as far as clients of a cluster use them: TiDB's KV driver reads the saved safe
 * point, tidb-lightning and BR look for CDC and log backup tasks and register themselves under a lease. All members share one key
 * space, in memory. It lacks: older revisions, authentication, compaction (a no-op), and Maintenance but for Status.
 */
import { Cluster, KV, Lease, Maintenance, Watch } from "../../../gen/etcdserverpb_pb.ts";
import { Code, ConnectError, type ConnectRouter } from "../grpc.ts";
import type { KeySpace } from "./key-space.ts";
import { type HeaderOf, kvService } from "./kv-service.ts";
import { watchService } from "./watch-service.ts";

export { KeySpace } from "./key-space.ts";

export interface EtcdMember {
  readonly name: string;
  readonly id: bigint;
  readonly clientUrl: string;
}

export interface EtcdFacts {
  readonly clusterId: bigint;
  readonly members: readonly EtcdMember[];
  readonly leader: EtcdMember;
}

/** PD 8.5 embeds etcd 3.5. */
const ETCD_VERSION = "3.5.15";

/** Mounts the services as one member serves them. */
export function etcdRoutes(
  space: KeySpace,
  facts: () => EtcdFacts,
  member: EtcdMember,
): (router: ConnectRouter) => void {
  const header: HeaderOf = () => ({
    clusterId: facts().clusterId,
    memberId: member.id,
    revision: space.revision,
    raftTerm: 2n,
  });
  return (router) => {
    router.service(KV, kvService(space, header));
    router.service(Watch, watchService(space, header));
    router.service(Lease, {
      leaseGrant({ TTL, ID }) {
        const id = space.grant(TTL, ID);
        if (id === undefined) throw new ConnectError("etcdserver: lease already exists", Code.FailedPrecondition);
        return { header: header(), ID: id, TTL };
      },
      leaseRevoke({ ID }) {
        if (!space.revoke(ID)) throw noLease();
        return { header: header() };
      },
      async *leaseKeepAlive(requests) {
        for await (const { ID } of requests) yield { header: header(), ID, TTL: space.keepAlive(ID) ?? 0n };
      },
      leaseTimeToLive({ ID, keys }) {
        const lease = space.timeToLive(ID);
        if (lease === undefined) return { header: header(), ID, TTL: -1n };
        return {
          header: header(),
          ID,
          TTL: lease.left,
          grantedTTL: lease.granted,
          keys: keys ? lease.keys : [],
        };
      },
      leaseLeases: () => ({ header: header(), leases: space.leases().map((ID) => ({ ID })) }),
    });
    router.service(Maintenance, {
      status: () => ({
        header: header(),
        version: ETCD_VERSION,
        leader: facts().leader.id,
        raftIndex: space.revision,
        raftTerm: 2n,
        raftAppliedIndex: space.revision,
      }),
    });
    router.service(Cluster, {
      memberList: () => ({
        header: header(),
        members: facts().members.map(({ id, name, clientUrl }) => ({
          ID: id,
          name,
          clientURLs: [clientUrl],
          peerURLs: [clientUrl],
        })),
      }),
    });
  };
}

function noLease(): ConnectError {
  return new ConnectError("etcdserver: requested lease not found", Code.NotFound);
}
