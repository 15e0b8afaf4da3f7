/**
 * MySQL's exact decimals: text, and the binary form of `strings/decimal.c` (`decimal2bin`) as TiDB's `pkg/types/mydecimal.go`
 * stores it. Rounding to a column's scale is the caller's business; the binary form cuts.
 */
import { type ByteReader, corrupt } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { Decimal } from "./datum.ts";

/** Bytes that 0 to 9 decimal digits take. */
export const DIGIT_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
const WORD_DIGITS = 9;

/** Length of the binary form, without the precision and scale bytes. */
export function decimalBinLength(precision: number, scale: number): number {
  const whole = precision - scale;
  return (
    Math.floor(whole / WORD_DIGITS) * 4 +
    DIGIT_BYTES[whole % WORD_DIGITS]! +
    Math.floor(scale / WORD_DIGITS) * 4 +
    DIGIT_BYTES[scale % WORD_DIGITS]!
  );
}

const TEXT = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;

/** Reads plain and exponent notation exactly (`-12.50`, `1e-3`); undefined where the text is not a number. */
export function parseDecimal(text: string): Decimal | undefined {
  const m = TEXT.exec(text);
  if (m === null) return undefined;
  const whole = m[2]!;
  const fraction = m[3] ?? "";
  if (whole.length + fraction.length === 0) return undefined;
  const exponent = Number(m[4] ?? "0");
  if (Math.abs(exponent) > 100_000) return undefined;
  let unscaled = BigInt(whole + fraction);
  let scale = fraction.length - exponent;
  if (scale < 0) {
    unscaled *= 10n ** BigInt(-scale);
    scale = 0;
  }
  return { negative: m[1] === "-" && unscaled !== 0n, unscaled, scale };
}

/** Plain notation with exactly `scale` fractional digits, as SELECT shows it. */
export function decimalText(value: Decimal): string {
  const { whole, fraction } = digits(value);
  const sign = value.negative ? "-" : "";
  return sign + (whole === "" ? "0" : whole) + (fraction === "" ? "" : `.${fraction}`);
}

/** Integer digits without leading zeros, and exactly `scale` fractional digits. */
function digits(value: Decimal): { whole: string; fraction: string } {
  const text = value.unscaled === 0n ? "" : value.unscaled.toString();
  if (text.length <= value.scale) return { whole: "", fraction: text.padStart(value.scale, "0") };
  const cut = text.length - value.scale;
  return { whole: text.slice(0, cut), fraction: text.slice(cut) };
}

/** The value's own size, as TiDB's `PrecisionAndFrac`: leading zeros do not count, and zero has one digit. */
export function decimalSize(value: Decimal): { precision: number; scale: number } {
  const { whole, fraction } = digits(value);
  return { precision: Math.max(1, whole.length + fraction.length), scale: fraction.length };
}

/** What `encodeDecimalBin` lost. */
export type DecimalLoss = "none" | "truncated" | "overflow";

/**
 * Writes the binary form for (precision, scale). Integer digits that do not fit are dropped from the left, fractional ones from the
 * right; the answer says so, as MySQL's return code does.
 */
export function encodeDecimalBin(out: ByteWriter, value: Decimal, precision: number, scale: number): DecimalLoss {
  const parts = digits(value);
  const wholeSize = precision - scale;
  let loss: DecimalLoss = "none";
  let { whole, fraction } = parts;
  if (whole.length > wholeSize) {
    loss = "overflow";
    whole = whole.slice(whole.length - wholeSize);
  }
  if (fraction.length > scale) {
    loss = "truncated";
    fraction = fraction.slice(0, scale);
  }
  whole = whole.padStart(wholeSize, "0");
  fraction = fraction.padEnd(scale, "0");
  const from = out.length;
  const mask = value.negative ? 0xff : 0;
  let at = 0;
  const leading = wholeSize % WORD_DIGITS;
  if (leading > 0) putWord(out, whole.slice(0, leading), mask);
  for (at = leading; at < wholeSize; at += WORD_DIGITS) putWord(out, whole.slice(at, at + WORD_DIGITS), mask);
  for (at = 0; at < scale; at += WORD_DIGITS) putWord(out, fraction.slice(at, at + WORD_DIGITS), mask);
  if (out.length > from) out.bytes[from]! ^= 0x80;
  return loss;
}

function putWord(out: ByteWriter, text: string, mask: number): void {
  const size = DIGIT_BYTES[text.length]!;
  const word = Number(text);
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) out.u8(((word >>> shift) & 0xff) ^ mask);
}

/** Reads the binary form for (precision, scale). */
export function decodeDecimalBin(input: ByteReader, precision: number, scale: number): Decimal {
  if (precision < 1 || precision > 65 || scale > precision) throw corrupt(`DECIMAL(${precision},${scale})`);
  const size = decimalBinLength(precision, scale);
  const bytes = input.take(size).slice();
  bytes[0]! ^= 0x80;
  const negative = (bytes[0]! & 0x80) !== 0;
  if (negative) for (let i = 0; i < size; i++) bytes[i] = ~bytes[i]!;
  let unscaled = 0n;
  let at = 0;
  const word = (digitCount: number): void => {
    let value = 0;
    for (let i = 0; i < DIGIT_BYTES[digitCount]!; i++) value = value * 256 + bytes[at++]!;
    const limit = 10 ** digitCount;
    if (value >= limit) throw corrupt(`a decimal word of ${value} for ${digitCount} digits`);
    unscaled = unscaled * BigInt(limit) + BigInt(value);
  };
  const whole = precision - scale;
  if (whole % WORD_DIGITS > 0) word(whole % WORD_DIGITS);
  for (let i = 0; i < Math.floor(whole / WORD_DIGITS); i++) word(WORD_DIGITS);
  for (let i = 0; i < Math.floor(scale / WORD_DIGITS); i++) word(WORD_DIGITS);
  if (scale % WORD_DIGITS > 0) word(scale % WORD_DIGITS);
  return { negative: negative && unscaled !== 0n, unscaled, scale };
}

/** The datum form of keys and rows: precision, scale, then the binary form. Precision 0 means the value's own size. */
export function encodeDecimal(out: ByteWriter, value: Decimal, precision: number, scale: number): DecimalLoss {
  const size = precision === 0 ? decimalSize(value) : { precision, scale };
  out.u8(size.precision);
  out.u8(size.scale);
  return encodeDecimalBin(out, value, size.precision, size.scale);
}

export function decodeDecimal(input: ByteReader): Decimal {
  const precision = input.u8();
  const scale = input.u8();
  return decodeDecimalBin(input, precision, scale);
}
