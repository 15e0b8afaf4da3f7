/** Another import fills the tables while one that was killed before its first range does not run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ImportOptions, runImport } from "../../src/importer/mod.ts";
import { Life } from "./life.ts";
import { plainStory, simulate } from "./simulate.ts";
import { environmentOf, type Place } from "./world.ts";

/** The first life dies before the step; then the same dump is imported with another state directory. */
async function fillBetween(at: string, change: Partial<ImportOptions> = {}): Promise<void> {
  let place: Place | undefined;
  let options: ImportOptions | undefined;
  let times = 0;
  await simulate(3, {
    livesMax: 1,
    powerCut: false,
    story: plainStory,
    judge: () => (_, what) => (what.startsWith(at) && times++ === 0 ? "crash-before" : undefined),
    tamper(given, ofImport) {
      place = given;
      options = Object.assign(ofImport, change);
    },
    async afterLife(life) {
      if (life !== 1) return;
      const other = {
        ...options!,
        stateDir: "/other",
        sortedKvDir: "/other/engines",
      };
      const alone = new Life(() => undefined);
      // The server finds out soon that its clients are gone.
      alone.later = (run) => void run();
      await runImport(
        other,
        environmentOf(place!, alone, () => undefined, false),
      );
    },
  });
}

describe("an import whose first range is not in does not go on in tables that another one has filled", () => {
  const notEmpty = /Levin:Check:ErrTargetNotEmpty Cannot import: the target's tables? "d\..* must be empty/;
  test("killed before it looks at them", () => assert.rejects(fillBetween("(SELECT 0 FROM"), notEmpty));
  const newer = /Levin:Check:ErrTargetChanged .*newer than those of this import/;
  test("killed when all is ready", () => assert.rejects(fillBetween("Write"), newer));
  const into = { intoRows: true } as const;
  const wasEmpty = /Levin:Check:ErrTargetChanged .*it was empty when/;
  test("also where tables may have rows", () => assert.rejects(fillBetween("(SELECT 0 FROM", into), wasEmpty));
  test("also where tables may have rows, when all is ready", () => assert.rejects(fillBetween("Write", into), newer));
});
