import { buildColumn, type ColumnContext, ciStr } from "../build/column.ts";
import { setColumnDefault, setOriginDefault } from "../build/default-value.ts";
import { checkGeneratedColumns } from "../build/generated.ts";
import { dropIndexFlags, findColumn } from "../build/index.ts";
import { partitionColumns } from "../build/partition-check.ts";
import type { AlterSpec, ColumnDef, ColumnPosition } from "../ddl/ast.ts";
import type { Expr } from "../sql/expr.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type ColumnInfo, Flag, type TableInfo } from "../table-info.ts";
import { checkCharsetChange, needsRewrite } from "./column-change.ts";

type Spec<K extends AlterSpec["kind"]> = AlterSpec & { kind: K };

/** Sets offsets of columns and of index parts anew after columns moved, came or went. */
export function renumber(table: TableInfo): void {
  const offsets = new Map<string, number>();
  table.cols.forEach((column, i) => {
    column.offset = i;
    offsets.set(column.name.L, i);
  });
  for (const index of table.index_info ?? []) {
    for (const part of index.idx_cols) part.offset = offsets.get(part.name.L)!;
  }
}

export function removeColumns(table: TableInfo, columns: readonly ColumnInfo[]): void {
  table.cols = table.cols.filter((column) => !columns.includes(column));
  renumber(table);
}

function mustFind(table: TableInfo, name: string): ColumnInfo {
  const column = findColumn(table, name);
  if (!column || column.hidden) throw ddlError(1054, `Unknown column '${name}' in '${table.name.O}'`);
  return column;
}

function place(table: TableInfo, column: ColumnInfo, position: ColumnPosition): void {
  const rest = table.cols.filter((other) => other !== column);
  let at = rest.length;
  if (position.place === "first") at = 0;
  if (position.place === "after") at = rest.indexOf(mustFind(table, position.column)) + 1;
  rest.splice(at, 0, column);
  table.cols = rest;
  renumber(table);
}

/** ADD COLUMN. */
export function addColumn(
  table: TableInfo,
  def: ColumnDef,
  position: ColumnPosition,
  ifNotExists: boolean,
  context: ColumnContext,
): void {
  if (findColumn(table, def.name)) {
    if (ifNotExists) return;
    throw ddlError(1060, `Duplicate column name '${def.name}'`, { at: def.at });
  }
  for (const option of def.options) {
    if (
      option.kind === "primary" ||
      option.kind === "unique" ||
      option.kind === "autoIncrement" ||
      option.kind === "autoRandom"
    ) {
      const what = {
        primary: "PRIMARY KEY",
        unique: "UNIQUE KEY",
        autoIncrement: "AUTO_INCREMENT",
        autoRandom: "AUTO_RANDOM",
      };
      const why = `unsupported add column '${def.name}' constraint ${what[option.kind]} when altering '${table.name.O}'`;
      throw ddlError(8200, why, { at: option.at });
    }
    if (option.kind === "generated" && option.stored) {
      throw ddlError(
        3106,
        "'Adding generated stored column through ALTER TABLE' is not supported for generated columns.",
      );
    }
  }
  const { column } = buildColumn(def, context);
  setOriginDefault(column, context.session);
  column.id = ++table.max_col_id;
  table.cols.push(column);
  place(table, column, position);
  checkGeneratedColumns(table);
}

