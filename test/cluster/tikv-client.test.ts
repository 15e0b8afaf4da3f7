import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import {
  type Connect,
  type DuplicatePair,
  type Peer,
  type Region,
  SnapshotHold,
  type Store,
  StoreDirectory,
  TikvClient,
} from "../../src/cluster/mod.ts";
import { StorePool } from "../../src/cluster/store-pool.ts";
import { ingestRanges } from "../../src/ingest/mod.ts";
import { ArraySource, recordKey, records } from "../ingest/pairs.ts";
import { openCluster } from "../ingest/test-cluster.ts";
import { VirtualClock } from "./virtual-clock.ts";

async function regionOf(cluster: Awaited<ReturnType<typeof openCluster>>, key: Uint8Array): Promise<Region> {
  return (await cluster.pd.getRegion(key))!;
}

test("TikvClient reads a key at a snapshot", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { clock, random, pd, tikv } = cluster;
  const key = recordKey(80, 7);
  const before = await pd.timestamp();
  const ranges = [{ start: recordKey(80, 0), end: recordKey(81, 0), bytes: 0, pairs: 0 }];
  const source = new ArraySource(records(80, 0, 10));
  await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  const region = await regionOf(cluster, key);
  assert.deepEqual(await tikv.get(region, key, before), { ok: true, value: undefined });
  const found = await tikv.get(region, key, await pd.timestamp());
  assert.ok(found.ok && found.value?.length === 400);
});

test("TikvClient hands refusals over as values, with what the store knows", async () => {
  await using cluster = await openCluster({ stores: 3 });
  const { pd, tikv } = cluster;
  const key = recordKey(80, 7);
  const region = await regionOf(cluster, key);
  const follower = region.peers.find((peer) => peer.id !== region.leader!.id)!;
  const asked = await tikv.get({ ...region, leader: follower }, key, await pd.timestamp());
  assert.ok(!asked.ok);
  assert.equal(asked.error.notLeader?.leader?.id, region.leader!.id);
  const parts = await tikv.splitRegion(region, [recordKey(80, 5), recordKey(80, 9)]);
  assert.ok(parts.ok && parts.value.length === 3);
  assert.equal(parts.value[2]!.id, region.id);
  assert.deepEqual(
    parts.value.map((part) => part.leader?.storeId),
    [1n, 1n, 1n],
  );
  const stale = await tikv.checksum(region, [{ start: recordKey(80, 0), end: recordKey(80, 1) }], await pd.timestamp());
  assert.ok(!stale.ok && stale.error.epochNotMatch !== undefined);
});

test("TikvClient finds keys with several versions", async () => {
  await using cluster = await openCluster();
  const { clock, random, pd, tikv } = cluster;
  const ranges = [{ start: recordKey(80, 0), end: recordKey(81, 0), bytes: 0, pairs: 0 }];
  const source = new ArraySource(records(80, 0, 10));
  const minCommitTs = await pd.timestamp();
  for (let i = 0; i < 2; i++) {
    await ingestRanges({ clock, random, pd, tikv, source, ranges, commitTs: await pd.timestamp() });
  }
  const found: DuplicatePair[] = [];
  const region = await regionOf(cluster, recordKey(80, 0));
  const answer = await tikv.duplicates(region, ranges[0]!, minCommitTs, (pairs) => void found.push(...pairs));
  assert.ok(answer.ok);
  assert.equal(found.length, 20);
  assert.deepEqual(found[0]!.key, found[1]!.key);
  assert.ok(found[0]!.commitTs > found[1]!.commitTs);
});

test("StoreDirectory asks once, and again for a store that was forgotten or could not be told", async () => {
  let asked = 0;
  const store = (id: bigint): Store => ({
    id,
    address: `s${asked}:1`,
    statusAddress: "",
    version: "8.5.0",
    state: "up",
    isTiFlash: false,
  });
  const directory = new StoreDirectory({
    getStore: async (id) => {
      asked++;
      if (asked === 3) throw new LevinError("Levin:Cluster:ErrPd", "no");
      return store(id);
    },
    getStores: async () => [store(1n), store(2n)],
  });
  const [a, b] = await Promise.all([directory.get(1n), directory.get(1n)]);
  assert.ok(a === b && asked === 1);
  directory.forget(1n);
  assert.equal((await directory.get(1n)).address, "s2:1");
  directory.forget(1n);
  await assert.rejects(directory.get(1n));
  assert.equal((await directory.get(1n)).address, "s4:1");
  await directory.all();
  await directory.get(2n);
  assert.equal(asked, 4);
});

