import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, LevinError } from "../../src/base/mod.ts";
import { type Engine, openEngine, PairArena } from "../../src/engine/mod.ts";
import { type KvChange, type KvDb, memoryKvDb } from "../../src/kvdb/mod.ts";
import { byKey, fill, randomPairs, readAll, textOf } from "./pairs.ts";

const KIB = 1024;
/** Keys are "r", the run id in four bytes, then the kind. */
const isBlock = ([key]: [Uint8Array, Uint8Array]) => key[5] === 0x62;
const isRecord = ([key]: [Uint8Array, Uint8Array]) => key[5] === 0x6d;

const open = (kvdb: KvDb): Promise<Engine> => openEngine({ name: "db.t:data", store: { kvdb }, blockBytes: KIB });

async function entriesOf(kvdb: KvDb): Promise<[Uint8Array, Uint8Array][]> {
  const cursor = kvdb.cursor({});
  const out: [Uint8Array, Uint8Array][] = [];
  for (let entries = await cursor.next(100); entries.length > 0; entries = await cursor.next(100)) out.push(...entries);
  return out;
}

async function twoRuns(): Promise<KvDb> {
  const kvdb = memoryKvDb();
  const engine = await open(kvdb);
  for (const runId of [0, 1]) {
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), randomPairs("record", 200, runId)), {
      runId,
    });
  }
  return kvdb;
}

async function assertCorrupt(work: Promise<unknown>, pattern: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof LevinError, String(error));
    assert.equal(error.code, "Levin:Engine:ErrCorrupt");
    assert.match(error.message, pattern);
    return true;
  });
}

/** A map whose n-th batch fails and is not applied. */
function failingAt(kvdb: KvDb, n: number): KvDb {
  let count = 0;
  return {
    get: (key) => kvdb.get(key),
    batch: async (changes: readonly KvChange[], options) => {
      if (count++ === n) throw new LevinError("Levin:Engine:ErrDisk", "Cannot write: no space left");
      return kvdb.batch(changes, options);
    },
    sync: () => kvdb.sync(),
    cursor: (range, options) => kvdb.cursor(range, options),
    clear: (range) => kvdb.clear(range),
    close: () => kvdb.close(),
  };
}

describe("damage", () => {
  test("a flipped bit anywhere in a block is found, and engine, run and block are named", async () => {
    const kvdb = await twoRuns();
    const blocks = (await entriesOf(kvdb)).filter(isBlock);
    assert.ok(blocks.length > 10);
    const [key, value] = blocks.find(([name]) => name[4] === 1 && name[name.length - 1] === 2)!;
    for (let at = 0; at < value.length; at += 7) {
      const damaged = value.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      await kvdb.batch([{ key, value: damaged }]);
      await assertCorrupt(readAll(await open(kvdb)), /engine "db\.t:data": block 2 of run 1 is damaged/);
    }
    await kvdb.batch([{ key, value: value.slice(0, 20) }]);
    await assertCorrupt(readAll(await open(kvdb)), /block 2 of run 1/);
  });

  test("a missing block is found, the last one too", async () => {
    for (const ordinal of [0, 3, -1]) {
      const kvdb = await twoRuns();
      const blocks = (await entriesOf(kvdb)).filter((entry) => isBlock(entry) && entry[0][4] === 0);
      const [key] = blocks.at(ordinal)!;
      await kvdb.batch([{ key, value: undefined }]);
      await assertCorrupt(readAll(await open(kvdb)), ordinal === 0 ? /block 0 of run 0/ : /of run 0 is damaged/);
    }
  });

  test("a damaged run record and another format are found", async () => {
    const kvdb = await twoRuns();
    const [key, value] = (await entriesOf(kvdb)).find((entry) => isRecord(entry) && entry[0][4] === 1)!;
    for (let at = 0; at < value.length; at++) {
      const damaged = value.slice();
      damaged[at] = damaged[at]! ^ 16;
      await kvdb.batch([{ key, value: damaged }]);
      await assertCorrupt(open(kvdb), /record of run 1 is damaged/);
    }
    await kvdb.batch([{ key: new Uint8Array([0]), value: new Uint8Array([9]) }]);
    await assertCorrupt(open(kvdb), /its format is 9/);
  });

  test("a crash at any batch of a run leaves either the whole run or nothing", async () => {
    const pairs = randomPairs("record", 300, 4);
    const want = pairs.toSorted(byKey).map(textOf);
    let done = false;
    for (let n = 1; !done; n++) {
      const kvdb = memoryKvDb();
      await open(kvdb);
      const engine = await open(failingAt(kvdb, n - 1));
      const arena = new PairArena({ capacityBytes: 64 * KIB });
      // Large pairs make many batches of one run.
      const big = Array.from({ length: 10 }, (_, i) => ({
        key: concatBytes(new Uint8Array([0, i])),
        value: new Uint8Array(20 * KIB),
      }));
      fill(arena, big);
      fill(arena, pairs);
      try {
        await engine.writeRun(arena, { runId: 0 });
        done = true;
      } catch (error) {
        assert.ok(error instanceof LevinError && error.code === "Levin:Engine:ErrDisk");
      }
      const again = await open(kvdb);
      const got = (await readAll(again)).slice(10).map(textOf);
      assert.deepEqual(got, done ? want : []);
      if (done) assert.ok(n > 3, "the run took several batches");
      else {
        assert.equal((await entriesOf(kvdb)).length, 1, "only the format record is left");
        await again.writeRun(arena, { runId: 0 });
        assert.deepEqual((await readAll(again)).slice(10).map(textOf), want);
      }
    }
  });

  test("after a failed write the same run can be written again by the same process", async () => {
    const kvdb = memoryKvDb();
    const engine = await open(failingAt(kvdb, 2));
    const big = (n: number) => ({ key: new Uint8Array([n]), value: new Uint8Array(20 * KIB).fill(n) });
    const arena = fill(new PairArena({ capacityBytes: 64 * KIB }), [1, 2, 3, 4, 5, 6, 7, 8, 9].map(big));
    await assert.rejects(engine.writeRun(arena, { runId: 0 }));
    arena.clear();
    await engine.writeRun(fill(arena, [6, 7].map(big)), { runId: 0 });
    assert.deepEqual(
      (await readAll(engine)).map(({ key }) => key[0]),
      [6, 7],
    );
  });

  test("a crash in a cascade leaves every pair once", async () => {
    const pairs = randomPairs("record", 360, 6);
    const want = pairs.toSorted(byKey).map(textOf);
    let done = false;
    for (let n = 0; !done; n++) {
      const kvdb = memoryKvDb();
      const engine = await open(kvdb);
      for (let i = 0; i < 12; i++) {
        const arena = fill(new PairArena({ capacityBytes: 64 * KIB }), pairs.slice(i * 30, i * 30 + 30));
        await engine.writeRun(arena, { runId: i });
      }
      const cascading = await open(failingAt(kvdb, n));
      try {
        await cascading.cascade({ fanInMax: 3 });
        done = true;
      } catch (error) {
        assert.ok(error instanceof LevinError && error.code === "Levin:Engine:ErrDisk");
      }
      const again = await open(kvdb);
      assert.deepEqual((await readAll(again)).map(textOf), want);
      assert.equal((await again.cascade({ fanInMax: 3 })).length, 3);
      assert.deepEqual((await readAll(again)).map(textOf), want);
    }
  });
});
