import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Error as RegionError } from "../../gen/errorpb_pb.ts";
import { ImportSST, type SSTMeta, SSTMetaSchema, SwitchMode } from "../../gen/import_sstpb_pb.ts";
import { Tikv } from "../../gen/tikvpb_pb.ts";
import { ChecksumAlgorithm, ChecksumRequestSchema, ChecksumResponseSchema, ChecksumScanOn } from "../../gen/tipb_pb.ts";
import { assert, LevinError } from "../base/mod.ts";
import { type Client, createClient, openPackedWrite, type PackedWrite, type RpcTransport } from "../rpc/mod.ts";
import { encodeKey, type KeyRange, rangeHolds } from "./keys.ts";
import { contextOf, type Peer, type Region, regionOf, type Store } from "./nouns.ts";
import type { StoreDirectory } from "./store-directory.ts";
import { StorePool } from "./store-pool.ts";
import { type Connect, isUnimplemented, unlessAborted } from "./wire.ts";

/** The answer of a region request: refusal is a normal answer, decided on by the caller. */
type RegionAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: RegionError };

/** One SST to be: the pairs of `range` for one region at one epoch. Keys are raw. */
export interface WriteTarget {
  /** 16 bytes, fresh for every attempt. */
  readonly uuid: Uint8Array<ArrayBuffer>;
  /** From PD, not zero. */
  readonly commitTs: bigint;
  readonly region: Region;
  /** No key lies before it. */
  readonly firstKey: Uint8Array;
  /** No key lies behind it. */
  readonly lastKey: Uint8Array;
}

export interface Checksum {
  readonly crc64xor: bigint;
  readonly kvs: bigint;
  readonly bytes: bigint;
}

export interface TikvLimits {
  /** Unary calls that change nothing or little. */
  readonly callTimeoutMs: number;
  /** One Write stream, from first message to answer. */
  readonly writeTimeoutMs: number;
  readonly ingestTimeoutMs: number;
  readonly checksumTimeoutMs: number;
  readonly compactTimeoutMs: number;
  readonly connectionsPerStore: number;
}

export const defaultTikvLimits: TikvLimits = {
  callTimeoutMs: 10_000,
  // Lightning gives a Write 15 minutes (lightning.md 1.13).
  writeTimeoutMs: 15 * 60_000,
  ingestTimeoutMs: 60_000,
  checksumTimeoutMs: 5 * 60_000,
  compactTimeoutMs: 6 * 3_600_000,
  connectionsPerStore: 4,
};

interface TikvOptions {
  readonly connect: Connect;
  readonly stores: StoreDirectory;
  readonly limits?: TikvLimits;
}

interface StoreClients {
  readonly tikv: Client<typeof Tikv>;
  readonly importer: Client<typeof ImportSST>;
  readonly connection: RpcTransport;
}

/**
 * The calls of TiKV stores that an importer needs, one method an RPC. Keys are raw. Region refusals come back as values, lost
 * connections and gRPC refusals as `Levin:Rpc:*`. Nothing here retries. May be called concurrently.
 */
export class TikvClient {
  readonly #stores: StoreDirectory;
  readonly #limits: TikvLimits;
  readonly #pool: StorePool;
  #hasMultiIngest = true;

  constructor(options: TikvOptions) {
    this.#stores = options.stores;
    this.#limits = options.limits ?? defaultTikvLimits;
    this.#pool = new StorePool(options.connect, this.#limits.connectionsPerStore);
  }

  get stores(): StoreDirectory {
    return this.#stores;
  }

  close(): void {
    this.#pool.close();
  }

