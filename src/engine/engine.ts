import { rm } from "node:fs/promises";
import { assert, compareBytes, equalBytes, LevinError } from "../base/mod.ts";
import { type KvDb, type LevelKvDbOptions, openLevelKvDb } from "../kvdb/mod.ts";
import type { KeyBounds } from "./block-cursor.ts";
import { mergeRuns } from "./cascade.ts";
import {
  decodeRun,
  FORMAT_VERSION,
  formatKey,
  keysOfRuns,
  RUN_ID_MAX,
  type RunInfo,
  runIdOfKey,
  runKey,
} from "./layout.ts";
import { nextKey } from "./next-key.ts";
import type { PairArena } from "./pair-arena.ts";
import { type KeyRange, type PlanOptions, planRanges } from "./range-index.ts";
import { type PairBatch, type PairSource, type ReadOptions, readPairs } from "./read-pairs.ts";
import { BLOCK_BYTES, BLOCK_BYTES_MAX, RunBuilder } from "./run-builder.ts";

export interface EngineOptions {
  /** For people: table and part, for example `db.t:data`. */
  name: string;
  /** Directory of the engine's own LevelDB, or a map that the caller opened and will close. */
  store: { dir: string; level?: LevelKvDbOptions } | { kvdb: KvDb };
  /** Tells engines apart that share one map; empty when absent. */
  prefix?: Uint8Array;
  /**
   * The owner removes what uncommitted runs left, so it opens first and alone; writers (encode workers, other threads of the process)
   * open the same directory while the owner holds it, and only write runs. "owner" when absent.
   */
  role?: "owner" | "writer";
  /** Target size of a block of packed pairs. */
  blockBytes?: number;
}

export interface WriteRunOptions {
  /** Unique in the engine, below `CASCADE_RUN_ID`. The run is written once, however often its rows are encoded. */
  runId: number;
  /** XOR of the CRC-64 of the pairs; kept, added up by `totals`. */
  checksum?: bigint;
  /** Kept with the run, for example which chunks it covers. */
  note?: Uint8Array;
}

export interface EngineTotals {
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
export const CASCADE_RUN_ID = 0x8000_0000;

/** Runs that one merge reads at once: with 256 KiB of read-ahead each and as much again in use, 32 MiB. */
export const FAN_IN_MAX = 64;

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

/** The sorted pairs of one part of a table, as runs in an ordered map. */
export class Engine {
  readonly name: string;
  readonly #kvdb: KvDb;
  readonly #prefix: Uint8Array;
  readonly #blockBytes: number;
  /** Directory to close and destroy; undefined when the map is the caller's. */
  readonly #dir: string | undefined;

