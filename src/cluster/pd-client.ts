import {
  ErrorType,
  type GetRegionResponse,
  OperatorStatus,
  type Region as PbPdRegion,
  type ResponseHeader,
  type ScanRegionsResponse,
} from "../../gen/pdpb_pb.ts";
import { LevinError, textOf, utf8 } from "../base/mod.ts";
import { encodeBorder, encodeKey, type KeyRange } from "./keys.ts";
import { type Region, regionOf, type Store, storeOf } from "./nouns.ts";
import { callPd, defaultPdLimits, type PdCall, type PdLimits } from "./pd-call.ts";
import { type PdEnvironment, PdMembers } from "./pd-members.ts";
import { TsoClient } from "./tso.ts";
import { isUnimplemented } from "./wire.ts";

interface PdOptions extends PdEnvironment {
  /** `host:port` or URLs; one that answers is enough. */
  readonly addresses: readonly string[];
  readonly limits?: PdLimits;
}

/** What PD says about the newest operator of a region. */
interface RegionOperator {
  readonly description: string;
  readonly isRunning: boolean;
}

/**
 * PD's gRPC service as an importer needs it. Keys are raw on this side. Each call finds the leader, follows its changes and
 * reconnects within a bounded time (`PdLimits`); may be called concurrently. Errors: `Levin:Cluster:*`, `Levin:Rpc:*`.
 */
export class PdClient {
  readonly #env: PdEnvironment;
  readonly #members: PdMembers;
  readonly #limits: PdLimits;
  readonly #tso: TsoClient;
  #hasBatchScan = true;
  #hasServiceSafePoint = true;

  /** Does no I/O; `connect` is the first call. */
  constructor(options: PdOptions) {
    this.#env = options;
    this.#limits = options.limits ?? defaultPdLimits;
    this.#members = new PdMembers(options, options.addresses);
    this.#tso = new TsoClient(options, this.#members, this.#limits);
  }

  /** Finds the leader and the cluster id. */
  async connect(signal?: AbortSignal): Promise<void> {
    await this.#members.route(signal);
  }

  /** Known after `connect`. */
  get clusterId(): bigint {
    return this.#members.clusterId;
  }

  close(): void {
    this.#tso.close();
    this.#members.close();
  }

  /** A fresh timestamp. */
  timestamp(signal?: AbortSignal): Promise<bigint> {
    return this.#tso.next(signal);
  }

  /** The region that holds `key`; undefined while PD does not know one. */
  async getRegion(key: Uint8Array, signal?: AbortSignal): Promise<Region | undefined> {
    const answer = await this.#call({
      method: "GetRegion",
      signal,
      send: (grpc, options) => grpc.getRegion({ header: this.#header(), regionKey: encodeKey(key) }, options),
    });
    return regionAnswer(answer);
  }

  async getRegionById(id: bigint, signal?: AbortSignal): Promise<Region | undefined> {
    const answer = await this.#call({
      method: "GetRegionByID",
      signal,
      absentOn: [ErrorType.REGION_NOT_FOUND],
      send: (grpc, options) => grpc.getRegionByID({ header: this.#header(), regionId: id }, options),
    });
    return answer === undefined ? undefined : regionAnswer(answer);
  }

  /** Up to `limit` regions that overlap the range, in key order. There may be holes while PD learns of a split. */
  async scanRegions(range: KeyRange, limit: number, signal?: AbortSignal): Promise<Region[]> {
    const startKey = encodeBorder(range.start);
    const endKey = encodeBorder(range.end);
    if (this.#hasBatchScan) {
      try {
        const answer = await this.#call({
          method: "BatchScanRegions",
          signal,
          send: (grpc, options) =>
            grpc.batchScanRegions({ header: this.#header(), ranges: [{ startKey, endKey }], limit }, options),
        });
        return (answer?.regions ?? []).flatMap(scannedRegion);
      } catch (thrown) {
        if (!isUnimplemented(thrown)) throw thrown;
        this.#hasBatchScan = false;
      }
    }
    const answer = await this.#call({
      method: "ScanRegions",
      signal,
      send: (grpc, options) => grpc.scanRegions({ header: this.#header(), startKey, endKey, limit }, options),
    });
    return answer === undefined ? [] : scanAnswer(answer);
  }

