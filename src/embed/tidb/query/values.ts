import { compareBytes, textOf, utf8 } from "../../../base/mod.ts";
import { type Decimal, decimalText, parseDecimal } from "../../../codec/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import { valueText } from "../reader/mod.ts";

/** A value while a statement is evaluated: its text or bytes, and whether it compares as a number. */
export interface Value {
  text: string | Uint8Array | null;
  numeric: boolean;
  /** Compares without regard to case. */
  caseless: boolean;
  /** A number that is no exact one. */
  double?: boolean;
}

export const NULL_VALUE: Value = { text: null, numeric: false, caseless: false };
export const number = (text: string): Value => ({ text, numeric: true, caseless: false });
export const plain = (text: string | Uint8Array | null): Value => ({ text, numeric: false, caseless: false });
export const truth = (value: boolean | null): Value => (value === null ? NULL_VALUE : number(value ? "1" : "0"));

export const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === "string" ? utf8(value) : value);
export const stringOf = (value: string | Uint8Array): string => (typeof value === "string" ? value : textOf(value));

export const ZERO: Decimal = { negative: false, unscaled: 0n, scale: 0 };

export function decimalOf(value: string | Uint8Array): Decimal {
  const text = stringOf(value).trim();
  const exact = parseDecimal(text);
  if (exact !== undefined) return exact;
  const loose = Number.parseFloat(text);
  return Number.isFinite(loose) ? (parseDecimal(loose.toFixed(20)) ?? ZERO) : ZERO;
}

export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.scale === b.scale && !a.negative && !b.negative) {
    return a.unscaled < b.unscaled ? -1 : a.unscaled > b.unscaled ? 1 : 0;
  }
  const scale = Math.max(a.scale, b.scale);
  const at = (d: Decimal) => (d.negative ? -1n : 1n) * d.unscaled * 10n ** BigInt(scale - d.scale);
  const [x, y] = [at(a), at(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Order of the UTF-8 bytes; that of UTF-16 differs from it behind the surrogates only. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  return /[\ud800-\uffff]/.test(a + b) ? compareBytes(utf8(a), utf8(b)) : a < b ? -1 : 1;
}

/** Order of two values that are not NULL. */
export function compareValues(a: Value, b: Value): number {
  if (a.numeric || b.numeric) return compareDecimals(decimalOf(a.text!), decimalOf(b.text!));
  if (a.caseless || b.caseless) {
    const fold = (value: Value) => stringOf(value.text!).toLowerCase().trimEnd();
    return compareStrings(fold(a), fold(b));
  }
  if (typeof a.text === "string" && typeof b.text === "string") return compareStrings(a.text, b.text);
  return compareBytes(bytesOf(a.text!), bytesOf(b.text!));
}

export function isTrue(value: Value): boolean | null {
  return value.text === null ? null : compareDecimals(decimalOf(value.text), ZERO) !== 0;
}

export function like(text: string, pattern: string, caseless: boolean): boolean {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === "\\" && i + 1 < pattern.length) source += pattern[++i]!.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    else if (c === "%") source += "[\\s\\S]*";
    else if (c === "_") source += "[\\s\\S]";
    else source += c.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  return new RegExp(`^${source}$`, caseless ? "iu" : "u").test(text);
}

const DOUBLE_TYPE = {
  Tp: Tp.double,
  Flag: 0,
  Flen: 22,
  Decimal: -1,
  Charset: "binary",
  Collate: "binary",
  Elems: null,
};

export function double(value: number): Value {
  if (!Number.isFinite(value)) return NULL_VALUE;
  return {
    text: String(valueText({ kind: "float", value }, DOUBLE_TYPE)),
    numeric: true,
    caseless: false,
    double: true,
  };
}

/** The number that a value is: exact where it has a point at most, else a double; bytes of a hex literal are an integer. */
export function numberOf(value: Value): { exact: Decimal } | { double: number } {
  const { text } = value;
  if (text instanceof Uint8Array) {
    let sum = 0n;
    for (const byte of text) sum = (sum << 8n) | BigInt(byte);
    return { exact: { negative: false, unscaled: sum, scale: 0 } };
  }
  const exact = value.double || !value.numeric || /e/i.test(text!) ? undefined : parseDecimal(text!);
  if (exact !== undefined) return { exact };
  const double = Number.parseFloat(text!);
  return { double: Number.isNaN(double) ? 0 : double };
}

export function signedOf({ negative, unscaled }: Decimal): bigint {
  return negative ? -unscaled : unscaled;
}

export function exactNumber(unscaled: bigint, scale: number): Value {
  return number(decimalText({ negative: unscaled < 0n, unscaled: unscaled < 0n ? -unscaled : unscaled, scale }));
}

/** Rounded half away from zero to an integer. */
export function integerOf(value: Value): bigint {
  const found = numberOf(value);
  if ("double" in found) return BigInt(Math.round(found.double));
  const { exact } = found;
  const unit = 10n ** BigInt(exact.scale);
  const rounded = (exact.unscaled + unit / 2n) / unit;
  return exact.negative ? -rounded : rounded;
}
