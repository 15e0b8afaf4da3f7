import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Harm } from "./life.ts";
import { plainStory, simulate } from "./simulate.ts";

/** The first DELETE of rows in the way of others is carried out up to two minutes after its client has gone, or has lost the connection. */
async function deleteLate(seed: number, harm: Harm): Promise<number> {
  let times = 0;
  await simulate(seed, {
    livesMax: 3,
    story: { ...plainStory, strategy: "replace", wish: { duplicates: false, filled: "overlapping" } },
    plan: () => undefined,
    judge: () => (kind, what) => {
      if (times > 0 || kind !== "sql" || !what.startsWith("DELETE FROM `d`")) return undefined;
      times++;
      return harm;
    },
  });
  return times;
}

describe("rows that came in with the keys of deleted ones stay", () => {
  for (const harm of ["crash-late", "late"] as const) {
    for (const seed of [1003, 1035, 1039, 1099]) {
      test(`${harm}, seed ${seed}`, async () => assert.equal(await deleteLate(seed, harm), 1));
    }
  }
});
