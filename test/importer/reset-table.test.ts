import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock, systemFiles } from "../../src/base/mod.ts";
import { Job } from "../../src/importer/job.ts";
import type { JobRecord } from "../../src/importer/records.ts";
import { resetTable } from "../../src/importer/reset-table.ts";

const env = { files: systemFiles, pid: process.pid, clock: systemClock, emit: () => undefined };

/** A job of two tables, `d.a` and `d.b`, that was killed after these records. */
async function killedJob(stateDir: string, records: JobRecord[]): Promise<void> {
  const job = await Job.open({ stateDir, sortedKvDir: join(stateDir, "engines"), fresh: false }, env);
  await job.begin({ backend: "local" }, 1, "0");
  for (const record of records) await job.append(record);
  await job.close();
}

test("a table whose batch is half in beside rows of before is not reset: the others would meet their own rows", async () => {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-reset-"));
  const filled = [{ table: "d.b", rowIdBase: 0 }];
  const batch: JobRecord = { type: "batch", batch: 0, tables: ["d.a", "d.b"], commitTs: "1", filled };
  const encoded: JobRecord[] = [batch, { type: "flushed", batch: 0, runs: { data: [1], index: [] }, chunks: [] }];
  encoded.push({ type: "encoded", batch: 0 }, { type: "conflicts", batch: 0, losers: 0, tables: [] });
  const range: JobRecord = { type: "range", batch: 0, engine: "data", start: "00", end: "ff" };
  try {
    await killedJob(join(dir, "half"), [...encoded, range]);
    await assert.rejects(
      resetTable(env, join(dir, "half"), "d.a"),
      /Cannot reset table "d\.a" while its rows are on their way/,
    );
    // The one that had rows may be emptied and reset; the other was empty.
    assert.deepEqual((await resetTable(env, join(dir, "half"), "d.b")).encodedAgain, ["d.a"]);
    await killedJob(join(dir, "none"), encoded);
    assert.deepEqual((await resetTable(env, join(dir, "none"), "d.a")).encodedAgain, ["d.b"]);
    await killedJob(join(dir, "all"), [...encoded, range, { type: "ingested", batch: 0 }]);
    assert.deepEqual((await resetTable(env, join(dir, "all"), "d.a")).encodedAgain, []);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});
