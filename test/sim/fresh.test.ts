import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImportOptions } from "../../src/importer/mod.ts";
import { simulate } from "./simulate.ts";

test("--fresh takes back what a killed run of the forgotten job left in the cluster", async () => {
  for (const seed of [6, 19]) {
    let given: ImportOptions | undefined;
    const report = await simulate(seed, {
      livesMax: 1,
      powerCut: false,
      judge: () => (_, what) => (what === "Write" ? "crash-before" : undefined),
      tamper(_, options) {
        given = options;
      },
      async afterLife() {
        given!.fresh = true;
      },
    });
    assert.equal(report.lives, 2);
  }
});
