import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { type ChecksumOptions, checksumTable, ingestRanges, splitRegions } from "../../src/ingest/mod.ts";
import { lost } from "./faults.ts";
import { ArraySource, checksumOf, recordKey, records } from "./pairs.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

const parts = [records(80, 0, 300), records(81, 0, 200), records(82, 0, 0)];
const named = [80, 81, 82].map((table) => ({
  name: `partition p${table}, records`,
  start: recordKey(table, 0),
  end: recordKey(table + 1, 0),
}));

/** Pairs of two tables over seven regions. */
async function filled(stores = 3): Promise<TestCluster> {
  const cluster = await openCluster({ stores });
  const { clock, random, pd, tikv } = cluster;
  const source = new ArraySource(parts.flat());
  const keys = [recordKey(80, 100), recordKey(80, 200), recordKey(81, 0), recordKey(81, 50), recordKey(82, 7)];
  await splitRegions(keys, { clock, random, pd, tikv });
  const ranges = [{ start: recordKey(80, 0), end: recordKey(83, 0), bytes: 0, pairs: 0 }];
  await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  return cluster;
}

async function sum(cluster: TestCluster, more: Partial<ChecksumOptions> = {}) {
  const { clock, random, pd, tikv } = cluster;
  const limits = { backoffFirstMs: 20, backoffMaxMs: 200 };
  return await checksumTable({
    clock,
    random,
    pd,
    tikv,
    ranges: named,
    snapshot: await pd.timestamp(),
    limits,
    ...more,
  });
}

const expected = parts.map((pairs, at) => ({ name: named[at]!.name, ...checksumOf(pairs) }));

test("checksumTable sums up each named range and all of them", async () => {
  await using cluster = await filled();
  const result = await sum(cluster);
  assert.deepEqual(result.ranges, expected);
  const { crc64xor, kvs, bytes } = result;
  assert.deepEqual({ crc64xor, kvs, bytes }, checksumOf(parts.flat()));
});

test("checksumTable reads at its snapshot", async () => {
  await using cluster = await openCluster();
  const before = await cluster.pd.timestamp();
  const { clock, random, pd, tikv } = cluster;
  const ranges = [{ start: recordKey(80, 0), end: recordKey(81, 0), bytes: 0, pairs: 0 }];
  const source = new ArraySource(parts[0]!);
  await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  assert.equal((await sum(cluster, { snapshot: before })).kvs, 0n);
  assert.equal((await sum(cluster)).kvs, 300n);
});

test("checksumTable follows leaders, splits and lost answers, and counts nothing twice", async () => {
  await using cluster = await filled();
  const { network, pd, tikv } = cluster;
  const { placement, regions } = cluster.cluster;
  network.fault = {
    before: async (call) => {
      if (call.method !== "Coprocessor") return;
      if (call.count % 3 === 0) throw lost(call);
      if (call.count > 12) return;
      const key = recordKey(80, call.count * 23);
      const region = (await pd.getRegion(key))!;
      const peer = region.peers[call.count % 3]!;
      await placement.transferLeader(regions.byId(region.id)!, peer.storeId);
      if (call.count % 2 === 0) await tikv.splitRegion((await pd.getRegion(key))!, [key]);
    },
    after: (call) => {
      if (call.method === "Coprocessor" && call.count % 5 === 0) throw lost(call);
    },
  };
  const troubles: string[] = [];
  const result = await sum(cluster, { onTrouble: (trouble) => void troubles.push(trouble.kind) });
  assert.deepEqual(result.ranges, expected);
  assert.ok(troubles.includes("connection lost") && troubles.length > 4, troubles.join(", "));
});

test("checksumTable gives up within its bounds and names region and store", async () => {
  await using cluster = await filled();
  await cluster.stopStore(1n);
  cluster.network.fault = { before: (call) => Promise.reject(lost(call)) };
  const limits = { troublesMax: 3, backoffFirstMs: 20, backoffMaxMs: 20 };
  await assert.rejects(sum(cluster, { limits }), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Verify:ErrRead");
    assert.match(error.message, /region \d+ \[conf \d+, version \d+\] on store \d: connection lost/);
    return true;
  });
});

test("checksumTable ends at once when it is aborted", async () => {
  await using cluster = await filled();
  const abort = new AbortController();
  const reason = new Error("stop");
  cluster.network.fault = {
    before: async () => {
      abort.abort(reason);
      await cluster.clock.sleep(1e6);
    },
  };
  await assert.rejects(sum(cluster, { signal: abort.signal }), (error) => error === reason);
});
