import type { ColumnDef, TableOptions } from "../ddl/ast.ts";
import { GENERATED_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError } from "../sql/sql-error.ts";
import { Flag, type TableInfo, Tp } from "../table-info.ts";
import { ciStr } from "./column.ts";
import { findColumn } from "./index.ts";
import type { DdlSession } from "./session.ts";

const MAX_SHARD_ROW_ID_BITS = 15;

/** A 64-bit integer as the JSON reader gives it: a number where that is exact. */
export function exactNumber(value: bigint): number | bigint {
  return value >= -(1n << 53n) && value <= 1n << 53n ? Number(value) : value;
}

/** True for tables whose primary key is the handle. */
export function hasClusteredIndex(table: TableInfo): boolean {
  return table.pk_is_handle || table.is_common_handle;
}

/** Options of CREATE TABLE but those of character sets (`handleTableOptions`). */
export function applyTableOptions(table: TableInfo, options: TableOptions, session: DdlSession): void {
  if (!hasClusteredIndex(table) && table.temp_table_type === 0) {
    table.ShardRowIDBits = session.shardRowIdBits ?? 0;
    table.max_shard_row_id_bits = table.ShardRowIDBits;
    table.pre_split_regions = session.preSplitRegions ?? 0;
  }
  if (options.autoIncrement !== undefined) table.auto_inc_id = exactNumber(BigInt.asIntN(64, options.autoIncrement));
  if (options.autoIdCache !== undefined) table.auto_id_cache = exactNumber(options.autoIdCache);
  if (options.autoRandomBase !== undefined) table.auto_rand_id = exactNumber(BigInt.asIntN(64, options.autoRandomBase));
  if (options.comment !== undefined) setComment(table, options.comment);
  if (options.compression !== undefined) table.compression = options.compression;
  if (options.shardRowIdBits !== undefined) setShardRowIdBits(table, options.shardRowIdBits);
  if (options.preSplitRegions !== undefined) table.pre_split_regions = options.preSplitRegions;
  if (options.placementPolicy !== undefined && options.placementPolicy !== "") {
    table.policy_ref_info = { id: 0, name: ciStr(options.placementPolicy) };
  }
  setTtl(table, options);
  table.pre_split_regions = Math.min(table.pre_split_regions, table.ShardRowIDBits || table.auto_random_bits);
}

export function setComment(table: TableInfo, comment: string): void {
  if ([...comment].length > 2048) throw ddlError(1628, `Comment for table '${table.name.O}' is too long (max = 2048)`);
  table.comment = comment;
}

export function setShardRowIdBits(table: TableInfo, bits: number): void {
  if (bits > 0 && hasClusteredIndex(table)) {
    throw ddlError(8200, "Unsupported shard_row_id_bits for table with primary key as row id");
  }
  table.ShardRowIDBits = Math.min(bits, MAX_SHARD_ROW_ID_BITS);
  table.max_shard_row_id_bits = Math.max(table.max_shard_row_id_bits, table.ShardRowIDBits);
}

const TIME_UNITS = "MICROSECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR".split(" ");

/** TTL, TTL_ENABLE and TTL_JOB_INTERVAL. */
export function setTtl(table: TableInfo, options: TableOptions): void {
  const { ttl, ttlEnable, ttlJobInterval } = options;
  if (ttl) {
    const column = findColumn(table, ttl.column);
    if (!column) throw ddlError(1054, `Unknown column '${ttl.column}' in 'TTL config'`);
    const { Tp: tp } = column.type;
    if (tp !== Tp.date && tp !== Tp.datetime && tp !== Tp.timestamp) {
      throw ddlError(
        8148,
        `Field '${column.name.O}' is of a not supported type for TTL config, expect DATETIME, DATE or TIMESTAMP`,
      );
    }
    table.ttl_info = {
      column: { ...column.name },
      interval_expr: printExpr(ttl.interval, { ...GENERATED_STYLE, charset: "" }),
      interval_time_unit: TIME_UNITS.indexOf(ttl.unit) + 1,
      enable: table.ttl_info?.enable ?? true,
      job_interval: table.ttl_info?.job_interval ?? "24h",
    };
  }
  if (ttlEnable === undefined && ttlJobInterval === undefined) return;
  if (!table.ttl_info) throw ddlError(8150, "Cannot set TTL_ENABLE on a table without TTL config");
  if (ttlEnable !== undefined) table.ttl_info.enable = ttlEnable;
  if (ttlJobInterval !== undefined) table.ttl_info.job_interval = ttlJobInterval;
}

/** AUTO_RANDOM(shard bits, range bits) of a column (`setTableAutoRandomBits`). */
export function autoRandomBits(table: TableInfo, columns: readonly ColumnDef[]): void {
  for (const def of columns) {
    const option = def.options.find(({ kind }) => kind === "autoRandom");
    if (option?.kind !== "autoRandom") continue;
    const column = findColumn(table, def.name)!;
    const invalid = (why: string) => ddlError(8216, `Invalid auto random: ${why}`, { at: option.at });
    if (column.type.Tp !== Tp.longlong) throw invalid("auto_random option must be defined on `bigint` column");
    if (!isFirstOfHandle(table, column.offset)) {
      throw invalid(
        hasClusteredIndex(table)
          ? `column '${def.name}' must be the first column in primary key`
          : "auto_random is only supported on the tables with clustered primary key",
      );
    }
    if (column.type.Flag & Flag.autoIncrement) throw invalid("auto_random is incompatible with auto_increment");
    if (def.options.some(({ kind }) => kind === "default")) {
      throw invalid("auto_random is incompatible with default");
    }
    const shard = option.shardBits ?? 5;
    const range = option.rangeBits ?? 64;
    if (shard < 1 || shard > 15) {
      throw invalid(`max allowed auto_random shard bits is 15, but got ${shard} on column \`${def.name}\``);
    }
    if (range < 32 || range > 64) throw invalid(`auto_random range bits must be between 32 and 64, but got ${range}`);
    const signBit = column.type.Flag & Flag.unsigned ? 0 : 1;
    if (range - shard - signBit < 27)
      throw invalid("auto_random ID space is too small, please decrease the shard bits or increase the range bits");
    table.auto_random_bits = shard;
    table.auto_random_range_bits = range;
  }
}

function isFirstOfHandle(table: TableInfo, offset: number): boolean {
  if (table.pk_is_handle) return (table.cols[offset]!.type.Flag & Flag.priKey) !== 0;
  const primary = table.index_info?.find(({ is_primary }) => is_primary);
  return table.is_common_handle && primary?.idx_cols[0]?.offset === offset;
}
