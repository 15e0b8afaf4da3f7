import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { compareBytes, LevinError, seededRandom } from "../../src/base/mod.ts";
import {
  type DuplicateKey,
  type Engine,
  type EngineStore,
  openEngine,
  PairArena,
  readMemoryBytes,
} from "../../src/engine/mod.ts";
import { type KvDb, memoryKvDb, openLevelKvDb } from "../../src/kvdb/mod.ts";
import { byKey, fill, randomPairs, readAll, type Shape, sortedUnique, textOf, writePairs } from "./pairs.ts";

const root = await mkdtemp(join(tmpdir(), "levin-engine-"));
let dirs = 0;
const freshDir = () => join(root, `d${dirs++}`);

after(() => rmSync(root, { recursive: true, force: true }));

const KIB = 1024;

async function memoryEngine(kvdb: KvDb = memoryKvDb(), blockBytes = 2 * KIB): Promise<Engine> {
  return openEngine({ name: "db.t:data", store: { kvdb }, blockBytes });
}

/** Every place where an engine can keep its blocks. */
const stores: Record<string, () => EngineStore> = {
  "a memory map": () => ({ kvdb: memoryKvDb() }),
  LevelDB: () => ({ dir: freshDir() }),
  "LevelDB and files": () => ({ dir: freshDir(), blocks: "files" }),
  "a memory map and files": () => ({ kvdb: memoryKvDb(), blockDir: freshDir() }),
};

for (const [place, newStore] of Object.entries(stores)) {
  describe(`engine in ${place}`, () => {
    test("gives back all pairs, any range of them, and the same after cascading and reopening", async () => {
      const store = newStore();
      const random = seededRandom(3);
      const pairs = randomPairs("index", 2000, 17);
      const want = sortedUnique(pairs);
      const engine = await openEngine({ name: "e", store, blockBytes: 900 });
      assert.ok((await writePairs(engine, pairs, 12 * KIB)) > 5);
      const check = async (current: Engine) => {
        const options = { batchBytes: 2 * KIB, onDuplicate: () => {} };
        assert.deepEqual(
          (await readAll(current, {}, options)).map(({ key }) => key),
          want.map(({ key }) => key),
        );
        for (let round = 0; round < 8; round++) {
          const [a, b] = [0, 0].map(() => Math.floor(random.next() * want.length)).sort((x, y) => x - y);
          const [start, end] = [want[a!]!.key, want[b!]!.key];
          const got = await readAll(current, { start, end }, options);
          assert.deepEqual(
            got.map(({ key }) => key),
            want.slice(a, b).map(({ key }) => key),
          );
        }
      };
      await check(engine);
      await engine.dropRun(2);
      await writePairs(engine, pairs, 4000 * KIB, 100);
      await check(engine);
      assert.equal((await engine.cascade({ fanInMax: 2 })).length, 2);
      await check(engine);
      await engine.cascade({ fanInMax: 2 });
      if ("kvdb" in store) {
        await engine.destroy();
        assert.deepEqual(await store.kvdb.cursor({}).next(1), []);
        assert.ok(store.blockDir === undefined || !existsSync(store.blockDir));
      } else {
        await engine.close();
        const again = await openEngine({ name: "e", store, blockBytes: 900 });
        await check(again);
        await again.destroy();
        await assert.rejects(openLevelKvDb(store.dir, { createIfMissing: false }));
      }
    });

    test("passes the blocks of a single run through, and large pairs", async () => {
      const engine = await openEngine({ name: "e", store: newStore(), blockBytes: 1000 });
      const pairs = sortedUnique(randomPairs("record", 1500, 4));
      pairs.push({ key: new Uint8Array([255]), value: new Uint8Array(200_000).fill(1) });
      const arena = fill(new PairArena({ capacityBytes: 4000 * KIB }), pairs.toReversed());
      const run = await engine.writeRun(arena, { runId: 9 });
      assert.ok(run.blocks > 50 && run.blockBytesMax > 200_000);
      assert.deepEqual((await readAll(engine)).map(textOf), pairs.map(textOf));
      const start = pairs[700]!.key;
      assert.deepEqual((await readAll(engine, { start })).map(textOf), pairs.slice(700).map(textOf));
      await engine.writeRun(
        fill(new PairArena({ capacityBytes: 8 * KIB }), [{ key: new Uint8Array([1]), value: start }]),
        { runId: 1 },
      );
      assert.equal((await readAll(engine)).length, pairs.length + 1);
      await engine.destroy();
    });
  });
}