  async getStore(id: bigint, signal?: AbortSignal): Promise<Store> {
    const answer = await this.#call({
      method: "GetStore",
      signal,
      send: (grpc, options) => grpc.getStore({ header: this.#header(), storeId: id }, options),
    });
    if (answer?.store === undefined) {
      throw new LevinError("Levin:Cluster:ErrPd", `Cannot find store ${id}: PD does not know it`);
    }
    return storeOf(answer.store);
  }

  /** All stores but removed ones, TiFlash's included. */
  async getStores(signal?: AbortSignal): Promise<Store[]> {
    const answer = await this.#call({
      method: "GetAllStores",
      signal,
      send: (grpc, options) => grpc.getAllStores({ header: this.#header(), excludeTombstoneStores: true }, options),
    });
    return (answer?.stores ?? []).map(storeOf).filter((store) => store.state !== "tombstone");
  }

  /** Asks PD to spread the regions; returns the ids that PD could not schedule. Best effort by nature. */
  async scatterRegions(ids: readonly bigint[], group: string, signal?: AbortSignal): Promise<bigint[]> {
    const answer = await this.#call({
      method: "ScatterRegion",
      signal,
      send: (grpc, options) =>
        grpc.scatterRegion({ header: this.#header(), regionsId: [...ids], group, retryLimit: 5n }, options),
    });
    return answer?.failedRegionsId ?? [];
  }

  /** The newest operator of a region, undefined when PD has none. */
  async getOperator(regionId: bigint, signal?: AbortSignal): Promise<RegionOperator | undefined> {
    const answer = await this.#call({
      method: "GetOperator",
      signal,
      absentOn: [ErrorType.REGION_NOT_FOUND],
      send: (grpc, options) => grpc.getOperator({ header: this.#header(), regionId }, options),
    });
    if (answer === undefined) return undefined;
    return { description: textOf(answer.desc), isRunning: answer.status === OperatorStatus.RUNNING };
  }

  /**
   * Keeps the snapshot at `safePoint` readable for `ttlSeconds`; 0 gives it up. Returns the lowest point that any service holds:
   * above `safePoint` means that the snapshot is gone already. Servers without service safe points get a GC barrier.
   */
  async holdSafePoint(
    hold: { serviceId: string; safePoint: bigint; ttlSeconds: number },
    signal?: AbortSignal,
  ): Promise<bigint> {
    const { serviceId, safePoint } = hold;
    const ttl = BigInt(hold.ttlSeconds);
    if (this.#hasServiceSafePoint) {
      try {
        const answer = await this.#call({
          method: "UpdateServiceGCSafePoint",
          signal,
          send: (grpc, options) =>
            grpc.updateServiceGCSafePoint(
              { header: this.#header(), serviceId: utf8(serviceId), TTL: ttl, safePoint },
              options,
            ),
        });
        return answer?.minSafePoint ?? 0n;
      } catch (thrown) {
        if (!isUnimplemented(thrown)) throw thrown;
        this.#hasServiceSafePoint = false;
      }
    }
    if (ttl <= 0n) {
      await this.#call({
        method: "DeleteGCBarrier",
        signal,
        send: (grpc, options) => grpc.deleteGCBarrier({ header: this.#header(), barrierId: serviceId }, options),
      });
      return 0n;
    }
    const answer = await this.#call({
      method: "SetGCBarrier",
      signal,
      send: (grpc, options) =>
        grpc.setGCBarrier(
          { header: this.#header(), barrierId: serviceId, barrierTs: safePoint, ttlSeconds: ttl },
          options,
        ),
    });
    return answer?.newBarrierInfo?.barrierTs ?? safePoint;
  }

  #call<T extends { header?: ResponseHeader | undefined }>(call: PdCall<T>): Promise<T | undefined> {
    return callPd(this.#env, this.#members, this.#limits, call);
  }

  #header(): { clusterId: bigint } {
    return { clusterId: this.#members.clusterId };
  }
}

function regionAnswer(answer: GetRegionResponse | undefined): Region | undefined {
  return answer?.region === undefined ? undefined : regionOf(answer.region, answer.leader);
}

function scannedRegion(found: PbPdRegion): Region[] {
  return found.region === undefined ? [] : [regionOf(found.region, found.leader)];
}

function scanAnswer(answer: ScanRegionsResponse): Region[] {
  if (answer.regions.length > 0) return answer.regions.flatMap(scannedRegion);
  return answer.regionMetas.map((region, index) => regionOf(region, answer.leaders[index]));
}
