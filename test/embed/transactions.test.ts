import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Action,
  CheckTxnStatusRequestSchema,
  CommitRequestSchema,
  GetRequestSchema,
  Op,
  PrewriteRequestSchema,
  ResolveLockRequestSchema,
  ScanLockRequestSchema,
  ScanRequestSchema,
} from "../../gen/kvrpcpb_pb.ts";
import { seededRandom, utf8 } from "../../src/base/mod.ts";
import { Cluster } from "../../src/embed/state/mod.ts";
import { kvService } from "../../src/embed/tikv/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { rowKey, TestClock } from "./support.ts";

const call = undefined as never;

async function open() {
  const cluster = await Cluster.open(memoryKvDb(), { clock: new TestClock(), random: seededRandom(1) });
  const region = cluster.regions.all()[0]!;
  const store = [...cluster.stores.values()][0]!;
  const context = {
    regionId: region.id,
    regionEpoch: { confVer: region.confVer, version: region.version },
    peer: { id: region.leader, storeId: store.id },
  };
  const kv = kvService(cluster, store);
  const prewrite = async (
    startVersion: bigint,
    mutations: MessageInitShape<typeof PrewriteRequestSchema>["mutations"],
  ) => {
    const primaryLock = mutations![0]!.key!;
    const request = { context, mutations, primaryLock, startVersion, lockTtl: 1000n };
    return (await kv.kvPrewrite!(create(PrewriteRequestSchema, request), call)).errors;
  };
  const commit = async (startVersion: bigint, commitVersion: bigint, ...keys: Uint8Array[]) =>
    (await kv.kvCommit!(create(CommitRequestSchema, { context, startVersion, commitVersion, keys }), call)).error;
  const get = async (key: Uint8Array, version: bigint) =>
    kv.kvGet!(create(GetRequestSchema, { context, key, version }), call);
  return { cluster, context, kv, prewrite, commit, get };
}

const [a, b] = [rowKey(1, 1), rowKey(1, 2)];

test("transactions: two keys become visible together", async () => {
  const { cluster, prewrite, commit, get, kv, context } = await open();
  const start = await cluster.tso.next();
  const put = [
    { op: Op.Put, key: a, value: utf8("A") },
    { op: Op.Put, key: b, value: utf8("B") },
  ];
  assert.equal(await prewrite(start, put), undefined);
  const between = await cluster.tso.next();
  const blocked = await get(a, between);
  assert.equal(blocked.error?.locked?.lockVersion, start);
  assert.equal((await get(a, start - 1n)).notFound, true);
  const scan = create(ScanRequestSchema, { context, startKey: a, limit: 5, version: between });
  assert.ok((await kv.kvScan!(scan, call)).error?.locked !== undefined);
  const end = await cluster.tso.next();
  assert.equal(await commit(start, end, a, b), undefined);
  assert.equal(await commit(start, end, a, b), undefined, "a repeated commit is no error");
  assert.deepEqual((await get(b, end)).value, utf8("B"));
  assert.equal((await get(b, between)).notFound, true);
});

test("transactions: conflicts", async () => {
  const { cluster, prewrite, commit } = await open();
  const early = await cluster.tso.next();
  const start = await cluster.tso.next();
  await prewrite(start, [{ op: Op.Put, key: a, value: utf8("A") }]);
  const other = await prewrite(early, [{ op: Op.Put, key: a, value: utf8("X") }]);
  assert.equal(other![0]!.locked!.lockVersion, start);
  const end = await cluster.tso.next();
  await commit(start, end, a);
  const late = await prewrite(early, [{ op: Op.Put, key: a, value: utf8("X") }]);
  assert.equal(late![0]!.conflict!.conflictCommitTs, end);
  const next = await cluster.tso.next();
  const insert = await prewrite(next, [{ op: Op.Insert, key: a, value: utf8("Y") }]);
  assert.deepEqual(insert![0]!.alreadyExist!.key, a);
  assert.equal(await prewrite(next, [{ op: Op.Del, key: a }]), undefined);
  assert.equal(await commit(next, await cluster.tso.next(), a), undefined);
  const again = await cluster.tso.next();
  assert.equal(await prewrite(again, [{ op: Op.Insert, key: a, value: utf8("Z") }]), undefined);
});

test("transactions: a lost client's locks are found and resolved", async () => {
  const { cluster, prewrite, commit, get, kv, context } = await open();
  const start = await cluster.tso.next();
  await prewrite(start, [
    { op: Op.Put, key: a, value: utf8("A") },
    { op: Op.Put, key: b, value: utf8("B") },
  ]);
  const found = create(ScanLockRequestSchema, { context, maxVersion: start });
  assert.equal((await kv.kvScanLock!(found, call)).locks!.length, 2);
  const status = async (currentTs: bigint) => {
    const request = { context, primaryKey: a, lockTs: start, currentTs, rollbackIfNotExist: true };
    return kv.kvCheckTxnStatus!(create(CheckTxnStatusRequestSchema, request), call);
  };
  assert.equal((await status(start)).lockTtl, 1000n);
  assert.equal((await status(start + (1001n << 18n))).action, Action.TTLExpireRollback);
  const resolve = create(ResolveLockRequestSchema, { context, startVersion: start });
  assert.equal((await kv.kvResolveLock!(resolve, call)).error, undefined);
  assert.equal((await get(b, await cluster.tso.next())).notFound, true);
  assert.ok((await commit(start, await cluster.tso.next(), b))?.txnNotFound !== undefined);
});
