import { resolveCharset } from "../build/charset.ts";
import { needsCharset } from "../build/field-type.ts";
import { exactNumber, hasClusteredIndex, setComment, setShardRowIdBits, setTtl } from "../build/options.ts";
import type { TableContext } from "../build/table.ts";
import type { AlterSpec, TableOptions } from "../ddl/ast.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import type { TableInfo } from "../table-info.ts";
import { addColumn, changeDefault, dropColumn, modifyColumn, renameColumn } from "./alter-column.ts";
import { addIndexTo, dropIndexOf, renameIndex, setIndexVisibility } from "./alter-index.ts";
import { alterPartition } from "./alter-partition.ts";

/** What ALTER TABLE needs beside the table. */
export interface AlterContext extends TableContext {
  /** A new table id, for PARTITION BY. */
  tableId: () => number;
  /** Takes the id of a job. */
  job: () => void;
}

/** Executes one change on the table object given. */
export function alterTable(table: TableInfo, spec: AlterSpec, context: AlterContext): void {
  const { session, sql } = context;
  const columns = { charset: table.charset, collate: table.collate, session, sql };
  switch (spec.kind) {
    case "add columns":
      for (const def of spec.columns) addColumn(table, def, spec.position, spec.ifNotExists, columns);
      for (const constraint of spec.constraints) addIndexTo(table, constraint, context);
      break;
    case "drop column":
      dropColumn(table, spec);
      break;
    case "modify column":
      modifyColumn(table, spec, columns);
      break;
    case "rename column":
      renameColumn(table, spec.from, spec.to);
      break;
    case "set default":
      changeDefault(table, spec.column, spec.expr, columns);
      break;
    case "add constraint":
      addIndexTo(table, spec.constraint, context);
      break;
    case "drop index":
      dropIndexOf(table, spec.name, spec.ifExists);
      break;
    case "drop primary":
      dropIndexOf(table, "PRIMARY", false);
      break;
    case "drop foreign":
    case "drop check":
      dropConstraint(table, spec);
      break;
    case "rename index":
      renameIndex(table, spec.from, spec.to);
      break;
    case "index visibility":
      setIndexVisibility(table, spec.name, spec.invisible);
      break;
    case "options":
      changeOptions(table, spec.options, context);
      break;
    case "convert charset":
      convertCharset(table, spec, context);
      break;
    case "cache":
      table.cache_table_status = spec.cached ? 2 : 0;
      break;
    case "remove ttl":
      table.ttl_info = null;
      break;
    case "nothing":
      return;
    case "rename table":
    case "exchange partition":
      throw unsupportedError(sql, spec.at, "this change beside others");
    default:
      alterPartition(table, spec, context);
  }
  context.job();
}

function dropConstraint(table: TableInfo, spec: AlterSpec & { kind: "drop foreign" | "drop check" }): void {
  const lower = spec.name.toLowerCase();
  const foreign = table.fk_info?.find(({ fk_name }) => fk_name.L === lower);
  const check = table.constraint_info?.find(({ constraint_name }) => constraint_name.L === lower);
  if (foreign && (spec.kind === "drop foreign" || !check)) {
    table.fk_info = table.fk_info!.filter((key) => key !== foreign);
    if (table.fk_info.length === 0) table.fk_info = null;
  } else if (check && spec.kind === "drop check") {
    table.constraint_info = table.constraint_info!.filter((constraint) => constraint !== check);
    if (table.constraint_info.length === 0) table.constraint_info = null;
  } else if (spec.kind === "drop check") {
    throw ddlError(3940, `Constraint '${spec.name}' does not exist.`);
  } else if (!spec.ifExists) {
    throw ddlError(1091, `Can't DROP '${spec.name}'; check that column/key exists`);
  }
}

function changeOptions(table: TableInfo, options: TableOptions, context: AlterContext): void {
  const { autoIncrement, autoIdCache, autoRandomBase, comment, shardRowIdBits, preSplitRegions } = options;
  if (autoIncrement !== undefined) table.auto_inc_id = exactNumber(BigInt.asIntN(64, autoIncrement));
  if (autoIdCache !== undefined) {
    if ((autoIdCache === 1n) !== (BigInt(table.auto_id_cache) === 1n)) {
      throw ddlError(8200, "Can't Alter AUTO_ID_CACHE between 1 and non-1, the underlying implementation is different");
    }
    table.auto_id_cache = exactNumber(autoIdCache);
  }
  if (autoRandomBase !== undefined) {
    if (table.auto_random_bits === 0) {
      throw ddlError(8216, "Invalid auto random: alter auto_random_base of a non auto_random table");
    }
    table.auto_rand_id = exactNumber(BigInt.asIntN(64, autoRandomBase));
  }
  if (comment !== undefined) setComment(table, comment);
  if (shardRowIdBits !== undefined) setShardRowIdBits(table, shardRowIdBits);
  if (preSplitRegions !== undefined && !hasClusteredIndex(table)) {
    table.pre_split_regions = Math.min(preSplitRegions, table.ShardRowIDBits);
  }
  if (options.placementPolicy !== undefined) {
    const { placementPolicy: name } = options;
    table.policy_ref_info = name === "" ? null : { id: 0, name: { O: name, L: name.toLowerCase() } };
  }
  setTtl(table, options);
  if (options.charset || options.collate) {
    const { charset, collate } = resolveCharset(
      [
        {
          ...(options.charset && { charset: options.charset.name }),
          ...(options.collate && { collate: options.collate.name }),
        },
      ],
      context.session,
    );
    checkTableCharset(table, charset);
    table.charset = charset;
    table.collate = collate;
  }
}

/** TiDB changes the table's character set only from a part of utf8mb4 to utf8mb4, or not at all. */
function checkTableCharset(table: TableInfo, charset: string): void {
  const widens = charset === "utf8mb4" && ["utf8", "ascii", "latin1"].includes(table.charset);
  if (table.charset === charset || widens || (charset === "utf8" && table.charset === "ascii")) return;
  throw ddlError(8200, `Unsupported modify charset from ${table.charset} to ${charset}`);
}

/** CONVERT TO CHARACTER SET: table and columns. */
function convertCharset(table: TableInfo, spec: AlterSpec & { kind: "convert charset" }, context: AlterContext): void {
  const { charset, collate } = resolveCharset(
    [
      { ...(spec.charset && { charset: spec.charset }), ...(spec.collate && { collate: spec.collate }) },
      context.database,
    ],
    context.session,
  );
  checkTableCharset(table, charset);
  for (const column of table.cols) {
    const { type } = column;
    if (!needsCharset(type.Tp) || type.Charset === "binary") continue;
    checkTableCharset({ ...table, charset: type.Charset }, charset);
    const indexed = table.index_info?.some(({ idx_cols }) => idx_cols.some(({ offset }) => offset === column.offset));
    if (indexed && type.Collate !== collate && context.session.newCollation) {
      throw ddlError(
        8200,
        `Unsupported converting collation of column '${column.name.O}' from '${type.Collate}' to '${collate}' when index is defined on it.`,
      );
    }
    type.Charset = charset;
    type.Collate = collate;
  }
  table.charset = charset;
  table.collate = collate;
}
