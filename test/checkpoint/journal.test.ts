import assert from "node:assert/strict";
import fs from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type LevinError, systemFiles } from "../../src/base/mod.ts";
import { acquireLock, openJournal, readJournal } from "../../src/checkpoint/mod.ts";

async function inTemporaryDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await fs.mkdtemp(join(os.tmpdir(), "levin-journal-"));
  try {
    await use(dir);
  } finally {
    await fs.rm(dir, { recursive: true });
  }
}

async function writeThree(path: string): Promise<Uint8Array> {
  const { journal } = await openJournal<{ n: number }>(systemFiles, path);
  for (const n of [1, 2, 3]) await journal.append({ n }, { sync: n === 3 });
  await journal.close();
  return new Uint8Array(await fs.readFile(path));
}

describe("journal", () => {
  test("gives back what was appended, in order, also from parallel callers", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "journal");
      const { journal } = await openJournal<{ n: number }>(systemFiles, path);
      await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append({ n })));
      await journal.close();
      const again = await openJournal<{ n: number }>(systemFiles, path);
      assert.deepEqual(
        again.records.map((record) => record.n),
        Array.from({ length: 50 }, (_, n) => n),
      );
      await again.journal.close();
    }));

  test("cut anywhere keeps the whole records before the cut and can be appended to", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "journal");
      const whole = await writeThree(path);
      for (let size = 0; size < whole.length; size++) {
        await fs.writeFile(path, whole.subarray(0, size));
        const { records, journal } = await openJournal<{ n: number }>(systemFiles, path);
        assert.ok(records.length < 3);
        assert.deepEqual(
          records.map((record) => record.n),
          [1, 2, 3].slice(0, records.length),
        );
        await journal.append({ n: 9 });
        await journal.close();
        const found = await readJournal<{ n: number }>(systemFiles, path);
        assert.deepEqual(
          found.map((record) => record.n),
          [...[1, 2, 3].slice(0, records.length), 9],
        );
      }
    }));

  test("its name is on disk before anything is appended, also when who made it did not come to that", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "journal");
      let fail = true;
      const synced: string[] = [];
      const files = {
        ...systemFiles,
        async syncDir(name: string) {
          if (fail) throw Object.assign(new Error("i/o error"), { code: "EIO" });
          synced.push(name);
          await systemFiles.syncDir(name);
        },
      };
      await assert.rejects(openJournal(files, path), (error: LevinError) => error.code === "Levin:State:ErrDisk");
      fail = false;
      const { records, journal } = await openJournal(files, path);
      assert.deepEqual([records, synced], [[], [dir]]);
      await journal.close();
    }));

  test("damage before the last record is an error", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "journal");
      const whole = await writeThree(path);
      whole[16 + 8 + 2]! ^= 1;
      await fs.writeFile(path, whole);
      await assert.rejects(
        openJournal(systemFiles, path),
        (error: LevinError) => error.code === "Levin:State:ErrFormat",
      );
    }));

  test("after a failed append nothing more is written", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "journal");
      let fail = false;
      const { journal } = await openJournal<{ n: number }>(
        {
          ...systemFiles,
          async openAppend(name) {
            const file = await systemFiles.openAppend(name);
            return {
              ...file,
              async append(bytes) {
                if (fail) {
                  await file.append(bytes.subarray(0, 5));
                  throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
                }
                await file.append(bytes);
              },
            };
          },
        },
        path,
      );
      await journal.append({ n: 1 });
      fail = true;
      await assert.rejects(journal.append({ n: 2 }), (error: LevinError) => error.code === "Levin:State:ErrDisk");
      fail = false;
      await assert.rejects(journal.append({ n: 3 }), (error: LevinError) => error.code === "Levin:State:ErrDisk");
      await journal.close();
      assert.deepEqual(await readJournal(systemFiles, path), [{ n: 1 }]);
    }));
});

describe("lock", () => {
  const environment = (pid: number, alive: Record<number, string>) => ({
    self: { pid, host: "h", started: alive[pid] ?? "0" },
    startedOf: async (other: number) => alive[other],
  });

  test("is held by one living process, and taken over from a dead one or a reused pid", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "LOCK");
      const first = await acquireLock(systemFiles, path, environment(7, { 7: "a" }));
      await assert.rejects(
        acquireLock(systemFiles, path, environment(8, { 7: "a", 8: "b" })),
        (error: LevinError) => error.code === "Levin:State:ErrLocked" && /process 7/.test(error.message),
      );
      const second = await acquireLock(systemFiles, path, environment(8, { 7: "another start", 8: "b" }));
      await second.release();
      const third = await acquireLock(systemFiles, path, environment(9, { 9: "c" }));
      await third.release();
      await first.release();
    }));

  test("of many who find a dead owner's lock one takes it; a guard left by the dead is no hindrance", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "LOCK");
      const alive: Record<number, string> = { 1: "a", 2: "b", 3: "c", 4: "d", 5: "e" };
      for (let round = 0; round < 4; round++) {
        const dead = JSON.stringify({ pid: 99, host: "h", started: "x" });
        await fs.writeFile(path, dead);
        await fs.writeFile(`${path}.guard`, dead);
        const tries = await Promise.allSettled(
          Object.keys(alive).map((pid) => acquireLock(systemFiles, path, environment(Number(pid), alive))),
        );
        const taken = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
        assert.equal(taken.length, 1);
        await taken[0]!.release();
        assert.deepEqual(await fs.readdir(dir), []);
      }
    }));

  test("of another host is never taken over", () =>
    inTemporaryDir(async (dir) => {
      const path = join(dir, "LOCK");
      await fs.writeFile(path, JSON.stringify({ pid: 1, host: "elsewhere", started: "x" }));
      await assert.rejects(acquireLock(systemFiles, path, environment(8, {})), /elsewhere/);
    }));
});
