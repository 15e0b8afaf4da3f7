import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PD } from "../../gen/pdpb_pb.ts";
import { goldenCases, type JsonObject } from "./golden.ts";
import { openCluster } from "./support.ts";

const cases = goldenCases("pd-grpc");
const text = (name: string) => (cases.get(name)!.error as JsonObject).rawMessage as string;

async function openMembers() {
  const opened = await openCluster({ pds: 3 });
  const clients = opened.sandbox.pd.map((address) => {
    return createClient(PD, createGrpcTransport({ baseUrl: `http://${address}` }));
  });
  return { ...opened, clients };
}

test("PD members: followers refuse in a real one's words, unless asked to pass on", async () => {
  const { sandbox, clients, header } = await openMembers();
  try {
    const follower = clients[1]!;
    assert.equal((await follower.getMembers({})).leader!.name, "pd1");
    assert.equal((await follower.getMembers({})).members.length, 3);
    await follower.getClusterInfo({});
    const rejects = (call: Promise<unknown>, name: string) => assert.rejects(call, { rawMessage: text(name) });
    await rejects(follower.allocID({ header }), "follower-allocID");
    await rejects(follower.getStore({ header, storeId: 1n }), "follower-getStore");
    await rejects(follower.isBootstrapped({ header }), "follower-isBootstrapped");
    await rejects(follower.getRegion({ header }), "follower-getRegion");
    const allowed = { headers: { "pd-allow-follower-handle": "" } };
    assert.ok((await follower.getRegion({ header }, allowed)).region !== undefined);
    await rejects(follower.getAllStores({ header }, allowed), "follower-getAllStores-allowFollower");
    const forward = { headers: { "pd-forwarded-host": `http://${sandbox.pd[0]}` } };
    assert.ok((await follower.allocID({ header }, forward)).id > 0n);
    const elsewhere = { headers: { "pd-forwarded-host": "http://127.0.0.1:1" } };
    await rejects(follower.getRegion({ header }, elsewhere), "main-getRegion-forwardUnknown");
    const once = async function* () {
      yield { header, count: 1 };
    };
    const first = async (options?: object) => {
      for await (const answer of follower.tso(once(), options)) return answer;
    };
    await rejects(first(), "follower-tso");
    assert.equal((await first(forward))!.count, 1);
    const redirected = await fetch(`http://${sandbox.pd[1]}/pd/api/v1/stores`, { headers: { "PD-Redirector": "pd9" } });
    assert.equal(redirected.status, 500);
    assert.equal(await redirected.text(), goldenCases("pd").get("follower-stores-redirector-set")!.body);
    assert.equal((await fetch(`http://${sandbox.pd[1]}/pd/api/v1/stores`)).status, 200);
  } finally {
    await sandbox.close();
  }
});

test("PD members: a change of leader ends the timestamp stream; no timestamp is given twice", async () => {
  const { sandbox, clients, header } = await openMembers();
  try {
    let more = () => {};
    const requests = async function* () {
      yield { header, count: 1 };
      await new Promise<void>((resolve) => {
        more = resolve;
      });
    };
    const answers = clients[0]!.tso(requests())[Symbol.asyncIterator]();
    const before = (await answers.next()).value!.timestamp!;
    const end = answers.next();
    sandbox.movePdLeader(2);
    await assert.rejects(async () => end, { rawMessage: text("follower-tso") });
    more();
    await assert.rejects(clients[0]!.allocID({ header }), { rawMessage: "not leader" });
    const after = (await clients[2]!.getMinTS({ header })).timestamp!;
    assert.ok(after.physical > before.physical || after.logical > before.logical);
    await sandbox.stopPd(2);
    assert.equal((await clients[0]!.getMembers({})).leader!.name, "pd1");
    await assert.rejects(clients[2]!.getMembers({}));
    await sandbox.startPd(2);
    assert.equal((await clients[2]!.getMembers({})).leader!.name, "pd1");
  } finally {
    await sandbox.close();
  }
});
