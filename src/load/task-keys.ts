import { nearestOf } from "../base/mod.ts";
import { isTable, type Table } from "./table-reader.ts";

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/**
 * Keys of DM's files (tiflow, dm/config: task.go, subtask.go, dbconfig, security; TiDB's table-router and filter). Those of other units are
 * known and mean nothing here. DM refuses a task file with any other key; a subtask file may have them.
 */
const LOADER =
  words(`pool-size dir sorting-dir-physical import-mode on-duplicate on-duplicate-logical on-duplicate-physical
  disk-quota-physical checksum-physical analyze range-concurrency compress-kv-pairs pd-addr security`);
const COMMON =
  words(`name is-sharding shard-mode strict-optimistic-shard-mode ignore-checking-items meta-schema enable-heartbeat
  heartbeat-update-interval heartbeat-report-interval timezone case-sensitive collation_compatible online-ddl shadow-table-rules
  trash-table-rules online-ddl-scheme expression-filter black-white-list block-allow-list clean-dump-file ansi-quotes experimental`);
const TASK = [
  ...COMMON,
  ...words(`task-mode mariadb2tidb target-database mysql-instances routes filters column-mappings mydumpers loaders syncers validators
    remove-meta`),
];
const SUBTASK = [
  ...COMMON,
  ...LOADER,
  ...words(`mode source-id server-id flavor meta relay-dir use-relay from to route-rules filter-rules mapping-rule mariadb2tidb
    mydumper-path threads chunk-filesize statement-size rows where skip-tz-utc extra-args
    meta-file worker-count batch queue-size checkpoint-flush-interval compact multiple-rows max-retry auto-fix-gtid enable-gtid
    disable-detect safe-mode safe-mode-duration enable-ansi-quotes ValidatorCfg
    log-level log-file log-format log-rotate pprof-addr status-addr uuid io-total-bytes dump-uuid dump-io-total-bytes`),
];
const INSTANCE =
  words(`source-id meta filter-rules column-mapping-rules route-rules expression-filters black-white-list block-allow-list
  mydumper-config-name mydumper mydumper-thread loader-config-name loader loader-thread syncer-config-name syncer syncer-thread
  validator-config-name`);
/** `status-port` is levin's own: DM means 10080. */
const TARGET = words("host port user password max-allowed-packet session security status-port");
const SECURITY =
  words(`ssl-ca ssl-cert ssl-key ssl-ca-bytes ssl-cert-bytes ssl-key-bytes ssl-ca-base64 ssl-cert-base64 ssl-key-base64
  cert-allowed-cn`);
const ROUTE = words(
  "schema-pattern table-pattern target-schema target-table extract-table extract-schema extract-source",
);
const LIST = words("do-tables do-dbs ignore-tables ignore-dbs");

/** A line for each key of a task or subtask file that DM does not know, with the nearest that it does. */
export function unknownTaskKeys(document: Table, where: string): string[] {
  const notes: string[] = [];
  const look = (value: unknown, path: string, known: readonly string[]): void => {
    if (!isTable(value)) return;
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const near = nearestOf(key, known);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      notes.push(`${path === "" ? key : `${path}.${key}`} (${where}) is unknown${hint}`);
    }
  };
  const each = (value: unknown, path: string, known: readonly string[]): void => {
    if (Array.isArray(value)) value.forEach((one, i) => void look(one, `${path}[${i}]`, known));
    else if (isTable(value)) for (const [name, one] of Object.entries(value)) look(one, `${path}.${name}`, known);
  };
  const target = (name: "target-database" | "to"): void => {
    const value = document[name];
    look(value, name, TARGET);
    if (isTable(value)) look(value["security"], `${name}.security`, SECURITY);
  };
  if ("mysql-instances" in document) {
    look(document, "", TASK);
    target("target-database");
    each(document["mysql-instances"], "mysql-instances", INSTANCE);
    const instances = document["mysql-instances"];
    if (Array.isArray(instances))
      instances.forEach((one, i) => {
        if (isTable(one)) look(one["loader"], `mysql-instances[${i}].loader`, LOADER);
      });
    each(document["loaders"], "loaders", LOADER);
    each(document["routes"], "routes", ROUTE);
    each(document["block-allow-list"], "block-allow-list", LIST);
    each(document["black-white-list"], "black-white-list", LIST);
  } else {
    look(document, "", SUBTASK);
    target("to");
    each(document["route-rules"], "route-rules", ROUTE);
    look(document["block-allow-list"], "block-allow-list", LIST);
    look(document["black-white-list"], "black-white-list", LIST);
  }
  return notes;
}
