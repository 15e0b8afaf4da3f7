import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ErrorSchema } from "../../gen/errorpb_pb.ts";
import { SSTMetaSchema } from "../../gen/import_sstpb_pb.ts";
import { AssertionError, utf8 } from "../../src/base/mod.ts";
import { encodeBorder, type Region } from "../../src/cluster/mod.ts";
import { hintedRegion, holdsRange, type Job, type JobEvent, nextJob } from "../../src/ingest/job.ts";
import { type Trouble, troubleOf } from "../../src/ingest/region-errors.ts";

const range = { start: utf8("c"), end: utf8("f") };
const peers = [
  { id: 11n, storeId: 1n, role: "voter" },
  { id: 12n, storeId: 2n, role: "voter" },
  { id: 13n, storeId: 3n, role: "learner" },
] as const;
const region: Region = {
  id: 10n,
  start: utf8("a"),
  end: utf8("m"),
  epoch: { confVer: 5n, version: 7n },
  peers,
  leader: peers[0],
};
const written = { metas: [create(SSTMetaSchema, { cfName: "write" })], pairs: 3, bytes: 30 };

const located: Job = { range, state: { at: "locate" }, troubles: 0 };
const writing: Job = { range, state: { at: "write", region }, troubles: 0 };
const ingesting: Job = { range, state: { at: "ingest", region, written }, troubles: 0 };

function refused(error: Parameters<typeof create<typeof ErrorSchema>>[1]): JobEvent {
  return { kind: "refused", trouble: troubleOf(create(ErrorSchema, error), 1n) };
}

function trouble(ingest: Trouble["ingest"]): JobEvent {
  return { kind: "refused", trouble: { kind: "x", ingest, request: "again", ask: "same", suggestedMs: 0, words: "x" } };
}

test("a job goes from its region over the write to the ingest", () => {
  let job = nextJob(located, { kind: "located", region });
  assert.equal(job.state.at, "write");
  job = nextJob(job, { kind: "written", written });
  assert.deepEqual(job.state, { at: "ingest", region, written });
  assert.equal(nextJob(job, { kind: "ingested" }).state.at, "done");
});

test("a range without pairs is done without an ingest", () => {
  assert.equal(nextJob(writing, { kind: "written", written: { metas: [], pairs: 0, bytes: 0 } }).state.at, "done");
});

test("every state has its answer to every move", () => {
  const table = [located, writing, ingesting].map((job) =>
    (["ingest-again", "rewrite", "rescan", "fatal"] as const).map((move) => nextJob(job, trouble(move)).state.at),
  );
  assert.deepEqual(table, [
    ["locate", "locate", "locate", "failed"],
    ["write", "write", "locate", "failed"],
    ["ingest", "write", "locate", "failed"],
  ]);
});

test("refusals are counted, success is not", () => {
  const job = nextJob(nextJob(ingesting, trouble("rewrite")), trouble("rewrite"));
  assert.equal(job.troubles, 2);
  assert.equal(nextJob(job, { kind: "written", written }).troubles, 2);
});

test("NotLeader writes anew with the leader it names, and asks PD when it names none or a stranger", () => {
  const named = nextJob(ingesting, refused({ notLeader: { regionId: 10n, leader: { id: 12n, storeId: 2n } } }));
  assert.ok(named.state.at === "write");
  assert.equal(named.state.region.leader?.id, 12n);
  assert.deepEqual(named.state.region.epoch, region.epoch);
  assert.equal(nextJob(ingesting, refused({ notLeader: { regionId: 10n } })).state.at, "locate");
  const stranger = refused({ notLeader: { regionId: 10n, leader: { id: 99n, storeId: 9n } } });
  assert.equal(nextJob(ingesting, stranger).state.at, "locate");
});

test("EpochNotMatch goes on with a named region that still holds the range", () => {
  const current = (id: bigint, start: string, end: string, storeId = 1n) => ({
    id,
    startKey: encodeBorder(utf8(start)),
    endKey: encodeBorder(utf8(end)),
    regionEpoch: { confVer: 5n, version: 8n },
    peers: [{ id: 20n, storeId }],
  });
  const event = (...currentRegions: ReturnType<typeof current>[]) => refused({ epochNotMatch: { currentRegions } });
  const holds = nextJob(ingesting, event(current(30n, "a", "c"), current(10n, "c", "f")));
  assert.ok(holds.state.at === "write");
  assert.equal(holds.state.region.epoch.version, 8n);
  assert.equal(holds.state.region.leader?.id, 20n);
  // Split inside the range; a peer elsewhere only; nothing named.
  assert.equal(nextJob(ingesting, event(current(30n, "a", "d"), current(10n, "d", "m"))).state.at, "locate");
  assert.equal(nextJob(ingesting, event(current(10n, "a", "m", 4n))).state.at, "locate");
  assert.equal(nextJob(ingesting, event()).state.at, "locate");
});

test("a busy store is asked again with the same files", () => {
  const job = nextJob(ingesting, refused({ serverIsBusy: { reason: "too many sst files are ingesting" } }));
  assert.deepEqual(job.state, ingesting.state);
});

test("what cannot be is an assertion", () => {
  const breaks = (job: Job, event: JobEvent) => assert.throws(() => nextJob(job, event), AssertionError);
  breaks(writing, { kind: "ingested" });
  breaks(located, { kind: "written", written });
  breaks(writing, { kind: "located", region });
  breaks(located, { kind: "located", region: { ...region, end: utf8("e") } });
  breaks(located, { kind: "located", region: { ...region, leader: undefined } });
  breaks({ ...located, state: { at: "done" } }, trouble("rescan"));
});

test("holdsRange at the borders", () => {
  const r = (start: string, end: string) => ({ start: utf8(start), end: utf8(end) });
  assert.ok(holdsRange(r("c", "f"), range));
  assert.ok(holdsRange(r("", ""), range));
  assert.ok(!holdsRange(r("d", ""), range));
  assert.ok(!holdsRange(r("a", "e"), range));
  assert.ok(holdsRange(r("a", ""), r("b", "")));
  assert.ok(!holdsRange(r("a", "z"), r("b", "")));
});

test("hintedRegion needs an error that names something", () => {
  const event = trouble("rewrite");
  assert.ok(event.kind === "refused");
  assert.equal(hintedRegion(range, region, event.trouble), undefined);
});
