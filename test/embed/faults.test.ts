import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { MultiIngestRequestSchema } from "../../gen/import_sstpb_pb.ts";
import { PackedWriteRequestSchema } from "../../gen/packed_pb.ts";
import { GetMembersRequestSchema, GetRegionRequestSchema } from "../../gen/pdpb_pb.ts";
import { seededRandom, utf8 } from "../../src/base/mod.ts";
import {
  type FaultKind,
  type FaultPlan,
  FaultRunner,
  randomFaults,
  type ScriptStep,
  scriptedFaults,
  withFaults,
} from "../../src/embed/faults/mod.ts";
import { openPdState, pdService } from "../../src/embed/pd/mod.ts";
import { Cluster, encodeKey, type Region, regionMessage } from "../../src/embed/state/mod.ts";
import { importService } from "../../src/embed/tikv/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { metaFor, type Pair, packBatch, rowKey, TestClock } from "./support.ts";

const context = undefined as never;
const pairs: Pair[] = [
  [rowKey(1, 1), utf8("one")],
  [rowKey(1, 9), utf8("nine")],
];

async function open(plan: FaultPlan) {
  const clock = new TestClock();
  const cluster = await Cluster.open(memoryKvDb(), { clock, random: seededRandom(1), stores: 3 });
  const runner = new FaultRunner(cluster, plan);
  const stores = [...cluster.stores.values()];
  const imports = stores.map((store) => withFaults(importService(cluster, store), "import", store.id, runner));
  const pd = withFaults(pdService(await openPdState(cluster)), "pd", undefined, runner);
  return { cluster, clock, runner, imports, pd, stores };
}

type Opened = Awaited<ReturnType<typeof open>>;

const scripted = (...script: ScriptStep[]) => open(scriptedFaults(script));

async function write({ cluster, imports, stores }: Opened): Promise<() => Promise<unknown>> {
  const region = cluster.regions.all()[0]!;
  const meta = metaFor(regionMessage(region), pairs);
  const ts = await cluster.tso.next();
  let ssts: unknown;
  for (const peer of region.peers) {
    const store = stores.findIndex(({ id }) => id === peer.storeId);
    const answer = await imports[store]!.write(
      (async function* () {
        yield create(PackedWriteRequestSchema, { chunk: { case: "meta", value: meta } });
        for (const pair of pairs) {
          yield create(PackedWriteRequestSchema, { chunk: { case: "batch", value: packBatch(ts, [pair]) } });
        }
      })(),
    );
    ssts = answer.metas;
  }
  const peer = region.peers[0]!;
  const asked = { regionId: region.id, regionEpoch: meta.regionEpoch, peer: { id: peer.id, storeId: peer.storeId } };
  const request = create(MultiIngestRequestSchema, { context: asked, ssts: ssts as never });
  return async () => (await imports[0]!.multiIngest!(request, context)).error;
}

const ingested = (at: Opened) => at.cluster.runs.all().length;

test("faults: an answer is lost after the work was done, an error before", async () => {
  const lost = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "lost-answer" } });
  await assert.rejects(await write(lost), /connection lost/);
  assert.equal(ingested(lost), 1);
  const refused = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "error" } });
  const ingest = await write(refused);
  await assert.rejects(ingest, /injected/);
  assert.equal(ingested(refused), 0);
  assert.equal(await ingest(), undefined);
  assert.equal(ingested(refused), 1);
  assert.equal(refused.runner.fired.get("error"), 1);
});

test("faults: a request delivered twice is answered for the second time", async () => {
  const at = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "duplicate" } });
  const error = (await (await write(at))()) as { staleCommand: object };
  assert.deepEqual(error.staleCommand, {});
  assert.equal(ingested(at), 1);
});

test("faults: the region changes under the request", async () => {
  const split = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "split" } });
  const error = (await (await write(split))()) as { epochNotMatch: { currentRegions: unknown[] } };
  assert.equal(error.epochNotMatch.currentRegions.length, 2);
  assert.equal(split.cluster.regions.size, 2);
  const border = split.cluster.regions.all()[1]!.startKey;
  assert.ok(Buffer.compare(border, encodeKey(pairs[0]![0])) > 0, "the cut is inside the data");
  assert.ok(Buffer.compare(border, encodeKey(pairs[1]![0])) <= 0, "the cut is inside the data");

  const leader = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "leader-move" } });
  const moved = (await (await write(leader))()) as { notLeader: { leader: { storeId: bigint } } };
  assert.notEqual(moved.notLeader.leader.storeId, leader.stores[0]!.id);

  const peer = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "peer-move" } });
  const changed = (await (await write(peer))()) as { message: string };
  assert.match(changed.message, /^EpochNotMatch conf_ver: 5 version: 1 != conf_ver: 9 version: 1$/);
});

