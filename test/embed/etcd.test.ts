/** etcd on PD's port: what tidb-lightning 8.5 and its key-value client ask there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  Cluster,
  Compare_CompareResult,
  Compare_CompareTarget,
  KV,
  Lease,
  Watch,
  type WatchRequestSchema,
  type WatchResponse,
} from "../../gen/etcdserverpb_pb.ts";
import { Event_EventType } from "../../gen/mvccpb_pb.ts";
import { textOf, utf8 } from "../../src/base/mod.ts";
import { openCluster, type TestCluster } from "./support.ts";

interface Etcd extends TestCluster {
  kv: Client<typeof KV>;
  lease: Client<typeof Lease>;
  watch: Client<typeof Watch>;
  members: Client<typeof Cluster>;
}

async function withEtcd(run: (etcd: Etcd) => Promise<void>): Promise<void> {
  const cluster = await openCluster();
  const transport = createGrpcTransport({ baseUrl: `http://${cluster.sandbox.pd[0]}` });
  try {
    await run({
      ...cluster,
      kv: createClient(KV, transport),
      lease: createClient(Lease, transport),
      watch: createClient(Watch, transport),
      members: createClient(Cluster, transport),
    });
  } finally {
    await cluster.sandbox.close();
  }
}

const key = utf8;
const put = (name: string, value: string, lease = 0n) => ({ key: utf8(name), value: utf8(value), lease });

test("etcd: the safe point that nobody saved, and prefixes", () =>
  withEtcd(async ({ kv, header }) => {
    const none = await kv.range({ key: key("/tidb/store/gcworker/saved_safe_point") });
    assert.deepEqual([none.count, none.kvs.length, none.header?.clusterId], [0n, 0, header.clusterId]);
    for (const [name, value] of Object.entries({ "/b/2": "y", "/a": "n", "/b/1": "x", "/c": "n" }))
      await kv.put(put(name, value));
    const prefix = { key: key("/b/"), rangeEnd: key("/b0") };
    const found = await kv.range(prefix);
    assert.deepEqual(
      found.kvs.map((one) => [textOf(one.key), textOf(one.value), one.version]),
      [
        ["/b/1", "x", 1n],
        ["/b/2", "y", 1n],
      ],
    );
    const cut = await kv.range({ ...prefix, limit: 1n, keysOnly: true });
    assert.deepEqual([cut.kvs.length, cut.kvs[0]!.value.length, cut.more, cut.count], [1, 0, true, 2n]);
    const all = await kv.range({ key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]), countOnly: true });
    assert.equal(all.count, 4n);
    const gone = await kv.deleteRange({ ...prefix, prevKv: true });
    assert.deepEqual([gone.deleted, gone.prevKvs.length], [2n, 2]);
    assert.equal(gone.header!.revision, found.header!.revision + 1n, "one change, one revision");
  }));

test("etcd: a transaction puts what is not there yet", () =>
  withEtcd(async ({ kv }) => {
    const once = {
      compare: [
        {
          result: Compare_CompareResult.EQUAL,
          target: Compare_CompareTarget.CREATE,
          key: key("k"),
          targetUnion: { case: "createRevision" as const, value: 0n },
        },
      ],
      success: [{ request: { case: "requestPut" as const, value: put("k", "1") } }],
      failure: [{ request: { case: "requestRange" as const, value: { key: key("k") } } }],
    };
    assert.equal((await kv.txn(once)).succeeded, true);
    const again = await kv.txn(once);
    assert.equal(again.succeeded, false);
    const { response } = again.responses[0]!;
    assert.equal(response.case === "responseRange" && textOf(response.value.kvs[0]!.value), "1");
  }));

test("etcd: a lease takes its keys along when it is not kept alive", () =>
  withEtcd(async ({ kv, lease, clock }) => {
    const { ID } = await lease.leaseGrant({ TTL: 10n });
    await kv.put(put("/tidb/brie/import/lightning/x/1", "", ID));
    clock.now += 8_000;
    async function* beat() {
      yield { ID };
    }
    for await (const answer of lease.leaseKeepAlive(beat())) assert.deepEqual([answer.ID, answer.TTL], [ID, 10n]);
    clock.now += 8_000;
    assert.equal((await lease.leaseTimeToLive({ ID, keys: true })).keys.length, 1);
    clock.now += 3_000;
    assert.equal((await kv.range({ key: key("/tidb/brie/import/lightning/x/1") })).count, 0n);
    assert.equal((await lease.leaseTimeToLive({ ID })).TTL, -1n);
    await assert.rejects(kv.put(put("k", "v", ID)), /requested lease not found/);
    await assert.rejects(lease.leaseRevoke({ ID }), /requested lease not found/);
  }));

test("etcd: a watch sees what was and what comes", () =>
  withEtcd(async ({ kv, watch, members, header }) => {
    const first = await kv.put(put("/w/1", "a"));
    let close: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    async function* requests(): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
      const value = { key: key("/w/"), rangeEnd: key("/w0"), startRevision: first.header!.revision, prevKv: true };
      yield { requestUnion: { case: "createRequest", value } };
      await closed;
    }
    const seen: WatchResponse[] = [];
    for await (const answer of watch.watch(requests())) {
      seen.push(answer);
      if (seen.length === 2) await kv.put(put("/w/1", "b"));
      if (seen.length === 3) await kv.deleteRange({ key: key("/w/1") });
      if (seen.length === 4) close();
    }
    assert.deepEqual(
      seen.map(({ created, events }) => [
        created,
        ...events.map(({ type, kv: pair, prevKv }) => [type, textOf(pair!.value), prevKv && textOf(prevKv.value)]),
      ]),
      [
        [true],
        [false, [Event_EventType.PUT, "a", undefined]],
        [false, [Event_EventType.PUT, "b", "a"]],
        [false, [Event_EventType.DELETE, "", "b"]],
      ],
    );
    const list = await members.memberList({});
    assert.deepEqual([list.header!.clusterId, list.members.length], [header.clusterId, 1]);
  }));
