import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, fromJson, toJson } from "@bufbuild/protobuf";
import { RequestSchema, ResponseSchema } from "../../gen/coprocessor_pb.ts";
import {
  GetRequestSchema,
  GetResponseSchema,
  SplitRegionRequestSchema,
  SplitRegionResponseSchema,
} from "../../gen/kvrpcpb_pb.ts";
import { ChecksumResponseSchema } from "../../gen/tipb_pb.ts";
import { fromHex, toHex } from "../../src/base/mod.ts";
import { type Cluster, encodeKey, hexKey } from "../../src/embed/state/mod.ts";
import { kvService } from "../../src/embed/tikv/mod.ts";
import { goldenCases, type Json, type JsonObject, seededCluster, withoutTimes } from "./golden.ts";
import { rowKey } from "./support.ts";

const cases = goldenCases("tikv");
const row = (table: string, handle: string) => `74800000000000${table}5f72800000000000${handle}`;
const context = undefined as never;

async function openForSplits(id: bigint, version: bigint, start: string, end: string, nextId: bigint) {
  const peers: [bigint, bigint][] = [
    [id + 1n, 1n],
    [id + 2n, 143n],
    [id + 3n, 142n],
  ];
  const others: [bigint, bigint][] = [[7n, 1n]];
  return seededCluster(
    1_795_227_574_000,
    [1n, 142n, 143n],
    [
      { id: 5n, start: "", end: start, confVer: 5n, version: 3n, peers: others },
      { id, start, end, confVer: 5n, version, peers },
      { id: 6n, start: end, end: "", confVer: 5n, version: 3n, peers: others },
    ],
    { nextId },
  );
}

async function split(cluster: Cluster, golden: JsonObject): Promise<Json> {
  const request = fromJson(SplitRegionRequestSchema, golden.request as Json);
  const store = cluster.stores.get(request.context?.peer?.storeId ?? 1n)!;
  const answer = await kvService(cluster, store).splitRegion!(request, context);
  return toJson(SplitRegionResponseSchema, create(SplitRegionResponseSchema, answer));
}

test("SplitRegion: answers of a real store", async () => {
  let compared = 0;
  for (const [name, golden] of cases) {
    if (golden.rpc !== "/tikvpb.Tikv/SplitRegion") continue;
    const { regionId, regionEpoch } = (
      golden.request as { context: Record<string, string> & { regionEpoch: JsonObject } }
    ).context;
    const sent = BigInt(regionEpoch.version as string);
    const regions = (golden.response as { regions?: { id: string; startKey: string }[] }).regions;
    const nextId = BigInt(regions?.[0]?.id ?? "5000");
    const borders = bordersOf(golden);
    const stale = name === "split-stale-epoch";
    const id = name === "split-unknown-region" ? 328n : BigInt(regionId as string);
    const state = await openForSplits(id, stale ? sent + 1n : sent, borders.start, borders.end, nextId);
    if (name === "split-disk-full") continue;
    assert.deepEqual(await split(state.cluster, golden), golden.response, name);
    compared++;
  }
  assert.ok(compared >= 14, `only ${compared} cases were found`);
});

/** Raw borders of the region in question, out of the answer. */
function bordersOf(golden: JsonObject): { start: string; end: string } {
  const response = golden.response as {
    regions?: { startKey: string; endKey: string }[];
    regionError?: {
      keyNotInRegion?: { startKey: string; endKey: string };
      epochNotMatch?: { currentRegions: { startKey: string; endKey: string }[] };
    };
  };
  const first =
    response.regions?.[0] ??
    response.regionError?.keyNotInRegion ??
    response.regionError?.epochNotMatch?.currentRegions[0];
  const last = response.regions?.at(-1) ?? first;
  if (first === undefined || last === undefined) return { start: row("0078", "0bb8"), end: row("0078", "0fa0") };
  return { start: rawHex(first.startKey), end: rawHex(last.endKey) };
}

function rawHex(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const groups: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 9) groups.push(bytes.subarray(at, at + 8 - (0xff - bytes[at + 8]!)));
  return toHex(Buffer.concat(groups));
}

test("SplitRegion: a full store and a key that is encoded twice", async () => {
  const { cluster, harms } = await openForSplits(328n, 85n, row("0078", "0bb8"), row("0078", "0fa0"), 400n);
  cluster.stores.get(1n)!.diskFull = true;
  const golden = cases.get("split-start-key-and-good")!;
  const want = cases.get("split-disk-full")!.response as JsonObject;
  assert.equal(JSON.stringify(await split(cluster, golden)), JSON.stringify(want).replaceAll("576", "1"));
  const wide = await openForSplits(328n, 85n, "74", "75", 400n);
  const request = structuredClone(golden.request) as { splitKeys: string[] };
  request.splitKeys = [Buffer.from(encodeKey(rowKey(0x78, 5))).toString("base64")];
  const answer = JSON.stringify(await split(wide.cluster, { request: request as never }));
  assert.match(answer, /sandbox: split key [0-9A-F]+ is encoded twice or not at all/);
  assert.equal(wide.harms.length, 1);
  assert.deepEqual(harms, []);
});

