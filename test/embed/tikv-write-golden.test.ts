import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { type WriteRequest, WriteRequestSchema, WriteResponseSchema } from "../../gen/import_sstpb_pb.ts";
import { importService } from "../../src/embed/tikv/mod.ts";
import { goldenCases, type Json, type JsonObject, seededCluster } from "./golden.ts";
import { packedRequests } from "./support.ts";

const cases = goldenCases("tikv");
const CAPTURED_MS = 1_795_227_574_000;

/** What a real store takes and the sandbox refuses. */
const harmful: Record<string, RegExp> = {
  "write-commit-ts-0": /^sandbox: a batch with commit_ts 0$/,
  "write-commit-ts-future": /^sandbox: commit_ts \d+ is ahead of PD$/,
  "write-commit-ts-max": /^sandbox: commit_ts 18446744073709551615 is ahead of PD$/,
  "write-delete-op": /^sandbox: a pair with op Delete \(key 74/,
  "write-empty-key": /^sandbox: a pair with an empty key$/,
  "write-empty-value": /^sandbox: a pair with an empty value \(key 74/,
  "write-key-outside-range": /^sandbox: key 74[0-9A-F]+ is outside of meta.range$/,
  "write-key-outside-region": /^sandbox: key 74[0-9A-F]+ is outside of meta.range$/,
  "write-non-table-key": /^sandbox: key 616263 does not start with "t"$/,
};

async function cluster() {
  const peers: [bigint, bigint][] = [
    [321n, 1n],
    [322n, 143n],
    [323n, 142n],
  ];
  const others: [bigint, bigint][] = [
    [11n, 1n],
    [12n, 143n],
    [13n, 142n],
  ];
  const start = "7480000000000000785f7280000000000003e8";
  const end = "7480000000000000785f7280000000000007d0";
  return seededCluster(
    CAPTURED_MS,
    [1n, 142n, 143n],
    [
      { id: 10n, start: "", end: start, confVer: 5n, version: 85n, peers: others },
      { id: 320n, start, end, confVer: 5n, version: 85n, peers },
      { id: 14n, start: end, end: "", confVer: 5n, version: 85n, peers: others },
    ],
  );
}

async function answerOf(requests: JsonObject[]): Promise<{ response?: Json; error?: string }> {
  const { cluster: state } = await cluster();
  const messages = requests.map((json): WriteRequest => fromJson(WriteRequestSchema, json));
  try {
    const response = await importService(state, state.stores.get(1n)!).write(packedRequests(messages));
    return { response: toJson(WriteResponseSchema, create(WriteResponseSchema, response)) };
  } catch (thrown) {
    return { error: (thrown as { rawMessage: string }).rawMessage };
  }
}

test("Write: answers and refusals of a real store", async () => {
  let compared = 0;
  for (const [name, golden] of cases) {
    if (golden.rpc !== "/import_sstpb.ImportSST/Write" || !Array.isArray(golden.requests)) continue;
    // Each of these speaks of a second stream with the same uuid, or of a state of the store.
    if (name.startsWith("write-uuid-duplicate") || name.startsWith("write-store-")) continue;
    const got = await answerOf(golden.requests as JsonObject[]);
    const harm = harmful[name];
    if (harm !== undefined) assert.match(got.error ?? "", harm, name);
    else if (golden.error !== undefined) assert.equal(got.error, (golden.error as JsonObject).message, name);
    else assert.deepEqual(got.response, golden.response, name);
    compared++;
  }
  assert.ok(compared > 35, `only ${compared} cases were found`);
});

test("Write: a uuid serves once on a store", async () => {
  const { cluster: state, harms } = await cluster();
  const golden = cases.get("write-ok-short-values")!.requests as JsonObject[];
  const messages = golden.map((json): WriteRequest => fromJson(WriteRequestSchema, json));
  const [first, second] = [state.stores.get(1n)!, state.stores.get(142n)!];
  await importService(state, first).write(packedRequests(messages));
  await importService(state, second).write(packedRequests(messages));
  await assert.rejects(
    importService(state, first).write(packedRequests(messages)),
    /sandbox: uuid [0-9a-f]+ was used before on store 1/,
  );
  assert.equal(harms.length, 1);
});

test("Write: peers get the same pairs", async () => {
  const { cluster: state } = await cluster();
  const golden = cases.get("write-ok-short-values")!.requests as JsonObject[];
  const messages = golden.map((json): WriteRequest => fromJson(WriteRequestSchema, json));
  await importService(state, state.stores.get(1n)!).write(packedRequests(messages));
  const shorter = importService(state, state.stores.get(142n)!).write(packedRequests(messages.slice(0, 2)));
  await assert.rejects(shorter, /sandbox: the stream to store 142 differs from that of another peer/);
});

test("Write: a full store", async () => {
  const { cluster: state } = await cluster();
  const golden = cases.get("write-ok-short-values")!.requests as JsonObject[];
  const messages = golden.map((json): WriteRequest => fromJson(WriteRequestSchema, json));
  state.stores.get(1n)!.diskFull = true;
  await assert.rejects(
    importService(state, state.stores.get(1n)!).write(packedRequests(messages)),
    /DiskSpaceNotEnough/,
  );
});
