import type { PartitionBy, PartitionDef } from "../ddl/ast.ts";
import { columnsOf } from "../sql/expr.ts";
import { PARTITION_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError } from "../sql/sql-error.ts";
import {
  type CIStr,
  type ColumnInfo,
  type PartitionDefinition,
  type PartitionInfo,
  PartitionType,
  type TableInfo,
} from "../table-info.ts";
import { ciStr } from "./column.ts";
import { checkPartitionColumns, checkPartitionFunction } from "./function-rules.ts";
import { findColumn } from "./index.ts";
import { checkPartitionKeys, checkRangeOrder, partitionColumns } from "./partition-check.ts";
import { intervalDefinitions } from "./partition-interval.ts";
import { columnValue, integerValue, type ValueContext } from "./partition-value.ts";
import type { DdlSession } from "./session.ts";

/** Gives the physical id of the next partition. */
export type PartitionIds = () => number;

export interface PartitionContext {
  session: DdlSession;
  sql: string;
  ids: PartitionIds;
}

/** More than TiDB allows in one table. */
const MAX_PARTITIONS = 8192;

/** Sets `partition` of a table from PARTITION BY (`buildTablePartitionInfo`); throws TiDB's errors. */
export function buildPartition(table: TableInfo, by: PartitionBy, context: PartitionContext): void {
  const info = emptyPartition(table, by);
  table.partition = info;
  for (const column of info.columns ?? []) {
    if (!findColumn(table, column.O))
      throw ddlError(1488, "Field in list of fields for partition function not found in table");
  }
  for (const column of by.expr ? columnsOf(by.expr) : []) {
    if (findColumn(table, column.name)) continue;
    throw ddlError(1054, `Unknown column '${column.name}' in 'partition function'`, { at: column.at });
  }
  checkPartitionColumns(table, info);
  if (by.expr) checkPartitionFunction(table, by.expr, context);
  if (by.interval && by.definitions.length === 0) {
    info.definitions = intervalDefinitions(table, by.interval, context).map((definition) => ({
      id: 0,
      ...definition,
    }));
    info.num = by.count ?? 0;
  } else {
    info.definitions = buildDefinitions(table, by, context);
    info.num = by.count ?? info.definitions.length;
    if (by.count !== undefined && by.count !== info.definitions.length) {
      throw ddlError(1484, "Wrong number of partitions defined, mismatch with previous setting");
    }
  }
  if (info.definitions.length > MAX_PARTITIONS)
    throw ddlError(1499, "Too many partitions (including subpartitions) were defined");
  checkNames(info.definitions);
  checkRangeOrder(table, info.definitions);
  checkPartitionKeys(table, partitionColumns(table));
  for (const definition of info.definitions) definition.id = context.ids();
}

function emptyPartition(table: TableInfo, by: PartitionBy): PartitionInfo {
  let columns: CIStr[] | null = by.columns?.map(ciStr) ?? null;
  let isEmpty = false;
  if (by.type === "key" && columns?.length === 0) {
    const primary = primaryColumns(table);
    if (primary.length === 0) {
      throw ddlError(1488, "Field in list of fields for partition function not found in table");
    }
    columns = primary.map(({ name }) => ({ ...name }));
    isEmpty = true;
  }
  return {
    type: PartitionType[by.type],
    expr: by.expr ? printExpr(by.expr, PARTITION_STYLE) : "",
    columns,
    enable: true,
    is_empty_columns: isEmpty,
    definitions: [],
    adding_definitions: null,
    dropping_definitions: null,
    states: null,
    num: 0,
    ddl_state: 0,
  };
}

/** Columns of the primary key, in its order. */
export function primaryColumns(table: TableInfo): ColumnInfo[] {
  if (table.pk_is_handle) return table.cols.filter(({ type }) => type.Flag & 2);
  const primary = table.index_info?.find(({ is_primary }) => is_primary);
  return primary?.idx_cols.map(({ offset }) => table.cols[offset]!) ?? [];
}