async function openForReads(nowMs: number) {
  const peers: [bigint, bigint][] = [
    [1610n, 1n],
    [1611n, 142n],
    [1612n, 576n],
  ];
  const left: [bigint, bigint][] = [
    [1606n, 1n],
    [1607n, 142n],
    [1608n, 576n],
  ];
  const table = "7480000000000000a7";
  const [start, end] = [row("00a7", "03e8"), row("00a7", "07d0")];
  const state = await seededCluster(
    nowMs,
    [1n, 142n, 576n],
    [
      { id: 1601n, start: "", end: table, confVer: 11n, version: 170n, peers: left },
      { id: 1605n, start: table, end: start, confVer: 11n, version: 179n, peers: left },
      { id: 1609n, start, end, confVer: 11n, version: 179n, peers },
      { id: 1613n, start: end, end: "", confVer: 11n, version: 179n, peers: left },
    ],
  );
  const value = Buffer.from((cases.get("kvget-ok")!.response as { value: string }).value, "base64");
  const commitTs = 470_608_385_320_419_331n;
  await state.cluster.mvcc.write([{ key: rowKey(0xa7, 1001), value }], commitTs - 1n, commitTs);
  return state;
}

test("KvGet: answers of a real store", async () => {
  const { cluster } = await openForReads(1_795_228_522_300);
  const store = cluster.stores.get(1n)!;
  let compared = 0;
  for (const [name, golden] of cases) {
    if (!name.startsWith("kvget-")) continue;
    const request = fromJson(GetRequestSchema, golden.request as Json);
    if (golden.error !== undefined) {
      const call = async () => kvService(cluster, store).kvGet!(request, context);
      await assert.rejects(call, { rawMessage: (golden.error as JsonObject).message });
    } else {
      const answer = await kvService(cluster, store).kvGet!(request, context);
      assert.deepEqual(
        toJson(GetResponseSchema, create(GetResponseSchema, answer)),
        withoutTimes(golden.response as Json),
        name,
      );
    }
    compared++;
  }
  assert.equal(compared, 5);
});

test("Coprocessor: refusals and empty sums of a real store", async () => {
  // The future timestamp was refused with this limit, which is a minute ahead of the clock.
  const limit = 470_608_401_520_918_530n;
  const { cluster } = await openForReads(Number((limit >> 18n) - 60_000n));
  await cluster.tso.next();
  const store = cluster.stores.get(1n)!;
  let compared = 0;
  for (const [name, golden] of cases) {
    if (!name.startsWith("cop-checksum-")) continue;
    const { data: _, ranges, ...rest } = golden.request as { data: string; ranges: { start: string; end: string }[] };
    const request = fromJson(RequestSchema, rest as Json);
    request.ranges = ranges.map(({ start, end }) => ({
      $typeName: "coprocessor.KeyRange",
      start: fromHex(start),
      end: fromHex(end),
    }));
    const answer = create(ResponseSchema, await kvService(cluster, store).coprocessor!(request, context));
    const want = golden.response as { checksum?: JsonObject; regionError?: JsonObject; otherError: string };
    assert.equal(answer.otherError, want.otherError, name);
    if (want.regionError !== undefined) {
      assert.equal(
        withoutLogical(answer.regionError!.message),
        withoutLogical(want.regionError.message as string),
        name,
      );
      const current = (want.regionError.epochNotMatch as { currentRegions: { id: string }[] } | undefined)
        ?.currentRegions;
      const ids = answer.regionError!.epochNotMatch?.currentRegions.map(({ id }) => String(id));
      assert.deepEqual(
        ids,
        current?.map(({ id }) => id),
        name,
      );
    }
    if (want.checksum?.totalKvs === "0") {
      const { checksum, totalKvs, totalBytes } = fromBinary(ChecksumResponseSchema, answer.data);
      assert.deepEqual([checksum, totalKvs, totalBytes], [0n, 0n, 0n], name);
    }
    compared++;
  }
  assert.ok(compared >= 10, `only ${compared} cases were found`);
});

/** A limit that was computed from the clock ends in logical bits of its own. */
function withoutLogical(message: string): string {
  return message.replace(/limit (\d+)/, (_, ts: string) => `limit ${BigInt(ts) >> 18n}`);
}

test("keys in messages are upper-case hex", () => {
  assert.equal(hexKey(fromHex("00ffab")), "00FFAB");
});