describe("engine", () => {
  test("gives back what was written, whatever the sizes of arena, block and batch, and the number of runs", async () => {
    const random = seededRandom(11);
    const pick = (...values: number[]) => values[Math.floor(random.next() * values.length)]!;
    for (const shape of ["record", "index", "text", "tiny", "zeros"] satisfies Shape[]) {
      const pairs = randomPairs(shape, 1500, 5);
      const want = sortedUnique(pairs).map(textOf);
      for (let round = 0; round < 4; round++) {
        const blockBytes = pick(64, 500, 4 * KIB, 256 * KIB);
        const arenaBytes = pick(5 * KIB, 20 * KIB, 1000 * KIB);
        const batchBytes = pick(100, 3 * KIB, 1000 * KIB);
        const engine = await memoryEngine(memoryKvDb(), blockBytes);
        const runs = await writePairs(engine, pairs, arenaBytes);
        const duplicates: DuplicateKey[] = [];
        const got = await readAll(engine, {}, { batchBytes, onDuplicate: (d) => duplicates.push(d) });
        const setting = `${shape}: arena ${arenaBytes}, block ${blockBytes}, batch ${batchBytes}, ${runs} runs`;
        assert.deepEqual(got.map(textOf), want, setting);
        assert.equal(duplicates.length, pairs.length - want.length, setting);
        const totals = await engine.totals();
        assert.equal(totals.pairs, pairs.length);
        assert.equal(totals.runs, runs);
        assert.equal(
          totals.bytes,
          pairs.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
        );
      }
    }
  });

  test("sorted input makes runs that do not overlap and reads back the same", async () => {
    const pairs = sortedUnique(randomPairs("record", 3000, 8));
    const engine = await memoryEngine();
    await writePairs(engine, pairs, 30 * KIB);
    assert.deepEqual((await readAll(engine)).map(textOf), pairs.map(textOf));
  });

  test("ranges hold every key once, in about the size asked for", async () => {
    const pairs = sortedUnique(randomPairs("index", 4000, 3));
    const engine = await memoryEngine();
    const shuffled = pairs.toSorted((a, b) => (a.value[0] ?? 0) - (b.value[0] ?? 0));
    await writePairs(engine, shuffled, 60 * KIB);
    for (const rangeKeys of [1, 700, 100_000]) {
      const ranges = await engine.ranges({ rangeKeys });
      assert.equal(
        ranges.reduce((sum, range) => sum + range.pairs, 0),
        pairs.length,
      );
      const got: string[] = [];
      for (const range of ranges) {
        assert.ok(compareBytes(range.start, range.end) < 0);
        for (const pair of await readAll(engine, range)) {
          assert.ok(compareBytes(pair.key, range.start) >= 0 && compareBytes(pair.key, range.end) < 0);
          got.push(textOf(pair));
        }
      }
      assert.deepEqual(got, pairs.map(textOf), `${ranges.length} ranges`);
    }
  });

  test("a reader honours any bounds", async () => {
    const pairs = sortedUnique(randomPairs("text", 800, 4));
    const engine = await memoryEngine(memoryKvDb(), 600);
    await writePairs(
      engine,
      pairs.toSorted((a, b) => a.value.length - b.value.length),
      9 * KIB,
    );
    const random = seededRandom(1);
    for (let round = 0; round < 60; round++) {
      const a = pairs[Math.floor(random.next() * pairs.length)]!.key;
      const b = pairs[Math.floor(random.next() * pairs.length)]!.key;
      const start = round % 3 === 0 ? a.slice(0, a.length - 1) : a;
      const end = round % 4 === 0 ? new Uint8Array([...b, 0]) : b;
      const want = pairs.filter(({ key }) => compareBytes(key, start) >= 0 && compareBytes(key, end) < 0);
      assert.deepEqual((await readAll(engine, { start, end }, { batchBytes: 500 })).map(textOf), want.map(textOf));
      const tail = pairs.filter(({ key }) => compareBytes(key, start) >= 0);
      assert.deepEqual((await readAll(engine, { start })).map(textOf), tail.map(textOf));
    }
    assert.deepEqual(await readAll(engine, { start: new Uint8Array([255]) }), []);
    assert.deepEqual(await readAll(engine, { end: new Uint8Array([0]) }), []);
  });

  test("equal keys across runs and within one are reported with both values; without a listener they are an error", async () => {
    const engine = await memoryEngine();
    const key = new Uint8Array([7, 7]);
    const pair = (n: number) => ({ key, value: new Uint8Array([n]) });
    await engine.writeRun(
      fill(new PairArena({ capacityBytes: 4 * KIB }), [pair(1), { key: new Uint8Array([1]), value: key }, pair(2)]),
      { runId: 5 },
    );
    await engine.writeRun(fill(new PairArena({ capacityBytes: 4 * KIB }), [pair(3)]), { runId: 2 });
    assert.deepEqual(
      (await engine.runs()).map(({ runId, equalKeys }) => [runId, equalKeys]),
      [
        [2, false],
        [5, true],
      ],
    );
    const seen: string[] = [];
    const got = await readAll(
      engine,
      {},
      {
        onDuplicate: (d) => seen.push(`${d.firstValue}@${d.firstRunId} ${d.secondValue}@${d.secondRunId}`),
      },
    );
    assert.deepEqual(
      got.map(({ value }) => [...value]),
      [[7, 7], [3]],
    );
    assert.deepEqual(seen, ["3@2 1@5", "3@2 2@5"]);
    await assert.rejects(readAll(engine), (error: unknown) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Encode:ErrDuplicateKey");
      assert.match(error.message, /"db\.t:data": key 0707 occurs twice \(runs 2 and 5\)/);
      assert.equal(error.fields["firstValue"], "03");
      assert.equal(error.fields["secondValue"], "01");
      return true;
    });
  });

  test("one key many times over spans blocks and is found by ranges that begin or end at it", async () => {
    const engine = await memoryEngine(memoryKvDb(), 128);
    const pairs = Array.from({ length: 300 }, (_, i) => ({
      key: new Uint8Array([i < 5 ? 1 : i > 294 ? 9 : 4]),
      value: new Uint8Array([i >> 8, i]),
    }));
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), pairs), { runId: 1 });
    for (const [start, end, want, extra] of [
      [4, 5, 1, 289],
      [1, 4, 1, 4],
      [5, 10, 1, 4],
      [0, 10, 3, 297],
    ] as const) {
      let duplicates = 0;
      const got = await readAll(
        engine,
        { start: new Uint8Array([start]), end: new Uint8Array([end]) },
        { onDuplicate: () => duplicates++ },
      );
      assert.equal(got.length, want);
      assert.equal(duplicates, extra);
    }
  });

  test("cascade leaves few runs with the same pairs, checksum and duplicates, and knows the runs it took in", async () => {
    const pairs = randomPairs("index", 2500, 21);
    const kvdb = memoryKvDb();
    const engine = await memoryEngine(kvdb);
    const arena = new PairArena({ capacityBytes: 8 * KIB });
    let runId = 0;
    for (let i = 0; i < pairs.length; i += 100) {
      await engine.writeRun(fill(arena, pairs.slice(i, i + 100)), { runId: runId++, checksum: BigInt(i + 1) });
      arena.clear();
    }
    const before = await engine.totals();
    assert.equal(before.runs, 25);
    const runs = await engine.cascade({ fanInMax: 4 });
    assert.equal(runs.length, 4);
    assert.deepEqual({ ...(await engine.totals()), runs: 25 }, before);
    assert.deepEqual(
      runs.flatMap(({ runId: id, sources }) => (sources.length === 0 ? [id] : sources)).sort((a, b) => a - b),
      Array.from({ length: 25 }, (_, i) => i),
    );
    assert.deepEqual(await engine.missing([0, 24, 25, 99]), [25, 99]);
    let duplicates = 0;
    const got = await readAll(engine, {}, { onDuplicate: () => duplicates++ });
    const want = sortedUnique(pairs);
    assert.deepEqual(
      got.map(({ key }) => key),
      want.map(({ key }) => key),
    );
    assert.equal(duplicates, pairs.length - want.length);
    const again = await memoryEngine(kvdb);
    assert.equal((await again.runs()).length, 4);
  });

  test("runs and notes survive reopening, and destroy leaves nothing", async () => {
    const dir = freshDir();
    const engine = await openEngine({ name: "e", store: { dir } });
    const pairs = randomPairs("record", 500, 2);
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), pairs), {
      runId: 3,
      checksum: 0xffff_ffff_ffff_ffffn,
      note: new Uint8Array([1, 2]),
    });
    const runs = await engine.runs();
    await engine.close();
    const again = await openEngine({ name: "e", store: { dir } });
    assert.deepEqual(await again.runs(), runs);
    assert.deepEqual(runs[0]!.note, new Uint8Array([1, 2]));
    assert.equal(runs[0]!.checksum, 0xffff_ffff_ffff_ffffn);
    assert.deepEqual((await readAll(again)).map(textOf), pairs.toSorted(byKey).map(textOf));
    await again.dropRun(3);
    assert.deepEqual(await readAll(again), []);
    await again.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), pairs), { runId: 3 });
    await again.destroy();
    await assert.rejects(openLevelKvDb(dir, { createIfMissing: false }));
  });

  test("engines with prefixes share a map without seeing each other", async () => {
    const kvdb = memoryKvDb();
    const names = [[1], [1, 0], [2]];
    const engines = await Promise.all(
      names.map((prefix) =>
        openEngine({ name: `${prefix}`, store: { kvdb }, prefix: new Uint8Array([...prefix, 0xff]) }),
      ),
    );
    for (const [i, engine] of engines.entries()) await writePairs(engine, randomPairs("record", 50 + i, i), 64 * KIB);
    for (const [i, engine] of engines.entries()) assert.equal((await readAll(engine)).length, 50 + i);
    await engines[1]!.destroy();
    assert.deepEqual(await readAll(engines[1]!), []);
    assert.equal((await readAll(engines[0]!)).length, 50);
    assert.equal((await readAll(engines[2]!)).length, 52);
  });

  test("an engine is not opened with its blocks in another place", async () => {
    const dir = freshDir();
    await (await openEngine({ name: "e", store: { dir } })).close();
    await assert.rejects(openEngine({ name: "e", store: { dir, blocks: "files" } }), {
      code: "Levin:Engine:ErrCorrupt",
      message: /its format is 1, blocks in map; expected 1, blocks in files/,
    });
  });

  test("writers of one directory write runs side by side, the owner reads them", async () => {
    for (const blocks of ["map", "files"] as const) await writeSideBySide({ dir: freshDir(), blocks });
  });

  async function writeSideBySide(store: EngineStore): Promise<void> {
    const owner = await openEngine({ name: "e", store });
    const writers = await Promise.all([0, 1].map(() => openEngine({ name: "e", store, role: "writer" })));
    const pairs = sortedUnique(randomPairs("record", 3000, 2)).toSorted(
      (a, b) => (a.value[0] ?? 0) - (b.value[0] ?? 0),
    );
    await Promise.all(
      writers.map((writer, i) =>
        writePairs(writer, pairs.slice(i * 1400, i === 0 ? 1400 : undefined), 30 * KIB, i * 1000),
      ),
    );
    await Promise.all(writers.map((writer) => writer.close()));
    assert.deepEqual((await readAll(owner)).map(textOf), pairs.toSorted(byKey).map(textOf));
    await owner.destroy();
  }

  test("the memory of a reader is known beforehand", async () => {
    const engine = await memoryEngine(memoryKvDb(), 4 * KIB);
    await writePairs(engine, randomPairs("record", 1500, 1), 16 * KIB);
    const runs = await engine.runs();
    const one = readMemoryBytes(runs.slice(0, 1), [{}], { batchBytes: KIB, memoryBytes: 0 });
    assert.equal(one, 2 * KIB + 3 * runs[0]!.blockBytesMax);
    assert.ok(readMemoryBytes(runs, [{}], { batchBytes: KIB, memoryBytes: 0 }) > 3 * one);
    assert.ok(readMemoryBytes(runs, [{}]) < 40_000_000);
  });

  test("a batch larger than asked for carries one pair, and an aborted reader ends", async () => {
    const engine = await memoryEngine();
    const big = (n: number) => ({ key: new Uint8Array([n]), value: new Uint8Array(5000).fill(n) });
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), [big(3), big(1)]), { runId: 0 });
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), [big(2)]), { runId: 1 });
    const sizes: number[] = [];
    for await (const batch of engine.reader({}, { batchBytes: 1000 })) sizes.push(batch.pairs);
    assert.deepEqual(sizes, [1, 1, 1]);
    const stop = new AbortController();
    const reader = engine.reader({}, { batchBytes: 1000, signal: stop.signal });
    await reader.next();
    stop.abort(new Error("enough"));
    await assert.rejects(reader.next(), /enough/);
  });
});