function buildDefinitions(table: TableInfo, by: PartitionBy, context: PartitionContext): PartitionDefinition[] {
  if (by.type === "range" || by.type === "list") {
    if (by.definitions.length === 0) {
      throw ddlError(1492, `For ${by.type.toUpperCase()} partitions each partition must be defined`);
    }
    return by.definitions.map((definition) => buildDefinition(table, definition, context));
  }
  if (by.definitions.length > 0) return by.definitions.map((definition) => buildDefinition(table, definition, context));
  const count = by.count ?? 1;
  if (count < 1) throw ddlError(1504, "Number of partitions = 0 is not an allowed value");
  if (count > MAX_PARTITIONS) throw ddlError(1499, "Too many partitions (including subpartitions) were defined");
  return numberedDefinitions(0, count);
}

/** p<from> … for HASH and KEY. */
export function numberedDefinitions(from: number, count: number): PartitionDefinition[] {
  return Array.from({ length: count }, (_, i) => plainDefinition(`p${from + i}`));
}

function plainDefinition(name: string): PartitionDefinition {
  return { id: 0, name: ciStr(name), less_than: null, in_values: null, policy_ref_info: null };
}

/** A partition of its clause, id 0. */
export function buildDefinition(table: TableInfo, def: PartitionDef, context: ValueContext): PartitionDefinition {
  const info = table.partition!;
  const definition = plainDefinition(def.name);
  if (def.comment !== undefined && def.comment !== "") definition.comment = def.comment;
  if (def.placementPolicy !== undefined && def.placementPolicy !== "") {
    definition.policy_ref_info = { id: 0, name: ciStr(def.placementPolicy) };
  }
  if (info.type === PartitionType.range) {
    if (!def.lessThan)
      throw ddlError(
        1479,
        "Syntax error: RANGE PARTITIONING requires definition of VALUES LESS THAN for each partition",
      );
    definition.less_than = lessThan(table, def, context);
  } else if (info.type === PartitionType.list) {
    if (!def.inValues)
      throw ddlError(1479, "Syntax error: LIST PARTITIONING requires definition of VALUES IN for each partition");
    definition.in_values = inValues(table, def, context);
  } else if (def.lessThan || def.inValues) {
    const [method, values] = def.lessThan ? ["RANGE", "LESS THAN"] : ["LIST", "IN"];
    throw ddlError(1480, `Only ${method} PARTITIONING can use VALUES ${values} in partition definition`);
  }
  return definition;
}

function lessThan(table: TableInfo, def: PartitionDef, context: ValueContext): string[] {
  const columns = table.partition!.columns ?? [];
  const values = def.lessThan!;
  if (values.length !== Math.max(1, columns.length)) {
    if (columns.length === 0 || values.length > 1)
      throw ddlError(1653, "Inconsistency in usage of column lists for partitioning");
    if (values[0] !== "maxvalue") throw ddlError(1653, "Inconsistency in usage of column lists for partitioning");
  }
  return values.map((value, i) => {
    if (value === "maxvalue") return "MAXVALUE";
    const name = columns[i];
    if (name === undefined) return integerValue(value, def.name, context, false);
    const text = columnValue(value, findColumn(table, name.O)!.type, context);
    if (text === "NULL") throw ddlError(1566, "Not allowed to use NULL value in VALUES LESS THAN");
    return text;
  });
}

function inValues(table: TableInfo, def: PartitionDef, context: ValueContext): string[][] {
  const columns = table.partition!.columns ?? [];
  return def.inValues!.map((row) => {
    if (row[0] === "default") return ["DEFAULT"];
    if (row.length !== Math.max(1, columns.length)) {
      throw ddlError(1653, "Inconsistency in usage of column lists for partitioning");
    }
    return row.map((value, i) => {
      if (value === "default") return "DEFAULT";
      const name = columns[i];
      if (name === undefined) return integerValue(value, def.name, context, true);
      return columnValue(value, findColumn(table, name.O)!.type, context);
    });
  });
}

/** Names of partitions differ without regard to case. */
export function checkNames(definitions: readonly PartitionDefinition[]): void {
  const seen = new Set<string>();
  for (const { name } of definitions) {
    if (seen.has(name.L)) throw ddlError(1517, `Duplicate partition name ${name.L}`);
    seen.add(name.L);
  }
}
