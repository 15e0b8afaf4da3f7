import { assert, compareBytes, equalBytes, type Files, joinPath, LevinError, systemFiles } from "../base/mod.ts";
import { type KvDb, type LevelKvDbOptions, openLevelKvDb } from "../kvdb/mod.ts";
import { FileBlockStore } from "./block-files.ts";
import { type BlockStore, type KeyBounds, MapBlockStore, storedRunIds } from "./block-store.ts";
import { mergeRuns } from "./cascade.ts";
import { findLastKey } from "./last-key.ts";
import {
  BLOCK_PLACES,
  decodeRun,
  FORMAT_VERSION,
  formatKey,
  keysOfRuns,
  RUN_ID_MAX,
  type RunInfo,
  runKey,
} from "./layout.ts";
import { nextKey } from "./next-key.ts";
import { deepestOverlap } from "./overlap.ts";
import type { PairArena } from "./pair-arena.ts";
import { type KeyRange, type PlanOptions, planRanges } from "./range-index.ts";
import { type PairBatch, type PairSource, type ReadOptions, readPairs } from "./read-pairs.ts";
import { RunBuilder } from "./run-builder.ts";

/** A directory of the engine's own, or a map that the caller opened and will close. */
export type EngineStore = DirectoryStore | MapStore;

export interface MapStore {
  kvdb: KvDb;
  /** Directory for this engine's blocks, one file a run (see `DirectoryStore.blocks`); absent: blocks are kept in the map. */
  blockDir?: string;
  files?: Files;
}

interface DirectoryStore {
  dir: string;
  level?: LevelKvDbOptions;
  /**
   * Where blocks are kept: "map", in LevelDB beside the runs' records; "files", in one file a run. Files take a seventh of the CPU
   * time (0.5 against 3.5 s/GB written), for LevelDB writes everything twice and computes its checksums without the processor's help,
   * and a third of the memory. With several writers the map costs more still: their runs lie across each other, and compaction
   * writes them again.
   */
  blocks?: "map" | "files";
  files?: Files;
}

interface EngineOptions {
  /** For people: table and part, for example `db.t:data`. */
  name: string;
  store: EngineStore;
  /** Tells engines apart that share one map; empty when absent. */
  prefix?: Uint8Array;
  /**
   * The owner removes what uncommitted runs left, so it opens first and alone; writers (encode workers, other threads of the process)
   * open the same directory while the owner holds it, and only write runs. "owner" when absent.
   */
  role?: "owner" | "writer";
  /** Target size of a block of packed pairs; when absent, 256 KiB in a map and 64 KiB in files. */
  blockBytes?: number;
}

interface WriteRunOptions {
  /** Unique in the engine, below `CASCADE_RUN_ID`. The run is written once, however often its rows are encoded. */
  runId: number;
  /** XOR of the CRC-64 of the pairs; kept, added up by `totals`. */
  checksum?: bigint;
  /** Kept with the run, for example which chunks it covers. */
  note?: Uint8Array;
}

interface EngineTotals {
  runs: number;
  pairs: number;
  /** Bytes of keys and values. */
  bytes: number;
  /** Bytes of packed pairs, about what the engine has on disk. */
  packedBytes: number;
  /** XOR over the runs. */
  checksum: bigint;
}

/** Run ids from here on belong to runs that `cascade` makes. */
const CASCADE_RUN_ID = 0x8000_0000;

/** What depends on where blocks are kept. */
interface PlaceLimits {
  /** Size of a block when the caller names none. */
  blockBytes: number;
  /**
   * Runs that one merge reads at once; it holds three blocks a run. With twice as many runs a merge costs 30 ns a pair more (100-byte
   * pairs, measured up to 256); writing and reading the pairs once more costs 300.
   */
  fanInMax: number;
}

const placeLimits: Record<(typeof BLOCK_PLACES)[number], PlaceLimits> = {
  // The smallest block at which LevelDB comes near to its best speed (design §2); 48 MiB for a merge.
  map: { blockBytes: 256 * 1024, fanInMax: 64 },
  // Files do not mind smaller blocks, so a merge of many runs holds less and reads less beyond its range; 48 MiB for a merge.
  files: { blockBytes: 64 * 1024, fanInMax: 256 },
};

/** Opens an engine; makes it when there is none. Fails with `Levin:Engine:ErrCorrupt` when it has another format version. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { store } = options;
  const kvdb = "kvdb" in store ? store.kvdb : await openLevelKvDb(store.dir, { shared: true, ...store.level });
  const engine = new Engine(options, kvdb);
  try {
    if (options.role === "writer") await engine.assertFormat();
    else await engine.recover();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/** Reads runs that the caller knows. */
export interface EngineReader {
  /** The pairs of a range in key order, in packed batches; see `readPairs`. */
  reader(bounds: KeyBounds, options: ReadOptions & { runs: readonly RunInfo[] }): AsyncGenerator<PairBatch>;
  /** The last key inside the bounds, undefined when there is none. */
  lastKey(bounds: KeyBounds, runs: readonly RunInfo[]): Promise<Uint8Array | undefined>;
}

