/** What `[conflict]` and its older spellings mean (lightning.md §1.14). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { conflictOptions } from "../../src/cli/conflict-options.ts";
import { loadConfig } from "../../src/config/mod.ts";

const read = (text: string, backend: "local" | "tidb" = "local", intoRows = false) =>
  conflictOptions(loadConfig({ file: { path: "x.toml", text } }), backend, intoRows);

test("§1.14: strategies with their thresholds and how many rows are named", () => {
  const cases: [toml: string, strategy: string, threshold: number, named: number][] = [
    ["", "", 0, 0],
    ['[conflict]\nstrategy = "error"', "error", 0, 10_000],
    ['[conflict]\nstrategy = "replace"', "replace", 10_000, 10_000],
    ['[conflict]\nstrategy = "IGNORE"', "ignore", 10_000, 10_000],
    ['[conflict]\nstrategy = "replace"\nthreshold = -1\nmax-record-rows = -1', "replace", 10_000, 10_000],
    ['[conflict]\nstrategy = "replace"\nthreshold = 7', "replace", 7, 7],
    ['[conflict]\nstrategy = "replace"\nthreshold = 7\nmax-record-rows = 3', "replace", 7, 3],
    ['[conflict]\nstrategy = "replace"\nthreshold = 7\nmax-record-rows = 30', "replace", 7, 7],
    ['[conflict]\nstrategy = "error"\nmax-record-rows = 0', "error", 0, 1],
    ["[conflict]\nprecheck-conflict-before-import = true", "error", 0, 10_000],
  ];
  for (const backend of ["local", "tidb"] as const) {
    for (const [toml, strategy, threshold, maxRecordRows] of cases) {
      const found = read(toml, backend);
      assert.deepEqual(
        [found.strategy, found.threshold, found.maxRecordRows],
        [strategy, threshold, maxRecordRows],
        toml,
      );
    }
  }
});

test("§1.14: older spellings count for their backend; tables with rows are compared with", () => {
  const physical = (value: string) => read(`[tikv-importer]\nduplicate-resolution = "${value}"`).strategy;
  assert.deepEqual(["none", "record", "remove", "replace"].map(physical), ["", "replace", "replace", "replace"]);
  const logical = (value: string) => read(`[tikv-importer]\non-duplicate = "${value}"`, "tidb").strategy;
  assert.deepEqual(["replace", "ignore", "error"].map(logical), ["replace", "ignore", "error"]);
  assert.equal(read('[tikv-importer]\non-duplicate = "ignore"').strategy, "");
  assert.equal(read("", "local", true).strategy, "error");
  assert.equal(read("", "tidb", true).strategy, "");
  assert.throws(() => read('[tikv-importer]\nduplicate-resolution = "x"'), /must be one of none, error, replace/);
  assert.throws(
    () => read('[tikv-importer]\nduplicate-resolution = "replace"\n[conflict]\nstrategy = "ignore"'),
    /contradict each other/,
  );
});
