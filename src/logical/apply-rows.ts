import { LevinError } from "../base/mod.ts";
import type { SqlLink } from "../tidb/mod.ts";
import type { InsertBuilder } from "./insert-builder.ts";
import { columnOf, duplicateOf, faultOf, serverWords } from "./sql-faults.ts";

/** What becomes of rows that are in each other's way: nothing is decided (an error), the last one stays, the first one stays. */
export type ConflictStrategy = "" | "error" | "replace" | "ignore";

export interface ApplyPolicy {
  readonly strategy: ConflictStrategy;
  /** Rows with values that the server does not take are left out, else they are an error. */
  readonly tolerateRows: boolean;
  /** No statement may be larger. */
  readonly packetBytes: number;
  /** Whether each row that is in another's way is to be known by its number, or their count is enough. */
  readonly nameConflicts: boolean;
}

/** A row of a statement that was in another's way; the row that went is the earlier one (`replace`) or this one (`ignore`). */
export interface RowConflict {
  readonly row: number;
  readonly index: string;
  readonly value: string;
}

/** A row that the server did not take. */
export interface RefusedRow {
  readonly row: number;
  readonly column: string;
  readonly error: string;
}

export interface Applied {
  /** Rows that went, whether named or not. */
  conflictCount: number;
  conflicts: RowConflict[];
  refused: RefusedRow[];
  /** Values that the server has changed so that they fit, as its SQL mode lets it: as many as it has warned of. */
  changedValues: number;
  /** The first of them, in the server's words, with its row where the server tells it. */
  firstChange: { row: number | undefined; text: string } | undefined;
}

/** A row ends the import; the caller knows where it stands in the source. */
export class RowFault extends Error {
  override readonly name = "RowFault";
  readonly row: number;
  readonly kind: "duplicate" | "row";
  readonly error: LevinError;

  constructor(row: number, kind: "duplicate" | "row", error: LevinError) {
    super(error.message);
    this.row = row;
    this.kind = kind;
    this.error = error;
  }
}

/** Parts that rows are divided into when their statement is refused; up to so many go one by one. */
const PARTS = 4;

/**
 * Brings all rows of a builder in, inside the transaction that is open. First as one statement; when the server refuses it, in ever
 * smaller parts, until the rows that are at fault stand alone. Nothing is left to INSERT IGNORE, which would change bad values silently,
 * unless conflicts need not be named and the server's warnings account for every row.
 */
export async function applyRows(link: SqlLink, rows: InsertBuilder, policy: ApplyPolicy): Promise<Applied> {
  const out: Applied = { conflictCount: 0, conflicts: [], refused: [], changedValues: 0, firstChange: undefined };
  await applyRange(link, rows, 0, rows.rows, policy, out);
  return out;
}

async function applyRange(
  link: SqlLink,
  rows: InsertBuilder,
  from: number,
  to: number,
  policy: ApplyPolicy,
  out: Applied,
): Promise<void> {
  const alone = to - from === 1;
  try {
    if (!alone && rows.sizeOf(from, to) > policy.packetBytes) {
      await applyParts(link, rows, from, to, policy, out);
      return;
    }
    if (policy.strategy === "replace" && !policy.nameConflicts) {
      const { affectedRows, warnings } = await link.run(rows.statement("REPLACE", from, to));
      out.conflictCount += affectedRows - (to - from);
      if (warnings > 0) await noteChanges(link, from, to, warnings, out);
    } else {
      const { warnings } = await link.run(rows.statement("INSERT", from, to));
      if (warnings > 0) await noteChanges(link, from, to, warnings, out);
    }
    return;
  } catch (thrown) {
    if (!(thrown instanceof LevinError)) throw thrown;
    const fault = faultOf(thrown);
    if (fault !== "duplicate" && fault !== "row") throw thrown;
    if (alone) return applyOne(link, rows, from, fault, thrown, policy, out);
    if (fault === "duplicate" && policy.strategy === "ignore" && !policy.nameConflicts) {
      if (await ignoreRange(link, rows, from, to, out)) return;
    }
  }
  await applyParts(link, rows, from, to, policy, out);
}

/** Of the statement that has just been run, with rows `from` to `to`. */
async function noteChanges(link: SqlLink, from: number, to: number, warnings: number, out: Applied): Promise<void> {
  out.changedValues += warnings;
  if (out.firstChange !== undefined) return;
  const [first] = await link.rows("SHOW WARNINGS");
  const words = first?.[2] ?? "";
  const at = /^([\s\S]*) at row (\d+)$/.exec(words);
  // Some warnings name no row.
  const row = to - from === 1 ? from : at === null ? undefined : from + Number(at[2]) - 1;
  out.firstChange = { row, text: `${at?.[1] ?? words} (${first?.[1] ?? ""})` };
}

async function applyParts(
  link: SqlLink,
  rows: InsertBuilder,
  from: number,
  to: number,
  policy: ApplyPolicy,
  out: Applied,
): Promise<void> {
  const step = Math.max(1, Math.ceil((to - from) / PARTS));
  for (let at = from; at < to; at += step) await applyRange(link, rows, at, Math.min(to, at + step), policy, out);
}

/** One statement for rows that may be left out; false, and nothing done, where the server also changed values. */
async function ignoreRange(
  link: SqlLink,
  rows: InsertBuilder,
  from: number,
  to: number,
  out: Applied,
): Promise<boolean> {
  await link.run("SAVEPOINT levin_rows");
  const { affectedRows, warnings } = await link.run(rows.statement("INSERT IGNORE", from, to));
  const left = to - from - affectedRows;
  if (warnings === left) {
    out.conflictCount += left;
    return true;
  }
  await link.run("ROLLBACK TO SAVEPOINT levin_rows");
  return false;
}

/** A row that the server refused alone. */
async function applyOne(
  link: SqlLink,
  rows: InsertBuilder,
  row: number,
  kind: "duplicate" | "row",
  error: LevinError,
  policy: ApplyPolicy,
  out: Applied,
): Promise<void> {
  const words = serverWords(error);
  if (kind === "row") {
    if (!policy.tolerateRows) throw new RowFault(row, kind, error);
    out.refused.push({ row, column: columnOf(words) ?? "", error: words });
    return;
  }
  if (policy.strategy !== "replace" && policy.strategy !== "ignore") throw new RowFault(row, kind, error);
  let gone = 1;
  if (policy.strategy === "replace") {
    const { affectedRows, warnings } = await link.run(rows.statement("REPLACE", row, row + 1));
    if (warnings > 0) await noteChanges(link, row, row + 1, warnings, out);
    // One row may take the place of several, by a key each; servers do not count one that is the same in all columns.
    gone = Math.max(1, affectedRows - 1);
  }
  out.conflictCount += gone;
  if (policy.nameConflicts) out.conflicts.push({ row, ...duplicateOf(words) });
}
