/**
 * Decimals from text and their rounding, with the limits of TiDB's `MyDecimal` (`pkg/types/mydecimal.go`): nine words of nine
 * digits, so that a long fraction is cut, and of too long a whole part the last 81 digits remain.
 */
import { type Decimal, decimalText } from "../../codec/mod.ts";
import { byteString, isDigit, readable, trimSpace } from "./bytes-text.ts";
import { BAD_NUMBER, DATA_TRUNCATED, DECIMAL_OVERFLOW, type Fault, truncatedWrongValue } from "./fault.ts";
import type { CastSession } from "./session.ts";

const WORD = 9;
const MAX_WORDS = 9;
const MAX_DIGITS = WORD * MAX_WORDS;
const HALF_INT32 = 1073741823;
const MAX_QUICK_DIGITS = 15;

/** A decimal that also knows how many digits its whole part was written with: they take up room. */
export interface WideDecimal extends Decimal {
  readonly wholeDigits: number;
}

const POWERS: bigint[] = [1n];

export function pow10(n: number): bigint {
  while (POWERS.length <= n) POWERS.push(POWERS[POWERS.length - 1]! * 10n);
  return POWERS[n]!;
}

function wordsOf(digits: number): number {
  return Math.ceil(digits / WORD);
}

export function wide(negative: boolean, unscaled: bigint, scale: number, wholeDigits: number): WideDecimal {
  return { negative: negative && unscaled !== 0n, unscaled, scale, wholeDigits };
}

const ZERO = wide(false, 0n, 0, 0);

/** The largest number of that precision and scale, with the sign. */
export function maxDecimal(negative: boolean, precision: number, scale: number): Decimal {
  return { negative, unscaled: pow10(precision) - 1n, scale };
}

/** A whole number, as MyDecimal keeps it: in full words. */
export function wholeDecimal(value: bigint): WideDecimal {
  const unscaled = value < 0n ? -value : value;
  return wide(value < 0n, unscaled, 0, wordsOf(String(unscaled).length) * WORD);
}

/** Digits before and behind the point that a text begins with. */
interface Scan {
  negative: boolean;
  whole: string;
  fraction: string;
  rest: string;
}

function scan(text: string): Scan {
  let i = 0;
  const negative = text.startsWith("-");
  if (negative || text.startsWith("+")) i = 1;
  const wholeAt = i;
  while (i < text.length && isDigit(text.charCodeAt(i))) i++;
  const whole = text.slice(wholeAt, i);
  let fraction = "";
  if (text.charCodeAt(i) === 0x2e) {
    const fractionAt = ++i;
    while (i < text.length && isDigit(text.charCodeAt(i))) i++;
    fraction = text.slice(fractionAt, i);
  }
  return { negative, whole, fraction, rest: text.slice(i) };
}

/** `12.50` with few digits and nothing around; null for any other text. */
function quickDecimal(bytes: Uint8Array): WideDecimal | null {
  const first = bytes.length > 0 ? bytes[0]! : 0;
  const signed = first === 0x2d || first === 0x2b ? 1 : 0;
  const digits = bytes.length - signed;
  if (digits === 0 || digits > MAX_QUICK_DIGITS) return null;
  let value = 0;
  let dot = -1;
  for (let i = signed; i < bytes.length; i++) {
    const c = bytes[i]!;
    if (c === 0x2e && dot < 0 && digits > 1) dot = i;
    else if (isDigit(c)) value = value * 10 + (c - 48);
    else return null;
  }
  const scale = dot < 0 ? 0 : bytes.length - dot - 1;
  return wide(first === 0x2d, BigInt(value), scale, dot < 0 ? digits : dot - signed);
}

/** A decimal from text; what is wrong with it is raised, forgiven by nobody yet. */
export function parseDecimal(session: CastSession, bytes: Uint8Array): WideDecimal {
  const quick = quickDecimal(bytes);
  if (quick !== null) return quick;
  return parseDecimalText(session, byteString(bytes));
}

/** As `parseDecimal`, from a byte string. */
export function parseDecimalText(session: CastSession, source: string): WideDecimal {
  const text = /[^ \t]/.test(source) ? source.replace(/^[ \t]+/, "") : source;
  const { negative, whole, fraction, rest } = scan(text);
  if (whole.length + fraction.length === 0) {
    session.raise(truncatedWrongValue("DECIMAL", readable(text)));
    return ZERO;
  }
  const wholeWords = wordsOf(whole.length);
  let kept = fraction;
  let digits = whole;
  let fault: Fault | null = null;
  if (wholeWords > MAX_WORDS) {
    digits = whole.slice(-MAX_DIGITS);
    kept = "";
    fault = DECIMAL_OVERFLOW;
  } else if (wholeWords + wordsOf(fraction.length) > MAX_WORDS) {
    kept = fraction.slice(0, (MAX_WORDS - wholeWords) * WORD);
    fault = DATA_TRUNCATED;
  }
  const value = wide(negative, BigInt(digits + kept), kept.length, digits.length);
  const first = rest.charCodeAt(0);
  if (first === 0x65 || first === 0x45) return applyExponent(session, value, rest.slice(1), fault);
  if (rest !== "" && trimSpace(rest) !== "") fault = DATA_TRUNCATED;
  session.raise(fault);
  return value;
}

