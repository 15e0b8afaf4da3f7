import { quoteName, type Tidb } from "./connection.ts";

/** Whether a table has any row. */
export async function hasRows(tidb: Tidb, database: string, table: string): Promise<boolean> {
  const { rows } = await tidb.query(`SELECT 1 FROM ${quoteName(database)}.${quoteName(table)} LIMIT 1`);
  return rows.length > 0;
}

/** Tables of one statement. */
const TABLES = 128;

/** Those of many tables that have any row; a few statements for all of them. */
export async function tablesWithRows<T extends { database: string; table: string }>(
  tidb: Tidb,
  tables: readonly T[],
): Promise<T[]> {
  const found: T[] = [];
  for (let from = 0; from < tables.length; from += TABLES) {
    const selects = tables
      .slice(from, from + TABLES)
      .map(({ database, table }, i) => `(SELECT ${from + i} FROM ${quoteName(database)}.${quoteName(table)} LIMIT 1)`);
    const { rows } = await tidb.query(selects.join(" UNION ALL "));
    for (const [at] of rows) found.push(tables[Number(at)]!);
  }
  return found;
}
