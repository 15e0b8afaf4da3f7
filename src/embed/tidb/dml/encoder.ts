import type { Fields } from "../../../codec/mod.ts";
import type { TableInfo } from "../../../schema/mod.ts";
import type { Pair } from "../store/mod.ts";

/** Settings of a session that shape stored rows. */
export interface RowSession {
  sqlMode: string;
  /** Resolved, never SYSTEM. */
  timeZone: string;
  newCollations: boolean;
  rowFormatVersion: 1 | 2;
  rowLevelChecksum: boolean;
  nowMs: number;
  defaultWeekFormat: number;
}

/** A conversion's complaint as Lightning words it; `errno` 0 = TiDB has none. */
export interface RowFault {
  errno: number;
  message: string;
  column: string | undefined;
}

/** A row that cannot be stored. */
export class RowError extends Error {
  readonly fault: RowFault;

  constructor(fault: RowFault) {
    super(fault.message);
    this.fault = fault;
  }
}

export interface EncodedRow {
  record: Pair;
  index: Pair[];
  warnings: RowFault[];
}

/** Turns rows into pairs; every field belongs to one of the columns named when it was made. Throws RowError. */
export interface RowEncoder {
  encode(fields: Fields): EncodedRow;
}

/**
 * Makes row encoders. The sandbox's SQL front is given one, so that nothing here is a second encoder. `columns` may hold
 * `_tidb_rowid`; columns that are not named get their defaults.
 */
export type MakeRowEncoder = (table: TableInfo, columns: readonly string[], session: RowSession) => RowEncoder;
