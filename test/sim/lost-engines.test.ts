import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImportOptions } from "../../src/importer/mod.ts";
import type { Harm, StepKind } from "./life.ts";
import { type SimReport, simulate } from "./simulate.ts";
import type { Place } from "./world.ts";

/** The first life dies before the step; then what is chosen of the sorted pairs' directory is gone, as with a scratch disk. */
function loseEngines(
  seed: number,
  at: string,
  isGone: (path: string) => boolean,
  change: Partial<ImportOptions> = {},
): Promise<SimReport> {
  let place: Place | undefined;
  const judge = (_: StepKind, what: string): Harm => (what === at ? "crash-before" : undefined);
  return simulate(seed, {
    livesMax: 1,
    powerCut: false,
    judge: () => judge,
    tamper(given, options) {
      place = given;
      Object.assign(options, change);
    },
    async afterLife(life) {
      const { disk } = place!;
      const paths = [...disk.maps.keys(), ...disk.files.keys()].filter((path) => path.startsWith("/state/engines"));
      if (life === 1) for (const path of paths) if (isGone(path)) disk.removeTree(path);
    },
  });
}

const saysSo = (report: SimReport): boolean => report.trace.some((line) => line.includes("are encoded again"));

describe("sorted pairs that are gone are encoded again", () => {
  for (const seed of [1, 2, 3, 6, 19]) {
    test(`all of them, seed ${seed}`, async () => {
      const report = await loseEngines(seed, "MultiIngest", () => true);
      assert.equal(report.lives, 2);
      assert.ok(saysSo(report));
    });
  }

  test("the file of one run", async () => {
    let taken: string | undefined;
    const isFirst = (path: string): boolean => {
      if (path.endsWith(".run")) taken ??= path;
      return path === taken;
    };
    const report = await loseEngines(1, "MultiIngest", isFirst, { blockStore: "files" });
    assert.equal(report.lives, 2);
    assert.ok(taken !== undefined && saysSo(report));
  });

  test("nothing is said where all pairs were in", async () => {
    const report = await loseEngines(1, "Coprocessor", () => true, { batchSizeBytes: 1 << 20 });
    assert.equal(report.lives, 2);
    assert.ok(!saysSo(report));
  });

  test("but not where conflicts were resolved: the error names the directory", async () => {
    const conflict = { strategy: "replace", threshold: 100, maxRecordRows: 100, taskInfoSchema: "" } as const;
    await assert.rejects(
      loseEngines(1, "MultiIngest", () => true, { conflict }),
      /Levin:State:ErrPairsLost Cannot continue: \d+ of \d+ runs of sorted pairs are gone from "\/state\/engines\/batch-0"/,
    );
  });
});
