import type { Constraint, CreateTable } from "../ddl/ast.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import { Flag, type TableInfo, Tp } from "../table-info.ts";
import { resolveCharset } from "./charset.ts";
import { addCheckConstraint } from "./check-constraint.ts";
import { buildColumn, type ColumnContext, ciStr, setNoDefaultFlag } from "./column.ts";
import { isIntegerType } from "./field-type.ts";
import { addForeignKey, addForeignKeyIndexes } from "./foreign-key.ts";
import { checkGeneratedColumns } from "./generated.ts";
import { addHiddenColumns } from "./hidden-column.ts";
import { buildIndex, findColumn, setIndexFlag } from "./index.ts";
import { nameConstraints } from "./names.ts";
import { applyTableOptions, autoRandomBits } from "./options.ts";
import { buildPartition, type PartitionIds } from "./partition.ts";
import type { DdlSession } from "./session.ts";

/** A table of current TiDB without columns; ids and times are the catalog's. */
export function emptyTable(name: string, charset: string, collate: string): TableInfo {
  return {
    id: 0,
    name: ciStr(name),
    charset,
    collate,
    cols: [],
    index_info: null,
    constraint_info: null,
    fk_info: null,
    state: 5,
    pk_is_handle: false,
    is_common_handle: false,
    common_handle_version: 0,
    comment: "",
    auto_inc_id: 0,
    auto_id_cache: 0,
    auto_rand_id: 0,
    max_col_id: 0,
    max_idx_id: 0,
    max_fk_id: 0,
    max_cst_id: 0,
    update_timestamp: 0,
    ShardRowIDBits: 0,
    max_shard_row_id_bits: 0,
    auto_random_bits: 0,
    auto_random_range_bits: 0,
    pre_split_regions: 0,
    partition: null,
    compression: "",
    view: null,
    sequence: null,
    Lock: null,
    version: 5,
    tiflash_replica: null,
    is_columnar: false,
    temp_table_type: 0,
    cache_table_status: 0,
    policy_ref_info: null,
    stats_options: null,
    exchange_partition_info: null,
    ttl_info: null,
    revision: 0,
  };
}

export interface TableContext {
  session: DdlSession;
  sql: string;
  /** Name, character set and collation of the database. */
  database: { name: string; charset: string; collate: string };
  /** Ids for partitions, in order. */
  partitionIds: PartitionIds;
}

/** TableInfo of CREATE TABLE (`pkg/ddl/create_table.go`, BuildTableInfoWithStmt); the id is left 0. */
export function buildTable(create: CreateTable, context: TableContext): TableInfo {
  const { session, sql, database } = context;
  const { charset, collate } = resolveCharset(
    [
      {
        ...(create.options.charset && { charset: create.options.charset.name }),
        ...(create.options.collate && { collate: create.options.collate.name }),
      },
      database,
    ],
    session,
  );
  checkTableName(create.table.name);
  const table = emptyTable(create.table.name, charset, collate);
  if (create.temporary) table.temp_table_type = create.temporary === "global" ? 1 : 2;
  if (create.columns.length === 0) throw ddlError(1113, "A table must have at least 1 column");
  const constraints = addColumns(table, create, { charset, collate, session, sql });
  nameConstraints(table.name.L, constraints);
  checkGeneratedColumns(table);
  for (const constraint of constraints) addConstraint(table, constraint, context);
  addForeignKeyIndexes(table, session);
  checkAutoIncrement(table);
  autoRandomBits(table, create.columns);
  applyTableOptions(table, create.options, session);
  if (create.partition) buildPartition(table, create.partition, { session, sql, ids: context.partitionIds });
  return table;
}

export function checkTableName(name: string): void {
  if (name === "" || name.endsWith(" ")) throw ddlError(1103, `Incorrect table name '${name}'`);
  if ([...name].length > 64) throw ddlError(1059, `Identifier name '${name}' is too long`);
}

/** Adds the columns; returns the constraints of the table followed by those of the columns, flags of the columns set. */
function addColumns(table: TableInfo, create: CreateTable, context: ColumnContext): Constraint[] {
  const constraints: Constraint[] = create.constraints.filter(
    ({ kind }) => kind !== "check" || context.session.checkConstraints,
  );
  const primary = constraints.find(({ kind }) => kind === "primary");
  const parts = primary && "parts" in primary ? primary.parts : [];
  for (const def of create.columns) {
    const built = buildColumn(def, context, parts);
    if (findColumn(table, def.name)) throw ddlError(1060, `Duplicate column name '${def.name}'`, { at: def.at });
    built.column.id = ++table.max_col_id;
    built.column.offset = table.cols.length;
    table.cols.push(built.column);
    constraints.push(...built.constraints);
  }
  for (const constraint of constraints) setConstraintFlags(table, constraint);
  return constraints;
}

