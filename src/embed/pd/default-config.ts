/** Settings by name, as PD's API shows them: durations and some booleans are texts. */
export type ConfigItems = { [name: string]: ConfigValue };
export type ConfigValue = null | boolean | number | string | ConfigValue[] | { [name: string]: ConfigValue };

const LIMIT = { "add-peer": 15, "remove-peer": 15 };

const scheduler = (type: string) => ({ type, args: null, disable: false, "args-payload": "" });

/** `schedule` of a new PD. */
export function defaultSchedule(stores: readonly bigint[]): ConfigItems {
  return {
    "max-snapshot-count": 64,
    "max-pending-peer-count": 64,
    "max-merge-region-size": 54,
    "max-merge-region-keys": 540000,
    "split-merge-interval": "1h0m0s",
    "switch-witness-interval": "1h0m0s",
    "enable-one-way-merge": "false",
    "enable-cross-table-merge": "true",
    "patrol-region-interval": "10ms",
    "max-store-down-time": "30m0s",
    "max-store-preparing-time": "48h0m0s",
    "leader-schedule-limit": 4,
    "leader-schedule-policy": "count",
    "region-schedule-limit": 2048,
    "witness-schedule-limit": 4,
    "replica-schedule-limit": 64,
    "merge-schedule-limit": 8,
    "hot-region-schedule-limit": 4,
    "affinity-schedule-limit": 0,
    "split-scatter-schedule-limit": 4,
    "hot-region-cache-hits-threshold": 3,
    "default-store-limit": LIMIT,
    "store-limit": Object.fromEntries(stores.map((id) => [String(id), LIMIT])),
    "tolerant-size-ratio": 0,
    "low-space-ratio": 0.8,
    "high-space-ratio": 0.7,
    "region-score-formula-version": "v2",
    "scheduler-max-waiting-operator": 5,
    "enable-remove-down-replica": "true",
    "enable-replace-offline-replica": "true",
    "enable-make-up-replica": "true",
    "enable-remove-extra-replica": "true",
    "enable-location-replacement": "true",
    "enable-debug-metrics": "false",
    "enable-joint-consensus": "true",
    "enable-tikv-split-region": "true",
    "enable-heartbeat-breakdown-metrics": "true",
    "enable-heartbeat-concurrent-runner": "true",
    "schedulers-v2": ["balance-region", "balance-leader", "hot-region", "evict-slow-store", "evict-stopping-store"].map(
      scheduler,
    ),
    "hot-regions-write-interval": "10m0s",
    "hot-regions-reserved-days": 7,
    "max-movable-hot-peer-size": 512,
    "enable-diagnostic": "true",
    "enable-witness": "false",
    "slow-store-evicting-affected-store-ratio-threshold": 0.3,
    "store-limit-version": "v1",
    "patrol-region-worker-count": 1,
    "max-affinity-merge-region-size": 256,
  };
}

/** `replication`. */
export function replicationConfig(maxReplicas: number): ConfigItems {
  return {
    "max-replicas": maxReplicas,
    "location-labels": "",
    "strictly-match-label": "false",
    "enable-placement-rules": "true",
    "enable-placement-rules-cache": "false",
    "isolation-level": "",
  };
}

/** `pd-server`. */
export const pdServerConfig: ConfigItems = {
  "use-region-storage": "true",
  "max-gap-reset-ts": "24h0m0s",
  "key-type": "table",
  "runtime-services": "",
  "metric-storage": "",
  "dashboard-address": "none",
  "flow-round-by-digit": 3,
  "min-resolved-ts-persistence-interval": "1s",
  "server-memory-limit": 0,
  "server-memory-limit-gc-trigger": 0.7,
  "enable-gogc-tuner": "true",
  "gc-tuner-threshold": 0.6,
  "block-safe-point-v1": "false",
};

/** `replication-mode`. */
export const replicationMode: ConfigItems = {
  "replication-mode": "majority",
  "dr-auto-sync": {
    "label-key": "",
    primary: "",
    dr: "",
    "primary-replicas": 0,
    "dr-replicas": 0,
    "wait-store-timeout": "1m0s",
    "wait-recover-timeout": "0s",
    "pause-region-split": "false",
  },
};
