import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError, seededRandom, utf8 } from "../../src/base/mod.ts";
import { PdClient, type PdLimits } from "../../src/cluster/mod.ts";
import { ServerCode, ServerError } from "../../src/rpc/mod.ts";
import { PdGroup } from "./pd-group.ts";
import { VirtualClock } from "./virtual-clock.ts";

const clock = new VirtualClock();
const key = utf8("t");

function client(group: PdGroup, addresses = group.addresses, limits?: PdLimits): PdClient {
  return new PdClient({
    clock,
    random: seededRandom(1),
    connect: group.connect,
    addresses,
    ...(limits === undefined ? {} : { limits }),
  });
}

test("PdClient finds the leader through a follower, and the other addresses through members", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1", "c:1"]);
  group.leader = "c:1";
  const pd = client(group, ["http://a:1/"]);
  await pd.getRegion(key);
  assert.equal(pd.clusterId, group.clusterId);
  assert.equal(group.calls.at(-1), "c:1 GetRegion");
  pd.close();
});

test("PdClient follows a leader change and survives dead members", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1", "c:1"]);
  const pd = client(group);
  await pd.getRegion(key);
  group.elect("b:1");
  await pd.getRegion(key);
  assert.equal(group.calls.at(-1), "b:1 GetRegion");
  group.dead.add("b:1");
  group.elect("c:1");
  await pd.getRegion(key);
  assert.equal(group.calls.at(-1), "c:1 GetRegion");
  pd.close();
});

test("PdClient waits for the end of an election", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1"]);
  const pd = client(group);
  await pd.connect();
  group.elect(undefined);
  const asked = pd.getRegion(key);
  await clock.sleep(1_000);
  group.elect("b:1");
  await asked;
  assert.equal(group.calls.at(-1), "b:1 GetRegion");
  pd.close();
});

test("PdClient lets a member forward when the leader's address cannot be reached", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1"]);
  group.leader = "b:1";
  group.advertised.set("b:1", "hidden:1");
  const pd = client(group, ["a:1"]);
  await pd.getRegion(key);
  assert.equal(group.calls.at(-1), "a:1 GetRegion");
  pd.close();
});

test("PdClient gives up within its time and names what each address answered", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1"]);
  group.dead.add("a:1");
  group.elect(undefined);
  const pd = client(group, ["a:1", "b:1"], { callTimeoutMs: 1_000, overallTimeoutMs: 3_000 });
  const startedMs = clock.monotonicMs();
  await assert.rejects(pd.getRegion(key), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Cluster:ErrPdUnavailable");
    assert.match(error.message, /a:1: .*ECONNREFUSED/);
    assert.match(error.message, /b:1: knows no leader/);
    return true;
  });
  assert.ok(clock.monotonicMs() - startedMs < 6_000);
  pd.close();
});

test("PdClient tells header errors from absence", async () => {
  const group = new PdGroup(clock, ["a:1"], {
    getStore: () => ({ header: { error: { type: 1, message: "invalid store ID 9, not found" } } }),
  });
  const pd = client(group);
  assert.equal(await pd.getOperator(5n), undefined);
  await assert.rejects(pd.getStore(9n), (error) => {
    assert.ok(error instanceof LevinError);
    assert.equal(error.code, "Levin:Cluster:ErrPd");
    assert.match(error.message, /invalid store ID 9, not found/);
    return true;
  });
  pd.close();
});

test("PdClient scans with the old call when PD lacks the new one", async () => {
  const group = new PdGroup(clock, ["a:1"], {
    batchScanRegions: () => {
      throw new ServerError("unknown method BatchScanRegions", ServerCode.Unimplemented);
    },
    scanRegions: () => ({
      header: {},
      regionMetas: [
        { id: 7n, startKey: new Uint8Array(0), endKey: new Uint8Array(0), peers: [{ id: 8n, storeId: 1n }] },
      ],
      leaders: [{ id: 8n, storeId: 1n }],
    }),
  });
  const pd = client(group);
  const everything = { start: new Uint8Array(0), end: new Uint8Array(0) };
  for (let i = 0; i < 2; i++)
    assert.deepEqual(
      (await pd.scanRegions(everything, 10)).map((r) => r.leader?.id),
      [8n],
    );
  assert.deepEqual(
    group.calls.filter((call) => call.includes("can")),
    ["a:1 batchScanRegions", "a:1 scanRegions", "a:1 scanRegions"],
  );
  pd.close();
});

test("PdClient ends at once when its signal is aborted", async () => {
  const group = new PdGroup(clock, ["a:1"]);
  group.elect(undefined);
  const pd = client(group);
  const abort = new AbortController();
  const asked = pd.getRegion(key, abort.signal);
  const reason = new LevinError("Levin:Command:ErrInterrupted", "stop");
  abort.abort(reason);
  await assert.rejects(asked, (error) => error === reason);
  pd.close();
});

test("timestamps: one request for callers of one moment, strictly growing, unique", async () => {
  const group = new PdGroup(clock, ["a:1"]);
  const pd = client(group);
  const first = await Promise.all(Array.from({ length: 100 }, () => pd.timestamp()));
  const second = await Promise.all(Array.from({ length: 3 }, () => pd.timestamp()));
  const all = [...first, ...second];
  for (let i = 1; i < all.length; i++) assert.ok(all[i]! > all[i - 1]!);
  assert.deepEqual(
    group.calls.filter((call) => call.includes("Tso")),
    ["a:1 Tso 100", "a:1 Tso 3"],
  );
  assert.equal(first[0]!, (1001n << 18n) + 1n);
  pd.close();
});

test("timestamps go on after a leader change and after a stream fell silent", async () => {
  const group = new PdGroup(clock, ["a:1", "b:1"]);
  const pd = client(group);
  const before = await pd.timestamp();
  group.elect("b:1");
  const after = await pd.timestamp();
  assert.ok(after > before);
  assert.equal(group.calls.at(-1), "b:1 Tso 1");
  group.silent.add("b:1");
  const asked = pd.timestamp();
  await clock.sleep(500);
  group.elect("a:1");
  assert.ok((await asked) > after);
  assert.equal(group.calls.at(-1), "a:1 Tso 1");
  pd.close();
});

test("a timestamp that nobody waits for any more is not asked for", async () => {
  const group = new PdGroup(clock, ["a:1"]);
  const pd = client(group);
  const abort = new AbortController();
  const asked = pd.timestamp(abort.signal);
  abort.abort(new Error("no more"));
  await assert.rejects(asked, /no more/);
  assert.ok((await pd.timestamp()) > 0n);
  assert.equal(group.calls.filter((call) => call.includes("Tso")).length, 1);
  pd.close();
});

test("a closed client ends waiting callers", async () => {
  const group = new PdGroup(clock, ["a:1"]);
  group.silent.add("a:1");
  const pd = client(group);
  const asked = pd.timestamp();
  await clock.sleep(100);
  pd.close();
  await assert.rejects(asked, /closed/);
  await assert.rejects(pd.getRegion(key), /closed/);
});
