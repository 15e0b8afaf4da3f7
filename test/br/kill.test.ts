import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { killWriters } from "./kill-campaign.ts";

test("processes killed while they append: nothing acknowledged is lost, nothing is invented, the next one goes on", {
  timeout: 120_000,
}, async () => {
  const plan = { ranges: 20_000, callers: 8, batchBytes: 200_000, kills: 4, lifeMs: 1200, operations: 200 };
  const { kills, documents, left } = await killWriters(plan, seededRandom(4));
  assert.ok(kills >= 1 && documents > 20, `${kills} kills, ${documents} documents, ${left}`);
});
