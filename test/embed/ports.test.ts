import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PD } from "../../gen/pdpb_pb.ts";
import { Tikv } from "../../gen/tikvpb_pb.ts";
import { seededRandom, systemClock, utf8 } from "../../src/base/mod.ts";
import { startSandbox } from "../../src/embed/mod.ts";
import { encodeKey } from "../../src/embed/state/mod.ts";
import { makeCertificate } from "../certificates.ts";
import { metaFor, openCluster, type Pair, rowKey, TestClock, writeStream } from "./support.ts";

test("ports: gRPC and HTTP share PD's port", async () => {
  const { sandbox, pd } = await openCluster();
  try {
    const base = `http://${sandbox.pd[0]}`;
    const [members, response] = await Promise.all([pd.getMembers({}), fetch(`${base}/pd/api/v1/members`)]);
    const { header } = (await response.json()) as { header: object };
    assert.deepEqual(Object.keys(header), ["cluster_id"]);
    assert.equal(members.leader!.clientUrls[0], base);
    const posted = await fetch(`${base}/pd/api/v1/schedulers/all`, { method: "POST", body: '{"delay":10}' });
    assert.equal(await posted.text(), '"Pause or resume the scheduler successfully."');
    const store = `http://${sandbox.tikv[0]}`;
    const status = await fetch(`${store}/status`);
    assert.deepEqual([status.status, await status.text()], [200, ""]);
    const config = (await (await fetch(`${store}/config`)).json()) as { coprocessor: Record<string, unknown> };
    assert.equal(config.coprocessor["region-split-size"], "256MiB");
    const missing = await fetch(`${store}/nope`);
    assert.deepEqual([missing.status, await missing.text()], [404, "path not found"]);
  } finally {
    await sandbox.close();
  }
});

test("ports: the kind of a connection is told from bytes that come one by one", async () => {
  const { sandbox } = await openCluster();
  try {
    const [host, port] = sandbox.pd[0]!.split(":");
    const answer = (text: string) =>
      new Promise<Buffer>((resolve, reject) => {
        const socket = connect(Number(port), host!, async () => {
          socket.setNoDelay(true);
          for (const byte of text) {
            socket.write(byte);
            await systemClock.sleep(1);
          }
        });
        socket.once("data", (data: Buffer) => {
          resolve(data);
          socket.destroy();
        });
        socket.once("error", reject);
      });
    assert.match((await answer("PUT /pd/api/v1/version HTTP/1.1\r\nhost: x\r\n\r\n")).toString(), /^HTTP\/1.1 405/);
    const settings = await answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.equal(settings[3], 4, "the first frame of a server is SETTINGS");
  } finally {
    await sandbox.close();
  }
});

test("ports: many calls and uploads at once on one connection", async () => {
  const { sandbox, pd, imports, header } = await openCluster();
  try {
    const calls = Array.from({ length: 150 }, () => pd.getRegion({ header, regionKey: encodeKey(rowKey(1, 1)) }));
    for (const { region } of await Promise.all(calls)) assert.equal(region!.peers.length, 1);
    const region = (await pd.getRegion({ header })).region!;
    const ts = await sandbox.cluster.tso.next();
    const uploads = Array.from({ length: 24 }, (_, i) => {
      const pairs: Pair[] = [1, 2, 3, 4].map((n) => [rowKey(i + 1, n), new Uint8Array(20_000).fill(n)]);
      return imports[0]!.write(writeStream(metaFor(region, pairs), ts, ...pairs.map((pair) => [pair])));
    });
    for (const { metas } of await Promise.all(uploads)) assert.equal(metas.length, 2);
  } finally {
    await sandbox.close();
  }
});

test("ports: unknown services and methods are unimplemented", async () => {
  const { sandbox, imports, tikv } = await openCluster();
  try {
    const wrong = createClient(PD, createGrpcTransport({ baseUrl: `http://${sandbox.tikv[0]}` }));
    await assert.rejects(wrong.getMembers({}), { code: 12 });
    await assert.rejects(imports[0]!.getMode({}), { code: 12, rawMessage: "" });
    await assert.rejects(tikv[0]!.rawGet({}), { code: 12 });
  } finally {
    await sandbox.close();
  }
});

