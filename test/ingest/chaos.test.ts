import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chances, shake } from "./chaos.ts";

const chances: Chances = {
  lose: 0.02,
  loseAnswer: 0.02,
  breakStream: 0.01,
  delay: 0.02,
  moveLeader: 0.05,
  movePeer: 0.02,
  split: 0.03,
  merge: 0.02,
  suspend: 0.02,
  down: 0.02,
  crash: 0.01,
};

test("imports end in the same pairs whatever happens to the cluster and the importer", {
  timeout: 60_000,
}, async () => {
  const happened: Record<string, number> = {};
  for (let seed = 1; seed <= 8; seed++) {
    const report = await shake(seed, chances);
    for (const [what, times] of Object.entries(report.happened)) happened[what] = (happened[what] ?? 0) + times;
  }
  // A fault that never comes up tests nothing.
  for (const [what, times] of Object.entries(happened)) assert.ok(times > 0, `${what} never happened`);
});
