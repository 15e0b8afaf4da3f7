import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  APIVersion,
  type BatchGetRequest,
  type BatchGetResponseSchema,
  type Context,
  type GetRequest,
  type GetResponseSchema,
  type KvPairSchema,
  type ScanRequest,
  type ScanResponseSchema,
} from "../../../gen/kvrpcpb_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import { afterKey, type Cluster, decodeKey, encodeKey, inRegion, type StoreState } from "../state/mod.ts";
import { apiVersionNotMatched, type KeyError, keyOutOfRegion, locked } from "./key-errors.ts";
import { checkRegion, type RegionCheck } from "./region-check.ts";

const MAX_TS = 0xffffffffffffffffn;

/** Reads of one store. Keys are raw. */
export class KvReads {
  readonly #cluster: Cluster;
  readonly #store: StoreState;

  constructor(cluster: Cluster, store: StoreState) {
    this.#cluster = cluster;
    this.#store = store;
  }

  async get({ context, key, version, needCommitTs }: GetRequest): Promise<MessageInitShape<typeof GetResponseSchema>> {
    if (isV2(context)) return { error: apiVersionNotMatched("get") };
    const { region, error } = this.#check(context);
    if (region === undefined) return { regionError: error };
    if (!inRegion(region, encodeKey(key))) return { error: keyOutOfRegion(key, region) };
    const lock = this.#lockBefore(key, version);
    if (lock !== undefined) return { error: lock };
    const found = await this.#cluster.mvcc.get(key, version);
    if (found === undefined) return { notFound: true };
    return needCommitTs ? { value: found.value, commitTs: found.commitTs } : { value: found.value };
  }

  async batchGet(request: BatchGetRequest): Promise<MessageInitShape<typeof BatchGetResponseSchema>> {
    if (isV2(request.context)) return { error: apiVersionNotMatched("batch_get") };
    const { region, error } = this.#check(request.context);
    if (region === undefined) return { regionError: error };
    const pairs: MessageInitShape<typeof KvPairSchema>[] = [];
    for (const key of request.keys) {
      if (!inRegion(region, encodeKey(key))) return { error: keyOutOfRegion(key, region) };
      const lock = this.#lockBefore(key, request.version);
      if (lock !== undefined) {
        pairs.push({ error: lock, key });
        continue;
      }
      const found = await this.#cluster.mvcc.get(key, request.version);
      if (found !== undefined)
        pairs.push({ key, value: found.value, commitTs: request.needCommitTs ? found.commitTs : 0n });
    }
    return { pairs };
  }

  /** `end_key` empty = to the region's end. In reverse, `start_key` is the upper border and `end_key` the lower. */
  async scan(request: ScanRequest): Promise<MessageInitShape<typeof ScanResponseSchema>> {
    if (isV2(request.context)) return { error: apiVersionNotMatched("scan") };
    const { region, error } = this.#check(request.context);
    if (region === undefined) return { regionError: error };
    const [low, high] = request.reverse ? [request.endKey, request.startKey] : [request.startKey, request.endKey];
    const regionStart = region.startKey.length === 0 ? new Uint8Array(0) : decodeKey(region.startKey)!;
    const regionEnd = region.endKey.length === 0 ? undefined : decodeKey(region.endKey)!;
    const start = compareBytes(low, regionStart) < 0 ? regionStart : low;
    const inside = high.length > 0 && (regionEnd === undefined || compareBytes(high, regionEnd) < 0);
    const end = inside ? high : regionEnd;
    const lock = request.version === MAX_TS ? undefined : this.#cluster.mvcc.blocking(start, end, request.version);
    if (lock !== undefined) return { pairs: [{ error: locked(lock), key: lock.key }], error: locked(lock) };
    const options = { limit: request.limit, reverse: request.reverse, keyOnly: request.keyOnly };
    return { pairs: await this.#cluster.reader.scan(start, end, request.version, options) };
  }

  #check(context: Context | undefined): RegionCheck {
    return checkRegion(this.#cluster, this.#store, context);
  }

  #lockBefore(key: Uint8Array, version: bigint): KeyError | undefined {
    if (version === MAX_TS) return undefined;
    const lock = this.#cluster.mvcc.blocking(key, afterKey(key), version);
    return lock === undefined ? undefined : locked(lock);
  }
}

function isV2(context: Context | undefined): boolean {
  return context?.apiVersion === APIVersion.V2;
}
