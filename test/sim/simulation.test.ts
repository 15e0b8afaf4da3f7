import assert from "node:assert/strict";
import { test } from "node:test";
import { commitOf, describeCampaign, runCampaign, silentKinds } from "./campaign.ts";
import { simulate } from "./simulate.ts";

const first = 1;
const count = 300;

test(`${count} imports with every kind of fault end in the pairs of the source`, { timeout: 180_000 }, async () => {
  const campaign = await runCampaign({ first, count, threads: 2 });
  const text = describeCampaign(campaign);
  assert.deepEqual(
    campaign.failures.map(({ seed }) => seed),
    [],
    text,
  );
  assert.deepEqual(silentKinds(campaign), [], `kinds of faults that never struck (commit ${commitOf()})`);
});

test("a seed replays exactly", { timeout: 60_000 }, async () => {
  for (const seed of [2, 9, 16]) {
    const [one, two] = [await simulate(seed), await simulate(seed)];
    assert.deepEqual(one.trace, two.trace);
    assert.deepEqual(one.fired, two.fired);
    assert.equal(one.virtualMs, two.virtualMs);
  }
});
