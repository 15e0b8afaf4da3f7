import { clone } from "@bufbuild/protobuf";
import { type SSTMeta, SSTMetaSchema } from "../../../gen/import_sstpb_pb.ts";
import type { PackedWriteRequest } from "../../../gen/packed_pb.ts";
import { compareBytes } from "../../base/mod.ts";
import {
  type Cluster,
  decodeKey,
  hexKey,
  peerOn,
  Refusal,
  type Region,
  type StoreState,
  type Upload,
} from "../state/mod.ts";
import { epochText } from "./region-errors.ts";

const KEY_PREFIX = 0x74;
const UUID_SIZE = 16;

/**
 * One `ImportSST.Write` stream to one store. Refuses with TiKV's texts what TiKV refuses; what TiKV would take to the harm of its
 * data (keys outside of the range or region, a timestamp that PD never gave, a repeated uuid …) is refused with "sandbox: …".
 */
export class WriteStream {
  readonly #cluster: Cluster;
  readonly #store: StoreState;
  #meta: SSTMeta | undefined;
  #region: Region | undefined;
  #upload: Upload | undefined;
  /** Borders that the raw keys must keep; undefined = unbounded. */
  #lowest: Uint8Array | undefined;
  #highest: Uint8Array | undefined;
  #regionStart = new Uint8Array(0) as Uint8Array;
  #regionEnd: Uint8Array | undefined;

  constructor(cluster: Cluster, store: StoreState) {
    this.#cluster = cluster;
    this.#store = store;
  }

  /** Takes the next message, whose bytes need not hold for longer. Throws Refusal. */
  async take(request: PackedWriteRequest): Promise<void> {
    const { chunk } = request;
    if (this.#upload === undefined) {
      if (chunk.case !== "meta") throw invalidChunk();
      return this.#begin(clone(SSTMetaSchema, chunk.value));
    }
    if (chunk.case !== "batch") throw invalidChunk();
    if (this.#store.diskFull) throw new Refusal("DiskSpaceNotEnough");
    await this.#upload.add(chunk.value);
    this.#checkBatch(this.#upload);
  }

  /** The client has sent everything. Returns the metas to ingest: default column family first, then write. */
  async finish(): Promise<{ meta: SSTMeta; cfName: string }[]> {
    const meta = this.#meta;
    if (this.#upload === undefined || meta === undefined) throw invalidChunk();
    const written = await this.#upload.finish();
    if (!written) return [];
    const long = this.#upload.cutter.hasLongValue;
    return (long ? ["default", "write"] : ["write"]).map((cfName) => ({ meta, cfName }));
  }

  /** The stream broke or was refused. */
  async abandon(): Promise<void> {
    await this.#upload?.abandon();
  }

  async #begin(meta: SSTMeta): Promise<void> {
    const region = this.#cluster.regions.byId(meta.regionId);
    if (region === undefined || peerOn(region, this.#store.id) === undefined) {
      throw new Refusal(`RequestTooOld("region ${meta.regionId} is not found")`);
    }
    checkEpoch(meta, region);
    await this.#cluster.sweepStaleFiles();
    if (meta.uuid.length !== UUID_SIZE) throw invalidChunk();
    this.#meta = meta;
    this.#region = region;
    this.#regionStart =
      region.startKey.length === 0 ? region.startKey : (decodeKey(region.startKey) ?? region.startKey);
    this.#regionEnd = region.endKey.length === 0 ? undefined : (decodeKey(region.endKey) ?? region.endKey);
    this.#lowest = decodeKey(meta.range?.start ?? new Uint8Array(0));
    this.#highest = decodeKey(meta.range?.end ?? new Uint8Array(0));
    const { confVer, version } = region;
    const target = { storeId: this.#store.id, uuid: meta.uuid, regionId: region.id, confVer, version };
    this.#upload = await this.#cluster.uploads.begin(target);
  }

  /** Keys ascend, so the first and the last one so far stand for all. */
  #checkBatch(upload: Upload): void {
    const { firstKey: first, lastKey: last, commitTs } = upload.cutter;
    if (first === undefined || last === undefined) return;
    const { tso, createdTs } = this.#cluster;
    if (commitTs > tso.lastGranted()) throw this.#cluster.harm(`commit_ts ${commitTs} is ahead of PD`);
    if (commitTs < createdTs) throw this.#cluster.harm(`commit_ts ${commitTs} is older than the cluster`);
    const odd = [first, last].find((key) => key[0] !== KEY_PREFIX);
    if (odd !== undefined) throw this.#cluster.harm(`key ${hexKey(odd)} does not start with "t"`);
    const low = this.#lowest !== undefined && compareBytes(first, this.#lowest) < 0;
    const high = this.#highest !== undefined && compareBytes(last, this.#highest) > 0;
    if (low || high) throw this.#cluster.harm(`key ${hexKey(low ? first : last)} is outside of meta.range`);
    const below = compareBytes(first, this.#regionStart) < 0;
    const above = this.#regionEnd !== undefined && compareBytes(last, this.#regionEnd) >= 0;
    if (below || above) {
      const key = hexKey(below ? first : last);
      throw this.#cluster.harm(`key ${key} is outside of region ${this.#region!.id}`);
    }
  }
}

function invalidChunk(): Refusal {
  return new Refusal("InvalidChunk");
}

/** `check_local_region_stale`: both parts of the epoch are compared, older first. */
function checkEpoch(meta: SSTMeta, region: Region): void {
  const sent = { confVer: meta.regionEpoch?.confVer ?? 0n, version: meta.regionEpoch?.version ?? 0n };
  const epochs = `local epoch ${epochText(region)}, request epoch ${epochText(sent)}`;
  if (sent.version < region.version || sent.confVer < region.confVer) {
    throw new Refusal(`RequestTooOld("request region ${region.id} is staler than local region, ${epochs}")`);
  }
  if (sent.version > region.version || sent.confVer > region.confVer) {
    throw new Refusal(
      `RequestTooNew("request region ${region.id} is ahead of local region, ${epochs}, please retry write later")`,
    );
  }
}
