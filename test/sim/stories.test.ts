import assert from "node:assert/strict";
import { test } from "node:test";
import { plainStory, simulate } from "./simulate.ts";

test("a table that has rows takes others while the disk quota has some of them imported early", async () => {
  // Found by seed 147: what the table held before was summed when some of the import was there already.
  let early = 0;
  for (const seed of [2, 4, 6, 15, 22]) {
    const report = await simulate(seed, {
      livesMax: 1,
      story: { ...plainStory, wish: { duplicates: false, filled: "apart" } },
      tamper: (_, options) => Object.assign(options, { chunkSizeBytes: 300, diskQuotaBytes: 100 }),
      judge: () => () => undefined,
    });
    assert.equal(report.lives, 1);
    early += report.trace.filter((line) => line.includes("are imported early")).length;
  }
  assert.ok(early > 3, `${early} rounds`);
});

test("an import that was ended by rows that cannot be cast is ended by them again", async () => {
  // Found by seeds 169 and 276: the chunk with the last of them was recorded, and the next run went on behind it.
  let refused = 0;
  for (const seed of [14, 16, 34]) {
    const report = await simulate(seed, {
      livesMax: 2,
      story: { ...plainStory, limits: "errors - 1" },
      judge: () => () => undefined,
    });
    const ended = report.trace.filter((line) => line.startsWith("life") && line.includes("ErrTooManyErrors"));
    if (report.refused) assert.equal(ended.length, 2);
    refused += report.refused ? 1 : 0;
  }
  assert.equal(refused, 3);
});

test("conflict.threshold is the import's, whatever its batches are", async () => {
  const wish = { duplicates: true, filled: "no" } as const;
  let refused = 0;
  for (const limits of ["conflicts", "conflicts - 1"] as const) {
    for (const seed of [2, 4, 6]) {
      const report = await simulate(seed, {
        livesMax: 0,
        story: { ...plainStory, strategy: "ignore", wish, limits },
        tamper: (_, options) => Object.assign(options, { batchSizeBytes: 1 }),
      });
      const isOver = limits === "conflicts - 1" && report.conflicts > 0;
      assert.equal(report.refused, isOver, `seed ${seed}, ${limits}`);
      refused += isOver ? 1 : 0;
    }
  }
  assert.ok(refused > 1, `${refused} refused`);
});
