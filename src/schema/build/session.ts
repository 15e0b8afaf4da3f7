import type { SqlMode } from "../sql/sql-mode.ts";

/** What a session sets that changes the meaning of DDL. */
export interface DdlSession {
  sqlMode: SqlMode;
  /** Offset (`+08:00`), `UTC`, or a name of the IANA database. */
  timeZone: string;
  /** The current database. */
  database?: string;
  /** `new_collations_enabled_on_first_bootstrap` of the cluster. */
  newCollation: boolean;
  /** `tidb_enable_clustered_index`. */
  clusteredIndex: "on" | "off" | "int_only";
  /** `default_collation_for_utf8mb4`; utf8mb4_bin where absent. */
  defaultUtf8mb4Collation?: string;
  /** `character_set_connection`: of string literals without introducer; utf8mb4 where absent. */
  connectionCharset?: string;
  /** `tidb_enable_check_constraint`; off where absent, as in TiDB. */
  checkConstraints?: boolean;
  /** `tidb_shard_row_id_bits` and `tidb_pre_split_regions`: defaults of tables without clustered index. */
  shardRowIdBits?: number;
  preSplitRegions?: number;
  /** Milliseconds since 1970, for CURRENT_TIMESTAMP as the value of a column that is added. */
  nowMs: number;
}
