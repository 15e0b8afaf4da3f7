import { utf8 } from "../base/mod.ts";
import { dateTimeText, TimeZone } from "../codec/mod.ts";
import { fromBase64, uintOfBytes } from "./build/bytes-text.ts";
import { defaultCollation } from "./build/charset.ts";
import { needsCharset } from "./build/field-type.ts";
import type { DdlSession } from "./build/session.ts";
import { parseDateTime } from "./build/temporal-text.ts";
import { showPartition } from "./show-partition.ts";
import { showPolicy, showText } from "./show-text.ts";
import { typeText } from "./show-type.ts";
import { quoteName } from "./sql/expr-print.ts";
import { parseSqlMode } from "./sql/sql-mode.ts";
import {
  type ColumnInfo,
  Flag,
  type ForeignKeyInfo,
  type IndexInfo,
  SchemaState,
  type SequenceInfo,
  type TableInfo,
  Tp,
  type ViewInfo,
} from "./table-info.ts";

export interface ShowCreateOptions {
  /** Next AUTO_INCREMENT value, shown above 1. */
  nextAutoIncrement?: number | bigint;
  /** Next AUTO_RANDOM base, shown above 1. */
  nextAutoRandom?: number | bigint;
  /** Width of integers (`int(11)`); true where absent. */
  integerWidth?: boolean;
  /** Database of the table, to leave it out of foreign keys. */
  database?: string;
}

/**
 * SHOW CREATE TABLE as TiDB writes it (`pkg/executor/show.go`), also of views and sequences; TIMESTAMP defaults are shown in the
 * session's time zone.
 */
export function showCreateTable(table: TableInfo, session: DdlSession, options: ShowCreateOptions = {}): string {
  if (table.view) return showView(table, table.view);
  if (table.sequence) return showSequence(table, table.sequence);
  const columns = table.cols.filter(({ hidden, state }) => !hidden && state === SchemaState.public);
  const lines = columns.map((column) => `  ${showColumn(table, column, session, options)}`);
  const handle = table.pk_is_handle ? columns.find(({ type }) => type.Flag & Flag.priKey) : undefined;
  if (handle) lines.push(`  PRIMARY KEY (${quoteName(handle.name.O)}) /*T![clustered_index] CLUSTERED */`);
  for (const index of table.index_info ?? []) {
    if (index.state === SchemaState.public) lines.push(`  ${showIndex(table, index)}`);
  }
  for (const key of table.fk_info ?? []) lines.push(`  ${showForeignKey(key, options.database ?? session.database)}`);
  for (const check of table.constraint_info ?? []) {
    const enforced = check.enforced ? "" : " /*!80016 NOT ENFORCED */";
    lines.push(`CONSTRAINT ${quoteName(check.constraint_name.O)} CHECK ((${check.expr_string}))${enforced}`);
  }
  const kind = table.temp_table_type === 1 ? "GLOBAL TEMPORARY " : table.temp_table_type === 2 ? "TEMPORARY " : "";
  return `CREATE ${kind}TABLE ${quoteName(table.name.O)} (\n${lines.join(",\n")}\n) ENGINE=InnoDB${showOptions(table, options)}`;
}

function showView(table: TableInfo, view: ViewInfo): string {
  const algorithm = ["UNDEFINED", "MERGE", "TEMPTABLE"][view.view_algorithm] ?? "UNDEFINED";
  const definer = `${quoteName(view.view_definer.Username)}@${quoteName(view.view_definer.Hostname)}`;
  const names = view.view_cols ?? table.cols.map(({ name }) => name);
  const columns = names.length > 0 ? ` (${names.map(({ O }) => quoteName(O)).join(", ")})` : "";
  const head = `CREATE ALGORITHM=${algorithm} DEFINER=${definer} SQL SECURITY ${view.view_security === 0 ? "DEFINER" : "INVOKER"}`;
  return `${head} VIEW ${quoteName(table.name.O)}${columns} AS ${view.view_select}`;
}

function showSequence(table: TableInfo, sequence: SequenceInfo): string {
  const { sequence_start: start, sequence_min_value: min, sequence_max_value: max } = sequence;
  const cache = sequence.sequence_cache ? `cache ${sequence.sequence_cache_value}` : "nocache";
  const cycle = sequence.sequence_cycle ? "cycle" : "nocycle";
  const comment = sequence.sequence_comment === "" ? "" : ` COMMENT='${showText(sequence.sequence_comment)}'`;
  const values = `start with ${start} minvalue ${min} maxvalue ${max} increment by ${sequence.sequence_increment}`;
  return `CREATE SEQUENCE ${quoteName(table.name.O)} ${values} ${cache} ${cycle} ENGINE=InnoDB${comment}`;
}