test("a caller of StoreDirectory that gives up does not end the question for others", async () => {
  let answer: (store: Store) => void = () => undefined;
  const directory = new StoreDirectory({
    getStore: () => new Promise((resolve) => (answer = resolve)),
    getStores: async () => [],
  });
  const abort = new AbortController();
  const first = directory.get(1n, abort.signal);
  const second = directory.get(1n);
  abort.abort(new Error("enough"));
  await assert.rejects(first, /enough/);
  answer({ id: 1n, address: "s:1", statusAddress: "", version: "", state: "up", isTiFlash: false });
  assert.equal((await second).address, "s:1");
});

test("StorePool opens connections when the others are busy, up to its bound", async () => {
  let opened = 0;
  const closed: string[] = [];
  const connect = ((address: string) => {
    opened++;
    return { target: address, close: () => void closed.push(address) };
  }) as unknown as Connect;
  const pool = new StorePool(connect, 2);
  await pool.use("a:1", async () => undefined);
  await pool.use("a:1", async () => undefined);
  assert.equal(opened, 1);
  const used = new Set<unknown>();
  const hold = () =>
    pool.use("a:1", async (connection) => {
      used.add(connection);
      await new Promise((resolve) => setImmediate(resolve));
    });
  await Promise.all([hold(), hold(), hold(), hold()]);
  assert.deepEqual([opened, used.size], [2, 2]);
  await pool.use("b:1", async () => undefined);
  pool.close();
  assert.deepEqual(closed, ["a:1", "a:1", "b:1"]);
});

test("a store that lost its connection is looked up again", async () => {
  let asked = 0;
  const stores = new StoreDirectory({
    getStore: async (id) => {
      asked++;
      return { id, address: "nowhere:1", statusAddress: "", version: "", state: "up", isTiFlash: false };
    },
    getStores: async () => [],
  });
  const connect = (() => ({
    target: "nowhere:1",
    close: () => undefined,
    unary: () => Promise.reject(new LevinError("Levin:Rpc:ErrUnavailable", "connect ECONNREFUSED")),
  })) as unknown as Connect;
  const tikv = new TikvClient({ connect, stores });
  const peer: Peer = { id: 2n, storeId: 1n, role: "voter" };
  const none = new Uint8Array(0);
  const region: Region = {
    id: 1n,
    start: none,
    end: none,
    epoch: { confVer: 1n, version: 1n },
    peers: [peer],
    leader: peer,
  };
  for (let i = 0; i < 2; i++) {
    await assert.rejects(tikv.get(region, utf8("t"), 5n), { code: "Levin:Rpc:ErrUnavailable" });
  }
  assert.equal(asked, 2);
  assert.equal(textOf(utf8("t")), "t");
});

test("SnapshotHold renews until it is closed, and refuses a snapshot that is gone", async () => {
  const clock = new VirtualClock();
  const calls: [string, bigint, number][] = [];
  let lowest = 50n;
  const pd = {
    holdSafePoint: async (hold: { serviceId: string; safePoint: bigint; ttlSeconds: number }) => {
      calls.push([hold.serviceId, hold.safePoint, hold.ttlSeconds]);
      return lowest;
    },
  };
  const options = { clock, pd, serviceId: "levin-1", snapshot: 100n, ttlSeconds: 60 };
  const hold = await SnapshotHold.open(options);
  await clock.sleep(70_000);
  await hold.close();
  await hold.close();
  assert.ok(calls.length >= 3 && calls.length <= 6, `${calls.length} calls`);
  assert.deepEqual(calls[1], ["levin-1", 100n, 60]);
  assert.deepEqual(calls.at(-1), ["levin-1", 100n, 0]);
  lowest = 101n;
  await assert.rejects(SnapshotHold.open(options), { code: "Levin:Cluster:ErrSnapshotGone" });
});
