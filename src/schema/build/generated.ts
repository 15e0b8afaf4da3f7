import { ddlError } from "../sql/sql-error.ts";
import { Flag, type TableInfo } from "../table-info.ts";

/**
 * Generated columns read known columns, generated ones only from before themselves, never an AUTO_INCREMENT column
 * (`checkGeneratedColumn`).
 */
export function checkGeneratedColumns(table: TableInfo): void {
  const places = new Map(table.cols.map((column) => [column.name.L, column]));
  for (const column of table.cols) {
    for (const name of Object.keys(column.dependences ?? {})) {
      const source = places.get(name);
      if (!source) throw ddlError(1054, `Unknown column '${name}' in 'generated column function'`);
      if (source.generated_expr_string !== "" && source.offset >= column.offset && !column.hidden) {
        throw ddlError(3107, "Generated column can refer only to generated columns defined prior to it.");
      }
      if (source.type.Flag & Flag.autoIncrement) {
        throw ddlError(3109, `Generated column '${column.name.L}' cannot refer to auto-increment column.`);
      }
    }
  }
}
