import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../src/base/mod.ts";
import { ImportModeKeeper, restoreCluster, SchedulerPause } from "../../src/ingest/mod.ts";
import { lost, unimplemented } from "./faults.ts";
import { PdHttpState } from "./pd-http-state.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

function modes({ cluster, clock }: TestCluster): string {
  return [...cluster.stores.values()]
    .map((store) => (store.importModeUntilMs > clock.nowMs() ? "import" : "normal"))
    .join(" ");
}

test("import mode is renewed while the keeper is open, and undone when it is closed", async () => {
  await using cluster = await openCluster({ stores: 3, importModeTimeoutMs: 1_500 });
  const { clock, tikv } = cluster;
  {
    await using _ = await ImportModeKeeper.open({ clock, tikv, timeoutMs: 1_500 });
    assert.equal(modes(cluster), "import import import");
    await clock.sleep(5_000);
    assert.equal(modes(cluster), "import import import");
  }
  assert.equal(modes(cluster), "normal normal normal");
});

test("import mode is renewed as often as is asked for, where stores leave it sooner than is usual", async () => {
  await using cluster = await openCluster({ stores: 2, importModeTimeoutMs: 60_000 });
  const { clock, tikv } = cluster;
  await using _ = await ImportModeKeeper.open({ clock, tikv, renewMs: 20_000 });
  await clock.sleep(5 * 60_000);
  assert.equal(modes(cluster), "import import");
});

test("a store that does not answer is reported, the others switch", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, tikv, network } = cluster;
  const address = "tikv-2";
  network.fault = {
    before: (call) => {
      if (call.address === address) throw lost(call);
    },
  };
  const troubles: (bigint | undefined)[] = [];
  const onTrouble = (_: unknown, store: { id: bigint } | undefined) => void troubles.push(store?.id);
  const keeper = await ImportModeKeeper.open({ clock, tikv, onTrouble });
  assert.equal(modes(cluster), "import normal import");
  await keeper.close();
  assert.equal(modes(cluster), "normal normal normal");
  assert.deepEqual(troubles, [2n, 2n]);
});

test("a store without import mode (TiFlash) is passed over", async () => {
  await using cluster = await openCluster({ stores: 1 });
  const { clock, tikv, network } = cluster;
  network.fault = { before: (call) => Promise.reject(unimplemented(call)) };
  let troubles = 0;
  const keeper = await ImportModeKeeper.open({ clock, tikv, onTrouble: () => troubles++ });
  await keeper.close();
  assert.equal(troubles, 0);
});

test("a stuck store cannot hold up the closing", async () => {
  await using cluster = await openCluster({ stores: 1 });
  const { clock, tikv, network } = cluster;
  const keeper = await ImportModeKeeper.open({ clock, tikv });
  network.fault = { before: () => clock.sleep(10 * 60_000) };
  const startedMs = clock.monotonicMs();
  let troubles = 0;
  await Promise.race([keeper.close(), clock.sleep(120_000).then(() => troubles++)]);
  assert.ok(clock.monotonicMs() - startedMs < 60_000 && troubles === 0);
});

test("restoreCluster undoes what a killed run left", async () => {
  await using cluster = await openCluster({ stores: 2 });
  const { clock, tikv } = cluster;
  const state = new PdHttpState(clock);
  const pd = state.client();
  const ranges = [{ start: utf8("t1"), end: utf8("t2") }];
  const keeper = await ImportModeKeeper.open({ clock, tikv });
  const rule = await SchedulerPause.open({ clock, pd, ruleId: "levin-job7-t", ranges });
  const other = await SchedulerPause.open({ clock, pd, ruleId: "levin-job8-t", ranges });
  const global = await SchedulerPause.open({ clock, pd, ruleId: "levin-job7-x", ranges, scope: "global" });
  assert.equal(state.paused.length, 2);
  const restored = await restoreCluster({ pd, tikv, rulePrefix: "levin-job7-" });
  assert.deepEqual(restored.rules, ["levin-job7-t"]);
  assert.equal(restored.schedulers.length, 2);
  assert.equal(modes(cluster), "normal normal");
  assert.deepEqual(
    state.rules.map((r) => r.id),
    ["levin-job8-t"],
  );
  assert.deepEqual([state.paused, state.overrides], [[], {}]);
  await Promise.all([keeper.close(), rule.close(), other.close(), global.close()]);
});