/** SHOW CREATE DATABASE; the collation is shown where it is not the character set's default. */
export function showCreateDatabase(
  database: { db_name: { O: string }; charset: string; collate: string },
  session: DdlSession,
): string {
  const { db_name: name, charset, collate } = database;
  const collation = collate === defaultCollation(charset, session) ? "" : ` COLLATE ${collate}`;
  return `CREATE DATABASE ${quoteName(name.O)} /*!40100 DEFAULT CHARACTER SET ${charset}${collation} */`;
}

function showColumn(table: TableInfo, column: ColumnInfo, session: DdlSession, options: ShowCreateOptions): string {
  const { type } = column;
  let text = `${quoteName(column.name.O)} ${typeText(type, options.integerWidth)}`;
  if (needsCharset(type.Tp) && type.Charset !== "binary") {
    if (type.Charset !== table.charset) text += ` CHARACTER SET ${type.Charset}`;
    if (type.Collate !== table.collate || type.Collate !== defaultCollation(type.Charset, session)) {
      text += ` COLLATE ${type.Collate}`;
    }
  }
  if (column.generated_expr_string !== "") {
    text += ` GENERATED ALWAYS AS (${column.generated_expr_string}) ${column.generated_stored ? "STORED" : "VIRTUAL"}`;
  }
  if (type.Flag & Flag.autoIncrement) text += " NOT NULL AUTO_INCREMENT";
  else {
    if (type.Flag & Flag.notNull) text += " NOT NULL";
    if (!(type.Flag & Flag.noDefaultValue) && column.generated_expr_string === "") text += showDefault(column, session);
    if (type.Flag & Flag.onUpdateNow) text += ` ON UPDATE CURRENT_TIMESTAMP${precision(column)}`;
  }
  text += showAutoRandom(table, column);
  return column.comment === "" ? text : `${text} COMMENT '${showText(column.comment)}'`;
}

function precision(column: ColumnInfo): string {
  return column.type.Decimal > 0 ? `(${column.type.Decimal})` : "";
}

function showDefault(column: ColumnInfo, session: DdlSession): string {
  const { default: value, type } = column;
  if (value === null || value === undefined) {
    if (type.Flag & Flag.notNull) return "";
    return type.Tp === Tp.timestamp ? " NULL DEFAULT NULL" : " DEFAULT NULL";
  }
  const text = `${value}`;
  if (column.default_is_expr) return ` DEFAULT (${text})`;
  if (text === "CURRENT_TIMESTAMP") return ` DEFAULT ${text}${precision(column)}`;
  if (text === "CURRENT_DATE") return ` DEFAULT (${text})`;
  if (type.Tp === Tp.bit) {
    const bytes = column.default_bit ? fromBase64(column.default_bit) : utf8(text);
    return ` DEFAULT b'${uintOfBytes(bytes).toString(2)}'`;
  }
  if (type.Tp === Tp.timestamp && column.version >= 1) return ` DEFAULT '${localTime(text, type.Decimal, session)}'`;
  return ` DEFAULT '${showText(text)}'`;
}

/** A stored TIMESTAMP default (UTC) in the session's time zone. */
function localTime(text: string, fsp: number, session: DdlSession): string {
  const parts = parseDateTime(text, 6, parseSqlMode(""));
  const zone = TimeZone.find(session.timeZone);
  const seconds = parts && parts.month > 0 && parts.day > 0 ? TimeZone.utc.toUtcSeconds(parts) : undefined;
  if (!parts || !zone || seconds === undefined) return text;
  return dateTimeText(zone.toLocal(seconds, parts.micro), Math.max(0, fsp));
}

function showAutoRandom(table: TableInfo, column: ColumnInfo): string {
  if (table.auto_random_bits === 0 || !(column.type.Flag & Flag.priKey)) return "";
  const primary = table.index_info?.find(({ is_primary }) => is_primary);
  if (!table.pk_is_handle && primary?.idx_cols[0]?.offset !== column.offset) return "";
  const range = table.auto_random_range_bits;
  const bits = range === 0 || range === 64 ? `${table.auto_random_bits}` : `${table.auto_random_bits}, ${range}`;
  return ` /*T![auto_rand] AUTO_RANDOM(${bits}) */`;
}