/** The sorted pairs of one part of a table, as runs: their records in an ordered map, their blocks there or in files. */
export class Engine implements EngineReader {
  readonly name: string;
  readonly #kvdb: KvDb;
  readonly #prefix: Uint8Array;
  readonly #blocks: BlockStore;
  readonly #blockBytes: number;
  readonly #fanInMax: number;
  readonly #format: Uint8Array;
  /** Whether the map is the engine's own. */
  readonly #ownsMap: boolean;
  /** Removes the engine's directory, if it has one. */
  readonly #removeDir: () => Promise<void>;

  constructor({ name, store, prefix = new Uint8Array(0), blockBytes }: EngineOptions, kvdb: KvDb) {
    this.name = name;
    this.#kvdb = kvdb;
    this.#prefix = prefix;
    const files = store.files ?? systemFiles;
    const blockDir =
      "kvdb" in store ? store.blockDir : store.blocks === "files" ? joinPath(store.dir, "runs") : undefined;
    const place = blockDir === undefined ? "map" : "files";
    this.#fanInMax = placeLimits[place].fanInMax;
    this.#blockBytes = blockBytes ?? placeLimits[place].blockBytes;
    this.#format = new Uint8Array([FORMAT_VERSION, BLOCK_PLACES.indexOf(place)]);
    this.#blocks = blockDir === undefined ? new MapBlockStore(kvdb, prefix) : new FileBlockStore(blockDir, files, name);
    this.#ownsMap = "dir" in store;
    const dir = "dir" in store ? store.dir : blockDir;
    this.#removeDir = async () => (dir === undefined ? undefined : files.removeTree(dir));
  }