/** DROP COLUMN, with indexes over this column alone. */
export function dropColumn(table: TableInfo, spec: Spec<"drop column">): void {
  const column = findColumn(table, spec.name);
  if (!column || column.hidden) {
    if (spec.ifExists) return;
    throw ddlError(1091, `Can't DROP '${spec.name}'; check that column/key exists`);
  }
  if (table.cols.filter(({ hidden }) => !hidden).length === 1) {
    throw ddlError(1090, `can't drop only column ${column.name.O} in table ${table.name.O}`);
  }
  checkDependents(table, column);
  const covering = (table.index_info ?? []).filter(({ idx_cols }) =>
    idx_cols.some(({ name }) => name.L === column.name.L),
  );
  const handle = table.pk_is_handle && column.type.Flag & Flag.priKey;
  if (handle || covering.some(({ idx_cols, is_primary }) => idx_cols.length > 1 || is_primary)) {
    const why = `can't drop column ${column.name.O} with composite index covered or Primary Key covered now`;
    throw ddlError(8200, why);
  }
  for (const index of covering) {
    table.index_info = table.index_info!.filter((other) => other !== index);
    dropIndexFlags(table, index);
  }
  if (table.index_info?.length === 0) table.index_info = null;
  removeColumns(table, [column]);
}

/** Generated columns, expression indexes, foreign keys and partitions hold on to their columns. */
function checkDependents(table: TableInfo, column: ColumnInfo): void {
  for (const other of table.cols) {
    if (!other.dependences || !Object.hasOwn(other.dependences, column.name.L)) continue;
    if (other.hidden) {
      throw ddlError(
        3837,
        `Column '${column.name.O}' has an expression index dependency and cannot be dropped or renamed`,
      );
    }
    throw ddlError(3108, `Column '${column.name.O}' has a generated column dependency.`);
  }
  if (table.partition && partitionColumns(table).includes(column.name.L)) {
    throw ddlError(
      3855,
      `Column '${column.name.O}' has a partitioning function dependency and cannot be dropped or renamed`,
    );
  }
  const key = table.fk_info?.find(({ cols }) => cols.some(({ L }) => L === column.name.L));
  if (key)
    throw ddlError(
      1828,
      `Cannot drop column '${column.name.O}': needed in a foreign key constraint '${key.fk_name.O}'`,
    );
  if (table.ttl_info?.column.L === column.name.L) {
    throw ddlError(8149, `Cannot drop column '${column.name.O}': needed in TTL config`);
  }
}

/** RENAME COLUMN. */
export function renameColumn(table: TableInfo, from: string, to: string): void {
  const column = mustFind(table, from);
  const other = findColumn(table, to);
  if (other && other !== column) throw ddlError(1060, `Duplicate column name '${to}'`);
  if (to.toLowerCase() === "_tidb_rowid") throw ddlError(1166, `Incorrect column name '${to}'`);
  const old = column.name.L;
  if (old !== to.toLowerCase()) checkRename(table, column);
  column.name = ciStr(to);
  for (const index of table.index_info ?? []) {
    for (const part of index.idx_cols) if (part.name.L === old) part.name = ciStr(to);
  }
  for (const key of table.fk_info ?? []) key.cols = key.cols.map((name) => (name.L === old ? ciStr(to) : name));
  if (table.partition?.columns) {
    table.partition.columns = table.partition.columns.map((name) => (name.L === old ? ciStr(to) : name));
  }
  if (table.ttl_info?.column.L === old) table.ttl_info.column = ciStr(to);
}

/** Column names in lists are renamed with the column; texts of expressions are not. */
function checkRename(table: TableInfo, column: ColumnInfo): void {
  const partition = table.partition?.columns ? null : table.partition;
  checkDependents({ ...table, fk_info: null, ttl_info: null, partition }, column);
}

