/** Sorted pairs from disk into the stores of a sandbox process, written by the import's own thread or by others beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemFiles, systemRandom } from "../../../src/base/mod.ts";
import { grpcConnect, PdClient, StoreDirectory, TikvClient } from "../../../src/cluster/mod.ts";
import { openEngine, PairArena } from "../../../src/engine/mod.ts";
import { planMemory, systemWorld } from "../../../src/importer/mod.ts";
import {
  EngineSource,
  ingestRanges,
  innerBorders,
  type PlannedRange,
  splitRegions,
  WINDOW_MESSAGES,
  WriteThreads,
} from "../../../src/ingest/mod.ts";
import { memoryKvDb } from "../../../src/kvdb/mod.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash, timed } from "../bench.ts";
import { pairMaker } from "../data/pairs.ts";

const main = new URL("../../../src/main.ts", import.meta.url).pathname;
const encodeScript = new URL("../../../src/importer/encode/encode-worker.ts", import.meta.url);
const writeScript = new URL("../../../src/importer/write-worker.ts", import.meta.url);
const MIB = 1 << 20;
const RANGE_JOBS = 8;
const RANGES = 16;
const THREADS = [0, 1, 2];
const ROUNDS = 2;

/** CPU time of this thread in milliseconds; 0 where the system does not tell. */
function ownCpuMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return 0;
  }
}

async function filledEngine(context: BenchContext) {
  const files = systemFiles;
  const blockDir = join(context.dir, "blocks");
  const engine = await openEngine({ name: "bench", store: { kvdb: memoryKvDb(), blockDir, files } });
  const arena = new PairArena({ capacityBytes: context.tiny ? 32 * 1024 : 16 * MIB });
  const maker = pairMaker("record-ordered", context.seed);
  let bytes = 0;
  for (let runId = 0; bytes < context.sizeBytes; runId++) {
    arena.clear();
    while (!arena.full) maker.next(arena);
    bytes += arena.usedBytes;
    await engine.writeRun(arena, { runId });
  }
  const all = await engine.ranges({ rangeBytes: bytes / RANGES, rangeKeys: 1 << 30 });
  return { engine, blockDir, bytes, ranges: all };
}

async function sandboxOf({ dir }: BenchContext, stores: number) {
  const words = [main, "sandbox", "--dir", join(dir, "cluster"), "--stores", String(stores), "--json"];
  const child = Bun.spawn([process.execPath, ...words], { stdout: "pipe", stderr: "inherit" });
  let text = "";
  for await (const part of child.stdout) {
    text += new TextDecoder().decode(part);
    if (text.includes("\n")) break;
  }
  const { pd } = JSON.parse(text.split("\n")[0]!) as { pd: string[] };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.exited;
  };
  return { addresses: pd, stop };
}

interface Ingested {
  ms: number;
  cpuMs: number;
  ownMs: number;
  pairs: number;
}

async function ingestAll(stores: number, context: BenchContext): Promise<BenchResult> {
  const clock = systemClock;
  const random = systemRandom;
  const sandbox = await sandboxOf(context, stores);
  const { engine, blockDir, bytes, ranges } = await filledEngine(context);
  const connect = grpcConnect({ clock });
  const pd = new PdClient({ clock, random, connect, addresses: sandbox.addresses });
  const tikv = new TikvClient({ connect, stores: new StoreDirectory(pd) });
  // They stay from round to round: the better one is that of a program that is warm.
  const pools = new Map<number, WriteThreads>();
  try {
    await pd.connect();
    await splitRegions(innerBorders(ranges), { clock, random, pd, tikv });
    const runs = new Map<number, Ingested[]>(THREADS.map((count) => [count, []]));
    for (let round = 0; round < (context.tiny ? 1 : ROUNDS); round++) {
      for (const count of THREADS) runs.get(count)!.push(await ingestOnce(count, ranges));
    }
    const hash = new ResultHash();
    const measures: Measure[] = [];
    for (const [count, all] of runs) {
      const { ms, cpuMs, ownMs, pairs } = all.reduce((a, b) => (b.cpuMs < a.cpuMs ? b : a));
      hash.add(pairs);
      const stage = `${count} threads`;
      const common = { bytes, items: pairs, limit: [{ limit: "socket" as const, bytes: bytes * stores }] };
      measures.push({ ...common, stage, ms, cpuMs });
      // What bounds a machine of many cores: nothing else can do this thread's part.
      measures.push({ ...common, stage: `${stage}, own part`, ms: Math.max(ownMs, 1e-3), cpuMs: ownMs });
    }
    return { measures, hash: `${hash}` };
  } finally {
    for (const threads of pools.values()) await threads.close();
    tikv.close();
    pd.close();
    await engine.close();
    await sandbox.stop();
  }

  async function ingestOnce(count: number, parts: readonly PlannedRange[]): Promise<Ingested> {
    const memory = planMemory(0, { workers: 1, rangeJobs: RANGE_JOBS, blocks: "files", writers: count });
    const memoryBytes = memory.rangeReadBytes;
    const source = await EngineSource.open(engine, { memoryBytes });
    const setup = { ...memory.writer, idleFilesMax: 32, connectionsPerStore: 4 };
    const start = systemWorld(clock, encodeScript, writeScript).startWriter!;
    let threads = pools.get(count);
    if (threads === undefined) {
      threads = new WriteThreads({ count: Math.max(1, count), start, setup, clock, stores: tikv.stores });
      pools.set(count, threads);
    }
    const told = { engineName: "bench", blockDir, source, memoryBytes, windowMessages: WINDOW_MESSAGES };
    const writer = count === 0 ? undefined : threads.writer(told);
    const commitTs = await pd.timestamp();
    const limits = { workers: RANGE_JOBS, inFlightBytesMax: memory.inFlightBytes };
    const before = ownCpuMs();
    const [cost, totals] = await timed(() =>
      ingestRanges({ clock, random, pd, tikv, source, writer, ranges: parts, commitTs, limits }),
    );
    const ownMs = ownCpuMs() - before;
    return { ...cost, ownMs, pairs: totals.pairs };
  }
}

const bench = (stores: number): Bench => ({
  name: `ingest/${stores}s`,
  about: `sorted runs read, merged and written to ${stores} stores of a sandbox process, by threads beside the own one; CPU of this process, and its own thread's part (warm)`,
  slow: true,
  run: (context) => ingestAll(stores, context),
});

export const benches: Bench[] = [bench(1), bench(3)];
