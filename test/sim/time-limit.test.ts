import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "./simulate.ts";
import type { Place } from "./world.ts";

const minuteMs = 60_000;

test("what a killed run leaves in the cluster ends by itself: label rule after 5 minutes, import mode after 10", async () => {
  let place: Place | undefined;
  const left = new Map<number, string[]>();
  // The first life dies while it writes; nobody starts it again before a quarter of an hour has passed.
  const report = await simulate(6, {
    livesMax: 2,
    tamper: (given, options) => {
      place = given;
      options.importModeRenewMs = 300_000;
    },
    judge: (life) => (_, what) => (life === 1 && what === "Write" ? "crash-after" : undefined),
    afterLife: async (life) => {
      if (life !== 1) return;
      for (const minutes of [0, 4, 6, 9, 11]) {
        await place!.clock.sleep((minutes - [...left.keys()].reduce((a, b) => Math.max(a, b), 0)) * minuteMs);
        left.set(minutes, place!.cluster.leftovers());
      }
    },
  });
  assert.equal(report.lives, 2);
  const kinds = (minutes: number): string[] =>
    [...new Set(left.get(minutes)!.map((what) => what.split(" ")[0]!))].sort();
  assert.deepEqual([0, 4, 6, 9, 11].map(kinds), [["label", "store"], ["label", "store"], ["store"], ["store"], []]);
});
