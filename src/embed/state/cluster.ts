import { compareBytes } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { BlockCache } from "./block-cache.ts";
import { type BlockStore, kvBlocks } from "./block-store.ts";
import { Facts } from "./facts.ts";
import { IdAllocator } from "./ids.ts";
import { Journal } from "./journal.ts";
import { Mvcc } from "./mvcc.ts";
import type { ClusterOptions, StoreState } from "./options.ts";
import { Placement } from "./placement.ts";
import { Reader } from "./reader.ts";
import { HarmRefusal, type Refusal } from "./refusal.ts";
import { RegionMap } from "./region.ts";
import { decodeRegion } from "./region-codec.ts";
import { decodeRun, encodeRun, type Run, RunSet, segmentsOf } from "./runs.ts";
import type { BlockMeta, SstFile } from "./sst.ts";
import { loadStores } from "./stores.ts";
import { be32, be64, forEach, tableKey } from "./tables.ts";
import { TimestampOracle } from "./tso.ts";
import { Uploads } from "./uploads.ts";

/** `raftstore.cleanup-import-sst-interval`. */
const SWEEP_MS = 600_000;
const BLOCK_CACHE_BYTES = 64 * 1024 * 1024;

/**
 * The state of the embedded cluster: stores, regions, timestamps, ids and data. PD's and TiKV's services are faces of it; all
 * replicas of a region share one state, only files before their ingestion are kept per store.
 */
export class Cluster {
  /** PD's cluster id. */
  readonly id: bigint;
  readonly options: ClusterOptions;
  readonly facts: Facts;
  readonly journal: Journal;
  readonly ids: IdAllocator;
  readonly tso: TimestampOracle;
  readonly stores: Map<bigint, StoreState>;
  readonly regions = new RegionMap();
  readonly placement: Placement;
  readonly uploads: Uploads;
  readonly runs = new RunSet();
  readonly reader: Reader;
  readonly mvcc: Mvcc;
  /** First timestamp of the cluster: older ones cannot come from its PD. */
  readonly createdTs: bigint;
  /** Number of requests that a real store would have taken to its harm. */
  harmRefused = 0;
  readonly #db: KvDb;
  readonly #blocks: BlockStore;
  #runOrder = 0;
  #sweptMs: number;
  #frozenRegions: RegionMap | undefined;

  private constructor(db: KvDb, blocks: BlockStore, options: ClusterOptions, seed: Seed) {
    this.#db = db;
    this.#blocks = blocks;
    this.options = options;
    this.#sweptMs = options.clock.nowMs();
    this.id = BigInt(seed.id);
    this.createdTs = BigInt(seed.createdTs);
    this.facts = seed.facts;
    this.journal = seed.journal;
    this.ids = seed.ids;
    this.tso = seed.tso;
    this.stores = seed.stores;
    this.uploads = new Uploads(db, this.journal, blocks, () => seed.fileIds.take());
    const cache = new BlockCache(blocks, options.blockCacheBytes ?? BLOCK_CACHE_BYTES);
    this.reader = new Reader(db, this.runs, cache);
    this.mvcc = new Mvcc(db, this.journal, this.reader);
    this.placement = new Placement(this.regions, this.stores, this.ids, this.journal);
  }

  /** Opens the cluster kept in `db` and `blocks`, or makes a new one there. The cluster owns both. */
  static async open(db: KvDb, options: ClusterOptions, blocks: BlockStore = kvBlocks(db)): Promise<Cluster> {
    const journal = new Journal(db);
    const facts = new Facts(db, journal);
    const ids = await IdAllocator.open(facts, "ids");
    const fileIds = await IdAllocator.open(facts, "files");
    const tsoBound = TimestampOracle.boundOf(await db.get(TimestampOracle.boundKey));
    const tso = new TimestampOracle(options.clock, journal, tsoBound);
    const known = await facts.get<{ id: string; createdTs: string }>("cluster");
    const stores = await loadStores(db, options);
    const created = known ?? { id: newClusterId(options), createdTs: String(await tso.next()) };
    const cluster = new Cluster(db, blocks, options, { ...created, facts, journal, ids, fileIds, tso, stores });
    if (known === undefined) {
      await cluster.placement.bootstrap(options);
      await facts.set("cluster", created);
    } else await cluster.#load();
    await journal.settled();
    return cluster;
  }

