import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ConflictForm, type KillMoment, killConflictImport } from "./conflict-kill.ts";
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

const conflicts: [ConflictForm, KillMoment["at"][]][] = [
  [{ strategy: "replace", backend: "local", filled: true }, ["encoded", "report", "conflicts", "cleared"]],
  [{ strategy: "ignore", backend: "tidb", filled: false }, ["report", "conflicts", "work"]],
  [{ strategy: "error", backend: "local", filled: false }, ["encoded", "report"]],
];
for (const [form, events] of conflicts) {
  const { strategy, backend } = form;
  test(`${strategy}, ${backend}: killed while rows in each other's way are resolved, it ends in the rows and the report of statements`, {
    timeout: 120_000,
  }, async () => {
    const place = isolatedBinary();
    try {
      const moments = events.map((at): KillMoment => ({ at, afterMs: 0 }));
      const plan = {
        moments,
        rows: 150,
        chunkBytes: 300,
        sandboxKillChance: 0,
      };
      const report = await killConflictImport(place.levin, join(place.dir, "kill"), form, 5, plan);
      assert.deepEqual(report.differences, []);
      const kills = Object.values(report.kills).reduce((sum, count) => sum + count);
      assert.ok(kills >= 2, JSON.stringify(report.kills));
    } finally {
      fs.rmSync(place.dir, { recursive: true, force: true });
    }
  });
}
