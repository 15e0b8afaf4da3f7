import type { HttpAnswer } from "../../net/mod.ts";
import { defaultSchedule, pdServerConfig, replicationConfig, replicationMode } from "../default-config.ts";
import type { PdState } from "../state.ts";
import { type Call, json, queryText } from "./answer.ts";
import { type JsonValue, objectOf, parseJson } from "./json.ts";
import type { Route } from "./router.ts";

const PREFIX = "schedule.";

/** `/pd/api/v1/config…`, without rules. */
export function configRoutes(pd: PdState): Route[] {
  const replication = () => replicationConfig(pd.cluster.options.replicas ?? 3);
  return [
    ["GET", "/pd/api/v1/config", () => json(wholeConfig(pd, pd.settings.schedule))],
    ["POST", "/pd/api/v1/config", (call) => postConfig(pd, call)],
    ["GET", "/pd/api/v1/config/default", () => json(wholeConfig(pd, defaultSchedule([])))],
    ["GET", "/pd/api/v1/config/schedule", () => json(pd.settings.schedule)],
    ["POST", "/pd/api/v1/config/schedule", (call) => postSchedule(pd, call)],
    ["GET", "/pd/api/v1/config/replicate", () => json(replication())],
    ["GET", "/pd/api/v1/config/pd-server", () => json(pdServerConfig)],
    ["GET", "/pd/api/v1/config/replication-mode", () => json(replicationMode)],
    ["GET", "/pd/api/v1/config/cluster-version", () => json(pd.version)],
  ];
}

function wholeConfig(pd: PdState, schedule: PdState["settings"]["schedule"]): JsonValue {
  return {
    "client-urls": pd.leadership.leader.clientUrl,
    "advertise-client-urls": pd.leadership.leader.clientUrl,
    name: pd.leadership.leader.name,
    lease: 5,
    "tso-save-interval": "5s",
    "tso-update-physical-interval": "50ms",
    schedule,
    replication: replicationConfig(pd.cluster.options.replicas ?? 3),
    "pd-server": pdServerConfig,
    "cluster-version": pd.version,
    labels: {},
    "max-request-bytes": 157286400,
    "label-property": {},
    "replication-mode": replicationMode,
  };
}

/** Names with or without their prefix; with `ttlSecond` an override, which needs the prefix. */
async function postConfig(pd: PdState, call: Call): Promise<HttpAnswer> {
  const parsed = parseJson(call.body);
  if (parsed.error !== undefined) return json(parsed.error, 400);
  const items = Object.entries(objectOf(parsed.value) ?? {});
  const ttl = queryText(call, "ttlSecond");
  if (ttl !== undefined) return postTtl(pd, ttl, items);
  for (const [name, value] of items) {
    const item = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    const refused = setItem(pd, item, value ?? null);
    if (refused !== undefined) return json(refused, 400);
  }
  await pd.settings.save();
  return json("The config is updated.");
}

function postTtl(pd: PdState, ttl: string, items: [string, JsonValue | undefined][]): HttpAnswer {
  if (!/^-?\d+$/.test(ttl)) return json(`strconv.Atoi: parsing "${ttl}": invalid syntax`, 400);
  const unknown = items.find(
    ([name]) => !name.startsWith(PREFIX) || !(name.slice(PREFIX.length) in pd.settings.schedule),
  );
  if (unknown !== undefined) return json(`unsupported ttl config ${unknown[0]}`, 400);
  const expiresMs = pd.cluster.options.clock.nowMs() + Number(ttl) * 1000;
  for (const [name, value] of items) {
    if (Number(ttl) <= 0) pd.settings.ttlConfig.delete(name);
    else pd.settings.ttlConfig.set(name, { value, expiresMs });
  }
  return json(Number(ttl) <= 0 ? "The ttl config is deleted." : "The ttl config is updated.");
}

/** A subset of the items, without prefix; names that PD does not know are passed over. */
async function postSchedule(pd: PdState, call: Call): Promise<HttpAnswer> {
  const parsed = parseJson(call.body);
  if (parsed.error !== undefined) return json(parsed.error, 400);
  for (const [name, value] of Object.entries(objectOf(parsed.value) ?? {})) {
    if (!(name in pd.settings.schedule)) continue;
    const refused = setItem(pd, name, value ?? null);
    if (refused !== undefined) return json(refused, 400);
  }
  await pd.settings.save();
  return json("The config is updated.");
}

/** Why an item cannot be set; undefined = it is. */
function setItem(pd: PdState, name: string, value: JsonValue): string | undefined {
  const known = pd.settings.schedule[name];
  if (known === undefined) return `config item ${name} not found`;
  if (typeof known === "number" && typeof value !== "number") {
    const kind = typeof value === "string" ? "string" : Array.isArray(value) ? "array" : typeof value;
    return `json: cannot unmarshal ${kind} into Go struct field ScheduleConfig.${name} of type uint64`;
  }
  pd.settings.schedule[name] = value as (typeof pd.settings.schedule)[string];
  return undefined;
}
