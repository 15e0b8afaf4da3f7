import type { Warning } from "../session/front.ts";
import type { Pair, Transaction } from "../store/mod.ts";
import { SqlError } from "../wire/mod.ts";
import { type EncodedRow, RowError } from "./encoder.ts";
import type { Cell } from "./fields.ts";
import { insertFault, sqlStateOf } from "./insert-errors.ts";
import type { TableRows, UniqueKey } from "./table-rows.ts";

/** What a statement that writes needs of its session. */
export interface WriteContext {
  txn: Transaction;
  lockTimeoutMs: number;
  signal: AbortSignal;
  /** CLIENT_FOUND_ROWS: rows that were found count as affected though nothing changed in them. */
  foundRows: boolean;
  warn(warning: Warning): void;
  /** The session's time with that many fractional digits. */
  now(fsp: number): string;
  /** `foreign_key_checks`. */
  checkForeignKeys: boolean;
}

/** A row that is in the way of another one. */
export interface Obstacle {
  unique: UniqueKey;
  /** Its record as it is stored. */
  pair: Pair;
}

/** Writes rows of one table into a transaction. */
export class RowWriter {
  readonly rows: TableRows;
  readonly context: WriteContext;

  constructor(rows: TableRows, context: WriteContext) {
    this.rows = rows;
    this.context = context;
  }

  async lock(keys: readonly Uint8Array[]): Promise<boolean> {
    const { txn, lockTimeoutMs, signal } = this.context;
    return txn.lock(keys, lockTimeoutMs, signal);
  }

  /** The first stored row, in the order of the keys, that this row may not stand beside; its keys are locked from now on. */
  async obstacle(uniques: readonly UniqueKey[]): Promise<Obstacle | undefined> {
    const { current } = this.context.txn;
    for (const unique of uniques) {
      const value = await current.get(unique.key);
      if (value === undefined) continue;
      const key = this.rows.recordOf(unique, value);
      if (unique.index === undefined) return { unique, pair: { key, value } };
      await this.lock([key]);
      const record = await current.get(key);
      if (record === undefined)
        throw new SqlError(
          8141,
          `index ${unique.index.idx_name.O} of '${this.rows.table.name.O}' points to a row that is not there`,
        );
      return { unique, pair: { key, value: record } };
    }
    return undefined;
  }

  add(row: EncodedRow): void {
    const { txn } = this.context;
    txn.put(row.record.key, row.record.value);
    for (const { key, value } of row.index) txn.put(key, value);
  }

  remove(pair: Pair): void {
    const { txn } = this.context;
    const stored = this.rows.pairsOf(this.rows.exact(pair));
    txn.delete(pair.key);
    for (const { key } of stored.index) txn.delete(key);
  }

  /** Encodes cells; complaints become warnings of the statement, failures errors, worded as TiDB does for INSERT. */
  encode(encode: () => EncodedRow, cellOfColumn: (column: string) => Cell | undefined, rowNumber: number): EncodedRow {
    const { table } = this.rows;
    const fault = (one: RowError["fault"]) =>
      insertFault(one, table, one.column === undefined ? undefined : cellOfColumn(one.column.toLowerCase()), rowNumber);
    try {
      const row = encode();
      for (const warning of row.warnings) this.context.warn(fault(warning));
      return row;
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      const { code, message } = fault(error.fault);
      throw new SqlError(code, message, sqlStateOf(code));
    }
  }
}
