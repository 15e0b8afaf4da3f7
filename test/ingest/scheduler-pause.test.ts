import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "../../src/base/mod.ts";
import { encodeKey, nodeHttp, PdHttp } from "../../src/cluster/mod.ts";
import { SchedulerPause } from "../../src/ingest/mod.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";
import { PdHttpState } from "./pd-http-state.ts";
import { openSandbox } from "./test-cluster.ts";

const clock = new VirtualClock();
const ranges = [{ start: utf8("t1"), end: utf8("t2") }];

function open(
  state: PdHttpState,
  more: { scope?: "global"; signal?: AbortSignal; onTrouble?: (thrown: unknown) => void } = {},
) {
  return SchedulerPause.open({ clock, pd: state.client(), ruleId: "levin-job-t", ranges, ttlSeconds: 30, ...more });
}

test("a pause on PD 6.1 and later is a rule on the key range, renewed while open and gone after it", async () => {
  const state = new PdHttpState(clock);
  const pause = await open(state);
  assert.deepEqual(pause.record, { kind: "rule", ruleId: "levin-job-t" });
  assert.deepEqual(state.rules[0]!.data, [
    { start_key: toHex(encodeKey(utf8("t1"))), end_key: toHex(encodeKey(utf8("t2"))) },
  ]);
  // Three times its time to live.
  await clock.sleep(90_000);
  assert.equal(state.rules.length, 1);
  assert.ok(state.requests.filter((line) => line.startsWith("POST")).length >= 5);
  await pause.close();
  assert.equal(state.rules.length, 0);
  const requests = state.requests.length;
  await pause.close();
  await clock.sleep(20_000);
  assert.equal(state.requests.length, requests);
});

test("a pause that is not closed ends by itself", async () => {
  const state = new PdHttpState(clock);
  const pd = state.client();
  await pd.putDenyRule({ id: "levin-x", ranges, ttlSeconds: 30 });
  assert.equal(state.rules.length, 1);
  await clock.sleep(31_000);
  assert.equal(state.rules.length, 0);
});

for (const old of [true, false]) {
  test(`a pause ${old ? "on an older PD" : "of the whole cluster"} is one of schedulers and limits`, async () => {
    const state = new PdHttpState(clock);
    if (old) state.version = "v6.0.9";
    if (old) state.hasLabelRules = false;
    const pause = await open(state, old ? {} : { scope: "global" });
    assert.deepEqual(state.paused.sort(), ["balance-leader-scheduler", "balance-region-scheduler"]);
    assert.deepEqual(state.overrides, {
      "schedule.leader-schedule-limit": 12,
      "schedule.region-schedule-limit": 40,
      "schedule.max-snapshot-count": 40,
      "schedule.max-merge-region-size": 0,
      "schedule.max-merge-region-keys": 0,
      "schedule.enable-location-replacement": "false",
    });
    await clock.sleep(60_000);
    assert.equal(state.paused.length, 2);
    await pause.close();
    assert.deepEqual([state.paused, state.overrides], [[], {}]);
  });
}

test("a PD that does not tell its version is asked for rules", async () => {
  const state = new PdHttpState(clock);
  state.version = "None";
  const withRules = await open(state);
  assert.equal(withRules.record.kind, "rule");
  await withRules.close();
  state.hasLabelRules = false;
  const without = await open(state);
  assert.equal(without.record.kind, "schedulers");
  await without.close();
});

test("a pause that cannot be made whole is taken back", async () => {
  const state = new PdHttpState(clock);
  state.refuse = /^POST \/config\?ttl/;
  await assert.rejects(open(state, { scope: "global" }), { code: "Levin:Cluster:ErrPd" });
  assert.deepEqual(state.paused, []);
});

test("a PD that answers no more cannot hold up a run that is to end, also while it pauses", async () => {
  const state = new PdHttpState(clock);
  state.ignore = /^(POST|DELETE)/;
  const stop = new AbortController();
  const startedMs = clock.monotonicMs();
  const troubles: unknown[] = [];
  const opened = open(state, { signal: stop.signal, onTrouble: (thrown) => troubles.push(thrown) });
  clock.sleep(1_000).then(() => stop.abort(new Error("interrupted")));
  await assert.rejects(opened);
  assert.ok(clock.monotonicMs() - startedMs < 20_000, `${clock.monotonicMs() - startedMs} ms`);
  assert.equal(troubles.length, 1);
});

test("a renewal that fails is reported and tried again", async () => {
  const state = new PdHttpState(clock);
  let troubles = 0;
  const pause = await open(state, { onTrouble: () => troubles++ });
  state.refuse = /^POST/;
  await clock.sleep(15_000);
  assert.ok(troubles > 0);
  state.refuse = undefined;
  await clock.sleep(15_000);
  assert.equal(state.rules.length, 1);
  await pause.close();
});

test("pauses on a sandbox's PD, over its port", async () => {
  await using cluster = await openSandbox({ stores: 3 });
  const { clock: time, random } = cluster;
  const pd = new PdHttp({ clock: time, random, send: nodeHttp(), addresses: [cluster.pdAddress] });
  assert.deepEqual(await pd.version(), [8, 5, 8]);
  assert.deepEqual(
    (await pd.stores()).map((store) => [store.id, store.stateName]),
    [
      [1n, "Up"],
      [2n, "Up"],
      [3n, "Up"],
    ],
  );
  const options = { clock: time, pd, ruleId: "levin-job-t", ranges };
  const rule = await SchedulerPause.open(options);
  assert.ok((await pd.labelRuleIds()).includes("levin-job-t"));
  await rule.close();
  assert.ok(!(await pd.labelRuleIds()).includes("levin-job-t"));
  const before = await pd.scheduleConfig();
  const global = await SchedulerPause.open({ ...options, scope: "global" });
  assert.ok((await pd.schedulers({ paused: true })).includes("balance-leader-scheduler"));
  await global.close();
  assert.deepEqual(await pd.schedulers({ paused: true }), []);
  assert.deepEqual(await pd.scheduleConfig(), before);
});
