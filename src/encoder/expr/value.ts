/** What expressions compute with: one JavaScript type for each of TiDB's evaluation types (`pkg/types/eval_type.go`). */
import type { Datum, Decimal, TimeParts } from "../../codec/mod.ts";
import type { Duration } from "../cast/mod.ts";

/** The columns of a row by offset; generated columns before the one that is computed are filled in. */
export type Row = readonly Datum[];

/** A decimal and how many digits behind the point TiDB shows of it (MyDecimal's resultFrac; `scale` is its digitsFrac). */
export interface Dec extends Decimal {
  readonly shown: number;
}

/** DATE, DATETIME or TIMESTAMP in the session's zone. */
export interface Time extends TimeParts {
  readonly tp: number;
  readonly fsp: number;
}

export interface ValueOf {
  /** Signed or unsigned 64 bits, as the flag of the type says. */
  int: bigint;
  real: number;
  decimal: Dec;
  /** UTF-8, or any bytes where the type's character set is binary. */
  string: Uint8Array;
  time: Time;
  duration: Duration;
  /** TiDB's binary JSON. */
  json: Uint8Array;
}

export type Kind = keyof ValueOf;

/** Null is SQL's NULL; errors are thrown as CastError. */
export type Eval<T> = (row: Row) => T | null;
