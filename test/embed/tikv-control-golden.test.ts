import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMethod, fromJson, toJson } from "@bufbuild/protobuf";
import { DuplicateDetectRequestSchema, ImportSST } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { seededRandom, toHex } from "../../src/base/mod.ts";
import { openPdState, pdService } from "../../src/embed/pd/mod.ts";
import { Cluster } from "../../src/embed/state/mod.ts";
import { importService } from "../../src/embed/tikv/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { goldenCases, type Json, type JsonObject, seededCluster } from "./golden.ts";
import { freshUuid, packBatch, TestClock } from "./support.ts";

const cases = goldenCases("tikv");
const call = { signal: new AbortController().signal } as never;

async function open() {
  const clock = new TestClock();
  const cluster = await Cluster.open(memoryKvDb(), { clock, random: seededRandom(1) });
  const store = [...cluster.stores.values()][0]!;
  const imports = importService(cluster, store) as unknown as Record<
    string,
    (request: never, context: never) => unknown
  >;
  const ask = async (name: string): Promise<{ response?: Json; error?: string }> => {
    const golden = cases.get(name)!;
    const method = ImportSST.methods.find((m) => `/import_sstpb.ImportSST/${m.name}` === golden.rpc) as DescMethod;
    try {
      const request = fromJson(method.input, golden.request as Json);
      const answer = await imports[method.localName]!(request as never, call);
      return { response: toJson(method.output, create(method.output, answer as never)) as Json };
    } catch (thrown) {
      return { error: (thrown as { rawMessage: string }).rawMessage };
    }
  };
  return { cluster, clock, store, ask };
}

test("control calls: answers of a real store", async () => {
  const at = await open();
  const order = [
    ...["switchmode-import", "switchmode-import-ranges", "compact", "force-partition-add", "force-partition-bad"],
    ...[
      "force-partition-remove",
      "getmode",
      "suspend-too-long",
      "suspend-on",
      "suspend-on-again",
      "switchmode-suspended",
    ],
    ...["suspend-off", "switchmode-normal"],
  ];
  for (const name of order) {
    const golden = cases.get(name)!;
    const { response, error } = await at.ask(name);
    if (golden.error !== undefined) assert.equal(error, (golden.error as JsonObject).message, name);
    else assert.deepEqual(response, golden.response, name);
  }
});

test("control calls: import mode and suspension end by themselves", async () => {
  const { clock, store, ask } = await open();
  await ask("switchmode-import");
  await ask("suspend-on");
  assert.equal(store.importModeUntilMs - clock.now, 600_000);
  assert.equal(store.suspendedUntilMs - clock.now, 60_000);
  await ask("switchmode-normal");
  assert.equal(store.importModeUntilMs, 0);
});

test("DuplicateDetect: a row with two versions, as a real store lists it", async () => {
  const { cluster, store } = await open();
  const [answer] = cases.get("duplicate-detect")!.response as unknown as {
    pairs: { key: string; value: string; commitTs: string }[];
  }[];
  const region = cluster.regions.all()[0]!;
  const target = { storeId: store.id, regionId: region.id, confVer: region.confVer, version: region.version };
  for (const { key, value, commitTs } of answer!.pairs.toReversed()) {
    const upload = await cluster.uploads.begin({ ...target, uuid: freshUuid() });
    const pair: [Uint8Array, Uint8Array] = [Buffer.from(key, "hex"), Buffer.from(value, "hex")];
    await upload.add(packBatch(BigInt(commitTs), [pair]));
    await upload.finish();
    await cluster.ingest(upload.file);
  }
  const context = {
    regionId: region.id,
    regionEpoch: { confVer: region.confVer, version: region.version },
    peer: { id: region.leader, storeId: store.id },
  };
  const detect = async (keyOnly: boolean) => {
    const out = [];
    const request = create(DuplicateDetectRequestSchema, { context, keyOnly });
    for await (const part of importService(cluster, store).duplicateDetect!(request, call)) out.push(part);
    return out;
  };
  const found = (await detect(false))[0]!.pairs!.map(({ key, value, commitTs }) => {
    return { key: toHex(key!), value: toHex(value!), commitTs: String(commitTs) };
  });
  assert.deepEqual(found, answer!.pairs);
  const [refused] = cases.get("duplicate-detect-key-only")!.response as unknown as { keyError: { message: string } }[];
  assert.equal((await detect(true))[0]!.keyError!.message, refused!.keyError.message);
});

test("PD: scatter and its operator, as a real one shows them", async () => {
  const golden = cases.get("scatter-ok")!;
  const peers: [bigint, bigint][] = [
    [433n, 1n],
    [434n, 142n],
    [435n, 143n],
  ];
  const region = { start: "", end: "7480000000000000ff", confVer: 5n, version: 1n, peers };
  const { cluster, clock } = await seededCluster(
    1_795_227_574_000,
    [1n, 142n, 143n],
    [
      { ...region, id: 431n },
      { ...region, id: 432n, start: region.end, end: "" },
    ],
  );
  const pd = pdService(await openPdState(cluster));
  const scatter = async (json: Json) => {
    const answer = await pd.scatterRegion!(fromJson(PD.method.scatterRegion.input, json), call);
    return toJson(PD.method.scatterRegion.output, create(PD.method.scatterRegion.output, answer));
  };
  const operator = async (name: string) => {
    const request = fromJson(PD.method.getOperator.input, cases.get(name)!.request as Json);
    const answer = await pd.getOperator!(request, call);
    assert.deepEqual(
      toJson(PD.method.getOperator.output, create(PD.method.getOperator.output, answer)),
      cases.get(name)!.response,
      name,
    );
  };
  // The first region of the group keeps its leader, the next one gets another.
  const { header, ...rest } = golden.request as JsonObject;
  await scatter({ header: header!, ...rest, regionsId: ["431"] });
  assert.deepEqual(await scatter(golden.request as Json), golden.response);
  await operator("scatter-operator-0");
  clock.now += 200;
  await operator("scatter-operator-1");
});
