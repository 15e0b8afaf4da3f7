import { compareBytes, fromHex } from "../../../base/mod.ts";
import type { HttpAnswer } from "../../net/mod.ts";
import { decodeKey, hexKey, leaderOf, type Peer, peerOn, type Region } from "../../state/mod.ts";
import type { PdState } from "../state.ts";
import { regionSize } from "../store-stats.ts";
import { bodyOf, type Call, json, jsonStream, plain, queryNumber, queryText } from "./answer.ts";
import { type JsonValue, objectOf } from "./json.ts";
import { labelsOf } from "./label-routes.ts";
import type { Route } from "./router.ts";

const REGIONS = "/pd/api/v1/regions";
const DEFAULT_LIMIT = 16;
/** Regions up to this size count as empty (MiB). */
const EMPTY_MIB = 1;

/** `/pd/api/v1/region/…`, `/regions…`, `/stats/region`. Keys in the query are raw bytes of encoded keys, or hex with `format=hex`. */
export function regionRoutes(pd: PdState): Route[] {
  const { regions } = pd.cluster;
  const all = () => regions.all();
  const stream = (found: readonly Region[]) =>
    jsonStream({ count: found.length, regions: found.map((r) => shown(pd, r)) });
  const none: readonly string[] = [
    "miss-peer",
    "extra-peer",
    "pending-peer",
    "down-peer",
    "offline-peer",
    "learner-peer",
  ];
  return [
    ["GET", "/pd/api/v1/region/id/:id", (call) => byId(pd, call, (region) => jsonStream(shown(pd, region)))],
    ["GET", "/pd/api/v1/region/id/:id/labels", (call) => byId(pd, call, (region) => json(labelsOf(pd, region)))],
    ["GET", "/pd/api/v1/region/id/:id/label/:key", (call) => byId(pd, call, (region) => label(pd, region, call))],
    ["GET", "/pd/api/v1/region/key/:key", (call) => atKey(pd, call)],
    ["GET", REGIONS, () => stream(all())],
    ["GET", `${REGIONS}/count`, () => json({ count: regions.size, regions: null })],
    ["GET", `${REGIONS}/key`, (call) => byKeys(pd, call)],
    [
      "GET",
      `${REGIONS}/store/:id`,
      ({ params }) => stream(all().filter((r) => peerOn(r, BigInt(params.id!)) !== undefined)),
    ],
    [
      "GET",
      `${REGIONS}/check/empty-region`,
      () => stream(all().filter((r) => regionSize(pd.cluster, r).mib <= EMPTY_MIB)),
    ],
    ["GET", `${REGIONS}/check/oversized-region`, () => stream([])],
    ["GET", `${REGIONS}/check/undersized-region`, () => stream([])],
    ...none.map((kind): Route => ["GET", `${REGIONS}/check/${kind}`, () => stream([])]),
    ["GET", `${REGIONS}/range-holes`, () => json([])],
    ["GET", `${REGIONS}/replicated`, () => json("REPLICATED")],
    ["GET", `${REGIONS}/writeflow`, () => stream([])],
    ["GET", `${REGIONS}/readflow`, () => stream([])],
    ["POST", `${REGIONS}/scatter`, (call) => scatter(pd, call)],
    ["POST", `${REGIONS}/split`, (call) => split(pd, call)],
    ["POST", `${REGIONS}/accelerate-schedule`, (call) => accelerate(call)],
    ["GET", "/pd/api/v1/stats/region", (call) => stats(pd, call)],
    ["GET", "/pd/api/v1/operators", () => json([])],
  ];
}

function shownPeer(peer: Peer): JsonValue {
  const role = peer.learner ? { role: 1, role_name: "Learner", is_learner: true } : { role_name: "Voter" };
  return { ...role, id: peer.id, store_id: peer.storeId };
}

function shown(pd: PdState, region: Region): JsonValue {
  const leader = leaderOf(region);
  const { mib, keys } = regionSize(pd.cluster, region);
  return {
    id: region.id,
    start_key: hexKey(region.startKey),
    end_key: hexKey(region.endKey),
    epoch: { conf_ver: region.confVer, version: region.version },
    peers: region.peers.map(shownPeer),
    leader: leader === undefined ? { role_name: "" } : shownPeer(leader),
    cpu_usage: 0,
    written_bytes: 0,
    read_bytes: 0,
    written_keys: 0,
    read_keys: 0,
    approximate_size: mib,
    approximate_keys: keys,
    approximate_kv_size: 0,
    approximate_columnar_kv_size: 0,
  };
}

function byId(pd: PdState, call: Call, show: (region: Region) => HttpAnswer): HttpAnswer {
  const text = call.params.id!;
  if (!/^\d+$/.test(text)) return json(`strconv.ParseUint: parsing "${text}": invalid syntax`, 400);
  const region = pd.cluster.regions.byId(BigInt(text));
  if (region === undefined) return json(`[PD:region:ErrRegionNotFound]region ${text} not found`, 404);
  return show(region);
}

function label(pd: PdState, region: Region, call: Call): HttpAnswer {
  return json(labelsOf(pd, region).find(({ key }) => key === call.params.key)?.value ?? "");
}

function atKey(pd: PdState, call: Call): HttpAnswer {
  const text = call.params.key!;
  const key = queryText(call, "format") === "hex" ? hexBytes(text) : new Uint8Array(Buffer.from(text, "latin1"));
  if (key === undefined) return json(hexError(text), 400);
  return jsonStream(shown(pd, pd.cluster.regions.at(key)!));
}