  constructor(options: EngineOptions, kvdb: KvDb) {
    this.name = options.name;
    this.#kvdb = kvdb;
    this.#prefix = options.prefix ?? new Uint8Array(0);
    this.#blockBytes = options.blockBytes ?? BLOCK_BYTES;
    this.#dir = "dir" in options.store ? options.store.dir : undefined;
    assert(this.#blockBytes >= 64 && this.#blockBytes <= BLOCK_BYTES_MAX, "a block fits into the scratch area");
  }

  /**
   * Sorts the arena's pairs and stores them as one run; on disk when the promise resolves, nothing of it counts before. The arena must
   * not be touched meanwhile, and is cleared by the caller. Runs of several threads may be written at the same time.
   */
  async writeRun(arena: PairArena, { runId, checksum = 0n, note }: WriteRunOptions): Promise<RunInfo> {
    assert(runId >= 0 && runId < CASCADE_RUN_ID, "a run id is a number below CASCADE_RUN_ID");
    assert(arena.count > 0, "a run has pairs");
    await this.#assertFree(runId);
    const { offsets, ...space } = arena.sorted();
    const builder = new RunBuilder({
      kvdb: this.#kvdb,
      prefix: this.#prefix,
      runId,
      blockBytes: this.#blockBytes,
      space,
    });
    try {
      await builder.add(offsets, offsets.length);
      return await builder.commit({ checksum, note: note ?? new Uint8Array(0), sources: [], changes: [] });
    } catch (error) {
      await builder.abandon();
      throw error;
    }
  }

  /** All committed runs, those of other threads included, by id. */
  async runs(): Promise<RunInfo[]> {
    const runs: RunInfo[] = [];
    for await (const { run } of this.#storedRuns()) if (run !== undefined) runs.push(run);
    return runs;
  }

  /** Takes a run out again: its rows are to be encoded anew. Not while others read the engine. */
  async dropRun(runId: number): Promise<void> {
    await this.#kvdb.batch([{ key: runKey(this.#prefix, runId), value: undefined }], { sync: true });
    await this.#clearRun(runId);
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

  /**
   * Merges the smallest runs until at most `fanInMax` are left, so that reading a range opens no more than that. Each merge reads and
   * writes its pairs once. Equal keys are kept. A crash leaves either the merged runs or their sources. Nobody else may use the engine
   * meanwhile.
   */
  async cascade({
    fanInMax = FAN_IN_MAX,
    signal,
  }: {
    fanInMax?: number;
    signal?: AbortSignal;
  } = {}): Promise<RunInfo[]> {
    assert(fanInMax >= 2, "merging needs two runs");
    let runs = await this.runs();
    while (runs.length > fanInMax) {
      signal?.throwIfAborted();
      const bySize = runs.toSorted((a, b) => a.packedBytes - b.packedBytes || a.runId - b.runId);
      const group = bySize.slice(0, Math.min(fanInMax, runs.length - fanInMax + 1)).sort((a, b) => a.runId - b.runId);
      const runId = Math.max(CASCADE_RUN_ID - 1, ...runs.map((run) => run.runId)) + 1;
      assert(runId <= RUN_ID_MAX, "run ids do not run out");
      await this.#assertFree(runId);
      await mergeRuns(this.#source(group), { runId, blockBytes: this.#blockBytes, ...(signal ? { signal } : {}) });
      for (const run of group) await this.#clearRun(run.runId);
      runs = await this.runs();
    }
    return runs;
  }

  /** Closes the directory, if it is the engine's own. Readers and writers must have ended. */
  async close(): Promise<void> {
    if (this.#dir !== undefined) await this.#kvdb.close();
  }

  /** Removes everything the engine has stored, and closes it. */
  async destroy(): Promise<void> {
    if (this.#dir === undefined) {
      await this.#kvdb.clear(keysOfRuns(this.#prefix, 0, RUN_ID_MAX + 1));
      await this.#kvdb.batch([{ key: formatKey(this.#prefix), value: undefined }]);
      return;
    }
    await this.#kvdb.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Owner's opening: checks or writes the format record and removes blocks without a run record. */
  async recover(): Promise<void> {
    const key = formatKey(this.#prefix);
    if ((await this.#kvdb.get(key)) === undefined) {
      await this.#kvdb.batch([{ key, value: new Uint8Array([FORMAT_VERSION]) }], { sync: true });
    }
    await this.assertFormat();
    for await (const { runId, run } of this.#storedRuns()) {
      if (run === undefined) await this.#clearRun(runId);
    }
  }

  async assertFormat(): Promise<void> {
    const value = await this.#kvdb.get(formatKey(this.#prefix));
    if (value !== undefined && equalBytes(value, new Uint8Array([FORMAT_VERSION]))) return;
    throw this.#corrupt(`its format is ${value?.[0] ?? "missing"}, this levin knows ${FORMAT_VERSION}`, {});
  }

  /** Every run that has stored something, by id; without `RunInfo` when it is not committed. */
  async *#storedRuns(): AsyncGenerator<{ runId: number; run: RunInfo | undefined }> {
    for (let runId = await this.#firstRunFrom(0); runId !== undefined; runId = await this.#firstRunFrom(runId + 1)) {
      const value = await this.#kvdb.get(runKey(this.#prefix, runId));
      const run = value && decodeRun(runId, value);
      if (value !== undefined && run === undefined) {
        throw this.#corrupt(`the record of run ${runId} is damaged`, { run: runId });
      }
      yield { runId, run };
    }
  }

  /** Id of the first run at or behind `runId` that has stored something. */
  async #firstRunFrom(runId: number): Promise<number | undefined> {
    if (runId > RUN_ID_MAX) return undefined;
    const cursor = this.#kvdb.cursor(keysOfRuns(this.#prefix, runId, RUN_ID_MAX + 1), { keysOnly: true });
    const [entry] = await cursor.next(1);
    await cursor.close();
    return entry === undefined ? undefined : runIdOfKey(this.#prefix, entry[0]);
  }

  /** A run is written once; blocks that a failed attempt of this process left are removed. */
  async #assertFree(runId: number): Promise<void> {
    const record = await this.#kvdb.get(runKey(this.#prefix, runId));
    assert(record === undefined, `run ${runId} of engine "${this.name}" is written once`);
    if ((await this.#firstRunFrom(runId)) === runId) await this.#clearRun(runId);
  }

  async #clearRun(runId: number): Promise<void> {
    await this.#kvdb.clear(keysOfRuns(this.#prefix, runId, runId + 1));
  }

  #source(runs: readonly RunInfo[]): PairSource {
    return { kvdb: this.#kvdb, prefix: this.#prefix, engineName: this.name, runs };
  }

  #corrupt(detail: string, fields: Record<string, number>): LevinError {
    return new LevinError("Levin:Engine:ErrCorrupt", `Cannot read engine "${this.name}": ${detail}`, {
      fields: { engine: this.name, ...fields },
    });
  }
}
