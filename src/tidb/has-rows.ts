import { quoteName, type Tidb } from "./connection.ts";

/** Whether a table has any row. */
export async function hasRows(tidb: Tidb, database: string, table: string): Promise<boolean> {
  const { rows } = await tidb.query(`SELECT 1 FROM ${quoteName(database)}.${quoteName(table)} LIMIT 1`);
  return rows.length > 0;
}
