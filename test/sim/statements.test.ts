import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { textOf } from "../../src/base/mod.ts";
import type { Harm, StepKind } from "./life.ts";
import { plainStory, type SimReport, simulate } from "./simulate.ts";
import type { Place, Story } from "./world.ts";

const story: Story = { ...plainStory, backend: "tidb", wish: { ...plainStory.wish, byStatements: true } };

/** What is done to the first step that matches, once the journal has been given a record of the type. */
async function strikeBehind(
  seed: number,
  given: Story,
  { record, at, harm }: { record: string; at: (kind: StepKind, what: string) => boolean; harm: Harm },
): Promise<{ report: SimReport; struck: boolean }> {
  let isArmed = false;
  let struck = false;
  const report = await simulate(seed, {
    livesMax: 1,
    powerCut: true,
    story: given,
    tamper({ disk }: Place) {
      const { onAppend } = disk;
      disk.onAppend = (path, bytes) => {
        if (path === "/state/journal" && textOf(bytes).includes(`"type":"${record}"`)) isArmed = true;
        onAppend(path, bytes);
      };
    },
    judge: () => (kind, what) => {
      if (struck || !isArmed || !at(kind, what)) return undefined;
      struck = true;
      return harm;
    },
  });
  return { report, struck };
}

describe("imports by statements", () => {
  test("rows, reports and counts without faults, in tables with rows and without", async () => {
    for (const strategy of ["", "replace", "ignore"] as const) {
      const filled = strategy === "" ? "apart" : "overlapping";
      const wish = { ...story.wish, duplicates: strategy !== "", filled } as const;
      // Of what is decided before rows are sent and what statements told only the former was counted, where the report was full: 37.
      for (const seed of [1, 2, 3, 4, 37]) await simulate(seed, { livesMax: 0, story: { ...story, strategy, wish } });
    }
    // Rows with bad values of tables that are checked before they are sent were twice in the report.
    const wish = { ...story.wish, filled: "apart" } as const;
    const report = await simulate(150, { livesMax: 0, story: { ...story, strategy: "ignore", wish } });
    assert.equal(report.lives, 1);
  });

  test("rows that an earlier run left out of a chunk count as soon as it goes on", async () => {
    for (const seed of [410_031_967, 410_044_265]) assert.ok((await simulate(seed)).refused);
  });

  test("conflict.threshold is for rows of all tables, whoever tells their conflicts", async () => {
    let refused = 0;
    for (const limits of ["conflicts", "conflicts - 1"] as const) {
      for (const seed of [2, 3, 4, 5]) {
        const wish = { ...story.wish, duplicates: true, filled: "overlapping" } as const;
        const report = await simulate(seed, {
          livesMax: 0,
          story: { ...story, strategy: "ignore", wish, limits },
        });
        assert.equal(report.refused, limits === "conflicts - 1" && report.conflicts > 0, `seed ${seed}, ${limits}`);
        refused += report.refused ? 1 : 0;
      }
    }
    assert.ok(refused > 2, `${refused} refused`);
  });

  test("engines that a power cut brings back are removed all the same", async () => {
    let times = 0;
    for (let seed = 1; seed <= 3; seed++) {
      const wish = { ...story.wish, duplicates: true };
      for (const record of ["conflicts", "done"]) {
        const given: Story = { ...story, strategy: "replace", wish };
        const at = (kind: StepKind, what: string) => kind === "file" && what === "fsync";
        const { struck } = await strikeBehind(seed, given, { record, at, harm: "crash-after" });
        times += struck ? 1 : 0;
      }
    }
    assert.equal(times, 6);
  });

  test("a session that is lost while the tables of positions are dropped leaves no schema", async () => {
    for (const statement of ["DROP TABLE", "DROP DATABASE"]) {
      for (const harm of ["fail", "lose-answer"] as const) {
        let times = 0;
        const judge = (kind: StepKind, what: string): Harm =>
          kind === "sql" && what.startsWith(statement) && ++times === 1 ? harm : undefined;
        await simulate(5, { livesMax: 1, story, judge: () => judge });
        assert.ok(times > 0, statement);
      }
    }
  });

  test("a record of chunks that is on disk although its append has failed does not end the import", async () => {
    // The claim was taken back as of a run that had begun nothing, and the next one was refused.
    for (const seed of [1, 2, 3]) {
      const at = (kind: StepKind, what: string) => kind === "file" && what === "fsync";
      const { report, struck } = await strikeBehind(seed, story, { record: "chunks", at, harm: "fail" });
      assert.ok(struck);
      assert.equal(report.lives, 2);
    }
  });
});
