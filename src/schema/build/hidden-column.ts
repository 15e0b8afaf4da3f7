import type { KeyPart } from "../ddl/ast.ts";
import { GENERATED_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type ColumnInfo, Flag, type TableInfo } from "../table-info.ts";
import { dependencesOf, emptyColumn } from "./column.ts";
import { inferType } from "./expr-type.ts";
import { checkRowFunctions } from "./function-rules.ts";
import { findColumn } from "./index.ts";
import type { DdlSession } from "./session.ts";

/**
 * Expressions among the parts of an index become hidden virtual columns `_V$_<index>_<part>` at the end of the table
 * (`BuildHiddenColumnInfo`); returns the parts with columns only.
 */
export function addHiddenColumns(
  table: TableInfo,
  indexName: string,
  parts: readonly KeyPart[],
  context: { session: DdlSession; sql: string },
): { parts: KeyPart[]; any: boolean } {
  let any = false;
  const named = parts.map((part, i) => {
    if (!part.expr) return part;
    any = true;
    const column = hiddenColumn(table, `_V$_${indexName}_${i}`, part, context);
    column.id = ++table.max_col_id;
    column.offset = table.cols.length;
    table.cols.push(column);
    return { at: part.at, column: column.name.O };
  });
  return { parts: named, any };
}

function hiddenColumn(
  table: TableInfo,
  name: string,
  part: KeyPart,
  context: { session: DdlSession; sql: string },
): ColumnInfo {
  const expr = part.expr!;
  if ([...name].length > 64) throw ddlError(1059, "Identifier name 'hidden column' is too long");
  if (findColumn(table, name)) throw ddlError(1060, `Duplicate column name '${name}'`);
  if (expr.kind === "column")
    throw ddlError(3762, "Expression index on a column is not supported. Consider using a regular index instead");
  checkRowFunctions(expr, name, "expression index");
  const dependences = dependencesOf(expr);
  for (const source of Object.keys(dependences)) {
    const column = findColumn(table, source);
    if (!column) throw ddlError(1054, `Unknown column '${source}' in 'expression'`, { at: part.at });
    if (column.type.Flag & Flag.autoIncrement) {
      throw ddlError(3754, `Expression index '${name}' cannot refer to an auto-increment column.`);
    }
  }
  const type = inferType(expr, { table, ...context });
  const kept = ~(
    Flag.priKey |
    Flag.uniqueKey |
    Flag.autoIncrement |
    Flag.multipleKey |
    Flag.notNull |
    Flag.noDefaultValue
  );
  return {
    ...emptyColumn(name),
    generated_expr_string: printExpr(expr, {
      ...GENERATED_STYLE,
      charset: context.session.connectionCharset ?? "utf8mb4",
    }),
    dependences,
    hidden: true,
    type: { ...type, Flag: type.Flag & kept },
  };
}
