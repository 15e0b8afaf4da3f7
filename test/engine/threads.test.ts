import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { openEngine } from "../../src/engine/mod.ts";
import { randomPairs, readAll, sortedUnique, textOf } from "./pairs.ts";

for (const blocks of ["map", "files"] as const) {
  test(`two worker threads write runs of one engine at the same time (blocks in ${blocks})`, async () => {
    const dir = await mkdtemp(join(tmpdir(), "levin-threads-"));
    const store = { dir: join(dir, "engine"), blocks };
    const owner = await openEngine({ name: "owner", store, blockBytes: 1000 });
    const runs = await Promise.all([0, 1].map((part) => runThread({ ...store, part })));
    assert.ok(runs.every((count) => count > 2));
    assert.equal((await owner.runs()).length, runs[0]! + runs[1]!);
    const want = sortedUnique(randomPairs("record", 3000, 5));
    assert.deepEqual((await readAll(owner)).map(textOf), want.map(textOf));
    await owner.close();
    await rm(dir, { recursive: true });
  });
}

function runThread(workerData: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./run-writer-thread.ts", import.meta.url), { workerData });
    let runs = 0;
    worker.on("message", (count: number) => {
      runs = count;
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve(runs));
  });
}