test("ports: a store that stops is gone, others lead, and it comes back on its port", async () => {
  const { sandbox, pd, imports, header } = await openCluster({ stores: 3 });
  try {
    const region = async () => (await pd.getRegion({ header, regionKey: encodeKey(rowKey(1, 1)) }))!;
    const first = (await region()).leader!.storeId;
    const at = [...sandbox.cluster.stores.keys()].indexOf(first);
    await imports[at]!.switchMode({});
    await sandbox.stopStore(first);
    await assert.rejects(imports[at]!.switchMode({}));
    assert.notEqual((await region()).leader!.storeId, first);
    await sandbox.startStore(first);
    await imports[at]!.switchMode({});
  } finally {
    await sandbox.close();
  }
});

test("ports: a sandbox on disk is the same after a restart", async () => {
  const dir = mkdtempSync(join(tmpdir(), "levin-embed-"));
  try {
    const one = await openCluster({ dir, stores: 3 });
    const { cluster } = one.sandbox;
    const ts = await cluster.tso.next();
    await cluster.mvcc.write([{ key: rowKey(1, 1), value: utf8("kept") }], ts - 1n, ts);
    await cluster.placement.splitAt([encodeKey(rowKey(1, 0)), encodeKey(rowKey(2, 0))]);
    const label = {
      id: "x",
      labels: [{ key: "a", value: "b" }],
      rule_type: "key-range",
      data: [{ start_key: "", end_key: "" }],
    };
    const rule = `http://${one.sandbox.pd[0]}/pd/api/v1/config/region-label/rule`;
    assert.equal((await fetch(rule, { method: "POST", body: JSON.stringify(label) })).status, 200);
    const before = (await one.pd.scanRegions({ header: one.header })).regions;
    await one.sandbox.close();

    const two = await openCluster({ dir });
    try {
      assert.equal(two.sandbox.cluster.id, cluster.id);
      assert.equal(two.sandbox.tikv.length, 3);
      assert.deepEqual((await two.pd.scanRegions({ header: two.header })).regions, before);
      assert.ok((await two.sandbox.cluster.tso.next()) > ts);
      const got = await two.sandbox.cluster.mvcc.get(rowKey(1, 1), ts);
      assert.deepEqual(got?.value, utf8("kept"));
      assert.equal((await fetch(`http://${two.sandbox.pd[0]}/pd/api/v1/config/region-label/rule/x`)).status, 200);
    } finally {
      await two.sandbox.close();
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("ports: TLS with client certificates on all ports", async () => {
  const authority = makeCertificate({ name: "ca", isAuthority: true });
  const server = makeCertificate({ name: "server", issuer: authority, hosts: ["127.0.0.1"] });
  const client = makeCertificate({ name: "client", issuer: authority });
  const tls = { ca: authority.cert, cert: server.cert, key: server.key };
  const sandbox = await startSandbox({ clock: new TestClock(), random: seededRandom(1), tls });
  try {
    const nodeOptions = { ca: authority.cert, cert: client.cert, key: client.key };
    const transport = (address: string) => createGrpcTransport({ baseUrl: `https://${address}`, nodeOptions });
    const { leader } = await createClient(PD, transport(sandbox.pd[0]!)).getMembers({});
    assert.equal(leader!.clientUrls[0], `https://${sandbox.pd[0]}`);
    const split = await createClient(Tikv, transport(sandbox.tikv[0]!)).splitRegion({});
    assert.match(split.regionError!.message, /not found/);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { ...nodeOptions, agent: false as const };
      const call = request(`https://${sandbox.pd[0]}/pd/api/v1/version`, options, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on("error", reject);
      call.end();
    });
    assert.equal(status, 200);
    const stranger = createGrpcTransport({ baseUrl: `https://${sandbox.pd[0]}`, nodeOptions: { ca: authority.cert } });
    await assert.rejects(createClient(PD, stranger).getMembers({}));
  } finally {
    await sandbox.close();
  }
});
