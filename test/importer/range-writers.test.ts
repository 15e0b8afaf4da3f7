import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImportOptions } from "../../src/importer/mod.ts";
import { writerCount } from "../../src/importer/range-writers.ts";

const count = (more: Partial<ImportOptions>): number =>
  writerCount({
    blockStore: "files",
    ingestConcurrency: 8,
    ingestThreads: { count: 4, fromBytes: 0 },
    ...more,
  } as ImportOptions);

test("there are as many threads that write as are asked for and as there are region jobs", () => {
  assert.equal(count({}), 4);
  assert.equal(count({ ingestConcurrency: 3 }), 3);
  assert.equal(count({ ingestThreads: { count: 0, fromBytes: 0 } }), 0);
});

test("there are none for statements, for blocks in LevelDB, and under a limit of bytes a second to a store", () => {
  assert.equal(count({ backend: "tidb" }), 0);
  assert.equal(count({ blockStore: "level" }), 0);
  assert.equal(count({ clusterSettings: { storeBytesPerSecond: 1_000_000 } }), 0);
  assert.equal(count({ clusterSettings: {} }), 4);
});
