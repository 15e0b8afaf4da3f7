import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fromHex, LevinError, seededRandom } from "../../src/base/mod.ts";
import {
  decodeBorder,
  type HttpAnswer,
  type HttpRequest,
  nodeHttp,
  PdHttp,
  type SendHttp,
} from "../../src/cluster/mod.ts";
import type { TlsOptions } from "../../src/rpc/mod.ts";
import { makeCertificate } from "../certificates.ts";
import { scaledClock } from "./scaled-clock.ts";

interface Captured {
  method: string;
  path: string;
  status: number;
  body: string;
}

/** Answers of a real PD. */
const captured = JSON.parse(readFileSync(new URL("../golden/pd/http.json", import.meta.url), "utf8")) as Record<
  string,
  Captured
>;

const clock = scaledClock(200);

interface Played {
  pd: PdHttp;
  requests: HttpRequest[];
}

/** A PdHttp whose requests are answered in turn: by the named capture, a plain answer, or a thrown error. */
function play(answers: (string | HttpAnswer | Error)[], addresses = ["a:1", "b:1"]): Played {
  const requests: HttpRequest[] = [];
  const send: SendHttp = async (request) => {
    requests.push(request);
    const answer = answers.shift();
    assert.ok(answer !== undefined, `unexpected request ${request.method} ${request.url}`);
    if (answer instanceof Error) throw answer;
    return typeof answer === "string" ? captured[answer]! : answer;
  };
  return { pd: new PdHttp({ clock, random: seededRandom(3), send, addresses }), requests };
}

test("PdHttp reads what a real PD answers", async () => {
  const { pd, requests } = play(["version", "stores", "config-replicate", "schedulers", "schedulers-status-paused"]);
  assert.deepEqual(await pd.version(), [9, 0, 0]);
  const stores = await pd.stores();
  assert.equal(stores.length, 4);
  assert.deepEqual(
    { ...stores[0], availableBytes: 0 },
    {
      id: 2n,
      address: "127.0.0.1:20160",
      stateName: "Up",
      version: stores[0]!.version,
      capacityBytes: 100 * 1024 ** 3,
      availableBytes: 0,
      regionCount: stores[0]!.regionCount,
      isTiFlash: false,
    },
  );
  assert.equal(await pd.maxReplicas(), 3);
  assert.ok((await pd.schedulers()).includes("balance-leader-scheduler"));
  assert.equal((await pd.schedulers({ paused: true })).length, 3);
  assert.deepEqual(
    requests.map((r) => r.url.replace("http://a:1", "")),
    ["version", "stores", "config-replicate", "schedulers", "schedulers-status-paused"].map((n) => captured[n]!.path),
  );
});

test("PdHttp counts empty regions by store, as a real PD lists them", async () => {
  // In the form of a PD 8.5; cut to what is read.
  const peers = [
    { role_name: "Voter", id: 469, store_id: 1 },
    { role_name: "Voter", id: 470, store_id: 4 },
    { role_name: "Voter", id: 471, store_id: 5 },
  ];
  const body = JSON.stringify({
    count: 2,
    regions: [
      { id: 468, peers },
      { id: 472, peers: peers.slice(1) },
    ],
  });
  const { pd } = play([
    { status: 200, body },
    { status: 200, body: '{"count":0,"regions":[]}' },
  ]);
  assert.deepEqual(
    [...(await pd.emptyRegions())],
    [
      [1n, 1],
      [4n, 2],
      [5n, 2],
    ],
  );
  assert.equal((await pd.emptyRegions()).size, 0);
});

test("PdHttp takes a PD without a version as one", async () => {
  const { pd } = play([{ status: 200, body: '{"version":"None"}' }]);
  assert.equal(await pd.version(), undefined);
});

test("PdHttp sends label rules with encoded keys and a time to live", async () => {
  const { pd, requests } = play(["label-rule-post-ttl", "label-rules", "label-rule-delete-unknown"]);
  const key = fromHex("7480000000000000645f72");
  await pd.putDenyRule({ id: "levin-x/y", ranges: [{ start: key, end: new Uint8Array(0) }], ttlSeconds: 300 });
  const body = JSON.parse(requests[0]!.body!);
  assert.equal(requests[0]!.url, "http://a:1/pd/api/v1/config/region-label/rule");
  assert.deepEqual(body.labels, [{ key: "schedule", value: "deny", ttl: "300s" }]);
  assert.equal(body.rule_type, "key-range");
  assert.deepEqual(decodeBorder(fromHex(body.data[0].start_key)), new Uint8Array(key));
  assert.equal(body.data[0].end_key, "");
  assert.ok((await pd.labelRuleIds()).includes("keyspaces/0"));
  await pd.deleteLabelRule("levin-x/y");
  assert.equal(requests[2]!.url, "http://a:1/pd/api/v1/config/region-label/rule/levin-x%2Fy");
});

