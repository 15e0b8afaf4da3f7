import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ErrorType,
  type MemberSchema,
  OperatorStatus,
  type PD,
  type RequestHeader,
  ServiceMode,
  type StoreStatsSchema,
  type TsoRequest,
  type TsoResponseSchema,
} from "../../../gen/pdpb_pb.ts";
import { assert, textOf, utf8 } from "../../base/mod.ts";
import { Code, ConnectError, type ServiceImpl } from "../grpc.ts";
import { MAX_TSO_COUNT, peerOn, type StoreState, storeMessage } from "../state/mod.ts";
import type { GcState } from "./gc.ts";
import { Header } from "./header.ts";
import { RegionLookups } from "./regions-service.ts";
import { SplitScatter } from "./split-scatter.ts";
import type { Member, PdState } from "./state.ts";
import { storeCapacity, storeUsed } from "./store-stats.ts";

/** "No keyspace" as PD names it. */
const NULL_KEYSPACE = 0xffffffff;
const TSO_FAILED = "[PD:tso:ErrGenerateTimestamp]generate timestamp failed,";

type PdImpl = Partial<ServiceImpl<typeof PD>>;

/** `pdpb.PD` as the leader serves it. Heartbeats are not served: the stores of the cluster are its own. */
export function pdService(pd: PdState): PdImpl {
  const header = new Header(pd.cluster.id);
  return { ...clusterCalls(pd, header), ...storeCalls(pd, header), ...regionCalls(pd, header), ...gcCalls(pd, header) };
}

type Checked = { header?: RequestHeader | undefined };

/** Looks at the cluster id before it serves. */
function checked(header: Header) {
  return <Request extends Checked, Answer>(serve: (request: Request) => Answer) => {
    return (request: Request): Answer => {
      header.check(request.header);
      return serve(request);
    };
  };
}

function memberOf(member: Member): MessageInitShape<typeof MemberSchema> {
  const { name, id, clientUrl } = member;
  return { name, memberId: id, peerUrls: [clientUrl], clientUrls: [clientUrl] };
}

function clusterCalls(pd: PdState, header: Header): PdImpl {
  const with_ = checked(header);
  const { cluster } = pd;
  return {
    getMembers: () => {
      const leader = memberOf(pd.leadership.leader);
      return { header: header.ok(), members: pd.members.map(memberOf), leader, etcdLeader: leader };
    },
    getClusterInfo: () => ({ header: header.ok(), serviceModes: [ServiceMode.PD_SVC_MODE] }),
    isBootstrapped: with_(() => ({ header: header.ok(), bootstrapped: true })),
    bootstrap: with_(() => ({
      header: header.error(ErrorType.ALREADY_BOOTSTRAPPED, "cluster is already bootstrapped"),
    })),
    allocID: with_(async ({ count }: Checked & { count: number }) => {
      const id = cluster.ids.takeMany(Math.max(count, 1));
      await cluster.ids.reserved();
      return { header: header.ok(), id, count: Math.max(count, 1) };
    }),
    tso: (requests) => tsoStream(pd, header, requests),
    getMinTS: with_(async () => ({ header: header.ok(), timestamp: await cluster.tso.grant(1) })),
    getClusterConfig: with_(() => ({
      header: header.ok(),
      cluster: { id: cluster.id, maxPeerCount: cluster.options.replicas ?? 3 },
    })),
    loadGlobalConfig: () => ({ items: [] }),
  };
}

async function* tsoStream(
  pd: PdState,
  header: Header,
  requests: AsyncIterable<TsoRequest>,
): AsyncGenerator<MessageInitShape<typeof TsoResponseSchema>> {
  for await (const request of requests) {
    header.check(request.header);
    const { count } = request;
    if (count === 0) throw new ConnectError(`${TSO_FAILED} tso count should be positive`, Code.Unknown);
    if (count > MAX_TSO_COUNT) {
      throw new ConnectError(`${TSO_FAILED} generate tso maximum number of retries exceeded`, Code.Unknown);
    }
    yield { header: header.ok(), count, timestamp: await pd.cluster.tso.grant(count) };
  }
}

function storeCalls(pd: PdState, header: Header): PdImpl {
  const with_ = checked(header);
  const { cluster } = pd;
  const shown = (store: StoreState) => ({
    ...storeMessage(store),
    $unknown: undefined,
    lastHeartbeat: BigInt(Math.floor(cluster.options.clock.nowMs())) * 1_000_000n,
  });
  return {
    getStore: with_(({ storeId }: Checked & { storeId: bigint }) => {
      const store = cluster.stores.get(storeId);
      if (store === undefined) {
        return { header: header.error(ErrorType.UNKNOWN, `invalid store ID ${storeId}, not found`) };
      }
      return { header: header.ok(), store: shown(store), stats: statsOf(pd, store) };
    }),
    getAllStores: with_(({ excludeTombstoneStores }: Checked & { excludeTombstoneStores: boolean }) => {
      const all = [...cluster.stores.values()].filter((store) => !excludeTombstoneStores || store.state !== 2);
      return { header: header.ok(), stores: all.map(shown) };
    }),
    putStore: with_(() => ({ header: header.ok() })),
    storeHeartbeat: with_(({ stats }: Checked & { stats?: { storeId: bigint } | undefined }) => {
      const storeId = stats?.storeId ?? 0n;
      if (cluster.stores.has(storeId)) return { header: header.ok() };
      return { header: header.error(ErrorType.UNKNOWN, `store ${storeId} not found`) };
    }),
  };
}