  async #load(): Promise<void> {
    await forEach(this.#db, "r", (_, value) => this.regions.load(decodeRegion(value)));
    this.regions.seal();
    const runs: Run[] = [];
    await forEach(this.#db, "i", (_, value) => runs.push(decodeRun(value)));
    runs.sort((a, b) => a.order - b.order);
    this.runs.add(runs);
    this.#runOrder = (runs[runs.length - 1]?.order ?? 0) + 1;
    const files = await this.uploads.load();
    await this.mvcc.load();
    await this.#blocks.keepOnly([...files, ...runs.map((run) => run.fileId)]);
  }

  /** The regions as PD knows them; it learns of changes by heartbeats. */
  get regionView(): RegionMap {
    return this.#frozenRegions ?? this.regions;
  }

  /** No heartbeat reaches PD from now on. */
  freezeRegionView(): void {
    this.#frozenRegions ??= this.regions.copy();
  }

  thawRegionView(): void {
    this.#frozenRegions = undefined;
  }

  /** Counts and reports a request that a real store would have taken to its harm; the caller answers with it. */
  harm(what: string): HarmRefusal {
    return this.noteHarm(new HarmRefusal(what));
  }

  noteHarm<T extends Refusal>(refusal: T): T {
    if (refusal instanceof HarmRefusal) {
      this.harmRefused++;
      this.options.onHarm?.(refusal.message);
    }
    return refusal;
  }

  /**
   * Removes files that can never be ingested because their region has moved on. Stores do so every ten minutes; here the next Write
   * after that time does.
   */
  async sweepStaleFiles(): Promise<void> {
    const now = this.options.clock.nowMs();
    if (now - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = now;
    await this.uploads.sweep((file) => {
      const region = this.regions.byId(file.regionId);
      return region === undefined || region.version !== file.version || region.confVer !== file.confVer;
    });
  }

  /** Makes a written file part of the data, at once and for all replicas. */
  async ingest(file: SstFile): Promise<void> {
    const runs: Run[] = segmentsOf(file.blocks).map(({ firstBlock, blocks }, segment) => ({
      fileId: file.id,
      segment,
      firstBlock,
      commitTs: blocks[0]!.commitTs,
      blocks,
      holes: [],
      order: this.#runOrder++,
    }));
    const changes = runs.map((run) => ({ key: runKey(run), value: encodeRun(run) }));
    const taken = this.uploads.take(file);
    await this.journal.write([...changes, { key: taken, value: undefined }]);
    this.runs.add(runs);
  }

  /** Removes all versions of the raw keys in [start, end), at once; an empty end is the end of all keys. */
  async destroyRange(start: Uint8Array, end: Uint8Array): Promise<void> {
    const behind = end.length === 0 ? undefined : end;
    for (const run of this.runs.overlapping(start, behind)) {
      const whole =
        compareBytes(run.blocks[0]!.first, start) >= 0 &&
        (behind === undefined || compareBytes(run.blocks[run.blocks.length - 1]!.last, behind) < 0);
      if (whole) {
        this.runs.remove(run);
        await this.journal.write([{ key: runKey(run), value: undefined }]);
        if (!this.runs.all().some(({ fileId }) => fileId === run.fileId)) await this.#blocks.drop(run.fileId);
      } else {
        run.holes.push({ start, end });
        await this.journal.write([{ key: runKey(run), value: encodeRun(run) }]);
      }
    }
    await this.mvcc.destroyRange(start, behind);
  }

  /** Blocks of ingested data whose first key lies in [start, end) of raw keys; for sizes, not exact at the borders. */
  blocksIn(start: Uint8Array, end: Uint8Array | undefined): BlockMeta[] {
    const out: BlockMeta[] = [];
    for (const run of this.runs.overlapping(start, end)) {
      for (const block of run.blocks) {
        if (compareBytes(block.first, start) < 0) continue;
        if (end !== undefined && compareBytes(block.first, end) >= 0) break;
        out.push(block);
      }
    }
    return out;
  }

  /** Writes what is still in memory and closes the database. */
  async close(): Promise<void> {
    await this.journal.settled();
    await this.#blocks.close();
    await this.#db.close();
  }
}

interface Seed {
  id: string;
  createdTs: string;
  facts: Facts;
  journal: Journal;
  ids: IdAllocator;
  fileIds: IdAllocator;
  tso: TimestampOracle;
  stores: Map<bigint, StoreState>;
}

function runKey(run: Run): Uint8Array {
  return tableKey("i", be64(run.fileId), be32(run.segment));
}

/** PD's cluster id is the start time and 32 random bits. */
function newClusterId(options: ClusterOptions): string {
  const bits = BigInt(Math.floor(options.random.next() * 0x100000000));
  return String((BigInt(Math.floor(options.clock.nowMs() / 1000)) << 32n) + bits);
}