/** MODIFY and CHANGE COLUMN. */
export function modifyColumn(table: TableInfo, spec: Spec<"modify column">, context: ColumnContext): void {
  const old = findColumn(table, spec.from);
  if (!old || old.hidden) {
    if (spec.ifExists) return;
    throw ddlError(1054, `Unknown column '${spec.from}' in '${table.name.O}'`);
  }
  if (spec.column.name.toLowerCase() !== old.name.L) renameColumn(table, spec.from, spec.column.name);
  const unchangeable = spec.column.options.find(({ kind }) => kind === "primary" || kind === "unique");
  if (unchangeable)
    throw ddlError(8200, "can't change column constraint (PRIMARY KEY or UNIQUE KEY)", { at: unchangeable.at });
  const { column } = buildColumn(spec.column, context);
  const keys = Flag.priKey | Flag.uniqueKey | Flag.multipleKey;
  column.type.Flag = (column.type.Flag & ~keys) | (old.type.Flag & keys);
  if (column.type.Flag & Flag.priKey) column.type.Flag |= Flag.notNull;
  if (
    old.generated_stored !== column.generated_stored ||
    (old.generated_expr_string === "") !== (column.generated_expr_string === "")
  ) {
    if (old.generated_stored || column.generated_stored || old.generated_expr_string === "") {
      throw ddlError(3106, "'Changing the STORED status' is not supported for generated columns.");
    }
  }
  checkCharsetChange(old, column);
  checkAutoRandom(table, old, spec.column);
  column.id = old.id;
  column.offset = old.offset;
  column.origin_default = old.origin_default;
  column.origin_default_bit = old.origin_default_bit;
  if (needsRewrite(old.type, column.type)) rewriteColumn(table, old, column, context);
  table.cols[old.offset] = column;
  if (spec.position) place(table, column, spec.position);
  checkGeneratedColumns(table);
}

function checkAutoRandom(table: TableInfo, old: ColumnInfo, def: ColumnDef): void {
  const option = def.options.find(({ kind }) => kind === "autoRandom");
  const isHandle =
    table.auto_random_bits > 0 && (old.type.Flag & Flag.priKey) !== 0 && old.offset === handleOffset(table);
  if (option?.kind !== "autoRandom") {
    if (isHandle) throw ddlError(8216, "Invalid auto random: decreasing auto_random shard bits is not supported");
    return;
  }
  const bits = option.shardBits ?? 5;
  if (!isHandle && !(old.type.Flag & Flag.autoIncrement)) {
    throw ddlError(
      8216,
      "Invalid auto random: auto_random can only be converted from auto_increment clustered primary key",
    );
  }
  if (bits < table.auto_random_bits) {
    throw ddlError(8216, "Invalid auto random: decreasing auto_random shard bits is not supported");
  }
  table.auto_random_bits = bits;
  table.auto_random_range_bits = option.rangeBits ?? (table.auto_random_range_bits || 64);
}

function handleOffset(table: TableInfo): number {
  if (table.pk_is_handle) return table.cols.findIndex(({ type }) => type.Flag & Flag.priKey);
  return table.index_info?.find(({ is_primary }) => is_primary)?.idx_cols[0]?.offset ?? -1;
}

/** A change that rewrites the values: the column and the indexes over it get new ids. */
function rewriteColumn(table: TableInfo, old: ColumnInfo, column: ColumnInfo, context: ColumnContext): void {
  if (table.partition && partitionColumns(table).includes(old.name.L)) {
    throw ddlError(8200, "Unsupported modify column: table is partition table");
  }
  if (old.type.Flag & Flag.priKey && (table.pk_is_handle || table.is_common_handle)) {
    throw ddlError(8200, "Unsupported modify column: this column has primary key flag");
  }
  column.id = ++table.max_col_id;
  if (column.type.Flag & Flag.notNull) setOriginDefault(column, context.session);
  for (const index of table.index_info ?? []) {
    if (index.idx_cols.some(({ name }) => name.L === column.name.L)) index.id = ++table.max_idx_id;
  }
}

/** ALTER COLUMN … SET DEFAULT, DROP DEFAULT. */
export function changeDefault(table: TableInfo, name: string, expr: Expr | undefined, context: ColumnContext): void {
  const column = mustFind(table, name);
  column.default = null;
  column.default_bit = null;
  column.default_is_expr = false;
  if (expr === undefined) {
    if (column.type.Flag & Flag.notNull) column.type.Flag |= Flag.noDefaultValue;
    return;
  }
  column.type.Flag &= ~Flag.noDefaultValue;
  setColumnDefault(column, expr, context.session, context.sql);
  if (column.default === null && column.type.Flag & Flag.notNull)
    throw ddlError(1067, `Invalid default value for '${name}'`);
}