test("faults: busy, full, down and back again", async () => {
  const busy = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "server-busy", backoffMs: 7 } });
  const ingest = await write(busy);
  assert.equal(((await ingest()) as { serverIsBusy: { backoffMs: bigint } }).serverIsBusy.backoffMs, 7n);
  assert.equal(await ingest(), undefined);

  const full = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "disk-full", ms: 500 } });
  const toFull = await write(full);
  assert.match(((await toFull()) as { message: string }).message, /tikv disk full/);
  full.clock.now += 501;
  assert.equal(await toFull(), undefined);

  const down = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "store-down", ms: 500 } });
  const toDown = await write(down);
  await assert.rejects(toDown, /is down/);
  await assert.rejects(toDown, /is down/);
  assert.notEqual(leader(down.cluster.regions.all()[0]!), down.stores[0]!.id);
  down.clock.now += 501;
  assert.ok(((await toDown()) as { notLeader: object }).notLeader !== undefined);
});

function leader(region: Region): bigint {
  return region.peers.find(({ id }) => id === region.leader)!.storeId;
}

test("faults: a stream that breaks leaves no file", async () => {
  for (const messages of [0, 1, 2, 50]) {
    const at = await scripted({ match: { method: "Write" }, fault: { kind: "cut", messages } });
    await assert.rejects(write(at), /connection cut/);
    assert.equal(at.cluster.uploads.all().length, 0);
  }
});

test("faults: PD lags behind the stores", async () => {
  const at = await scripted({ match: { method: "GetRegion" }, fault: { kind: "stale-regions", ms: 100 } });
  const header = { clusterId: at.cluster.id };
  const ask = async () => {
    const answer = await at.pd.getRegion!(
      create(GetRegionRequestSchema, { header, regionKey: encodeKey(rowKey(1, 5)) }),
      context,
    );
    return answer.region!.regionEpoch!.version;
  };
  assert.equal(await ask(), 1n);
  await at.cluster.placement.split(at.cluster.regions.all()[0]!, [encodeKey(rowKey(1, 3))]);
  assert.equal(await ask(), 1n);
  at.clock.now += 101;
  assert.equal(await ask(), 2n);
});

test("faults: the same seed strikes the same calls", () => {
  const odds: Partial<Record<FaultKind, number>> = { error: 0.1, delay: 0.1, split: 0.1, cut: 0.1, "server-busy": 0.1 };
  const run = (seed: number) => {
    const plan = randomFaults(odds, seededRandom(seed));
    const point = { service: "kv", method: "KvGet", storeId: 1n, regionId: 1n } as const;
    return Array.from({ length: 200 }, (_, call) => plan({ ...point, call }));
  };
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
  assert.deepEqual([...new Set(run(3).map((fault) => fault?.kind))].sort(), [...Object.keys(odds), undefined].sort());
});

test("faults: PD without a leader", async () => {
  const at = await scripted({ match: { method: "GetRegion" }, fault: { kind: "pd-not-leader", ms: 100 } });
  const header = { clusterId: at.cluster.id };
  const ask = async () => at.pd.getRegion!(create(GetRegionRequestSchema, { header }), context);
  await assert.rejects(ask, { rawMessage: "not leader" });
  await assert.rejects(ask, { rawMessage: "not leader" });
  assert.ok((await at.pd.getMembers!(create(GetMembersRequestSchema), context)).leader !== undefined);
  at.clock.now += 101;
  assert.ok((await ask()).region !== undefined);
});

test("faults: any status and any region error", async () => {
  const message = 'RequestTooNew("request region 1 is ahead of local region")';
  const status = await scripted({ match: { method: "Write" }, fault: { kind: "error", code: 2, message } });
  await assert.rejects(write(status), { rawMessage: message, code: 2 });
  const error = { message: "raft: proposal dropped" };
  const refused = await scripted({ match: { method: "MultiIngest" }, fault: { kind: "region-error", error } });
  assert.deepEqual(await (await write(refused))(), error);
  assert.equal(ingested(refused), 0);
});
