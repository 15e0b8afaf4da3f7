import { DEFAULT_SQL_MODE } from "../../../schema/mod.ts";
import { tidbVariables } from "./tidb-variables.ts";

/** System variables that clients of a TiDB ask for, with a new cluster's values (captured from a real TiDB). */
export const systemVariables: Readonly<Record<string, string>> = {
  ...tidbVariables,
  tidb_skip_utf8_check: "OFF",
  tidb_snapshot: "",
  tidb_current_ts: "0",
  tidb_opt_write_row_id: "OFF",
  tidb_read_staleness: "0",
  tidb_request_source_type: "",
  tidb_checksum_table_concurrency: "4",
  allow_auto_random_explicit_insert: "OFF",
  auto_increment_increment: "1",
  auto_increment_offset: "1",
  autocommit: "ON",
  block_encryption_mode: "aes-128-ecb",
  character_set_client: "utf8mb4",
  character_set_connection: "utf8mb4",
  character_set_database: "utf8mb4",
  character_set_results: "utf8mb4",
  character_set_server: "utf8mb4",
  collation_connection: "utf8mb4_bin",
  collation_database: "utf8mb4_bin",
  collation_server: "utf8mb4_bin",
  default_collation_for_utf8mb4: "utf8mb4_bin",
  default_week_format: "0",
  div_precision_increment: "4",
  foreign_key_checks: "ON",
  group_concat_max_len: "1024",
  init_connect: "",
  innodb_lock_wait_timeout: "50",
  interactive_timeout: "28800",
  lc_time_names: "en_US",
  license: "Apache License 2.0",
  lower_case_table_names: "2",
  max_allowed_packet: "67108864",
  max_execution_time: "0",
  net_write_timeout: "60",
  performance_schema: "OFF",
  port: "4000",
  query_cache_size: "0",
  query_cache_type: "OFF",
  sql_mode: DEFAULT_SQL_MODE,
  sql_notes: "ON",
  sql_quote_show_create: "ON",
  sql_require_primary_key: "OFF",
  sql_select_limit: "18446744073709551615",
  system_time_zone: "Etc/UTC",
  time_zone: "SYSTEM",
  timestamp: "0",
  transaction_isolation: "REPEATABLE-READ",
  transaction_read_only: "OFF",
  tx_isolation: "REPEATABLE-READ",
  tx_read_only: "OFF",
  unique_checks: "ON",
  version_comment: "TiDB Server (Apache License 2.0) Community Edition, MySQL 8.0 compatible",
  version_compile_machine: "x86_64",
  version_compile_os: "Linux",
  wait_timeout: "28800",
};

/** Variables that SELECT shows as unsigned numbers. */
const NUMBERS = new Set(
  (
    "auto_increment_increment auto_increment_offset default_week_format div_precision_increment group_concat_max_len " +
    "innodb_lock_wait_timeout interactive_timeout max_allowed_packet max_execution_time " +
    "net_write_timeout port query_cache_size sql_select_limit tidb_backoff_weight tidb_distsql_scan_concurrency " +
    "tidb_index_serial_scan_concurrency tidb_row_format_version wait_timeout"
  ).split(" "),
);

/** ON/OFF variables that SELECT shows as that text all the same. */
const TEXTS = new Set([
  "tidb_enable_clustered_index",
  "tidb_enable_table_partition",
  "tidb_enable_check_constraint",
  "query_cache_type",
]);

export type VariableKind = "text" | "number" | "switch";

export function kindOfVariable(name: string): VariableKind {
  if (NUMBERS.has(name)) return "number";
  return /^(ON|OFF)$/.test(systemVariables[name] ?? "") && !TEXTS.has(name) ? "switch" : "text";
}

/** Variables that only SET GLOBAL may change. */
export const globalOnly: ReadonlySet<string> = new Set(["max_allowed_packet"]);
/** Variables that nobody may change. */
export const readOnly: ReadonlySet<string> = new Set([
  "version",
  "version_comment",
  "system_time_zone",
  "port",
  "tidb_current_ts",
]);
