import type { PdState } from "../state.ts";
import { json } from "./answer.ts";
import type { JsonValue } from "./json.ts";
import type { Route } from "./router.ts";

/** Version, members, health, cluster, safe points. */
export function memberRoutes(pd: PdState): Route[] {
  const v1 = "/pd/api/v1";
  const urls = () => ({ peer_urls: [pd.clientUrl], client_urls: [pd.clientUrl] });
  const member = (): JsonValue => ({ name: pd.member.name, member_id: pd.member.memberId, ...urls() });
  const detailed = (): JsonValue => ({
    ...(member() as { [key: string]: JsonValue }),
    deploy_path: "levin-sandbox",
    binary_version: `v${pd.version}`,
    git_hash: "",
  });
  const startedSeconds = Math.floor(pd.cluster.options.clock.nowMs() / 1000);
  const bootstrapped = new Date(Number(pd.cluster.createdTs >> 18n)).toISOString();
  return [
    ["GET", `${v1}/version`, () => json({ version: `v${pd.version}`, build_time: "", hash: "", branch: "" })],
    ["GET", `${v1}/status`, () => json(status(pd, startedSeconds))],
    ["GET", `${v1}/members`, () => json(members(pd, detailed()))],
    ["GET", `${v1}/leader`, () => json(member())],
    ["GET", `${v1}/health`, () => json([health(pd)])],
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

function members(pd: PdState, member: JsonValue): JsonValue {
  return { header: { cluster_id: pd.cluster.id }, members: [member], leader: member, etcd_leader: member };
}

function health(pd: PdState): JsonValue {
  const { name, memberId } = pd.member;
  return { name, member_id: memberId, client_urls: [pd.clientUrl], health: true };
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
