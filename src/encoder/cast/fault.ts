/**
 * Failures of conversions as values. TiDB's conversions return a usable value together with an error, and the SQL mode decides
 * afterwards whether the error becomes a warning; so a failure is not thrown where it happens.
 */
export interface Fault {
  /** MySQL's error number; 0 where TiDB gives none. */
  readonly code: number;
  readonly message: string;
}

/** Error numbers that conversions give (TiDB `pkg/errno/errcode.go`). */
export const Code = {
  none: 0,
  columnCannotBeNull: 1048,
  outOfRangeForColumn: 1264,
  truncated: 1265,
  wrongValue: 1292,
  noDefault: 1364,
  wrongString: 1366,
  tooLong: 1406,
  valueOutOfRange: 1690,
  jsonText: 3140,
  jsonCharset: 3144,
  badNumber: 8029,
  defaultFailed: 8038,
} as const;

/** The numbers that non-strict mode turns into warnings (TiDB `pkg/types/truncate.go`, `HandleTruncate`). */
const FORGIVABLE: ReadonlySet<number> = new Set([
  Code.wrongValue,
  Code.tooLong,
  Code.wrongString,
  Code.outOfRangeForColumn,
  Code.valueOutOfRange,
  Code.badNumber,
  1411,
  1441,
  Code.truncated,
  8034,
]);

export function isForgivable(code: number): boolean {
  return FORGIVABLE.has(code);
}

/** A conversion that the SQL mode does not forgive. The caller adds file, row and column. */
export class CastError extends Error {
  override readonly name = "CastError";
  /** MySQL's error number; 0 where TiDB gives none. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** `Truncated incorrect DOUBLE value: '1x'`: a text has more, or other, than the value. */
export function truncatedWrongValue(type: string, text: string): Fault {
  return { code: Code.wrongValue, message: `Truncated incorrect ${type} value: '${text}'` };
}

/** `Incorrect datetime value: 'x'`. */
export function wrongValue(type: string, text: string): Fault {
  return { code: Code.wrongValue, message: `Incorrect ${type} value: '${text}'` };
}

/** `constant 300 overflows tinyint`. */
export function constantOverflows(value: string | bigint | number, type: string): Fault {
  return { code: Code.valueOutOfRange, message: `constant ${value} overflows ${type}` };
}

/** `BIGINT value is out of range in '9e99'`. */
export function valueOutOfRange(type: string, detail: string): Fault {
  return { code: Code.valueOutOfRange, message: `${type} value is out of range in '${detail}'` };
}

/** Failures that are found where the column or the value is not known: `worded` completes their messages. */
export const DECIMAL_OVERFLOW: Fault = { code: Code.valueOutOfRange, message: "DECIMAL value is out of range" };
export const DATA_TRUNCATED: Fault = { code: Code.truncated, message: "Data truncated" };
export const OUT_OF_RANGE: Fault = { code: Code.outOfRangeForColumn, message: "Out of range value" };

/** The failure with column and value in its message. `text`: the value as messages quote it. */
export function worded(fault: Fault, column: string, text: () => string): Fault {
  if (fault === DECIMAL_OVERFLOW) return { code: fault.code, message: `${fault.message} in '${text()}'` };
  if (fault !== DATA_TRUNCATED && fault !== OUT_OF_RANGE) return fault;
  return { code: fault.code, message: `${fault.message} for column '${column}'` };
}

export const BAD_NUMBER: Fault = { code: Code.badNumber, message: "Bad Number" };

/** An error of Go's library that reaches the user without a number, as a digit string beyond 64 bits in a date. */
export function unnumbered(message: string): Fault {
  return { code: Code.none, message };
}
