/**
 * Numbers from text: the longest prefix that is a number counts, the rest is a truncation. TiDB `pkg/types/convert.go`. Texts are
 * byte strings; what is wrong with one is left in `session.fault`.
 */
import { byteString, isDigit, readable, trimSpace } from "./bytes-text.ts";
import { truncatedWrongValue, valueOutOfRange } from "./fault.ts";
import type { CastSession } from "./session.ts";

export const MIN_INT64 = -(1n << 63n);
export const MAX_INT64 = (1n << 63n) - 1n;
export const MAX_UINT64 = (1n << 64n) - 1n;

const DIGITS = /^[+-]?[0-9]+$/;

/** The value of `[+-]?digits` with at most 15 digits and nothing around; NaN for any other text. */
export function plainInteger(bytes: Uint8Array): number {
  const end = bytes.length;
  let i = 0;
  const first = end > 0 ? bytes[0]! : 0;
  if (first === 0x2d || first === 0x2b) i = 1;
  if (i === end || end - i > 15) return Number.NaN;
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return first === 0x2d && value !== 0 ? -value : value;
}

/** Length of the prefix of a trimmed text that reads as a float; what follows a NUL byte is not looked at. */
export function floatPrefixLength(text: string): { length: number; whole: boolean } {
  let sawDot = false;
  let sawDigit = false;
  let length = 0;
  let exponent = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x2b || c === 0x2d) {
      if (i !== 0 && i !== exponent + 1) break;
    } else if (c === 0x2e) {
      if (sawDot || exponent > 0) break;
      sawDot = true;
      if (sawDigit) length = i + 1;
    } else if (c === 0x65 || c === 0x45) {
      if (!sawDigit || exponent !== -1) break;
      exponent = i;
    } else if (c === 0) {
      return { length, whole: length !== 0 };
    } else if (!isDigit(c)) {
      break;
    } else {
      sawDigit = true;
      length = i + 1;
    }
  }
  return { length, whole: length !== 0 && length === text.length };
}

/** The prefix that reads as a float, "0" if there is none. */
function floatPrefix(session: CastSession, text: string): string {
  const { length, whole } = floatPrefixLength(text);
  if (!whole) session.raise(session.forgive(truncatedWrongValue("DOUBLE", readable(text))));
  return length === 0 ? "0" : text.slice(0, length);
}

/** Rounds digits up by one when the digit behind them says so; a sign in front stays. */
function roundDigits(next: number, digits: string): string {
  if (next < 0x35) return digits;
  const signed = digits.startsWith("-") || digits.startsWith("+");
  const magnitude = BigInt(`0${signed ? digits.slice(1) : digits}`) + 1n;
  const width = digits.length - (signed ? 1 : 0);
  return (signed ? digits[0]! : "") + String(magnitude).padStart(width, "0");
}

/** `-12.5` -> `-13`: plain decimal notation. */
function roundPlain(prefix: string, dot: number): string {
  const signed = prefix.startsWith("-") || prefix.startsWith("+");
  const digits = signed ? prefix.slice(1) : prefix;
  const at = signed ? dot - 1 : dot;
  let whole = at === 0 ? "0" : digits.slice(0, at);
  if (digits.length > at + 1) whole = roundDigits(digits.charCodeAt(at + 1), whole);
  return prefix.startsWith("-") && whole !== "0" ? `-${whole}` : whole;
}

/** Scientific notation to whole digits; a number far beyond 64 bits is an overflow at once. */
function roundScientific(session: CastSession, prefix: string, dot: number, e: number, original: string): string {
  const digits = dot === -1 ? prefix.slice(0, e) : prefix.slice(0, dot) + prefix.slice(dot + 1, e);
  const signed = digits.startsWith("-") || digits.startsWith("+");
  const exponent = Number(prefix.slice(e + 1));
  const width = (dot === -1 ? e : dot) + exponent;
  const tooBig = Math.abs(exponent) > Number(MAX_INT64) || (exponent >= 0 && width > 21);
  if (tooBig) {
    session.raise(valueOutOfRange("BIGINT", readable(original)));
    return digits.startsWith("-") ? String(MIN_INT64) : String(MAX_UINT64);
  }
  if (width <= 0) return width === 0 && isDigit(digits.charCodeAt(0)) ? roundDigits(digits.charCodeAt(0), "0") : "0";
  if (width === 1 && signed) {
    const whole = digits.length > 1 ? roundDigits(digits.charCodeAt(1), "0") : "0";
    return whole === "1" ? digits[0]! + whole : whole;
  }
  if (width > digits.length) return digits + "0".repeat(width - digits.length);
  const whole = digits.slice(0, width);
  return width < digits.length ? roundDigits(digits.charCodeAt(width), whole) : whole;
}

/** The prefix rounded (half away from zero) to whole digits; not rounded if strict mode already objects to the text. */
function integerPrefix(session: CastSession, text: string): string {
  const prefix = floatPrefix(session, text);
  if (session.fault !== null) return prefix;
  const dot = prefix.indexOf(".");
  const e = prefix.search(/[eE]/);
  if (e !== -1) return roundScientific(session, prefix, dot, e, text);
  return dot === -1 ? prefix : roundPlain(prefix, dot);
}

/** A signed 64-bit integer from text. */
export function textToInt(session: CastSession, bytes: Uint8Array): bigint {
  const quick = plainInteger(bytes);
  if (!Number.isNaN(quick)) return BigInt(quick);
  const prefix = integerPrefix(session, trimSpace(byteString(bytes)));
  const overflow = valueOutOfRange("BIGINT", prefix);
  if (!DIGITS.test(prefix)) {
    session.fault = overflow;
    return 0n;
  }
  const value = BigInt(prefix);
  if (value >= MIN_INT64 && value <= MAX_INT64) return value;
  session.fault = overflow;
  return value < 0n ? MIN_INT64 : MAX_INT64;
}

/** An unsigned 64-bit integer from text; negative numbers are 0 and an overflow. */
export function textToUint(session: CastSession, bytes: Uint8Array): bigint {
  const quick = plainInteger(bytes);
  if (quick >= 0) return BigInt(quick);
  const prefix = integerPrefix(session, trimSpace(byteString(bytes)));
  const overflow = valueOutOfRange("BIGINT UNSIGNED", prefix);
  if (prefix.startsWith("-")) {
    if (!/^-0*$/.test(prefix)) session.fault = overflow;
    return 0n;
  }
  if (!DIGITS.test(prefix)) {
    session.fault = overflow;
    return 0n;
  }
  const value = BigInt(prefix);
  if (value <= MAX_UINT64) return value;
  session.fault = overflow;
  return MAX_UINT64;
}

/** A double from text; beyond its range the largest one. */
export function textToFloat(session: CastSession, bytes: Uint8Array): number {
  const quick = plainInteger(bytes);
  if (!Number.isNaN(quick) && quick !== 0) return quick;
  const text = trimSpace(byteString(bytes));
  const value = Number(floatPrefix(session, text));
  if (Number.isFinite(value)) return value;
  session.fault = session.forgive(truncatedWrongValue("DOUBLE", readable(text)));
  return value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE;
}
