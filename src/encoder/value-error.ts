import { LevinError } from "../base/mod.ts";

/** MySQL's numbers that the encoder itself gives. */
export const MysqlCode = {
  columnCannotBeNull: 1048,
  noDefault: 1364,
  noPartition: 1526,
} as const;

/** An error of a value; the caller of the encoder adds file, row and byte. */
export function valueError(
  table: string,
  column: string,
  mysqlCode: number,
  message: string,
  cause?: unknown,
): LevinError {
  const code = mysqlCode === 0 ? "" : ` (MySQL error ${mysqlCode})`;
  const what = `Cannot store value in column "${column}" of table "${table}"`;
  return new LevinError("Levin:Encode:ErrValue", `${what}: ${message}${code}`, {
    cause,
    fields: { table, column, mysqlCode },
  });
}

/** Number and text of whatever a cast or an expression threw; undefined for errors that are not about values. */
export function valueFault(thrown: unknown): { mysqlCode: number; message: string } | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const code = (thrown as { code?: unknown }).code ?? (thrown as { mysqlCode?: unknown }).mysqlCode;
  return typeof code === "number" ? { mysqlCode: code, message: thrown.message } : undefined;
}

/** A value that has no sort key under its column's collation. */
export function keyError(table: string, cause: Error): LevinError {
  return new LevinError("Levin:Encode:ErrValue", `Cannot make key of table "${table}": ${cause.message}`, {
    cause,
    fields: { table },
  });
}
