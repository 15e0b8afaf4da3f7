/** Arena, sort, run writing and merge, on pairs that cost nothing to make. */
import { join } from "node:path";
import { openEngine, PairArena } from "../../../src/engine/mod.ts";
import { type KvDb, memoryKvDb } from "../../../src/kvdb/mod.ts";
import {
  type Bench,
  type BenchContext,
  type BenchResult,
  better,
  type Cost,
  type Measure,
  ResultHash,
  timed,
} from "../bench.ts";
import { type PairMaker, type PairShape, pairMaker } from "../data/pairs.ts";

const ARENA_BYTES = 64 * 1024 * 1024;

const shapes: PairShape[] = ["record-ordered", "record-random", "index-int", "index-text"];

function newArena({ tiny }: BenchContext): PairArena {
  return new PairArena({ capacityBytes: tiny ? 16 * 1024 : ARENA_BYTES });
}

function fillArena(arena: PairArena, maker: PairMaker): void {
  while (!arena.full) maker.next(arena);
}

/** Takes batches and keeps nothing but the engine's records: what is left is the work of the engine itself. */
function forgetfulKvDb(): KvDb {
  const kvdb = memoryKvDb();
  return {
    get: (key) => kvdb.get(key),
    batch: (changes) => kvdb.batch(changes.filter(({ value }) => value === undefined || value.length < 64)),
    sync: () => kvdb.sync(),
    cursor: (range, options) => kvdb.cursor(range, options),
    clear: (range) => kvdb.clear(range),
    close: () => kvdb.close(),
  };
}

function sortBench(shape: PairShape): Bench {
  return {
    name: `sort/${shape}`,
    about: "pairs into an arena, sorted, gathered into blocks with their CRC; no disk",
    async run(context): Promise<BenchResult> {
      const arena = newArena(context);
      const rounds = Math.max(2, Math.round(context.sizeBytes / arena.memoryBytes));
      const engine = await openEngine({ name: shape, store: { kvdb: forgetfulKvDb() } });
      const hash = new ResultHash();
      let put: Cost | undefined;
      let sort: Cost | undefined;
      let gather: Cost | undefined;
      for (let runId = 0; runId < rounds; runId++) {
        arena.clear();
        const maker = pairMaker(shape, context.seed);
        put = better(put, (await timed(() => fillArena(arena, maker)))[0]);
        sort = better(sort, (await timed(() => arena.sorted()))[0]);
        const [cost, run] = await timed(() => engine.writeRun(arena, { runId }));
        gather = better(gather, cost);
        if (runId === 0) hash.add(run.firstKey, run.lastKey, run.blocks, run.pairs, run.packedBytes);
      }
      const all = { bytes: arena.usedBytes, items: arena.count, limit: "memory copy" as const };
      const measures: Measure[] = [
        { ...all, ...put!, stage: "arena put" },
        { ...all, ...sort!, stage: "sort" },
        { ...all, ...gather!, stage: "sort and gather" },
      ];
      return { measures, hash: `${hash}` };
    },
  };
}

/** Writes runs until `sizeBytes` are stored, then reads them back merged. */
function storeBench(blocks: "map" | "files", shape: PairShape, runsWanted: number): Bench {
  const place = blocks === "map" ? "LevelDB" : "files";
  return {
    name: `store/${place}-${shape}-${runsWanted}-runs`,
    about: `${runsWanted} sorted runs, blocks in ${place}, then their merge`,
    async run(context): Promise<BenchResult> {
      const capacityBytes = Math.max(16 * 1024, Math.min(ARENA_BYTES, Math.ceil(context.sizeBytes / runsWanted)));
      const arena = new PairArena({ capacityBytes });
      const maker = pairMaker(shape, context.seed);
      const engine = await openEngine({ name: shape, store: { dir: join(context.dir, shape), blocks } });
      let bytes = 0;
      let items = 0;
      const write: Cost = { ms: 0, cpuMs: 0 };
      for (let runId = 0; runId < runsWanted; runId++) {
        arena.clear();
        fillArena(arena, maker);
        bytes += arena.usedBytes;
        items += arena.count;
        const [cost] = await timed(() => engine.writeRun(arena, { runId }));
        write.ms += cost.ms;
        write.cpuMs += cost.cpuMs;
      }
      const hash = new ResultHash();
      let read = 0;
      const [readCost] = await timed(async () => {
        for await (const batch of engine.reader({}, { onDuplicate: () => {} })) {
          read += batch.packed.length;
          hash.add(batch.firstKey, batch.lastKey, batch.pairs);
        }
      });
      await engine.destroy();
      const measures: Measure[] = [
        {
          stage: "engine write",
          bytes,
          items,
          ...write,
          limit: blocks === "map" ? "raw LevelDB write" : "raw file write",
        },
        {
          stage: "merge read",
          bytes: read,
          items,
          ...readCost,
          limit: blocks === "map" ? "raw LevelDB read" : "file read",
        },
      ];
      return { measures, hash: `${hash.add(read)}` };
    },
  };
}

export const benches: Bench[] = [
  ...shapes.map(sortBench),
  ...(["map", "files"] as const).flatMap((blocks) => [
    ...[1, 8, 32].map((runs) => storeBench(blocks, "record-random", runs)),
    storeBench(blocks, "record-ordered", 8),
    storeBench(blocks, "index-int", 8),
    storeBench(blocks, "index-text", 8),
  ]),
];
