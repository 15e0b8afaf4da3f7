import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../../src/base/mod.ts";
import type { HttpAnswer } from "../../src/embed/net/mod.ts";
import { openPdState, type PdState, pdHttp } from "../../src/embed/pd/mod.ts";
import { decodeKey } from "../../src/embed/state/mod.ts";
import { goldenCases, type Json, type JsonObject, seededCluster } from "./golden.ts";

const cases = goldenCases("pd");
const NOW = 1_795_224_986_000;

interface HexRegion {
  id: number;
  start_key: string;
  end_key: string;
  epoch: { conf_ver: number; version: number };
  peers: { id: number; store_id: number }[];
  leader: { id: number };
}

/** The cluster that the real PD had. */
async function open() {
  const { regions } = cases.get("regions")!.body as unknown as { regions: HexRegion[] };
  const raw = (hex: string) => (hex === "" ? "" : Buffer.from(decodeKey(fromHex(hex))!).toString("hex"));
  const seeds = regions.map((region) => ({
    id: BigInt(region.id),
    start: raw(region.start_key),
    end: raw(region.end_key),
    confVer: BigInt(region.epoch.conf_ver),
    version: BigInt(region.epoch.version),
    peers: region.peers.map((peer): [bigint, bigint] => [BigInt(peer.id), BigInt(peer.store_id)]),
    leader: BigInt(region.leader.id),
  }));
  const options = { id: 7_710_426_547_964_659_752n, storeVersion: "8.5.0" };
  const { cluster, clock, harms } = await seededCluster(NOW, [2n, 3n, 4n, 5n], seeds, options);
  for (const [i, store] of [...cluster.stores.values()].entries()) {
    store.address = `127.0.0.1:2016${i}`;
    store.statusAddress = `127.0.0.1:2018${i}`;
    store.labels = [
      { key: "zone", value: `z${i + 1}` },
      { key: "host", value: `h${i + 1}` },
    ];
  }
  const pd = await openPdState(cluster);
  pd.members[0]!.clientUrl = "http://127.0.0.1:22379";
  return { pd, clock, harms };
}

/** The real PD had been told so before. */
function withoutReplacement(pd: PdState): void {
  pd.settings.schedule["enable-location-replacement"] = "false";
}

/** Requests to be made first, by name of their capture, and other preparations. */
const before: Record<string, (string | ((pd: PdState) => void))[]> = {
  "label-rule-get-escaped-id": ["label-rule-post-ttl"],
  "label-rule-get-after-expiry": [],
  "label-rule-delete": ["label-rules-patch-set"],
  "label-rules": ["label-rule-post-ttl"],
  "label-rules-ids": ["label-rule-post-ttl"],
  "label-rules-after-patch": ["label-rules-patch-set"],
  "schedulers-delete": ["schedulers-add"],
  "schedulers-add-again": ["schedulers-add"],
  "schedulers-status-paused": [
    (pd) => {
      for (const name of ["balance-region-scheduler", "balance-leader-scheduler", "balance-hot-region-scheduler"]) {
        pd.settings.pause(name, 60);
      }
    },
  ],
  "config-schedule": [withoutReplacement],
  "config-schedule-before": [withoutReplacement],
  "config-schedule-after-ttl": ["config-post", "config-post-ttl"],
  "regions-split": [],
};

/** Not served, or an answer that depends on what is not in the sandbox. */
const unserved = new Set([
  "hotspot-regions-write",
  "hotspot-stores",
  "keyspaces",
  "regions-check-hist-keys",
  "regions-check-hist-size",
  "regions-sibling",
  "tso-allocator",
  "regions-check-undersized-region",
  "label-rule-post-unencoded-key",
]);

/** Run-dependent members of otherwise equal bodies. */
const loose =
  /^(health|leader|config|config-after-ttl|config-default|follower-.*|stores.*|store-id|region.*|stats-.*|status|version|members|min-resolved.*|cluster-status|regions.*)$/;

type Request = { method: string; path: string; body?: Json };

function send(pd: PdState, golden: JsonObject): Promise<HttpAnswer> {
  const { method, path, body } = golden.request as Request;
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return pdHttp(pd)({ method, target: path, body: text });
}

function shape(value: Json): Json {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0]!)];
  if (value === null || typeof value !== "object") return value === null ? null : typeof value;
  const names = Object.keys(value).sort();
  // Maps by store id have one shape whatever the ids are.
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name))) return { "store id": shape(value[names[0]!]!) };
  return Object.fromEntries(names.map((name) => [name, shape(value[name]!)]));
}

