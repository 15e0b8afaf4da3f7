import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMethod, fromJson, toJson } from "@bufbuild/protobuf";
import { PD, TsoResponseSchema } from "../../gen/pdpb_pb.ts";
import { openPdState, type PdState, pdService } from "../../src/embed/pd/mod.ts";
import { goldenCases, type Json, type JsonObject, seededCluster } from "./golden.ts";

const cases = goldenCases("pd-grpc");
const CLUSTER = 7_710_426_547_964_659_752n;

interface JsonRegion {
  id: string;
  startKey?: string;
  endKey?: string;
  regionEpoch: { confVer: string; version: string };
  peers: { id: string; storeId: string }[];
}

/** The cluster as it was for the captures that list regions: those of a scan without limit. */
async function open(): Promise<PdState> {
  const { regions } = cases.get("main-scanRegions-limit0")!.response as unknown as {
    regions: { region: JsonRegion; leader: { id: string } }[];
  };
  const seeds = regions.map(({ region, leader }) => ({
    id: BigInt(region.id),
    start: rawHex(region.startKey),
    end: rawHex(region.endKey),
    confVer: BigInt(region.regionEpoch.confVer),
    version: BigInt(region.regionEpoch.version),
    peers: region.peers.map((peer): [bigint, bigint] => [BigInt(peer.id), BigInt(peer.storeId)]),
    leader: BigInt(leader.id),
  }));
  const { cluster } = await seededCluster(1_795_223_603_085, [2n, 3n, 4n, 5n], seeds, { id: CLUSTER, nextId: 50n });
  const pd = await openPdState(cluster);
  pd.members[0]!.clientUrl = "http://127.0.0.1:22379";
  return pd;
}

function rawHex(base64: string | undefined): string {
  const bytes = Buffer.from(base64 ?? "", "base64");
  const groups: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 9) groups.push(bytes.subarray(at, at + 8 - (0xff - bytes[at + 8]!)));
  return Buffer.concat(groups).toString("hex");
}

type Answer = { response?: Json; error?: string };
type Impl = Record<string, (request: never, context: never) => unknown>;

function methodOf(golden: JsonObject): DescMethod | undefined {
  const name = (golden.rpc as string).split("/").at(-1)!;
  return PD.methods.find((method) => method.name === name);
}

async function ask(pd: PdState, golden: JsonObject): Promise<Answer> {
  const method = methodOf(golden)!;
  const request = fromJson(method.input, (golden.request ?? {}) as Json);
  const serve = (pdService(pd) as Impl)[method.localName]!;
  try {
    const answer = await serve(request as never, undefined as never);
    return { response: toJson(method.output, create(method.output, answer as never)) as Json };
  } catch (thrown) {
    return { error: (thrown as { rawMessage: string }).rawMessage };
  }
}

/** Captures whose answer is compared whole. */
const whole = [
  "main-isBootstrapped",
  "main-bootstrap-again",
  "main-getClusterConfig",
  "main-getClusterInfo",
  "main-getRegion",
  "main-getRegion-buckets",
  "main-getRegion-emptyKey",
  "main-getRegionByID",
  "main-getRegionByID-unknown",
  "main-getRegionByID-zero",
  "main-getPrevRegion",
  "main-getPrevRegion-first",
  "main-scanRegions",
  "main-scanRegions-limit0",
  "main-scanRegions-limit2",
  "main-scanRegions-reversed",
  "main-batchScanRegions",
  "main-batchScanRegions-overlap",
  "main-batchScanRegions-reversed",
  "main-batchScanRegions-mustContain-limit1",
  "main-getStore-unknown",
  "main-getStore-wrongCluster",
  "main-storeHeartbeat-unknown",
  "main-scatterRegion-unknownId",
  "main-scatterRegion-unknownIds",
  "main-scatterRegion-withRegion",
  "main-getOperator-unknown",
  "main-getGCSafePoint",
  "main-setGCBarrier",
  "unbootstrapped-allocID-noHeader",
];