/** The exponent, which may be missing or followed by anything. */
function parseExponent(source: string): { exponent: number; fault: Fault | null } {
  const text = trimSpace(source);
  const match = /^([+-]?)([0-9]+)/.exec(text);
  if (match === null) return { exponent: 0, fault: DATA_TRUNCATED };
  const value = BigInt(match[2]!);
  if (value >= 1n << 63n) {
    // Go's value: nothing of a number beyond 64 bits, else the nearest.
    const exponent = value >= 1n << 64n ? 0 : match[1] === "-" ? -(2 ** 63) : 2 ** 63;
    return { exponent, fault: match[1] === "-" && value === 1n << 63n ? null : BAD_NUMBER };
  }
  const exponent = match[1] === "-" ? -Number(value) : Number(value);
  return { exponent, fault: match[0].length === text.length ? null : DATA_TRUNCATED };
}

function applyExponent(session: CastSession, start: WideDecimal, text: string, before: Fault | null): WideDecimal {
  const { exponent, fault: bad } = parseExponent(text);
  let value = bad === BAD_NUMBER ? ZERO : start;
  let fault = bad ?? before;
  if (exponent > HALF_INT32) {
    value = wide(value.negative, pow10(MAX_DIGITS) - 1n, 0, MAX_DIGITS);
    fault = DECIMAL_OVERFLOW;
  }
  if (exponent < -HALF_INT32 - 1 && fault !== DECIMAL_OVERFLOW) {
    value = ZERO;
    fault = DATA_TRUNCATED;
  }
  if (fault !== DECIMAL_OVERFLOW) {
    const shifted = shift(value, exponent);
    value = shifted.value;
    fault = shifted.fault ?? fault;
  }
  session.raise(fault);
  return value;
}

/** Times 10^n, within the 81 digits. */
function shift(d: WideDecimal, n: number): { value: WideDecimal; fault: Fault | null } {
  if (n === 0) return { value: d, fault: null };
  if (d.unscaled === 0n) return { value: ZERO, fault: null };
  const text = String(d.unscaled);
  const significant = text.replace(/0+$/, "").length;
  const before = text.length - d.scale;
  const behind = d.scale - (text.length - significant);
  const wholeDigits = Math.max(before + n, 0);
  let fractionDigits = Math.max(behind - n, 0);
  const lack = wordsOf(wholeDigits) + wordsOf(fractionDigits) - MAX_WORDS;
  if (lack <= 0) return { value: rescale(d, behind, n, wholeDigits, fractionDigits), fault: null };
  const fractionWords = wordsOf(fractionDigits) - lack;
  if (fractionWords < 0)
    return { value: wide(d.negative, pow10(MAX_DIGITS) - 1n, 0, MAX_DIGITS), fault: DECIMAL_OVERFLOW };
  const cut = fractionDigits - fractionWords * WORD;
  fractionDigits = fractionWords * WORD;
  if (behind - cut <= -before) return { value: ZERO, fault: DATA_TRUNCATED };
  return { value: rescale(d, behind - cut, n, wholeDigits, fractionDigits), fault: DATA_TRUNCATED };
}

/** Rounds to `digits` behind the point (may be negative), then moves the point by n. */
function rescale(d: WideDecimal, digits: number, n: number, wholeDigits: number, scale: number): WideDecimal {
  const unit = roundUnscaled(d.unscaled, d.scale - digits);
  const missing = scale - (digits - n);
  return wide(d.negative, unit * pow10(missing), scale, wholeDigits);
}

/** Drops that many last digits, rounding half up; appends zeros if negative. */
export function roundUnscaled(unscaled: bigint, drop: number): bigint {
  if (drop <= 0) return unscaled * pow10(-drop);
  const unit = pow10(drop);
  return (unscaled + unit / 2n) / unit;
}

/** Rounds half up to `scale` digits behind the point, fewer if the 81 digits do not suffice. */
export function roundDecimal(d: WideDecimal, scale: number): WideDecimal {
  const wholeWords = wordsOf(d.wholeDigits);
  const room = wholeWords + wordsOf(scale) > MAX_WORDS ? (MAX_WORDS - wholeWords) * WORD : scale;
  return wide(d.negative, roundUnscaled(d.unscaled, d.scale - room), room, d.wholeDigits);
}

/** Digits of the whole part without leading zeros; 0 for numbers below 1. */
export function wholeDigitsOf(d: Decimal): number {
  const whole = d.unscaled / pow10(d.scale);
  return whole === 0n ? 0 : String(whole).length;
}

/** The same number written with `scale` digits behind the point (no digit may get lost). */
export function withScale(d: Decimal, scale: number): Decimal {
  if (d.scale === scale) return { negative: d.negative, unscaled: d.unscaled, scale };
  return { negative: d.negative, unscaled: roundUnscaled(d.unscaled, d.scale - scale), scale };
}

/** The nearest double. */
export function decimalToFloat(d: Decimal): number {
  return Number(decimalText(d));
}

/** Negative, zero or positive as a is less than, equal to or greater than b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const left = a.unscaled * pow10(scale - a.scale) * (a.negative ? -1n : 1n);
  const right = b.unscaled * pow10(scale - b.scale) * (b.negative ? -1n : 1n);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A decimal with the room that its digits take. */
export function widen(d: Decimal): WideDecimal {
  return wide(d.negative, d.unscaled, d.scale, Math.max(wholeDigitsOf(d), 1));
}

/** From a double's shortest text. */
export function floatToDecimal(session: CastSession, value: number): WideDecimal {
  return parseDecimalText(session, String(value));
}