function showIndex(table: TableInfo, index: IndexInfo): string {
  const head = index.is_primary
    ? "PRIMARY KEY"
    : `${index.is_unique ? "UNIQUE KEY" : "KEY"} ${quoteName(index.idx_name.O)}`;
  const parts = index.idx_cols.map(({ name, offset, length }) => {
    const column = table.cols[offset];
    if (column?.hidden) return `(${column.generated_expr_string})`;
    return quoteName(name.O) + (length === -1 ? "" : `(${length})`);
  });
  let text = `${head} (${parts.join(",")})`;
  if (index.is_primary) text += ` /*T![clustered_index] ${table.is_common_handle ? "CLUSTERED" : "NONCLUSTERED"} */`;
  if (index.is_invisible) text += " /*!80000 INVISIBLE */";
  if (index.comment !== "") text += ` COMMENT '${showText(index.comment)}'`;
  if (index.is_global) text += " /*T![global_index] GLOBAL */";
  return text;
}

const ACTIONS = ["", "RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"];

function showForeignKey(key: ForeignKeyInfo, database: string | undefined): string {
  const names = (list: readonly { O: string }[]) => list.map(({ O }) => quoteName(O)).join(",");
  const other = key.ref_schema.L !== "" && key.ref_schema.L !== database?.toLowerCase();
  const target = (other ? `${quoteName(key.ref_schema.O)}.` : "") + quoteName(key.ref_table.O);
  let text = `CONSTRAINT ${quoteName(key.fk_name.O)} FOREIGN KEY (${names(key.cols)}) REFERENCES ${target} (${names(key.ref_cols)})`;
  if (key.on_delete > 0) text += ` ON DELETE ${ACTIONS[key.on_delete]}`;
  if (key.on_update > 0) text += ` ON UPDATE ${ACTIONS[key.on_update]}`;
  return key.version < 1 ? `${text} /* FOREIGN KEY INVALID */` : text;
}

const TIME_UNITS = ["", "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];

function showOptions(table: TableInfo, options: ShowCreateOptions): string {
  let text = ` DEFAULT CHARSET=${table.charset} COLLATE=${table.collate}`;
  if (table.compression !== "") text += ` COMPRESSION='${table.compression}'`;
  if (hasAutoIncrement(table) && BigInt(options.nextAutoIncrement ?? table.auto_inc_id) > 1n) {
    text += ` AUTO_INCREMENT=${options.nextAutoIncrement ?? table.auto_inc_id}`;
  }
  if (BigInt(table.auto_id_cache) !== 0n) text += ` /*T![auto_id_cache] AUTO_ID_CACHE=${table.auto_id_cache} */`;
  const base = options.nextAutoRandom ?? table.auto_rand_id;
  if (table.auto_random_bits > 0 && BigInt(base) > 1n) text += ` /*T![auto_rand_base] AUTO_RANDOM_BASE=${base} */`;
  const split = table.pre_split_regions > 0 ? `PRE_SPLIT_REGIONS=${table.pre_split_regions} ` : "";
  if (table.ShardRowIDBits > 0) text += ` /*T! SHARD_ROW_ID_BITS=${table.ShardRowIDBits} ${split}*/`;
  else if (split !== "") text += ` /*T! ${split}*/`;
  if (table.comment !== "") text += ` COMMENT='${showText(table.comment)}'`;
  if (table.temp_table_type === 1) text += " ON COMMIT DELETE ROWS";
  text += showPolicy(table.policy_ref_info);
  if (table.cache_table_status) text += " /* CACHED ON */";
  if (table.partition?.enable) text += showPartition(table.partition);
  const { ttl_info: ttl } = table;
  if (!ttl) return text;
  const interval = `${ttl.interval_expr} ${TIME_UNITS[ttl.interval_time_unit]}`;
  text += ` /*T![ttl] TTL=${quoteName(ttl.column.O)} + INTERVAL ${interval} */`;
  return `${text} /*T![ttl] TTL_ENABLE='${ttl.enable ? "ON" : "OFF"}' */ /*T![ttl] TTL_JOB_INTERVAL='${ttl.job_interval}' */`;
}

function hasAutoIncrement(table: TableInfo): boolean {
  return table.cols.some(({ type }) => type.Flag & Flag.autoIncrement);
}
