import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Clock, type LevinError, systemFiles, textOf, utf8 } from "../../src/base/mod.ts";
import { BrLock } from "../../src/br/mod.ts";
import { LocalObjects } from "../../src/storage/mod.ts";
import { newDir } from "../br/samples.ts";
import { SimClock } from "../br/sim-clock.ts";

const NAME = "checkpoints/backup/checkpoint.lock";

describe("a local directory", () => {
  test("of many that replace the same content one wins, each time; nothing is left beside the file", async () => {
    const dir = newDir();
    const storages = Array.from({ length: 6 }, () => new LocalObjects(dir));
    let expected: Uint8Array | undefined;
    for (let round = 0; round < 4; round++) {
      const results = await Promise.all(
        storages.map((storage, who) => storage.replaceIf(NAME, expected, utf8(`round ${round} of ${who}`))),
      );
      const winners = results.flatMap((won, who) => (won ? [who] : []));
      assert.equal(winners.length, 1);
      expected = utf8(`round ${round} of ${winners[0]}`);
      assert.equal(readFileSync(join(dir, NAME), "utf8"), textOf(expected));
    }
    assert.equal(await storages[0]!.removeIf(NAME, utf8("something else")), false);
    const removals = await Promise.all(storages.map((storage) => storage.removeIf(NAME, expected!)));
    assert.equal(removals.filter(Boolean).length, 1);
    assert.deepEqual(readdirSync(join(dir, "checkpoints/backup")), []);
  });

  test("a guard whose owner died is broken after a while, a living one's is waited for", async () => {
    const dir = newDir();
    mkdirSync(join(dir, "checkpoints/backup"), { recursive: true });
    writeFileSync(join(dir, NAME), "a");
    const guard = join(dir, `${NAME}.guard`);
    writeFileSync(guard, "dead");
    utimesSync(guard, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    const storage = new LocalObjects(dir);
    assert.equal(await storage.replaceIf(NAME, utf8("a"), utf8("b")), true);
    assert.equal(existsSync(guard), false);
    writeFileSync(guard, "living");
    const clock = new SimClock();
    clock.nowMs = () => Date.now();
    const waiting = new LocalObjects(dir, { clock });
    await assert.rejects(
      clock.until(waiting.replaceIf(NAME, utf8("b"), utf8("c")), Number.POSITIVE_INFINITY),
      (error: LevinError) => {
        assert.equal(error.code, "Levin:Storage:ErrFailed");
        return /another process keeps the guard/.test(error.message);
      },
    );
    assert.equal(readFileSync(join(dir, NAME), "utf8"), "b");
    // Its owner has just died: nobody has to come again for it.
    const madeMs = Date.now();
    let waitedMs = 0;
    const sleepsOnly: Clock = {
      nowMs: () => madeMs + waitedMs,
      monotonicMs: () => waitedMs,
      sleep: async (ms) => {
        waitedMs += ms;
      },
    };
    assert.equal(await new LocalObjects(dir, { clock: sleepsOnly }).replaceIf(NAME, utf8("b"), utf8("d")), true);
    assert.ok(waitedMs >= 29_000 && waitedMs < 35_000, `${waitedMs} ms`);
    assert.equal(readFileSync(join(dir, NAME), "utf8"), "d");
    assert.equal(existsSync(guard), false);
  });

  test("lists folder by folder, reads what is there, names the path of what fails", async () => {
    const dir = newDir();
    const storage = new LocalObjects(dir);
    for (const name of ["x/b.cpt", "x/a/z.cpt", "x/a.cpt", "y"]) await storage.write(name, utf8(name));
    assert.deepEqual(
      (await storage.list("x")).map(({ name }) => name),
      ["x/a/z.cpt", "x/a.cpt", "x/b.cpt"],
    );
    assert.deepEqual(await storage.list("nothing"), []);
    assert.deepEqual(await storage.list("y"), []);
    assert.equal(await storage.read("nothing"), undefined);
    assert.equal(textOf((await storage.read("y"))!), "y");
    await assert.rejects(storage.read("x"), (error: LevinError) => error.message.includes(join(dir, "x")));
    const full = new LocalObjects(dir, {
      files: {
        ...systemFiles,
        writeSynced: async () => {
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        },
      },
    });
    await assert.rejects(full.write("x/new", utf8("n")), (error: LevinError) => {
      assert.equal(error.code, "Levin:Storage:ErrFailed");
      return error.fields["cause"] === "ENOSPC" && error.message.includes("x/new");
    });
    assert.deepEqual(
      readdirSync(join(dir, "x")).filter((name) => name.includes("tmp")),
      [],
    );
  });

  test("a start that is given up leaves no lock behind", async () => {
    const dir = newDir();
    const storage = new LocalObjects(dir);
    const abort = new AbortController();
    const clock = new SimClock();
    const tso = async () => ({ physicalMs: 1n, logical: 1n });
    const taking = BrLock.acquire({ storage, name: NAME, tso, clock, signal: abort.signal });
    taking.catch(() => {});
    while (!existsSync(join(dir, NAME))) await clock.settle();
    await clock.settle(50);
    abort.abort(new Error("stopped"));
    await assert.rejects(taking, /stopped/);
    assert.equal(existsSync(join(dir, NAME)), false);
  });
});
