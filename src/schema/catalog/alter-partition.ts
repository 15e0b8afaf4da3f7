import { ciStr } from "../build/column.ts";
import { buildDefinition, buildPartition, checkNames, numberedDefinitions } from "../build/partition.ts";
import { checkRangeOrder } from "../build/partition-check.ts";
import { intervalColumn } from "../build/partition-interval.ts";
import { columnValue } from "../build/partition-value.ts";
import type { AlterSpec } from "../ddl/ast.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import { type PartitionDefinition, type PartitionInfo, PartitionType, type TableInfo } from "../table-info.ts";
import type { AlterContext } from "./alter.ts";

const TYPE_NAMES: Record<number, string> = { 1: "RANGE", 2: "HASH", 3: "LIST", 4: "KEY" };

/** Partition management of ALTER TABLE. */
export function alterPartition(table: TableInfo, spec: AlterSpec, context: AlterContext): void {
  if (spec.kind === "partition by") {
    repartition(table, spec, context);
    return;
  }
  const info = table.partition;
  if (!info) throw ddlError(1505, "Partition management on a not partitioned table is not possible");
  switch (spec.kind) {
    case "add partition":
      addPartitions(table, info, spec, context);
      break;
    case "drop partition":
      dropPartitions(table, info, spec.names, spec.ifExists);
      break;
    case "truncate partition":
      for (const definition of spec.names === "all" ? info.definitions : found(table, info, spec.names)) {
        definition.id = context.partitionIds();
      }
      break;
    case "reorganize partition":
      reorganize(table, info, spec, context);
      break;
    case "coalesce partition":
      recount(table, info, info.definitions.length - spec.count, context, "COALESCE PARTITION");
      break;
    case "remove partitioning":
      table.id = context.partitionIds();
      table.partition = null;
      newGlobalIndexes(table);
      break;
    case "first partition":
      firstPartition(table, info, spec, context);
      break;
    default:
      throw unsupportedError(context.sql, spec.at, "this change of partitions");
  }
}

function found(table: TableInfo, info: PartitionInfo, names: readonly string[]): PartitionDefinition[] {
  return names.map((name) => {
    const definition = info.definitions.find((other) => other.name.L === name.toLowerCase());
    if (!definition) throw ddlError(1735, `Unknown partition '${name}' in table '${table.name.O}'`);
    return definition;
  });
}

/** The definitions stand for all partitions from now on. */
function setDefinitions(table: TableInfo, info: PartitionInfo, definitions: PartitionDefinition[]): void {
  checkNames(definitions);
  checkRangeOrder(table, definitions);
  info.definitions = definitions;
  info.num = definitions.length;
}

function addPartitions(
  table: TableInfo,
  info: PartitionInfo,
  spec: AlterSpec & { kind: "add partition" },
  context: AlterContext,
): void {
  if (info.type === PartitionType.hash || info.type === PartitionType.key) {
    recount(table, info, info.definitions.length + (spec.count ?? spec.definitions.length), context, "ADD PARTITION");
    spec.definitions.forEach((def, i) => {
      info.definitions.at(i - spec.definitions.length)!.name = ciStr(def.name);
    });
    checkNames(info.definitions);
    return;
  }
  if (spec.definitions.length === 0) {
    throw ddlError(1492, `For ${TYPE_NAMES[info.type]} partitions each partition must be defined`);
  }
  if (info.type === PartitionType.range && info.definitions.at(-1)?.less_than?.every((value) => value === "MAXVALUE")) {
    throw ddlError(1481, "MAXVALUE can only be used in last partition definition");
  }
  if (info.type === PartitionType.list && info.definitions.some(({ in_values }) => in_values?.[0]?.[0] === "DEFAULT")) {
    throw ddlError(
      8200,
      "Unsupported ADD List partition, already contains DEFAULT partition. Please use REORGANIZE PARTITION instead",
    );
  }
  const taken = new Set(info.definitions.map(({ name }) => name.L));
  const wanted = spec.definitions.filter(({ name }) => !(spec.ifNotExists && taken.has(name.toLowerCase())));
  const added = wanted.map((def) => buildDefinition(table, def, context));
  setDefinitions(table, info, [...info.definitions, ...added]);
  for (const definition of added) definition.id = context.partitionIds();
}

