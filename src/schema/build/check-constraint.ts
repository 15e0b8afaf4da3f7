import type { Constraint } from "../ddl/ast.ts";
import { columnsOf } from "../sql/expr.ts";
import { GENERATED_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError } from "../sql/sql-error.ts";
import type { TableInfo } from "../table-info.ts";
import { ciStr } from "./column.ts";
import { findColumn } from "./index.ts";

/** Adds a CHECK constraint (only with `tidb_enable_check_constraint`). */
export function addCheckConstraint(table: TableInfo, constraint: Constraint & { kind: "check" }): void {
  const name = constraint.name ?? `${table.name.L}_chk_${(table.max_cst_id ?? 0) + 1}`;
  const columns = [...new Set(columnsOf(constraint.expr).map((column) => column.name.toLowerCase()))];
  for (const column of columns) {
    if (findColumn(table, column)) continue;
    throw ddlError(3820, `Check constraint '${name}' refers to non-existing column '${column}'.`);
  }
  const id = (table.max_cst_id ?? 0) + 1;
  table.max_cst_id = id;
  table.constraint_info = [
    ...(table.constraint_info ?? []),
    {
      id,
      constraint_name: ciStr(name),
      tbl_name: { ...table.name },
      constraint_cols: columns.map(ciStr),
      enforced: constraint.enforced,
      in_column: false,
      expr_string: printExpr(constraint.expr, GENERATED_STYLE),
      state: 5,
    },
  ];
}
