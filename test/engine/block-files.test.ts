import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Files, LevinError, systemFiles } from "../../src/base/mod.ts";
import { FileBlockStore } from "../../src/engine/block-files.ts";
import { BufferPool, type Engine, openEngine, PairArena } from "../../src/engine/mod.ts";
import { byKey, fill, randomPairs, readAll, textOf } from "./pairs.ts";

const root = await mkdtemp(join(tmpdir(), "levin-block-files-"));
let dirs = 0;
const freshDir = () => join(root, `d${dirs++}`);
after(() => rmSync(root, { recursive: true, force: true }));

const KIB = 1024;
const pairs = randomPairs("record", 400, 1);
const want = pairs.toSorted(byKey).map(textOf);

const open = (dir: string, files: Files = systemFiles): Promise<Engine> =>
  openEngine({ name: "db.t:data", store: { dir, blocks: "files", files }, blockBytes: KIB });

async function writeOne(engine: Engine, runId = 7): Promise<void> {
  await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), pairs), { runId });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    assert.ok(error instanceof LevinError, String(error));
    assert.ok(error.message.length > 20);
    return error.code;
  }
}

describe("blocks in files", () => {
  test("damage anywhere in a run's file is found before a wrong pair is given out", async () => {
    const dir = freshDir();
    const engine = await open(dir);
    await writeOne(engine);
    await engine.close();
    const path = join(dir, "runs", "00000007.run");
    const good = readFileSync(path);
    for (let at = 0; at < good.length; at += 211) {
      const bad = Uint8Array.from(good);
      bad[at] = bad[at]! ^ (1 << (at % 8));
      writeFileSync(path, bad);
      const damaged = await open(dir);
      assert.equal(await codeOf(readAll(damaged)), "Levin:Engine:ErrCorrupt", `byte ${at} of ${good.length}`);
      await damaged.close();
    }
    for (const size of [0, 10, good.length - 1, good.length - 30]) {
      writeFileSync(path, good);
      truncateSync(path, size);
      const cut = await open(dir);
      await assert.rejects(
        readAll(cut),
        /engine "db\.t:data": run 7 is damaged: (its file|the directory).*00000007\.run/,
      );
      await cut.close();
    }
    writeFileSync(path, good);
    const mended = await open(dir);
    assert.deepEqual((await readAll(mended)).map(textOf), want);
    await mended.close();
    unlinkSync(path);
    const gone = await open(dir);
    await assert.rejects(readAll(gone), /its file is missing/);
    await gone.close();
  });

  test("files of runs without a record are removed on opening, others stay", async () => {
    const dir = freshDir();
    const engine = await open(dir);
    await writeOne(engine, 1);
    await engine.close();
    writeFileSync(join(dir, "runs", "000000ff.run"), "left by a crash");
    const again = await open(dir);
    assert.deepEqual(readdirSync(join(dir, "runs")), ["00000001.run"]);
    assert.deepEqual((await readAll(again)).map(textOf), want);
    await again.dropRun(1);
    assert.ok(!existsSync(join(dir, "runs", "00000001.run")));
    await again.destroy();
    assert.ok(!existsSync(dir));
  });

  test("a run whose file is gone is missing, whatever its record says", async () => {
    const dir = freshDir();
    const engine = await open(dir);
    await writeOne(engine, 7);
    await writeOne(engine, 8);
    assert.deepEqual(await engine.missing([7, 8]), []);
    unlinkSync(join(dir, "runs", "00000007.run"));
    assert.deepEqual(await engine.missing([7, 8]), [7]);
    await engine.close();
  });

  test("every file operation may fail: the run is whole or not there, and can be written again", async () => {
    let operations = 0;
    for (let failAt = 0, done = false; !done; failAt++) {
      const dir = freshDir();
      await (await open(dir)).close();
      let count = 0;
      const engine = await open(
        dir,
        failing(() => count++ === failAt),
      );
      done = (await codeOf(writeOne(engine))) === "none";
      const runs = await engine.runs();
      assert.equal(runs.length, done ? 1 : 0);
      if (!done) {
        await writeOne(engine);
        operations++;
      }
      assert.deepEqual((await readAll(engine)).map(textOf), want);
      await engine.close();
      const again = await open(dir);
      assert.deepEqual((await readAll(again)).map(textOf), want);
      await again.destroy();
    }
    assert.ok(operations >= 9, `${operations} operations were failed`);
  });
});

test("one run of a merge cannot be opened while another is being opened: both are closed in the end", async () => {
  const dir = freshDir();
  const engine = await open(dir);
  const half = pairs.length >>> 1;
  for (const [runId, part] of [pairs.slice(0, half), pairs.slice(half)].entries()) {
    await engine.writeRun(fill(new PairArena({ capacityBytes: 64 * KIB }), part), { runId: runId + 1 });
  }
  await engine.close();
  let opened = 0;
  const again = await open(dir, {
    ...systemFiles,
    openRead: async (path) => {
      if (path.endsWith("00000001.run")) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const file = await systemFiles.openRead(path);
      opened++;
      const close = (): Promise<void> => {
        opened--;
        return file!.close();
      };
      return { ...file!, close };
    },
  });
  assert.equal(await codeOf(readAll(again)), "Levin:Engine:ErrDisk");
  await again.close();
  assert.equal(opened, 0);
});

test("a run whose last reader leaves while another comes is not closed under the latter", async () => {
  const dir = freshDir();
  const engine = await open(dir);
  const arena = new PairArena({ capacityBytes: 64 * KIB });
  // More than stay open without readers.
  const runs = 70;
  for (let runId = 1; runId <= runs; runId++) {
    arena.clear();
    arena.put(Uint8Array.of(runId), 1, Uint8Array.of(1), 1);
    await engine.writeRun(arena, { runId });
  }
  await engine.close();
  const store = new FileBlockStore(join(dir, "runs"), systemFiles, "e");
  const read = (runId: number) => store.read(runId, { bounds: {}, readBytes: KIB, buffers: new BufferPool(0) });
  const held = await Promise.all([...Array(runs - 1).keys()].map((i) => read(i + 2)));
  for (let turns = 0; turns < 8; turns++) {
    for (const leavesFirst of [true, false]) {
      const before = await read(1);
      const leaving = leavesFirst ? before.close() : undefined;
      const coming = later(turns, () => read(1));
      await (leaving ?? later(turns + 1, () => before.close()));
      const reader = await coming;
      assert.equal((await reader.read()).length, 1);
      await reader.close();
    }
  }
  for (const reader of held) await reader.close();
  await store.close();
});

/** Runs `work` after so many turns of the queue of microtasks. */
async function later<T>(turns: number, work: () => Promise<T>): Promise<T> {
  for (let i = 0; i < turns; i++) await undefined;
  return work();
}

/** The system's files, but an operation fails when `fails` says so. */
function failing(fails: () => boolean): Files {
  const guard = <A extends unknown[], T>(work: (...words: A) => Promise<T>) => {
    return async (...words: A): Promise<T> => {
      if (fails()) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      return work(...words);
    };
  };
  return {
    ...systemFiles,
    makeDir: guard(systemFiles.makeDir),
    remove: guard(systemFiles.remove),
    syncDir: guard(systemFiles.syncDir),
    openAppend: guard(async (path: string) => {
      const file = await systemFiles.openAppend(path);
      return {
        append: guard((bytes: Uint8Array) => file.append(bytes)),
        sync: guard(() => file.sync()),
        close: guard(() => file.close()),
      };
    }),
  };
}
