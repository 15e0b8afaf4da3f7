/** Arithmetic of decimals with the digits that MyDecimal keeps (TiDB `pkg/types/mydecimal.go`): words of nine digits, nine words. */
import type { Decimal } from "../../codec/mod.ts";
import { pow10, wholeDigitsOf } from "../cast/mod.ts";
import { decOf, signedUnscaled } from "./dec.ts";
import { MAX_DECIMAL_SCALE } from "./field-types.ts";
import type { Dec } from "./value.ts";

const WORD = 9;
const MAX_WORDS = 9;
/** TiDB's NotFixedDec: more digits behind the point are not kept. */
const MAX_FRACTION = 31;

const words = (digits: number): number => Math.ceil(digits / WORD);

/** Null for an overflow. */
function within(unscaled: bigint, scale: number, shown: number): Dec | null {
  const value = decOf(unscaled, scale, shown);
  const wholeWords = words(wholeDigitsOf(value));
  if (wholeWords > MAX_WORDS) return null;
  const room = (MAX_WORDS - wholeWords) * WORD;
  if (words(scale) * WORD <= room) return value;
  return decOf(unscaled / pow10(scale - room), room, Math.min(shown, room));
}

export function addDec(a: Dec, b: Dec, sign: 1n | -1n): Dec | null {
  const scale = Math.max(a.scale, b.scale);
  const left = signedUnscaled(a) * pow10(scale - a.scale);
  const right = signedUnscaled(b) * pow10(scale - b.scale);
  return within(left + sign * right, scale, Math.max(a.shown, b.shown));
}

export function mulDec(a: Dec, b: Dec): Dec | null {
  const scale = a.scale + b.scale;
  const shown = Math.min(a.shown + b.shown, MAX_DECIMAL_SCALE);
  const product = signedUnscaled(a) * signedUnscaled(b);
  if (scale <= MAX_FRACTION) return within(product, scale, shown);
  return within(product / pow10(scale - MAX_FRACTION), MAX_FRACTION, shown);
}

/** `increment`: digits more than the dividend has; the quotient is cut at a word. Null for an overflow; `b` is not zero. */
export function divDec(a: Dec, b: Dec, increment: number): Dec | null {
  const shown = Math.min(a.shown + increment, MAX_DECIMAL_SCALE);
  if (a.unscaled === 0n) return decOf(0n, 0);
  const fractionA = words(a.scale) * WORD;
  const fractionB = words(b.scale) * WORD;
  const extra = Math.max(increment - (fractionA - a.scale) - (fractionB - b.scale), 0);
  const scale = words(fractionA + fractionB + extra) * WORD;
  const dividend = signedUnscaled(a) * pow10(scale + b.scale);
  const quotient = dividend / (signedUnscaled(b) * pow10(a.scale));
  return within(quotient, scale, shown);
}

/** The remainder, with the sign of the dividend; `b` is not zero. */
export function modDec(a: Dec, b: Dec): Dec {
  const scale = Math.max(a.scale, b.scale);
  const left = signedUnscaled(a) * pow10(scale - a.scale);
  const right = signedUnscaled(b) * pow10(scale - b.scale);
  return decOf(left % right, scale, Math.max(a.shown, b.shown));
}

/** The whole part, towards zero. */
export function wholePart(d: Decimal): bigint {
  const whole = d.unscaled / pow10(d.scale);
  return d.negative ? -whole : whole;
}
