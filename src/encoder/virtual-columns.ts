/** Virtual generated columns of rows that are read back: the same expressions, the other way round. */
import { type Datum, NULL_DATUM } from "../codec/mod.ts";
import type { TableInfo } from "../schema/mod.ts";
import { CastSession } from "./cast/mod.ts";
import { tableExpressions } from "./expr/mod.ts";
import type { EncodeSession } from "./options.ts";

/**
 * Compiles a function that fills in the virtual generated columns of a row (by column offset, all other columns given); TIMESTAMP
 * values are in the session's zone. Warnings are dropped. Throws `Levin:Schema:ErrUnsupported` for an expression that is not known.
 */
export function compileVirtualColumns(
  table: TableInfo,
  session: Pick<
    EncodeSession,
    "sqlMode" | "timeZone" | "newCollations" | "nowMs" | "defaultWeekFormat" | "jsonDoubles"
  >,
): (values: (Datum | undefined)[]) => void {
  const casts = new CastSession({ ...session, warn: () => undefined });
  const expressions = tableExpressions(casts, session);
  const columns = table.cols.filter((column) => column.generated_expr_string !== "" && !column.generated_stored);
  const evaluators = columns.map((column) => expressions.generated(table, column));
  return (values) => {
    const row = values.map((value) => value ?? NULL_DATUM);
    columns.forEach((column, i) => {
      const value = evaluators[i]!(row);
      row[column.offset] = value;
      values[column.offset] = value;
    });
  };
}
