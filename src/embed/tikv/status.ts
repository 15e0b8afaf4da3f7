import type { HttpAnswer, HttpRequest } from "../net/mod.ts";
import { type Cluster, hexKey, peerOn, type StoreState } from "../state/mod.ts";

/** Settings of a store that importers read; all others are left out. */
const CONFIG = {
  "log-level": "info",
  coprocessor: {
    "region-split-size": "256MiB",
    "region-max-size": "384MiB",
    "region-split-keys": 2560000,
    "region-max-keys": 3840000,
    "enable-region-bucket": false,
  },
  import: { "num-threads": 8, "stream-channel-window": 128, "import-mode-timeout": "10m", "memory-use-ratio": 0.3 },
  raftstore: { "raft-entry-max-size": "8MiB", "pd-heartbeat-tick-interval": "1m" },
  storage: { engine: "raft-kv", "api-version": 1, "reserve-space": "5GiB" },
  server: { "grpc-keepalive-time": "10s", "grpc-keepalive-timeout": "3s" },
  rocksdb: { "max-open-files": 40960 },
};

/** The HTTP side of a store: `/status`, `/config`, `/engine_type`, `/metrics`, `/region/{id}`. It shares the port with gRPC. */
export function storeHttp(cluster: Cluster, store: StoreState): (request: HttpRequest) => Promise<HttpAnswer> {
  return async ({ method, target }) => {
    const path = target.split("?")[0]!;
    if (method !== "GET") return { status: 404, body: "path not found" };
    if (path === "/status") return { status: 200, body: "" };
    if (path === "/engine_type") return { status: 200, contentType: "text/plain", body: "raft-kv" };
    if (path === "/config") return { status: 200, contentType: "application/json", body: JSON.stringify(CONFIG) };
    if (path === "/metrics") return { status: 200, contentType: "text/plain", body: metrics(cluster, store) };
    if (path.startsWith("/region/")) return region(cluster, store, path.slice("/region/".length));
    return { status: 404, body: "path not found" };
  };
}

/** In import mode the limits of pending compaction are off, which shows as 0. */
function metrics(cluster: Cluster, store: StoreState): string {
  const importing = store.importModeUntilMs > cluster.options.clock.nowMs();
  const limit = importing ? 0 : 256 * 1024 ** 3;
  const name = 'tikv_config_rocksdb{cf="default",name="hard_pending_compaction_bytes_limit"}';
  return `# TYPE tikv_config_rocksdb gauge\n${name} ${limit}\n`;
}

function region(cluster: Cluster, store: StoreState, text: string): HttpAnswer {
  const found = /^\d+$/.test(text) ? cluster.regions.byId(BigInt(text)) : undefined;
  if (found === undefined || peerOn(found, store.id) === undefined) {
    return { status: 404, body: `region ${text} not found` };
  }
  const epoch = { conf_ver: Number(found.confVer), version: Number(found.version) };
  const shown = {
    id: Number(found.id),
    start_key: hexKey(found.startKey),
    end_key: hexKey(found.endKey),
    epoch,
    peers: found.peers.map((peer) => ({ id: Number(peer.id), store_id: Number(peer.storeId) })),
  };
  return { status: 200, contentType: "application/json", body: JSON.stringify(shown) };
}
