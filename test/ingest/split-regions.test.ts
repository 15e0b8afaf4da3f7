import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ErrorSchema } from "../../gen/errorpb_pb.ts";
import { LevinError } from "../../src/base/mod.ts";
import { type Region, scanRegions, type TikvClient } from "../../src/cluster/mod.ts";
import { type SplitOptions, scatterRegions, splitRegions } from "../../src/ingest/mod.ts";
import { lost } from "./faults.ts";
import { recordKey } from "./pairs.ts";
import { openCluster, type TestCluster } from "./test-cluster.ts";

const limits = { backoffMaxMs: 200, idleRoundsMax: 6 };

async function split(cluster: TestCluster, handles: number[], more: Partial<SplitOptions> = {}): Promise<Region[]> {
  const { clock, random, pd, tikv } = cluster;
  const keys = handles.map((handle) => recordKey(80, handle));
  return await splitRegions(keys, { clock, random, pd, tikv, limits, ...more });
}

/** Handles of table 80 at which PD has a region border. */
async function borders(cluster: TestCluster): Promise<number[]> {
  const range = { start: recordKey(80, 0), end: recordKey(81, 0) };
  const regions = await scanRegions(range, cluster);
  return regions.slice(1).map((region) => Number(new DataView(region.start.buffer).getBigUint64(11) & ~(1n << 63n)));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => 10 * (i + 1));

test("splitRegions makes every key a border, many of them in few rounds", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const made = await split(cluster, upTo(500));
  assert.deepEqual(await borders(cluster), upTo(500));
  assert.equal(made.length, 501);
  // 1 + 23 + ... requests, not 500.
  assert.ok(cluster.network.counts.get("SplitRegion")! < 150, `${cluster.network.counts.get("SplitRegion")} requests`);
});

test("splitRegions does nothing for keys that are borders, and nothing for no keys", async () => {
  await using cluster = await openCluster();
  await split(cluster, [10, 20]);
  const requests = cluster.network.counts.get("SplitRegion");
  assert.deepEqual(await split(cluster, [10, 20]), []);
  assert.deepEqual(await split(cluster, []), []);
  assert.equal(cluster.network.counts.get("SplitRegion"), requests);
});

test("splitRegions survives lost answers, moved leaders and splits of others", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { network, pd } = cluster;
  const { placement, regions } = cluster.cluster;
  network.fault = {
    before: async (call) => {
      if (call.method !== "SplitRegion" || call.count > 30) return;
      const key = recordKey(80, (call.count * 97) % 1000);
      const region = (await pd.getRegion(key))!;
      await placement.transferLeader(regions.byId(region.id)!, region.peers[call.count % 3]!.storeId);
      if (call.count % 5 === 0) throw lost(call);
    },
    after: (call) => {
      if (call.method === "SplitRegion" && call.count % 4 === 0) throw lost(call);
    },
  };
  const kinds = new Set<string>();
  const onTrouble: SplitOptions["onTrouble"] = (trouble) => void kinds.add(trouble.kind);
  await split(cluster, upTo(100), { onTrouble, limits: { ...limits, idleRoundsMax: 20 } });
  network.fault = {};
  assert.deepEqual(await borders(cluster), upTo(100));
  assert.ok(kinds.has("connection lost"), [...kinds].join());
});

test("splitRegions sends fewer keys when a request is too large for raft", async () => {
  await using cluster = await openCluster();
  const { tikv } = cluster;
  const sizes: number[] = [];
  const strict: Pick<TikvClient, "splitRegion"> = {
    splitRegion: async (region, keys, signal) => {
      sizes.push(keys.length);
      if (keys.length <= 3) return await tikv.splitRegion(region, keys, signal);
      return { ok: false, error: create(ErrorSchema, { raftEntryTooLarge: { regionId: region.id } }) };
    },
  };
  await split(cluster, upTo(20), { tikv: strict as TikvClient, limits: { ...limits, idleRoundsMax: 20 } });
  assert.deepEqual(await borders(cluster), upTo(20));
  assert.equal(sizes[0], 20);
});

test("splitRegions ends at once on a full store, and within its rounds on a dead one", async () => {
  await using cluster = await openCluster();
  cluster.cluster.stores.get(1n)!.diskFull = true;
  await assert.rejects(split(cluster, [10]), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Ingest:ErrDiskFull");
    assert.match(error.message, /Cannot split region \d+ \[conf 1, version 1\] on store 1: diskFull/);
    return true;
  });
  cluster.network.fault = { before: (call) => Promise.reject(lost(call)) };
  await assert.rejects(split(cluster, [10]), { code: "Levin:Ingest:ErrSplit" });
});

test("scatterRegions asks PD for all regions and waits for their operators", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, random, pd } = cluster;
  const made = await split(cluster, upTo(5));
  const outcome = await scatterRegions(
    made.map((region) => region.id),
    { clock, random, pd, group: "t80" },
  );
  assert.deepEqual(outcome, { done: 6, left: 0 });
});

test("scatterRegions goes on without what PD refuses or does not finish in time", async () => {
  await using cluster = await openCluster();
  const { clock, random } = cluster;
  const options = { clock, random, group: "t80", withinMs: 1_000 };
  const operator = { description: "scatter-region", isRunning: true };
  const slow = {
    scatterRegions: async (ids: readonly bigint[]) => ids.slice(0, 1),
    getOperator: async (id: bigint) => (id === 2n ? operator : undefined),
  };
  assert.deepEqual(await scatterRegions([1n, 2n, 3n], { ...options, pd: slow }), { done: 1, left: 2 });
  const trouble = new LevinError("Levin:Cluster:ErrPd", "no");
  const refusing = { ...slow, scatterRegions: () => Promise.reject(trouble) };
  assert.deepEqual(await scatterRegions([1n], { ...options, pd: refusing }), { done: 0, left: 1, trouble });
  await assert.rejects(
    scatterRegions([1n], { ...options, pd: refusing, signal: AbortSignal.abort(new Error("stop")) }),
    /stop/,
  );
});