test("PdHttp overrides configuration for a time and pauses schedulers", async () => {
  const answers = ["config-post-ttl", "config-ttl-zero-removes", "schedulers-pause-balance-leader-scheduler"];
  const { pd, requests } = play(answers);
  await pd.overrideConfig({ "schedule.leader-schedule-limit": 40 }, 300);
  await pd.overrideConfig({ "schedule.leader-schedule-limit": 40 }, 0);
  await pd.pauseScheduler("balance-leader-scheduler", 60);
  assert.deepEqual(
    requests.map((r) => [r.url, r.body]),
    [
      ["http://a:1/pd/api/v1/config?ttlSecond=300", '{"schedule.leader-schedule-limit":40}'],
      ["http://a:1/pd/api/v1/config?ttlSecond=0", '{"schedule.leader-schedule-limit":40}'],
      ["http://a:1/pd/api/v1/schedulers/balance-leader-scheduler", '{"delay":60}'],
    ],
  );
});

test("PdHttp reports a refusal at once, with PD's words", async () => {
  for (const name of ["label-rule-post-bad-ttl", "schedulers-pause-unknown", "config-post-ttl-unknown-key"]) {
    const { pd, requests } = play([name]);
    await assert.rejects(pd.schedulers(), (error) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Cluster:ErrPd");
      assert.ok(error.message.includes(captured[name]!.body.slice(1, 30)), error.message);
      return true;
    });
    assert.equal(requests.length, 1);
  }
});

test("PdHttp goes to the next address, and back after all have failed", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const { pd, requests } = play([refused, "follower-stores-redirector-set", refused, "schedulers", "schedulers"]);
  await pd.schedulers();
  assert.deepEqual(
    requests.map((r) => r.url.slice(7, 10)),
    ["a:1", "b:1", "a:1", "b:1"],
  );
  await pd.schedulers();
  assert.equal(requests.at(-1)!.url.slice(7, 10), "b:1");
});

test("PdHttp gives up after ten rounds and does not repeat a failed handshake", async () => {
  const refused = new Error("connect ECONNREFUSED");
  const { pd, requests } = play(Array.from({ length: 20 }, () => refused));
  await assert.rejects(pd.schedulers(), { code: "Levin:Cluster:ErrPdUnavailable" });
  assert.equal(requests.length, 20);
  const tls = play([Object.assign(new Error("altnames"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" })]);
  await assert.rejects(tls.pd.schedulers(), { code: "Levin:Rpc:ErrTls" });
});

test("nodeHttp sends method, path and body, and takes any status as an answer", async () => {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      response.statusCode = request.url === "/no" ? 404 : 200;
      response.end("größer");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send = nodeHttp();
  const { signal } = new AbortController();
  try {
    assert.deepEqual(await send({ method: "POST", url: `${base}/x?a=1`, body: '{"ü":1}' }, signal), {
      status: 200,
      body: "größer",
    });
    assert.equal((await send({ method: "DELETE", url: `${base}/no` }, signal)).status, 404);
    assert.deepEqual(seen, ['POST /x?a=1 {"ü":1}', "DELETE /no "]);
    await assert.rejects(send({ method: "GET", url: base }, AbortSignal.abort()));
  } finally {
    server.close();
  }
  await assert.rejects(send({ method: "GET", url: `${base}/gone` }, signal));
});

test("nodeHttp speaks TLS with client certificates, and a wrong certificate is not tried again", async () => {
  const authority = makeCertificate({ name: "authority", isAuthority: true });
  const issue = (name: string) => makeCertificate({ name, issuer: authority, hosts: ["127.0.0.1"] });
  const own = issue("pd");
  const user = issue("levin");
  const options = { cert: own.cert, key: own.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const server = https.createServer(options, (_, response) => response.end('{"version":"v8.5.0"}'));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const addresses = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  let loads = 0;
  const material = async () => {
    loads++;
    return { ca: authority.cert, cert: user.cert, key: user.key };
  };
  const open = (tls: TlsOptions) =>
    new PdHttp({ clock: scaledClock(5), random: seededRandom(3), send: nodeHttp(tls), addresses, tls: true });
  try {
    const pd = open({ material });
    assert.deepEqual(await pd.version(), [8, 5, 0]);
    await pd.version();
    assert.equal(loads, 2);
    const picky = open({ material, checkPeer: (certificate) => `its name is ${certificate.subject.CN}` });
    await assert.rejects(picky.version(), (error) => {
      assert.ok(error instanceof LevinError);
      assert.equal(error.code, "Levin:Rpc:ErrTls");
      assert.match(error.message, /its name is pd/);
      return true;
    });
    const stranger = makeCertificate({ name: "stranger", isAuthority: true });
    await assert.rejects(open({ material: { ca: stranger.cert, cert: user.cert, key: user.key } }).version(), {
      code: "Levin:Rpc:ErrTls",
    });
  } finally {
    server.close();
  }
});