test("PD's gRPC: answers of a real PD", async () => {
  for (const name of whole) {
    const golden = cases.get(name)!;
    const got = await ask(await open(), golden);
    if (golden.error !== undefined) assert.equal(got.error, (golden.error as JsonObject).rawMessage, name);
    else assert.deepEqual(got.response, golden.response, name);
  }
});

test("PD's gRPC: timestamps in order, refusals end the stream", async () => {
  const pd = await open();
  const stream = async (name: string): Promise<{ responses: Json[]; error?: string }> => {
    const golden = cases.get(name)!;
    const requests = (golden.requests as Json[]).map((json) => fromJson(PD.method.tso.input, json));
    const responses: Json[] = [];
    const list = async function* () {
      yield* requests;
    };
    try {
      for await (const answer of pdService(pd).tso!(list(), undefined as never)) {
        responses.push(toJson(TsoResponseSchema, create(TsoResponseSchema, answer)));
      }
    } catch (thrown) {
      return { responses, error: (thrown as { rawMessage: string }).rawMessage };
    }
    return { responses };
  };
  // The opening took the first timestamp of this millisecond.
  const { responses } = await stream("main-tso");
  const got = JSON.stringify(responses);
  const want = (cases.get("main-tso")!.responses as JsonObject[]).map((answer) => {
    const { physical, logical } = answer.timestamp as { physical: string; logical: string };
    return { ...answer, timestamp: { physical, logical: String(Number(logical) + 1) } };
  });
  assert.equal(got, JSON.stringify(want));
  for (const name of ["main-tso-count0", "main-tso-hugeCount", "main-tso-wrongCluster"]) {
    assert.equal((await stream(name)).error, (cases.get(name)!.error as JsonObject).rawMessage, name);
  }
});

test("PD's gRPC: ids, members, stores, barriers", async () => {
  const pd = await open();
  const allocated = cases.get("main-allocID-count10")!;
  assert.deepEqual((await ask(pd, allocated)).response, allocated.response);
  const { response } = await ask(pd, cases.get("main-getMembers")!);
  const { leader, members } = response as { leader: { name: string; clientUrls: string[] }; members: Json[] };
  assert.deepEqual([leader.name, leader.clientUrls, members.length], ["pd1", ["http://127.0.0.1:22379"], 1]);
  const { stores } = (await ask(pd, cases.get("main-getAllStores")!)).response as { stores: { id: string }[] };
  assert.deepEqual(
    stores.map(({ id }) => id),
    ["2", "3", "4", "5"],
  );
  for (const name of ["main-setGCBarrier", "main-getGCState", "main-deleteGCBarrier"]) {
    const golden = cases.get(name)!;
    assert.deepEqual((await ask(pd, golden)).response, golden.response, name);
  }
  for (const name of ["", "-lower", "-remove"]) {
    const golden = cases.get(`main-updateServiceGCSafePoint${name}`)!;
    const { TTL, ...got } = (await ask(pd, golden)).response as JsonObject;
    const { TTL: wanted, ...want } = golden.response as JsonObject;
    assert.deepEqual(got, want);
    assert.ok(BigInt(TTL as string) > 1n << 62n && BigInt(wanted as string) > 1n << 62n);
  }
});

test("PD's gRPC: split and scatter", async () => {
  const pd = await open();
  const split = cases.get("main-splitRegions")!;
  const { regionsId, finishedPercentage } = (await ask(pd, split)).response as {
    regionsId: string[];
    finishedPercentage: string;
  };
  assert.equal(finishedPercentage, "100");
  assert.equal(regionsId.length, 2);
  assert.ok(regionsId.includes("12"), "the right part keeps the id");
  const again = cases.get("main-splitRegions-again")!;
  assert.deepEqual((await ask(pd, again)).response, again.response);
  const both = (await ask(pd, cases.get("main-splitAndScatterRegions")!)).response as JsonObject;
  assert.deepEqual([both.splitFinishedPercentage, both.scatterFinishedPercentage], ["100", "100"]);
  const one = cases.get("main-scatterRegion-oneId")!;
  assert.deepEqual((await ask(pd, one)).response, one.response);
});
