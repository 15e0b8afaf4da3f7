import type { Constraint, ReferenceAction } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";
import type { ForeignKeyInfo, IndexInfo, TableInfo } from "../table-info.ts";
import { ciStr } from "./column.ts";
import { buildIndex, findColumn, findIndex } from "./index.ts";
import type { DdlSession } from "./session.ts";

const ACTIONS: Record<ReferenceAction, number> = {
  none: 0,
  restrict: 1,
  cascade: 2,
  "set null": 3,
  "no action": 4,
  "set default": 5,
};

/** Adds a foreign key; `database`: schema of a reference that names none. The referenced table is not looked up. */
export function addForeignKey(
  table: TableInfo,
  constraint: Constraint & { kind: "foreign" },
  database: string,
): ForeignKeyInfo {
  const { parts, reference } = constraint;
  const id = (table.max_fk_id ?? 0) + 1;
  const name = constraint.name ?? `fk_${id}`;
  if (table.fk_info?.some(({ fk_name }) => fk_name.L === name.toLowerCase())) {
    throw ddlError(1826, `Duplicate foreign key constraint name '${name}'`);
  }
  if (reference.columns.length !== parts.length) {
    throw ddlError(
      1239,
      `Incorrect foreign key definition for '${name}': Key reference and table reference don't match`,
    );
  }
  for (const part of parts) {
    const column = part.column === undefined ? undefined : findColumn(table, part.column);
    if (!column) throw ddlError(1072, `Key column '${part.column}' doesn't exist in table`, { at: part.at });
    if (column.generated_expr_string !== "" && !column.generated_stored) {
      throw ddlError(3733, `Foreign key '${name}' uses virtual column '${column.name.O}' which is not supported.`);
    }
  }
  const key: ForeignKeyInfo = {
    id,
    fk_name: ciStr(name),
    ref_schema: ciStr(reference.table.schema ?? database),
    ref_table: ciStr(reference.table.name),
    ref_cols: reference.columns.map(({ column }) => ciStr(column ?? "")),
    cols: parts.map(({ column }) => ciStr(column!)),
    on_delete: ACTIONS[reference.onDelete],
    on_update: ACTIONS[reference.onUpdate],
    state: 5,
    version: 1,
  };
  table.max_fk_id = id;
  table.fk_info = [...(table.fk_info ?? []), key];
  return key;
}

/** True when the index begins with these columns, whole. */
function covers(index: IndexInfo, columns: readonly { L: string }[]): boolean {
  return columns.every(({ L }, i) => index.idx_cols[i]?.name.L === L && index.idx_cols[i]?.length === -1);
}

/** Foreign keys whose columns no index begins with get one of their own name (`addIndexForForeignKey`). */
export function addForeignKeyIndexes(table: TableInfo, session: DdlSession): void {
  for (const key of table.fk_info ?? []) {
    const [first] = key.cols;
    const handle = table.pk_is_handle && key.cols.length === 1 ? findColumn(table, first!.O) : undefined;
    if (handle && (handle.type.Flag & 2) !== 0) continue;
    if (table.index_info?.some((index) => covers(index, key.cols))) continue;
    if (findIndex(table, key.fk_name.O)) throw ddlError(1061, `Duplicate key name '${key.fk_name.O}'`);
    const parts = key.cols.map(({ O }) => ({ at: 0, column: O }));
    const shape = { name: key.fk_name.O, primary: false, unique: false, parts, options: {} };
    table.index_info = [...(table.index_info ?? []), buildIndex(table, shape, session)];
  }
}