function setConstraintFlags(table: TableInfo, constraint: Constraint): void {
  if (!("parts" in constraint)) return;
  const columns = constraint.parts.map(({ column }) => (column === undefined ? undefined : findColumn(table, column)));
  if (constraint.kind === "primary") {
    for (const column of columns) {
      if (!column) continue;
      column.type.Flag |= Flag.priKey | Flag.notNull;
      setNoDefaultFlag(column, column.default !== null);
    }
  } else if (constraint.kind === "unique" || constraint.kind === "key") {
    setIndexFlag(columns[0], constraint.kind === "unique", constraint.parts.length);
  }
}

/** Adds an index, foreign key or check to the table; also for ALTER TABLE. */
export function addConstraint(table: TableInfo, constraint: Constraint, context: TableContext): void {
  if (constraint.kind === "check") {
    addCheckConstraint(table, constraint);
    return;
  }
  if (constraint.kind === "foreign") {
    addForeignKey(table, constraint, context.database.name);
    return;
  }
  if (constraint.kind === "spatial") throw unsupportedError(context.sql, constraint.at, "a SPATIAL index");
  if (constraint.kind === "vector") throw unsupportedError(context.sql, constraint.at, "a columnar index");
  if (constraint.kind === "fulltext") {
    // TiDB reads FULLTEXT and makes no index of it (error 1214 becomes a warning).
    return;
  }
  if (constraint.options.condition)
    throw unsupportedError(context.sql, constraint.options.condition.at, "a partial index");
  const primary = constraint.kind === "primary";
  const name = primary ? "PRIMARY" : constraint.name!;
  const hidden = addHiddenColumns(table, name, constraint.parts, context);
  if (!primary && constraint.options.clustered !== undefined) {
    throw ddlError(8200, "CLUSTERED/NONCLUSTERED keyword is only supported for primary key", { at: constraint.at });
  }
  if (primary && setHandle(table, constraint, context.session)) return;
  const unique = primary || constraint.kind === "unique";
  const index = buildIndex(
    table,
    { name, primary, unique, parts: hidden.parts, options: constraint.options },
    context.session,
  );
  if (hidden.any) setIndexFlag(table.cols[index.idx_cols[0]!.offset], unique, index.idx_cols.length);
  table.index_info = [...(table.index_info ?? []), index];
}

/** Decides whether a primary key is the handle; true where it needs no index of its own. */
function setHandle(table: TableInfo, constraint: Constraint, session: DdlSession): boolean {
  if (!("parts" in constraint) || constraint.kind === "foreign") return false;
  const columns = constraint.parts.map((part) => {
    if (part.expr) throw ddlError(3756, "The primary key cannot be an expression index");
    const column = findColumn(table, part.column!);
    if (!column) throw ddlError(1072, `Key column '${part.column}' doesn't exist in table`, { at: part.at });
    if (column.generated_expr_string !== "" && !column.generated_stored) {
      throw ddlError(
        3106,
        "'Defining a virtual generated column as primary key' is not supported for generated columns.",
      );
    }
    return column;
  });
  const single = columns.length === 1 && isIntegerType(columns[0]!.type.Tp) ? columns[0] : undefined;
  const { clustered } = constraint.options;
  const byDefault = session.clusteredIndex === "on" || (session.clusteredIndex === "int_only" && single !== undefined);
  if (!(clustered ?? byDefault)) return false;
  if (constraint.options.invisible) throw ddlError(3522, "A primary key index cannot be invisible");
  if (constraint.options.global) {
    throw ddlError(8200, "Unsupported create an index that is both a global index and a clustered index");
  }
  if (single) table.pk_is_handle = true;
  else {
    table.is_common_handle = true;
    table.common_handle_version = 1;
  }
  return single !== undefined;
}

/** One AUTO_INCREMENT column at most, of a number type, first in some key (or the handle). */
export function checkAutoIncrement(table: TableInfo): void {
  const columns = table.cols.filter(({ type }) => type.Flag & Flag.autoIncrement);
  if (columns.length === 0) return;
  const [column] = columns;
  const wrong = "Incorrect table definition; there can be only one auto column and it must be defined as a key";
  if (columns.length > 1) throw ddlError(1075, wrong);
  const { type } = column!;
  if (!isIntegerType(type.Tp) && type.Tp !== Tp.float && type.Tp !== Tp.double) {
    throw ddlError(1063, `Incorrect column specifier for column '${column!.name.O}'`);
  }
  if (column!.default !== null) throw ddlError(1067, `Invalid default value for '${column!.name.O}'`);
  const isKey =
    (table.pk_is_handle && type.Flag & Flag.priKey) ||
    table.index_info?.some(({ idx_cols }) => idx_cols[0]!.offset === column!.offset);
  if (!isKey) throw ddlError(1075, wrong);
}
