import type { Member, PdState } from "../state.ts";
import { json } from "./answer.ts";
import type { JsonValue } from "./json.ts";
import type { Route } from "./router.ts";

/** Version, members, health, cluster, safe points. */
export function memberRoutes(pd: PdState): Route[] {
  const v1 = "/pd/api/v1";
  const startedSeconds = Math.floor(pd.cluster.options.clock.nowMs() / 1000);
  const bootstrapped = new Date(Number(pd.cluster.createdTs >> 18n)).toISOString();
  return [
    ["GET", `${v1}/version`, () => json({ version: `v${pd.version}`, build_time: "", hash: "", branch: "" })],
    ["GET", `${v1}/status`, () => json(status(pd, startedSeconds))],
    ["GET", `${v1}/members`, () => json(members(pd))],
    ["GET", `${v1}/leader`, () => json(shown(pd.leadership.leader))],
    ["GET", `${v1}/health`, () => json(pd.members.map(health))],
    ["GET", `${v1}/ping`, () => ({ status: 200, body: "" })],
    ["GET", "/pd/api/v2/ready", () => ({ status: 200, body: "" })],
    ["GET", `${v1}/cluster`, () => json({ id: pd.cluster.id, max_peer_count: pd.cluster.options.replicas ?? 3 })],
    [
      "GET",
      `${v1}/cluster/status`,
      () => json({ raft_bootstrap_time: bootstrapped, is_initialized: true, replication_status: "" }),
    ],
    ["GET", `${v1}/gc/safepoint`, () => json(safePoints(pd))],
    ["GET", `${v1}/min-resolved-ts`, (call) => json(minResolved(pd, call.query.get("scope")))],
    ["GET", `${v1}/min-resolved-ts/:store`, () => json(minResolved(pd, undefined))],
  ];
}

function status(pd: PdState, startedSeconds: number): JsonValue {
  const version = `v${pd.version}`;
  return { build_ts: "", version, git_hash: "", start_timestamp: startedSeconds, kernel_type: "Classic" };
}

function shown({ name, id, clientUrl }: Member): { [key: string]: JsonValue } {
  return { name, member_id: id, peer_urls: [clientUrl], client_urls: [clientUrl] };
}

function members(pd: PdState): JsonValue {
  const build = { deploy_path: "levin-sandbox", binary_version: `v${pd.version}`, git_hash: "" };
  const list = pd.members.map((member) => ({ ...shown(member), ...build }));
  const leader = { ...shown(pd.leadership.leader), ...build };
  return { header: { cluster_id: pd.cluster.id }, members: list, leader, etcd_leader: leader };
}

function health({ name, id, clientUrl }: Member): JsonValue {
  return { name, member_id: id, client_urls: [clientUrl], health: true };
}

function safePoints(pd: PdState): JsonValue {
  const points = pd.gc.services().map(({ serviceId, safePoint, expiredAt }) => {
    return { service_id: serviceId, expired_at: expiredAt, safe_point: safePoint };
  });
  return { service_gc_safe_points: points, gc_safe_point: pd.gc.safePoint };
}

/** `scope`: absent = only the minimum; `cluster` = all stores; else store ids with commas. */
function minResolved(pd: PdState, scope: Uint8Array | undefined): JsonValue {
  const ts = pd.cluster.tso.lastGranted();
  const text = scope === undefined ? "" : Buffer.from(scope).toString();
  const ids =
    text === "cluster" ? [...pd.cluster.stores.keys()].map(String) : text.split(",").filter((id) => id !== "");
  const stores = text === "" ? null : Object.fromEntries(ids.map((id) => [id, ts]));
  return { is_real_time: true, min_resolved_ts: ts, persist_interval: "1s", stores_min_resolved_ts: stores };
}
