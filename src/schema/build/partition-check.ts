import { columnsOf } from "../sql/expr.ts";
import { parseExpr } from "../sql/expr-parser.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type PartitionDefinition, PartitionType, type TableInfo } from "../table-info.ts";
import { findColumn } from "./index.ts";
import { unwrapQuotes } from "./partition-value.ts";
import { evalKind } from "./value-type.ts";

/** Lower-case names of the columns that decide the partition. */
export function partitionColumns(table: TableInfo): string[] {
  const info = table.partition!;
  if (info.columns) return info.columns.map(({ L }) => L);
  return [...new Set(columnsOf(parseExpr(info.expr)).map(({ name }) => name.toLowerCase()))];
}

/** Bounds ascend strictly, MAXVALUE comes last; values of lists differ. */
export function checkRangeOrder(table: TableInfo, definitions: readonly PartitionDefinition[]): void {
  if (table.partition!.type === PartitionType.list) checkListValues(definitions);
  if (table.partition!.type !== PartitionType.range) return;
  for (let i = 1; i < definitions.length; i++) {
    const before = definitions[i - 1]!.less_than!;
    if (before.every((value) => value === "MAXVALUE")) {
      throw ddlError(1481, "MAXVALUE can only be used in last partition definition");
    }
    if (compareBounds(table, before, definitions[i]!.less_than!) >= 0) {
      throw ddlError(1493, "VALUES LESS THAN value must be strictly increasing for each partition");
    }
  }
}

/**
 * Order of two bounds: negative, zero or positive. Strings of a `_ci` collation are compared only for equality, as their order is
 * the codec's; unequal ones count as ascending.
 */
function compareBounds(table: TableInfo, a: readonly string[], b: readonly string[]): number {
  const columns = table.partition!.columns ?? [];
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!];
    if (left === right) continue;
    if (left === "MAXVALUE") return 1;
    if (right === "MAXVALUE") return -1;
    const name = columns[i];
    const type = name && findColumn(table, name.O)?.type;
    if (!type || evalKind(type) === "int") return BigInt(left) < BigInt(right) ? -1 : 1;
    if (evalKind(type) === "duration" || (evalKind(type) === "string" && !type.Collate.endsWith("bin"))) return -1;
    return unwrapQuotes(left) < unwrapQuotes(right) ? -1 : 1;
  }
  return 0;
}

function checkListValues(definitions: readonly PartitionDefinition[]): void {
  const seen = new Set<string>();
  for (const { in_values } of definitions) {
    for (const row of in_values ?? []) {
      const key = row.join(",");
      if (seen.has(key)) {
        if (key === "DEFAULT") throw ddlError(1494, "Multiple DEFAULT partitions are not allowed");
        throw ddlError(1495, "Multiple definition of same constant in list partitioning");
      }
      seen.add(key);
    }
  }
}

/**
 * A unique key holds all columns of the partition function, or is a global index (error 1503 for the clustered key, 8264 where
 * GLOBAL is not written).
 */
export function checkPartitionKeys(table: TableInfo, columns: readonly string[]): void {
  const must = (what: string) =>
    ddlError(1503, `A ${what} must include all columns in the table's partitioning function`);
  if (table.pk_is_handle) {
    const handle = table.cols.find(({ type }) => type.Flag & 2);
    if (columns.some((name) => name !== handle?.name.L)) throw must("CLUSTERED INDEX");
  }
  for (const index of table.index_info ?? []) {
    if (!index.is_unique) continue;
    const covered = columns.every((name) => index.idx_cols.some((part) => part.name.L === name));
    if (covered || index.is_global) continue;
    if (index.is_primary && table.is_common_handle) throw must("CLUSTERED INDEX");
    throw ddlError(
      8264,
      `Global Index is needed for index '${index.idx_name.O}', since the unique index is not including all partitioning columns, and GLOBAL is not given as IndexOption`,
    );
  }
}