/** Fields of builds, hosts and files that a sandbox has no word for. */
function withoutLocal(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutLocal);
  if (value === null || typeof value !== "object") return value;
  const local = new Set(["peer_address", "status_address", "slow_score", "slow_trend", "is_busy"]);
  const fields = Object.entries(value).filter(([name]) => !local.has(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutLocal(field)]));
}

test("PD's HTTP API: answers of a real PD", async () => {
  let exact = 0;
  let shapes = 0;
  for (const [name, golden] of cases) {
    if (unserved.has(name) || name.startsWith("follower-")) continue;
    const { pd } = await open();
    for (const step of before[name] ?? []) {
      if (typeof step === "string") await send(pd, cases.get(step)!);
      else step(pd);
    }
    const got = await send(pd, golden);
    assert.equal(got.status, golden.status, name);
    const type = (golden.headers as Record<string, string>)["content-type"];
    if (golden.body !== "" && golden.bodyIsJson) assert.equal(got.contentType, type, name);
    if (!golden.bodyIsJson) {
      assert.equal(got.body, golden.body, name);
      exact++;
      continue;
    }
    const body = JSON.parse(got.body.replaceAll("1795224986000000000", "0")) as Json;
    if (loose.test(name)) {
      if (name.startsWith("config")) continue;
      assert.deepEqual(shape(withoutLocal(body)), shape(withoutLocal(golden.body!)), name);
      shapes++;
    } else {
      const start = /"start_at":"[^"]*"/g;
      assert.equal(sorted(body).replaceAll(start, ""), sorted(golden.body!).replaceAll(start, ""), name);
      exact++;
    }
  }
  assert.ok(exact > 75, `only ${exact} bodies were compared`);
  assert.ok(shapes > 25, `only ${shapes} shapes were compared`);
});

function sorted(value: Json): string {
  const order = (v: Json): Json => {
    if (Array.isArray(v)) return v.map(order);
    if (v === null || typeof v !== "object") return v;
    return Object.fromEntries(
      Object.keys(v)
        .sort()
        .map((name) => [name, order(v[name]!)]),
    );
  };
  return JSON.stringify(order(value));
}

test("PD's HTTP API: the whole configuration has the parts of a real one", async () => {
  const { pd } = await open();
  const got = JSON.parse((await send(pd, cases.get("config")!)).body) as JsonObject;
  const want = cases.get("config")!.body as JsonObject;
  for (const part of ["schedule", "replication", "pd-server", "replication-mode"]) {
    assert.deepEqual(Object.keys(got[part] as JsonObject), Object.keys(want[part] as JsonObject), part);
  }
});

test("PD's HTTP API: numbers beyond 2^53 are exact", async () => {
  const { pd } = await open();
  const got = await pdHttp(pd)({ method: "GET", target: "/pd/api/v1/cluster", body: "" });
  assert.equal(got.body, '{"id":7710426547964659752,"max_peer_count":3}');
});

test("PD's HTTP API: overrides and rules end with their time", async () => {
  const { pd, clock, harms } = await open();
  await send(pd, cases.get("config-post-ttl")!);
  assert.equal(pd.settings.effective("leader-schedule-limit"), 40);
  assert.equal(pd.settings.schedule["leader-schedule-limit"], 4);
  await send(pd, cases.get("label-rule-post-ttl")!);
  await pdHttp(pd)({ method: "POST", target: "/pd/api/v1/schedulers/all", body: '{"delay":300}' });
  assert.equal(pd.settings.paused().length, 5);
  clock.now += 301_000;
  assert.equal(pd.settings.effective("leader-schedule-limit"), 4);
  assert.deepEqual(
    pd.settings.rules().map(({ id }) => id),
    ["keyspaces/0"],
  );
  assert.deepEqual(pd.settings.paused(), []);
  assert.deepEqual(harms, []);
});

test("PD's HTTP API: label rules cut regions; keys that are not encoded are refused", async () => {
  const { pd, harms } = await open();
  await send(pd, cases.get("label-rules-patch-set")!);
  const region = pd.cluster.regions.at(fromHex("7480000000000000ffc800000000000000f8"))!;
  assert.equal(toHex(region.startKey), "7480000000000000ffc800000000000000f8");
  assert.equal(toHex(region.endKey), "7480000000000000ffc900000000000000f8");
  const labels = await pdHttp(pd)({ method: "GET", target: `/pd/api/v1/region/id/${region.id}/labels`, body: "" });
  assert.equal(labels.body, '[{"key":"schedule","value":"deny"}]');
  const refused = await send(pd, cases.get("label-rule-post-unencoded-key")!);
  assert.equal(refused.status, 400);
  assert.match(refused.body, /sandbox: label rule key 748000000000000001 is not encoded/);
  assert.equal(harms.length, 1);
});
