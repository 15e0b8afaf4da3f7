import type { Datum, JsonDoubles, PairSink } from "../codec/mod.ts";
import type { ColumnInfo, IndexInfo, TableInfo } from "../schema/mod.ts";
import type { CastSession } from "./cast/mod.ts";

/** Settings of the session in which TiDB would have written the rows. */
export interface EncodeSession {
  /** Comma-separated `sql_mode`. */
  readonly sqlMode: string;
  /** Resolved `time_zone`: a name of the tz database, `UTC` or `+08:00`; never `SYSTEM`. */
  readonly timeZone: string;
  /** `new_collation_enabled` of the cluster. */
  readonly newCollations: boolean;
  /** `tidb_row_format_version`. */
  readonly rowFormatVersion: 1 | 2;
  /** `tidb_enable_row_level_checksum`; only row format 2 has one. */
  readonly rowLevelChecksum: boolean;
  /** Milliseconds since 1970 for CURRENT_TIMESTAMP and its kin. */
  readonly nowMs: number;
  readonly defaultWeekFormat: number;
  /** How the server writes doubles when JSON becomes text in an expression; `point` where absent. */
  readonly jsonDoubles?: JsonDoubles;
}

/** Expressions of the table, compiled once; a missing one makes the encoder refuse a table that needs it. */
export interface TableExpressions {
  /** Value of a generated column, cast to its type; `row` by column offset, generated columns before it are filled in. */
  generated?(table: TableInfo, column: ColumnInfo): (row: readonly Datum[]) => Datum;
  /** Value of a DEFAULT (expr). */
  defaultValue?(table: TableInfo, column: ColumnInfo): () => Datum;
  /** Index into `partition.definitions`; undefined where no partition takes the row. */
  partition?(table: TableInfo): (row: readonly Datum[]) => number | undefined;
  /** Whether a partial index has an entry for the row. */
  condition?(table: TableInfo, index: IndexInfo): (row: readonly Datum[]) => boolean;
}

export interface EncodeWarning {
  /** MySQL's number; 0 where TiDB has none. */
  readonly mysqlCode: number;
  readonly column: string;
  readonly message: string;
  readonly rowId: number;
}

export interface EncodeOptions {
  readonly session: EncodeSession;
  /** Evaluators that share the encoder's casts (SQL mode, zone, warnings); those of `expr` if left out. */
  readonly expressions?: (casts: CastSession, session: EncodeSession) => TableExpressions;
  /** Takes the record pair of each row, before its index pairs. */
  readonly record: PairSink;
  readonly index: PairSink;
  /** Called for every warning; `WarningSummary` keeps counts and first examples. */
  readonly onWarning?: (warning: EncodeWarning) => void;
  /** For tests and for measuring: every row takes the plain path. */
  readonly plainOnly?: boolean;
}
