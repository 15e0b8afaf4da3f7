import type { SSTMeta } from "../../../gen/import_sstpb_pb.ts";
import type { Context } from "../../../gen/kvrpcpb_pb.ts";
import { compareBytes, toHex } from "../../base/mod.ts";
import {
  type Cluster,
  decodeKey,
  hexKey,
  inRegion,
  type Region,
  type SstFile,
  type StoreState,
  sstName,
} from "../state/mod.ts";
import { checkRegion } from "./region-check.ts";
import {
  diskFull,
  epochNotMatch,
  epochText,
  keyNotInRegion,
  type RegionError,
  regionNotFound,
  staleFile,
  suspended,
} from "./region-errors.ts";

const UUID_SIZE = 16;
const CONFLICT: RegionError = { message: "ingest file conflict" };

/** `Ingest` and `MultiIngest` of one store; undefined = done. */
export class Ingester {
  readonly #cluster: Cluster;
  readonly #store: StoreState;
  /** Files whose ingestion runs, by name and column family. */
  readonly #latches = new Set<string>();

  constructor(cluster: Cluster, store: StoreState) {
    this.#cluster = cluster;
    this.#store = store;
  }

  /** `multi` false: the single form, where a missing SST reads as one without a uuid. */
  async ingest(
    context: Context | undefined,
    ssts: readonly SSTMeta[],
    multi: boolean,
  ): Promise<RegionError | undefined> {
    const left = this.#store.suspendedUntilMs - this.#cluster.options.clock.nowMs();
    if (left > 0) return suspended(left);
    if (!multi && ssts.length === 0) return CONFLICT;
    const latches: string[] = [];
    try {
      for (const sst of ssts) {
        const latch = `${fileName(sst)}_${sst.cfName}`;
        if (sst.uuid.length !== UUID_SIZE || this.#latches.has(latch)) return CONFLICT;
        this.#latches.add(latch);
        latches.push(latch);
      }
      return await this.#latched(context, ssts);
    } finally {
      for (const latch of latches) this.#latches.delete(latch);
    }
  }

  async #latched(context: Context | undefined, ssts: readonly SSTMeta[]): Promise<RegionError | undefined> {
    const { region, error } = checkRegion(this.#cluster, this.#store, context);
    if (region === undefined) return error;
    if (ssts.length === 0) return { message: `[region ${region.id}] ingest failed: Error(Kv(Error(EmptyRequest)))` };
    if (!ssts.every((sst) => this.#exists(sst))) return staleFile();
    if (this.#store.diskFull) return diskFull(this.#store.id, "NotAllowedOnFull");
    for (const sst of ssts) {
      const refused = await this.#applyCheck(sst, region);
      if (refused !== undefined) return refused;
    }
    const harm = this.#harmIn(ssts, region);
    if (harm !== undefined) return { message: this.#cluster.harm(harm).message };
    return this.#apply(ssts);
  }

  #exists(sst: SSTMeta): boolean {
    const file = this.#cluster.uploads.byName(fileName(sst));
    if (file === undefined || !file.finished.has(this.#store.id) || file.ingestedCfs.includes(sst.cfName)) return false;
    return sst.cfName === "write" || (sst.cfName === "default" && file.hasLongValue);
  }

  /** `check_sst_for_ingestion`, which runs when the command is applied. */
  async #applyCheck(sst: SSTMeta, region: Region): Promise<RegionError | undefined> {
    if (sst.regionId !== region.id) return regionNotFound(sst.regionId, "not found");
    const epoch = { confVer: sst.regionEpoch?.confVer ?? 0n, version: sst.regionEpoch?.version ?? 0n };
    if (epoch.confVer !== region.confVer || epoch.version !== region.version) {
      await this.#cluster.uploads.drop(this.#cluster.uploads.byName(fileName(sst))!);
      return epochNotMatch(`${epochText(epoch)} != ${epochText(region)}`, [region]);
    }
    for (const key of [sst.range?.start, sst.range?.end]) {
      const border = key ?? new Uint8Array(0);
      if (!inRegion(region, border) || border.length === 0) return keyNotInRegion(border, region);
    }
    return undefined;
  }

  /** What a real store would do to its own harm. */
  #harmIn(ssts: readonly SSTMeta[], region: Region): string | undefined {
    for (const sst of ssts) {
      const file = this.#cluster.uploads.byName(fileName(sst))!;
      const start = decodeKey(sst.range!.start);
      const end = decodeKey(sst.range!.end);
      if (start === undefined || end === undefined) return `range of ${file.name} has keys that are not encoded`;
      if (compareBytes(start, end) > 0) return `range of ${file.name} is reversed`;
      const first = file.blocks[0]!.first;
      const last = file.blocks[file.blocks.length - 1]!.last;
      if (compareBytes(first, start) < 0 || compareBytes(last, end) > 0) {
        return `keys ${hexKey(first)} to ${hexKey(last)} of ${file.name} are not within its range`;
      }
      const missing = region.peers.find((peer) => !file.finished.has(peer.storeId));
      if (missing !== undefined) {
        return `file ${file.name} is missing on store ${missing.storeId}: a real TiKV there would end for good`;
      }
      const own = file.finished.get(this.#store.id)!;
      const other = region.peers.find((peer) => file.finished.get(peer.storeId)!.digest !== own.digest);
      if (other !== undefined) return `file ${file.name} differs on stores ${this.#store.id} and ${other.storeId}`;
      const whole = !file.hasLongValue || file.ingestedCfs.includes("default") || hasDefault(ssts, sst);
      if (sst.cfName === "write" && !whole) {
        return `column family write of ${file.name} comes before its default: rows would lack their values`;
      }
    }
    return undefined;
  }

  async #apply(ssts: readonly SSTMeta[]): Promise<undefined> {
    const files = new Set<SstFile>();
    for (const sst of ssts) {
      const file = this.#cluster.uploads.byName(fileName(sst))!;
      file.ingestedCfs.push(sst.cfName);
      files.add(file);
    }
    for (const file of files) {
      if (file.ingestedCfs.includes("write")) await this.#cluster.ingest(file);
      else await this.#cluster.uploads.save(file);
    }
    return undefined;
  }
}

function fileName(sst: SSTMeta): string {
  return sstName(sst.uuid, sst.regionId, sst.regionEpoch?.confVer ?? 0n, sst.regionEpoch?.version ?? 0n);
}

function hasDefault(ssts: readonly SSTMeta[], sst: SSTMeta): boolean {
  return ssts.some((other) => other.cfName === "default" && toHex(other.uuid) === toHex(sst.uuid));
}
