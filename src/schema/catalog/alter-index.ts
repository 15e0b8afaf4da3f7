import { ciStr } from "../build/column.ts";
import { addForeignKeyIndexes } from "../build/foreign-key.ts";
import { addHiddenColumns } from "../build/hidden-column.ts";
import { buildIndex, dropIndexFlags, findColumn, findIndex, setIndexFlag } from "../build/index.ts";
import { freeName } from "../build/names.ts";
import { checkPartitionKeys, partitionColumns } from "../build/partition-check.ts";
import { addConstraint, type TableContext } from "../build/table.ts";
import type { Constraint } from "../ddl/ast.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import { Flag, type IndexInfo, type TableInfo } from "../table-info.ts";
import { removeColumns } from "./alter-column.ts";

/** ALTER TABLE … ADD of a key, foreign key or check, and CREATE INDEX. */
export function addIndexTo(table: TableInfo, constraint: Constraint, context: TableContext): void {
  if (constraint.kind === "foreign" || constraint.kind === "check") {
    if (constraint.kind === "check" && !context.session.checkConstraints) return;
    addConstraint(table, constraint, context);
    addForeignKeyIndexes(table, context.session);
    return;
  }
  if (constraint.kind === "fulltext" || constraint.kind === "spatial" || constraint.kind === "vector") {
    throw unsupportedError(context.sql, constraint.at, `a ${constraint.kind.toUpperCase()} index`);
  }
  if (constraint.options.condition)
    throw unsupportedError(context.sql, constraint.options.condition.at, "a partial index");
  const primary = constraint.kind === "primary";
  const taken = new Set((table.index_info ?? []).map(({ idx_name }) => idx_name.L));
  const name = primary ? "PRIMARY" : (constraint.name ?? freeName(constraint.parts, taken));
  if (primary && (table.pk_is_handle || findIndex(table, "primary")))
    throw ddlError(1068, "Multiple primary key defined");
  if (!primary && findIndex(table, name)) {
    if (constraint.ifNotExists) return;
    throw ddlError(1061, `Duplicate key name '${name}'`);
  }
  if (primary && constraint.options.clustered) {
    throw ddlError(
      8200,
      "Adding clustered primary key is not supported. Please consider adding NONCLUSTERED primary key instead",
    );
  }
  const hidden = addHiddenColumns(table, name, constraint.parts, context);
  const unique = primary || constraint.kind === "unique";
  const shape = { name, primary, unique, parts: hidden.parts, options: constraint.options };
  const index = buildIndex(table, shape, context.session);
  table.index_info = [...(table.index_info ?? []), index];
  setFlags(table, index);
  if (table.partition && unique) checkPartitionKeys(table, partitionColumns(table));
}

function setFlags(table: TableInfo, index: IndexInfo): void {
  if (!index.is_primary) {
    setIndexFlag(table.cols[index.idx_cols[0]!.offset], index.is_unique, index.idx_cols.length);
    return;
  }
  for (const { offset } of index.idx_cols) {
    const { type, default: value } = table.cols[offset]!;
    type.Flag |= Flag.priKey | Flag.notNull;
    if (value === null && !(type.Flag & Flag.autoIncrement)) type.Flag |= Flag.noDefaultValue;
  }
}

/** DROP INDEX, with the hidden columns that only it has. */
export function dropIndexOf(table: TableInfo, name: string, ifExists: boolean): void {
  if (name.toLowerCase() === "primary" && (table.pk_is_handle || table.is_common_handle)) {
    throw ddlError(8200, "Unsupported drop primary key when the table is using clustered index");
  }
  const index = findIndex(table, name);
  if (!index) {
    if (ifExists) return;
    throw ddlError(1091, `Can't DROP '${name}'; check that column/key exists`);
  }
  table.index_info = table.index_info!.filter((other) => other !== index);
  dropIndexFlags(table, index);
  const hidden = index.idx_cols
    .map(({ name: column }) => findColumn(table, column.O)!)
    .filter((column) => column.hidden);
  if (hidden.length > 0) removeColumns(table, hidden);
  if (table.index_info.length === 0) table.index_info = null;
}

/** RENAME INDEX; hidden columns carry the index's name. */
export function renameIndex(table: TableInfo, from: string, to: string): void {
  const index = findIndex(table, from);
  if (!index) throw ddlError(1176, `Key '${from}' doesn't exist in table '${table.name.O}'`);
  const other = findIndex(table, to);
  if (other && other !== index) throw ddlError(1061, `Duplicate key name '${to}'`);
  index.idx_cols.forEach((part, i) => {
    const column = findColumn(table, part.name.O)!;
    if (!column.hidden) return;
    column.name = ciStr(`_V$_${to}_${i}`);
    part.name = { ...column.name };
  });
  index.idx_name = ciStr(to);
}

export function setIndexVisibility(table: TableInfo, name: string, invisible: boolean): void {
  const index = findIndex(table, name);
  if (!index) throw ddlError(1176, `Key '${name}' doesn't exist in table '${table.name.O}'`);
  if (index.is_primary && invisible) throw ddlError(3522, "A primary key index cannot be invisible");
  index.is_invisible = invisible;
}
