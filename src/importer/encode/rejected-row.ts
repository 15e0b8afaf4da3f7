import { LevinError, textOf } from "../../base/mod.ts";
import { FieldKind, type Fields } from "../../codec/mod.ts";
import type { TableInfo } from "../../schema/mod.ts";

/** A row that could not be cast and was left out: a line of the report. */
export interface RejectedRow {
  table: string;
  file: string;
  /** From 1, in its file or piece of a file. */
  row: number;
  /** Of the row's first byte in the decompressed file. */
  byte: number;
  column: string;
  /** Of the column's field; null: NULL, or the source has none. */
  text: string | null;
  error: string;
}

/** Longer texts are cut in the report; file and byte say where they stand. */
const TEXT_MAX = 4096;

/** True for errors of one row's values, which another row need not have. */
export function isRowError(thrown: unknown): thrown is LevinError {
  return (
    thrown instanceof LevinError &&
    (thrown.code === "Levin:Encode:ErrValue" || thrown.code === "Levin:Encode:ErrNoPartition")
  );
}

export function rejectedRow(
  error: LevinError,
  place: { table: string; file: string; row: number; byte: number },
  fields: Fields,
  names: readonly string[] | undefined,
  info: TableInfo,
): RejectedRow {
  const column = String(error.fields["column"] ?? "");
  const visible = info.cols.filter((one) => !one.hidden);
  const plain = visible.filter((one) => one.generated_expr_string === "");
  const order = names ?? (fields.count === visible.length ? visible : plain).map((one) => one.name.O);
  const field = order.findIndex((name) => name.toLowerCase() === column.toLowerCase());
  const has = field >= 0 && field < fields.count && fields.kind[field] !== FieldKind.null;
  const end = has ? Math.min(fields.end[field]!, fields.start[field]! + TEXT_MAX) : 0;
  const text = has ? textOf(fields.bytes.subarray(fields.start[field]!, end)) : null;
  return { ...place, column, text, error: error.message };
}

/** The job's tolerance is used up; `detail` names a row or the report. */
export function tooManyTypeErrors(max: number, found: number, detail: string): LevinError {
  return new LevinError(
    "Levin:Encode:ErrTooManyErrors",
    `Cannot go on: ${found} rows cannot be cast, lightning.max-error allows ${max}; ${detail}`,
    { fields: { max, found } },
  );
}
