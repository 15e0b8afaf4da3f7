/**
 * One column value in its generic form: what casts and expressions work on, and what the plain encoder takes. The hot path does
 * not use it; it encodes straight from source bytes.
 */
export type Datum =
  | { readonly kind: "null" }
  /** Signed 64-bit; also YEAR. */
  | { readonly kind: "int"; readonly value: bigint }
  /** Unsigned 64-bit. */
  | { readonly kind: "uint"; readonly value: bigint }
  /** FLOAT (already rounded to 32 bits) and DOUBLE. */
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "decimal"; readonly value: Decimal }
  /** Strings (UTF-8, whatever the column's charset) and binary strings; `collation` "binary" for the latter. */
  | { readonly kind: "bytes"; readonly value: Uint8Array; readonly collation: string }
  /** DATE, DATETIME, TIMESTAMP: the packed 64-bit form in the session's time zone (TIMESTAMP becomes UTC when encoded). */
  | { readonly kind: "time"; readonly packed: bigint; readonly tp: number; readonly fsp: number }
  /** TIME: signed nanoseconds. */
  | { readonly kind: "duration"; readonly nanos: bigint; readonly fsp: number }
  /** Index from 1; 0 is the empty error value. */
  | { readonly kind: "enum"; readonly value: bigint }
  | { readonly kind: "set"; readonly value: bigint }
  | { readonly kind: "bit"; readonly value: bigint }
  /** TiDB's binary JSON: type byte, then value. */
  | { readonly kind: "json"; readonly value: Uint8Array }
  /** Little-endian u32 count, then f32 each. */
  | { readonly kind: "vector"; readonly value: Uint8Array };

/** Exact decimal: (negative ? -1 : 1) * unscaled / 10^scale, `unscaled` >= 0. Zero is never negative. */
export interface Decimal {
  readonly negative: boolean;
  readonly unscaled: bigint;
  readonly scale: number;
}

export const NULL_DATUM: Datum = { kind: "null" };
