import { quoteName, type Tidb } from "./connection.ts";

/** One allocator of a table as `SHOW TABLE … NEXT_ROW_ID` gives it. */
export interface NextRowId {
  column: string;
  /** Next global id; the used maximum is one less. */
  next: bigint;
  /** `_TIDB_ROWID`, `AUTO_INCREMENT`, `AUTO_RANDOM` or `SEQUENCE`. */
  kind: string;
}

export async function readNextRowIds(tidb: Tidb, db: string, table: string): Promise<NextRowId[]> {
  const { rows } = await tidb.query(`SHOW TABLE ${quoteName(db)}.${quoteName(table)} NEXT_ROW_ID`);
  return rows.map((row) => ({
    column: row[2] ?? "",
    next: BigInt(row[3] ?? "0"),
    kind: row[4] ?? "",
  }));
}

/** Raises the AUTO_INCREMENT (or `_tidb_rowid`) base so that the next id is `next` or higher. */
export async function rebaseAutoIncrement(tidb: Tidb, db: string, table: string, next: bigint): Promise<void> {
  const limited = next > 9223372036854775807n ? 9223372036854775807n : next;
  await tidb.query(`ALTER TABLE ${quoteName(db)}.${quoteName(table)} AUTO_INCREMENT = ${limited}`);
}

/** Raises the AUTO_RANDOM base; `next` is of the incremental bits. */
export async function rebaseAutoRandom(tidb: Tidb, db: string, table: string, next: bigint): Promise<void> {
  await tidb.query(`ALTER TABLE ${quoteName(db)}.${quoteName(table)} AUTO_RANDOM_BASE = ${next}`);
}
