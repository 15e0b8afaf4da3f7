import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isolatedBinary } from "./harness.ts";
import { killImport } from "./kill.ts";

test("an import whose processes are killed again and again ends in the rows of its source", {
  timeout: 120_000,
}, async () => {
  const place = isolatedBinary();
  try {
    const report = await killImport(place.levin, join(place.dir, "kill"), 3, 6);
    assert.deepEqual(report.differences, []);
    assert.ok(report.importerKills >= 2, `${report.importerKills} kills of the importer`);
    assert.ok(report.sandboxKills >= 1, `${report.sandboxKills} kills of the sandbox`);
  } finally {
    fs.rmSync(place.dir, { recursive: true, force: true });
  }
});