function statsOf(pd: PdState, store: StoreState): MessageInitShape<typeof StoreStatsSchema> {
  const capacity = storeCapacity(store);
  const usedSize = storeUsed(pd.cluster);
  const regionCount = pd.cluster.regions.all().filter((region) => peerOn(region, store.id) !== undefined).length;
  return { storeId: store.id, capacity, available: store.diskFull ? 0n : capacity - usedSize, usedSize, regionCount };
}

function regionCalls(pd: PdState, header: Header): PdImpl {
  const with_ = checked(header);
  const { cluster } = pd;
  const lookups = new RegionLookups(pd, header);
  const cuts = new SplitScatter(pd, header);
  return {
    getRegion: with_(({ regionKey }: Checked & { regionKey: Uint8Array }) =>
      lookups.one(cluster.regionView.at(regionKey)),
    ),
    getPrevRegion: with_(({ regionKey }: Checked & { regionKey: Uint8Array }) =>
      lookups.one(cluster.regionView.before(regionKey)),
    ),
    getRegionByID: with_(({ regionId }: Checked & { regionId: bigint }) =>
      lookups.one(cluster.regionView.byId(regionId)),
    ),
    scanRegions: with_((request) => lookups.scan(request)),
    batchScanRegions: with_((request) => lookups.batchScan(request)),
    splitRegions: with_((request) => cuts.split(request)),
    splitAndScatterRegions: with_((request) => cuts.splitAndScatter(request)),
    scatterRegion: with_((request) => cuts.scatter(request)),
    getOperator: with_(({ regionId }: Checked & { regionId: bigint }) => {
      const found = pd.operators.get(regionId);
      if (found === undefined) return { header: header.error(ErrorType.REGION_NOT_FOUND, "Not Found") };
      return {
        header: header.ok(),
        regionId,
        desc: utf8(found.operator.desc),
        kind: utf8(found.operator.kind),
        status: found.running ? OperatorStatus.RUNNING : OperatorStatus.SUCCESS,
      };
    }),
  };
}

function gcCalls(pd: PdState, header: Header): PdImpl {
  const with_ = checked(header);
  const { gc } = pd;
  return {
    getGCSafePoint: with_(() => ({ header: header.ok(), safePoint: gc.safePoint })),
    updateGCSafePoint: with_(({ safePoint }: Checked & { safePoint: bigint }) => {
      if (safePoint > gc.safePoint) gc.safePoint = safePoint;
      return { header: header.ok(), newSafePoint: gc.safePoint };
    }),
    updateServiceGCSafePoint: with_((request) => {
      assert(request.serviceId instanceof Uint8Array, "a service id is bytes");
      const lowest = gc.updateService(textOf(request.serviceId), request.TTL, request.safePoint);
      return {
        header: header.ok(),
        serviceId: utf8(lowest.serviceId),
        TTL: lowest.ttl,
        minSafePoint: lowest.safePoint,
      };
    }),
    setGCBarrier: with_(({ barrierId, barrierTs, ttlSeconds }) => ({
      header: header.ok(),
      newBarrierInfo: barrierInfo(gc.setBarrier(barrierId, barrierTs, ttlSeconds)),
    })),
    deleteGCBarrier: with_(({ barrierId }: Checked & { barrierId: string }) => {
      const barrier = gc.deleteBarrier(barrierId);
      return { header: header.ok(), deletedBarrierInfo: barrier === undefined ? undefined : barrierInfo(barrier) };
    }),
    getGCState: with_(({ excludeGcBarriers }: Checked & { excludeGcBarriers: boolean }) => ({
      header: header.ok(),
      gcState: {
        keyspaceScope: { keyspace: { case: "keyspaceId" as const, value: NULL_KEYSPACE } },
        gcSafePoint: gc.safePoint,
        txnSafePoint: gc.safePoint,
        gcBarriers: excludeGcBarriers ? [] : gc.barriers().map(barrierInfo),
      },
    })),
  };
}

function barrierInfo(barrier: ReturnType<GcState["setBarrier"]>) {
  return { barrierId: barrier.id, barrierTs: barrier.ts, ttlSeconds: barrier.ttlSeconds };
}
