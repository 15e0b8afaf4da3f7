import assert from "node:assert/strict";
import { test } from "node:test";
import { type LevinError, toHex } from "../../src/base/mod.ts";
import { ingestRanges, scanPairs, splitRegions } from "../../src/ingest/mod.ts";
import { lost } from "./faults.ts";
import { ArraySource, recordKey, records } from "./pairs.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

const PATIENCE_MS = 60_000;
const PAGE_PAIRS = 2048;
const pairs = records(80, 0, 5000);
const range = { start: recordKey(80, 0), end: recordKey(81, 0) };

/** Pairs of a table over three regions, more than a page in one of them. */
async function filled(): Promise<TestCluster> {
  const cluster = await openCluster({ stores: 3 });
  const { clock, random, pd, tikv } = cluster;
  await splitRegions([recordKey(80, 500), recordKey(80, 4500)], { clock, random, pd, tikv });
  const ranges = [{ ...range, bytes: 0, pairs: 0 }];
  await ingestRanges({
    clock,
    random,
    pd,
    tikv,
    source: new ArraySource(pairs),
    ranges,
    commitTs: await pd.timestamp(),
  });
  return cluster;
}

async function scan({ clock, random, pd, tikv }: TestCluster, pause: () => Promise<void> = async () => undefined) {
  const snapshot = await pd.timestamp();
  const keys: string[] = [];
  for await (const page of scanPairs(range, { clock, random, pd, tikv, snapshot, patienceMs: PATIENCE_MS })) {
    assert.ok(page.length <= PAGE_PAIRS);
    for (const { key } of page) keys.push(toHex(key));
    await pause();
  }
  return keys;
}

const expected = pairs.map(({ key }) => toHex(key));

test("scanPairs gives every pair of a range once, in order", async () => {
  await using cluster = await filled();
  const before = cluster.network.counts.get("KvScan") ?? 0;
  assert.deepEqual(await scan(cluster), expected);
  assert.equal(cluster.network.counts.get("KvScan")! - before, 4);
});

test("a page that is refused for ever ends the scan within its patience, also when the store answers", async () => {
  await using cluster = await filled();
  const { tikv, clock } = cluster;
  const refusing: Pick<typeof tikv, "scan"> = {
    scan: async () => ({ ok: false, error: { message: "stale command", staleCommand: {} } as never }),
  };
  const startedMs = clock.monotonicMs();
  await assert.rejects(scan({ ...cluster, tikv: refusing as typeof tikv }), { code: "Levin:Verify:ErrRead" });
  assert.ok(clock.monotonicMs() - startedMs <= PATIENCE_MS);
  cluster.network.fault = {
    before: async (call) => {
      if (call.method === "KvScan") throw lost(call);
    },
  };
  await assert.rejects(scan(cluster), (error: LevinError) => /^Cannot read the pairs of region /.test(error.message));
});

test("a scan may take longer than its patience as long as no page does", async () => {
  await using cluster = await filled();
  let pages = 0;
  cluster.network.fault = {
    before: async (call) => {
      if (call.method === "KvScan" && pages++ % 2 === 0) throw lost(call);
    },
  };
  assert.deepEqual(await scan(cluster, () => cluster.clock.sleep(PATIENCE_MS)), expected);
});
