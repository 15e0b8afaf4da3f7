import type { HttpAnswer } from "../../net/mod.ts";
import { leaderOf, peerOn, type StoreState } from "../../state/mod.ts";
import type { PdState } from "../state.ts";
import { regionSize, storeCapacity, storeUsed } from "../store-stats.ts";
import { badInput, type Call, json, queryText } from "./answer.ts";
import { goDuration } from "./go-time.ts";
import type { JsonValue } from "./json.ts";
import type { Route } from "./router.ts";

const STATES = ["Up", "Offline", "Tombstone"];

/** `/pd/api/v1/stores…`, `/store/{id}`. Capacities are texts with a unit, sizes of regions numbers in MiB. */
export function storeRoutes(pd: PdState): Route[] {
  return [
    ["GET", "/pd/api/v1/stores", (call) => list(pd, call)],
    ["GET", "/pd/api/v1/stores/limit", () => limits(pd)],
    ["GET", "/pd/api/v1/store/:id", (call) => one(pd, call)],
  ];
}

function list(pd: PdState, call: Call): HttpAnswer {
  const wanted = queryText(call, "state");
  const found = [...pd.cluster.stores.values()].filter((store) =>
    wanted === undefined ? store.state !== 2 : String(store.state) === wanted,
  );
  return json({ count: found.length, stores: found.map((store) => shown(pd, store)) });
}

function limits(pd: PdState): HttpAnswer {
  const each = { "add-peer": 15, "remove-peer": 15 };
  return json(Object.fromEntries([...pd.cluster.stores.keys()].map((id) => [String(id), each])));
}

function one(pd: PdState, call: Call): HttpAnswer {
  const text = call.params.id!;
  if (!/^\d+$/.test(text)) return badInput(`strconv.ParseUint: parsing "${text}": invalid syntax`, {});
  const store = pd.cluster.stores.get(BigInt(text));
  if (store === undefined) return json(`[PD:core:ErrStoreNotFound]store ${text} not found`, 404);
  return json(shown(pd, store));
}

/** A store that does not answer is first "Disconnected" (20 s without heartbeat), later "Down". */
function stateName(store: StoreState): string {
  return store.state === 0 && store.down ? "Disconnected" : STATES[store.state]!;
}

function shown(pd: PdState, store: StoreState): JsonValue {
  const { clock } = pd.cluster.options;
  const now = clock.nowMs();
  const held = pd.cluster.regions.all().filter((region) => peerOn(region, store.id) !== undefined);
  const led = held.filter((region) => leaderOf(region)?.storeId === store.id);
  const size = (regions: typeof held) => regions.reduce((sum, region) => sum + regionSize(pd.cluster, region).mib, 0);
  const capacity = storeCapacity(store);
  const used = storeUsed(pd.cluster);
  const regionSizes = size(held);
  const leaderSizes = size(led);
  return {
    store: {
      id: store.id,
      address: store.address,
      state: store.state === 0 ? undefined : store.state,
      labels: store.labels.length === 0 ? undefined : store.labels,
      version: store.version,
      peer_address: store.address,
      status_address: store.statusAddress,
      git_hash: "",
      start_timestamp: Math.floor(store.startedMs / 1000),
      deploy_path: "levin-sandbox",
      last_heartbeat: BigInt(Math.floor(now)) * 1_000_000n,
      node_state: store.state + 1,
      state_name: stateName(store),
    },
    status: {
      capacity: withUnit(capacity),
      available: withUnit(store.diskFull ? 0n : capacity - used),
      used_size: withUnit(used),
      leader_count: led.length,
      leader_weight: 1,
      leader_score: led.length,
      leader_size: leaderSizes,
      region_count: held.length,
      region_weight: 1,
      region_score: regionSizes,
      region_size: regionSizes,
      start_ts: new Date(store.startedMs).toISOString(),
      last_heartbeat_ts: new Date(now).toISOString(),
      uptime: goDuration(Math.max(0, now - store.startedMs)),
    },
  };
}

/** PD's `typeutil.ByteSize`: the largest unit with at most four digits before the point. */
function withUnit(bytes: bigint): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