  /** Splits a region at raw keys that lie inside it; returns all parts from left to right, the old id last. */
  async splitRegion(
    region: Region,
    keys: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<RegionAnswer<Region[]>> {
    const leader = leaderOf(region);
    const answer = await this.#call(leader.storeId, this.#limits.callTimeoutMs, signal, (to, options) =>
      to.tikv.splitRegion({ context: contextOf(region, leader), splitKeys: [...keys] }, options),
    );
    if (answer.regionError !== undefined) return { ok: false, error: answer.regionError };
    // The new parts have their leader on the same store; PD tells which peer that is.
    const parts =
      answer.regions.length > 0 ? answer.regions : [answer.left, answer.right].filter((r) => r !== undefined);
    return {
      ok: true,
      value: parts.map((part) =>
        regionOf(
          part,
          part.peers.find((peer) => peer.storeId === leader.storeId),
        ),
      ),
    };
  }

  /**
   * Streams one SST to one peer: first the meta, then each batch of packed pairs, which is not copied. Returns the metas to ingest, none
   * when no pair was sent. A batch is taken when the stream has room, so the source is held back by the slowest link.
   */
  async write(
    peer: Peer,
    target: WriteTarget,
    batches: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<SSTMeta[]> {
    assert(target.uuid.length === 16, "an SST has a uuid of 16 bytes");
    assert(target.commitTs > 0n, "a commit timestamp is not zero");
    const answer = await this.#call(peer.storeId, this.#limits.writeTimeoutMs, signal, async (to, options) => {
      const upload = await openPackedWrite(to.connection, options);
      try {
        await upload.sendMeta(metaOf(target));
        await sendBatches(upload, target.commitTs, batches);
        return await upload.finish();
      } catch (thrown) {
        upload.abort(thrown);
        throw thrown;
      }
    });
    if (answer.error !== undefined) {
      throw new LevinError("Levin:Rpc:ErrRefused", `Cannot write to store ${peer.storeId}: ${answer.error.message}`, {
        fields: { grpcText: answer.error.message },
      });
    }
    return answer.metas;
  }

  /** Ingests what all peers have written; `metas` as the leader answered. */
  async ingest(region: Region, metas: readonly SSTMeta[], signal?: AbortSignal): Promise<RegionAnswer<void>> {
    assert(metas.length > 0, "there is an SST to ingest");
    const leader = leaderOf(region);
    const context = contextOf(region, leader);
    const { ingestTimeoutMs } = this.#limits;
    if (this.#hasMultiIngest) {
      try {
        const answer = await this.#call(leader.storeId, ingestTimeoutMs, signal, (to, options) =>
          to.importer.multiIngest({ context, ssts: [...metas] }, options),
        );
        return answer.error === undefined ? { ok: true, value: undefined } : { ok: false, error: answer.error };
      } catch (thrown) {
        if (!isUnimplemented(thrown)) throw thrown;
        this.#hasMultiIngest = false;
      }
    }
    // The default column family first, so that no key is visible without its value.
    const ordered = [...metas].sort((a, b) => Number(a.cfName !== "default") - Number(b.cfName !== "default"));
    for (const sst of ordered) {
      const answer = await this.#call(leader.storeId, ingestTimeoutMs, signal, (to, options) =>
        to.importer.ingest({ context, sst }, options),
      );
      if (answer.error !== undefined) return { ok: false, error: answer.error };
    }
    return { ok: true, value: undefined };
  }

  /** False when the store does not know the call (TiFlash). Import mode ends by itself after the store's time limit. */
  async switchMode(
    store: Store,
    mode: "import" | "normal",
    ranges: readonly KeyRange[] = [],
    signal?: AbortSignal,
  ): Promise<boolean> {
    const request = {
      mode: mode === "import" ? SwitchMode.Import : SwitchMode.Normal,
      ranges: ranges.map((range) => ({ start: encodeKey(range.start), end: encodeKey(range.end) })),
    };
    try {
      await this.#callStore(store, this.#limits.callTimeoutMs, signal, (to, options) =>
        to.importer.switchMode(request, options),
      );
      return true;
    } catch (thrown) {
      if (isUnimplemented(thrown)) return false;
      throw thrown;
    }
  }

  /**
   * Compacts all data of a store down to a level, -1 for the lowest; may take hours. False when the store does not know the call
   * (TiFlash).
   */
  async compact(store: Store, outputLevel: number, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#callStore(store, this.#limits.compactTimeoutMs, signal, (to, options) =>
        to.importer.compact({ outputLevel }, options),
      );
      return true;
    } catch (thrown) {
      if (isUnimplemented(thrown)) return false;
      throw thrown;
    }
  }

  /** Checksum of what a snapshot shows of the ranges; each must lie inside the region. */
  async checksum(
    region: Region,
    ranges: readonly KeyRange[],
    snapshot: bigint,
    signal?: AbortSignal,
  ): Promise<RegionAnswer<Checksum>> {
    const leader = leaderOf(region);
    const data = toBinary(
      ChecksumRequestSchema,
      create(ChecksumRequestSchema, {
        startTsFallback: snapshot,
        scanOn: ChecksumScanOn.Table,
        algorithm: ChecksumAlgorithm.Crc64_Xor,
      }),
    );
    const request = {
      context: contextOf(region, leader),
      tp: checksumRequestType,
      startTs: snapshot,
      data,
      ranges: ranges.map((range) => ({ start: copy(range.start), end: copy(range.end) })),
    };
    const { checksumTimeoutMs } = this.#limits;
    const answer = await this.#call(leader.storeId, checksumTimeoutMs, signal, (to, options) =>
      to.tikv.coprocessor(request, options),
    );
    if (answer.regionError !== undefined) return { ok: false, error: answer.regionError };
    const trouble = answer.otherError !== "" ? answer.otherError : answer.locked !== undefined ? "a key is locked" : "";
    if (trouble !== "") {
      throw new LevinError("Levin:Rpc:ErrRefused", `Cannot read the checksum of region ${region.id}: ${trouble}`, {
        fields: { grpcText: trouble, locked: answer.locked !== undefined },
      });
    }
    const sum = fromBinary(ChecksumResponseSchema, answer.data);
    return { ok: true, value: { crc64xor: sum.checksum, kvs: sum.totalKvs, bytes: sum.totalBytes } };
  }

  /** The value of a key at a snapshot, undefined when there is none. */
  async get(
    region: Region,
    key: Uint8Array,
    snapshot: bigint,
    signal?: AbortSignal,
  ): Promise<RegionAnswer<Uint8Array | undefined>> {
    const leader = leaderOf(region);
    const request = { context: contextOf(region, leader), key: copy(key), version: snapshot };
    const answer = await this.#call(leader.storeId, this.#limits.callTimeoutMs, signal, (to, options) =>
      to.tikv.kvGet(request, options),
    );
    if (answer.regionError !== undefined) return { ok: false, error: answer.regionError };
    if (answer.error !== undefined) {
      const text = answer.error.abort !== "" ? answer.error.abort : answer.error.retryable || "a key is locked";
      throw new LevinError("Levin:Rpc:ErrRefused", `Cannot read a key of region ${region.id}: ${text}`, {
        fields: { grpcText: text },
      });
    }
    return { ok: true, value: answer.notFound ? undefined : answer.value };
  }

  /** Pairs of a range inside the region at a snapshot, in key order, at most `limit`. */
  async scan(
    region: Region,
    range: KeyRange,
    limit: number,
    snapshot: bigint,
    signal?: AbortSignal,
  ): Promise<RegionAnswer<{ key: Uint8Array; value: Uint8Array }[]>> {
    const leader = leaderOf(region);
    const context = contextOf(region, leader);
    const request = { context, startKey: copy(range.start), endKey: copy(range.end), limit, version: snapshot };
    const answer = await this.#call(leader.storeId, this.#limits.callTimeoutMs, signal, (to, options) =>
      to.tikv.kvScan(request, options),
    );
    if (answer.regionError !== undefined) return { ok: false, error: answer.regionError };
    const locked = answer.error ?? answer.pairs.find(({ error }) => error !== undefined)?.error;
    if (locked === undefined) return { ok: true, value: answer.pairs.map(({ key, value }) => ({ key, value })) };
    const text = locked.abort !== "" ? locked.abort : locked.retryable || "a key is locked";
    throw new LevinError("Levin:Rpc:ErrRefused", `Cannot read keys of region ${region.id}: ${text}`, {
      fields: { grpcText: text, locked: locked.abort === "" },
    });
  }

  /**
   * Hands to `onPairs` all versions newer than `minCommitTs` of the keys that have more than one: keys ascending, versions newest
   * first. A refusal may come after some pairs.
   */
  async duplicates(
    region: Region,
    range: KeyRange,
    minCommitTs: bigint,
    onPairs: (pairs: readonly DuplicatePair[]) => Promise<void> | void,
    signal?: AbortSignal,
  ): Promise<RegionAnswer<void>> {
    const leader = leaderOf(region);
    // key_only stays false: TiKV 8.5 fails with it (tikv.md 3.7).
    const request = {
      context: contextOf(region, leader),
      startKey: copy(range.start),
      endKey: copy(range.end),
      minCommitTs,
    };
    return await this.#call(leader.storeId, this.#limits.checksumTimeoutMs, signal, async (to, options) => {
      for await (const answer of to.importer.duplicateDetect(request, options)) {
        if (answer.regionError !== undefined) return { ok: false, error: answer.regionError };
        if (answer.keyError !== undefined) {
          throw new LevinError(
            "Levin:Rpc:ErrRefused",
            `Cannot search duplicates in region ${region.id}: ${answer.keyError.message}`,
            { fields: { grpcText: answer.keyError.message } },
          );
        }
        await onPairs(answer.pairs);
      }
      return { ok: true, value: undefined };
    });
  }

  async #call<T>(
    storeId: bigint,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    run: (to: StoreClients, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const store = await this.#stores.get(storeId, signal);
    try {
      return await this.#callStore(store, timeoutMs, signal, run);
    } catch (thrown) {
      // The store may have moved to another address.
      if (thrown instanceof LevinError && thrown.code === "Levin:Rpc:ErrUnavailable") this.#stores.forget(storeId);
      throw thrown;
    }
  }

  #callStore<T>(
    store: Store,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    run: (to: StoreClients, options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const options: CallOptions = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
    return this.#pool.use(store.address, (connection) => unlessAborted(signal, run(clientsOf(connection), options)));
  }
}

interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** One version of a key. */
export interface DuplicatePair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly commitTs: bigint;
}

const checksumRequestType = 105n;

/** The leader that a region request goes to; callers look for one first. */
function leaderOf(region: Region): Peer {
  assert(region.leader !== undefined, "a region request goes to a known leader");
  return region.leader;
}

/** Clients are compiled from the descriptors once for each connection. */
const compiled = new WeakMap<RpcTransport, StoreClients>();

function clientsOf(transport: RpcTransport): StoreClients {
  let clients = compiled.get(transport);
  if (clients === undefined) {
    clients = {
      tikv: createClient(Tikv, transport),
      importer: createClient(ImportSST, transport),
      connection: transport,
    };
    compiled.set(transport, clients);
  }
  return clients;
}

/** One batch is on its way while the next one is fetched. */
async function sendBatches(upload: PackedWrite, commitTs: bigint, batches: AsyncIterable<Uint8Array>): Promise<void> {
  let underway: Promise<void> | undefined;
  for await (const batch of batches) {
    const sent = upload.sendPairs(commitTs, [batch]);
    sent.catch(() => undefined);
    await underway;
    underway = sent;
  }
  await underway;
}

function metaOf(target: WriteTarget): SSTMeta {
  const { region } = target;
  assert(rangeHolds(region, target.firstKey) && rangeHolds(region, target.lastKey), "an SST lies inside its region");
  return create(SSTMetaSchema, {
    uuid: target.uuid,
    range: { start: encodeKey(target.firstKey), end: encodeKey(target.lastKey) },
    regionId: region.id,
    regionEpoch: { confVer: region.epoch.confVer, version: region.epoch.version },
  });
}

/** Generated messages want bytes on a plain buffer. */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