function byKeys(pd: PdState, call: Call): HttpAnswer {
  const { value: limit, refused } = queryNumber(call, "limit");
  if (refused !== undefined) return refused;
  const range = rangeOf(call, "key", "end_key");
  if (typeof range === "string") return json(range, 400);
  const found = pd.cluster.regions.scan(range.start, range.end, limit ?? DEFAULT_LIMIT);
  return jsonStream({ count: found.length, regions: found.map((region) => shown(pd, region)) });
}

function rangeOf(call: Call, startName: string, endName: string): { start: Uint8Array; end: Uint8Array } | string {
  const hex = queryText(call, "format") === "hex";
  const out: Uint8Array[] = [];
  for (const name of [startName, endName]) {
    const bytes = call.query.get(name) ?? new Uint8Array(0);
    const text = Buffer.from(bytes).toString("latin1");
    const key = hex ? hexBytes(text) : bytes;
    if (key === undefined) return hexError(text);
    out.push(key);
  }
  return { start: out[0]!, end: out[1]! };
}

function hexBytes(text: string): Uint8Array | undefined {
  return /^([0-9a-fA-F]{2})*$/.test(text) ? fromHex(text) : undefined;
}

function hexError(text: string): string {
  const odd = /[^0-9a-fA-F]/.exec(text)?.[0];
  if (odd === undefined) return "encoding/hex: odd length hex string";
  const code = odd.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return `encoding/hex: invalid byte: U+${code} '${odd}'`;
}

async function scatter(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const fields = objectOf(body.value) ?? {};
  let found: readonly Region[];
  if (Array.isArray(fields.regions_id) && fields.regions_id.length > 0) {
    found = fields.regions_id.map((id) => pd.cluster.regions.byId(BigInt(String(id)))).filter((r) => r !== undefined);
  } else {
    const start = hexBytes(String(fields.start_key ?? ""));
    const end = hexBytes(String(fields.end_key ?? ""));
    const given = fields.start_key !== undefined || fields.end_key !== undefined;
    if (!given || start === undefined || end === undefined) return json("regions_id is invalid", 500);
    found = pd.cluster.regions.scan(start, end, 0);
  }
  let failed = 0;
  for (const region of found) if (!(await pd.operators.scatter(region, String(fields.group ?? "")))) failed++;
  const percentage = found.length === 0 ? 100 : Math.floor(((found.length - failed) * 100) / found.length);
  return json({ "processed-percentage": percentage });
}

async function split(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const fields = objectOf(body.value) ?? {};
  const keys: Uint8Array[] = [];
  for (const item of Array.isArray(fields.split_keys) ? fields.split_keys : []) {
    const key = hexBytes(String(item));
    if (key === undefined) return json(hexError(String(item)), 500);
    if (decodeKey(key) === undefined)
      return json(pd.cluster.harm(`split key ${String(item)} is not encoded`).message, 500);
    keys.push(key);
  }
  if (keys.length === 0) return json("split_keys should be provided.", 400);
  const fresh = keys.filter((key) => compareBytes(pd.cluster.regions.at(key)!.startKey, key) !== 0);
  const made = await pd.cluster.placement.splitAt(fresh);
  const percentage = Math.floor((fresh.length * 100) / keys.length);
  return json({ "processed-percentage": percentage, "regions-id": made.map(({ id }) => id) });
}

function accelerate(call: Call): HttpAnswer {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const { start_key, end_key } = objectOf(body.value) ?? {};
  return plain(`Accelerate regions scheduling in a given range [${String(start_key)},${String(end_key)})`);
}

function stats(pd: PdState, call: Call): HttpAnswer {
  const range = rangeOf(call, "start_key", "end_key");
  if (typeof range === "string") return json(range, 400);
  const found = pd.cluster.regions.scan(range.start, range.end, 0);
  const zeros = { user_storage_size: 0, user_columnar_storage_size: 0 };
  if (call.query.has("count")) {
    const lists = { store_leader_count: null, store_peer_count: null, store_leader_size: null };
    const more = { store_leader_keys: null, store_peer_size: null };
    return json({ count: found.length, empty_count: 0, storage_size: 0, ...zeros, storage_keys: 0, ...lists, ...more });
  }
  const total = { count: found.length, empty_count: 0, storage_size: 0, ...zeros, storage_keys: 0 };
  const maps = ["leader_count", "peer_count", "leader_size", "leader_keys", "peer_size", "peer_keys"] as const;
  const byStore = Object.fromEntries(maps.map((name) => [name, {} as Record<string, number>]));
  const add = (name: (typeof maps)[number], store: bigint, amount: number) => {
    const map = byStore[name]!;
    map[String(store)] = (map[String(store)] ?? 0) + amount;
  };
  for (const region of found) {
    const { mib, keys } = regionSize(pd.cluster, region);
    if (mib <= EMPTY_MIB) total.empty_count++;
    total.storage_size += mib;
    total.storage_keys += keys;
    for (const peer of region.peers) {
      const leads = peer.id === region.leader;
      for (const [kind, amount] of [
        ["count", 1],
        ["size", mib],
        ["keys", keys],
      ] as const) {
        if (leads) add(`leader_${kind}`, peer.storeId, amount);
        add(`peer_${kind}`, peer.storeId, amount);
      }
    }
  }
  return json({ ...total, ...Object.fromEntries(maps.map((name) => [`store_${name}`, byStore[name]!])) });
}