  /**
   * Sorts the arena's pairs and stores them as one run; on disk when the promise resolves, nothing of it counts before. The arena must
   * not be touched meanwhile, and is cleared by the caller. Runs of several threads may be written at the same time.
   */
  async writeRun(arena: PairArena, { runId, checksum = 0n, note }: WriteRunOptions): Promise<RunInfo> {
    assert(runId >= 0 && runId < CASCADE_RUN_ID, "a run id is a number below CASCADE_RUN_ID");
    assert(arena.count > 0, "a run has pairs");
    await this.#assertFree(runId);
    const { offsets, strict, ...space } = arena.sorted(this.#blockBytes);
    const builder = new RunBuilder({
      kvdb: this.#kvdb,
      prefix: this.#prefix,
      runId,
      blocks: await this.#blocks.write(runId),
      blockBytes: this.#blockBytes,
      space,
    });
    try {
      await builder.add(offsets, offsets.length, strict);
      return await builder.commit({ checksum, note: note ?? new Uint8Array(0), sources: [], changes: [] });
    } catch (error) {
      await builder.abandon();
      throw error;
    }
  }

  /** All committed runs, those of other threads included, by id. */
  async runs(): Promise<RunInfo[]> {
    const runs: RunInfo[] = [];
    for (const runId of await storedRunIds(this.#kvdb, this.#prefix)) {
      const run = await this.#record(runId);
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  /** Which of these runs are not there: neither they with their blocks, nor a run that `cascade` made of them. */
  async missing(runIds: Iterable<number>): Promise<number[]> {
    const stored = new Set(await this.#blocks.runIds());
    const held = new Set<number>();
    for (const run of await this.runs()) {
      if (stored.has(run.runId)) for (const id of run.sources.length === 0 ? [run.runId] : run.sources) held.add(id);
    }
    return [...runIds].filter((id) => !held.has(id));
  }

  /** Takes a run out again: its rows are to be encoded anew. Not while others read the engine. */
  async dropRun(runId: number): Promise<void> {
    await this.#kvdb.batch([{ key: runKey(this.#prefix, runId), value: undefined }], { sync: true });
    await this.#blocks.remove(runId);
  }

  async totals(): Promise<EngineTotals> {
    const totals: EngineTotals = { runs: 0, pairs: 0, bytes: 0, packedBytes: 0, checksum: 0n };
    for (const run of await this.runs()) {
      totals.runs++;
      totals.pairs += run.pairs;
      totals.bytes += run.bytes;
      totals.packedBytes += run.packedBytes;
      totals.checksum ^= run.checksum;
    }
    return totals;
  }

  /** Ranges that together hold every key once, cut by size (see `planRanges`); the last ends at `nextKey` of the last key. */
  async ranges(options: PlanOptions = {}): Promise<KeyRange[]> {
    const runs = await this.runs();
    const first = runs[0];
    if (first === undefined) return [];
    let last = first.lastKey;
    for (const run of runs) if (compareBytes(run.lastKey, last) > 0) last = run.lastKey;
    return planRanges(
      runs.map((run) => run.points),
      nextKey(last),
      options,
    );
  }

  /** The pairs of a range in key order, in packed batches; see `readPairs`. `runs` saves reading the records again for each range. */
  async *reader(
    bounds: KeyBounds = {},
    options: ReadOptions & { runs?: readonly RunInfo[] } = {},
  ): AsyncGenerator<PairBatch> {
    yield* readPairs(this.#source(options.runs ?? (await this.runs())), bounds, options);
  }

  /** The last key inside the bounds, undefined when there is none; `runs` as in `reader`. */
  async lastKey(bounds: KeyBounds, runs?: readonly RunInfo[]): Promise<Uint8Array | undefined> {
    return findLastKey(this.#source(runs ?? (await this.runs())), bounds);
  }

  /**
   * Merges runs until no key lies in more than `fanInMax` of them, so that a merge opens no more than that: the smallest ones where they
   * lie deepest. Runs beside each other (sorted sources) are left alone, however many. Each merge reads and writes its pairs once. Equal
   * keys are kept. A crash leaves either the merged runs or their sources. Nobody else may use the engine meanwhile.
   */
  async cascade({
    fanInMax = this.#fanInMax,
    signal,
  }: {
    fanInMax?: number;
    signal?: AbortSignal;
  } = {}): Promise<RunInfo[]> {
    assert(fanInMax >= 2, "merging needs two runs");
    let runs = await this.runs();
    for (;;) {
      const deepest = deepestOverlap(runs);
      if (deepest === undefined || deepest.depth <= fanInMax) break;
      signal?.throwIfAborted();
      const { depth, at } = deepest;
      const group = runs
        .filter(({ firstKey, lastKey }) => compareBytes(firstKey, at) <= 0 && compareBytes(lastKey, at) >= 0)
        .sort((a, b) => a.packedBytes - b.packedBytes || a.runId - b.runId)
        .slice(0, Math.min(fanInMax, depth - fanInMax + 1))
        .sort((a, b) => a.runId - b.runId);
      const runId = Math.max(CASCADE_RUN_ID - 1, ...runs.map((run) => run.runId)) + 1;
      assert(runId <= RUN_ID_MAX, "run ids do not run out");
      await this.#assertFree(runId);
      await mergeRuns(this.#source(group), {
        kvdb: this.#kvdb,
        prefix: this.#prefix,
        runId,
        blockBytes: this.#blockBytes,
        ...(signal ? { signal } : {}),
      });
      for (const run of group) await this.#blocks.remove(run.runId);
      runs = await this.runs();
    }
    return runs;
  }

  /** Closes what the engine opened. Readers and writers must have ended. */
  async close(): Promise<void> {
    await this.#blocks.close();
    if (this.#ownsMap) await this.#kvdb.close();
  }

  /** Removes everything the engine has stored, and closes it. */
  async destroy(): Promise<void> {
    if (!this.#ownsMap) {
      await this.#kvdb.clear(keysOfRuns(this.#prefix, 0, RUN_ID_MAX + 1));
      await this.#kvdb.batch([{ key: formatKey(this.#prefix), value: undefined }]);
    }
    await this.close();
    await this.#removeDir();
  }

  /** Owner's opening: checks or writes the format record and removes blocks of runs without a record. */
  async recover(): Promise<void> {
    const key = formatKey(this.#prefix);
    if ((await this.#kvdb.get(key)) === undefined) {
      await this.#kvdb.batch([{ key, value: this.#format }], { sync: true });
    }
    await this.assertFormat();
    for (const runId of await this.#blocks.runIds()) {
      if ((await this.#record(runId)) === undefined) await this.#blocks.remove(runId);
    }
  }

  async assertFormat(): Promise<void> {
    const value = await this.#kvdb.get(formatKey(this.#prefix));
    if (value !== undefined && equalBytes(value, this.#format)) return;
    const show = ([version, place]: Uint8Array) => `${version}, blocks in ${BLOCK_PLACES[place!] ?? "another place"}`;
    const found = value === undefined ? "missing" : show(value);
    throw this.#corrupt(`its format is ${found}; expected ${show(this.#format)}`, {});
  }

  /** The record of a run; undefined when it is not committed. */
  async #record(runId: number): Promise<RunInfo | undefined> {
    const value = await this.#kvdb.get(runKey(this.#prefix, runId));
    if (value === undefined) return undefined;
    const run = decodeRun(runId, value);
    if (run === undefined) throw this.#corrupt(`the record of run ${runId} is damaged`, { run: runId });
    return run;
  }

  /** A run is written once; blocks that a failed attempt of this process left are removed. */
  async #assertFree(runId: number): Promise<void> {
    const record = await this.#kvdb.get(runKey(this.#prefix, runId));
    assert(record === undefined, `run ${runId} of engine "${this.name}" is written once`);
    await this.#blocks.remove(runId);
  }

  #source(runs: readonly RunInfo[]): PairSource {
    return { blocks: this.#blocks, engineName: this.name, runs };
  }

  #corrupt(detail: string, fields: Record<string, number>): LevinError {
    return new LevinError("Levin:Engine:ErrCorrupt", `Cannot read engine "${this.name}": ${detail}`, {
      fields: { engine: this.name, ...fields },
    });
  }
}