function dropPartitions(table: TableInfo, info: PartitionInfo, names: readonly string[], ifExists: boolean): void {
  if (info.type === PartitionType.hash || info.type === PartitionType.key) {
    throw ddlError(1512, "DROP PARTITION can only be used on RANGE/LIST partitions");
  }
  const known = names.filter(
    (name) => !ifExists || info.definitions.some((other) => other.name.L === name.toLowerCase()),
  );
  const dropped = found(table, info, known);
  if (dropped.length === info.definitions.length) {
    throw ddlError(1508, "Cannot remove all partitions, use DROP TABLE instead");
  }
  info.definitions = info.definitions.filter((definition) => !dropped.includes(definition));
  info.num = info.definitions.length;
}

/** What TiDB leaves behind after a reorganisation. */
function noteReorganization(table: TableInfo, info: PartitionInfo): void {
  info.ddl_type = info.type;
  if (info.expr !== "") info.ddl_expr = info.expr;
  if (info.columns) info.ddl_columns = info.columns.map((name) => ({ ...name }));
  newGlobalIndexes(table);
}

/** Global indexes are built anew when rows move between partitions. */
function newGlobalIndexes(table: TableInfo): void {
  for (const index of table.index_info ?? []) if (index.is_global) index.id = ++table.max_idx_id;
}

function reorganize(
  table: TableInfo,
  info: PartitionInfo,
  spec: AlterSpec & { kind: "reorganize partition" },
  context: AlterContext,
): void {
  if (info.type === PartitionType.hash || info.type === PartitionType.key) {
    throw ddlError(1510, "REORGANIZE PARTITION can only be used to reorganize partitions not to change their numbers");
  }
  const old = found(table, info, spec.names);
  const first = info.definitions.indexOf(old[0]!);
  const inRow = old.every((definition, i) => info.definitions[first + i] === definition);
  if (!inRow && info.type === PartitionType.range) {
    throw ddlError(1519, "When reorganizing a set of partitions they must be in consecutive order");
  }
  const added = spec.definitions.map((def) => buildDefinition(table, def, context));
  const rest = info.definitions.filter((definition) => !old.includes(definition));
  rest.splice(Math.min(first, rest.length), 0, ...added);
  setDefinitions(table, info, rest);
  for (const definition of added) definition.id = context.partitionIds();
  noteReorganization(table, info);
}

/** HASH and KEY: another number of partitions, all of them new. */
function recount(table: TableInfo, info: PartitionInfo, count: number, context: AlterContext, what: string): void {
  if (info.type !== PartitionType.hash && info.type !== PartitionType.key) {
    throw ddlError(1509, `${what} can only be used on HASH/KEY partitions`);
  }
  if (count < 1) throw ddlError(1508, "Cannot remove all partitions, use DROP TABLE instead");
  const kept = info.definitions.slice(0, count);
  const more = numberedDefinitions(kept.length, count - kept.length);
  const definitions = [...kept.map((definition) => ({ ...definition })), ...more];
  setDefinitions(table, info, definitions);
  for (const definition of definitions) definition.id = context.partitionIds();
  noteReorganization(table, info);
}

function repartition(table: TableInfo, spec: AlterSpec & { kind: "partition by" }, context: AlterContext): void {
  for (const { name, global } of spec.partition.updateIndexes ?? []) {
    const index = table.index_info?.find(({ idx_name }) => idx_name.L === name.toLowerCase());
    if (!index) throw ddlError(1176, `Key '${name}' doesn't exist in table '${table.name.O}'`);
    if (index.is_global !== global) {
      index.is_global = global;
      if (!global) index.id = ++table.max_idx_id;
    }
  }
  buildPartition(table, spec.partition, { session: context.session, sql: context.sql, ids: context.partitionIds });
  table.id = context.tableId();
  newGlobalIndexes(table);
}

/** FIRST PARTITION LESS THAN (…): drops the partitions before the bound (INTERVAL partitioning). */
function firstPartition(
  table: TableInfo,
  info: PartitionInfo,
  spec: AlterSpec & { kind: "first partition" },
  context: AlterContext,
): void {
  const column = intervalColumn(table);
  if (!column) throw unsupportedError(context.sql, spec.at, "FIRST PARTITION on RANGE (expression)");
  const bound = columnValue(spec.lessThan, column.type, context);
  const at = info.definitions.findIndex(({ less_than }) => less_than?.[0] === bound);
  if (at < 0) throw ddlError(8200, "Unsupported FIRST PARTITION, given value does not match any partition");
  const nullPartition = info.definitions[0]?.name.L === "p_null" ? 1 : 0;
  info.definitions = info.definitions.filter((_, i) => i < nullPartition || i >= at);
  info.num = info.definitions.length;
}
