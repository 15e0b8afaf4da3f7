/**
 * Numbers from text straight into a row. Each parser takes the plain spellings only, writes the stored form at `at` of `out` and
 * returns the offset behind it; -1 stands for everything else, which the plain path then decides: other spellings, values out of range,
 * roundings.
 */
import { DIGIT_BYTES, putFloat } from "../../codec/mod.ts";
import { putSigned, putSigned32, putUnsigned } from "./slots.ts";

const TWO32 = 0x100000000;

/** Value of up to nine digits, -1 where one is none. */
function digits9(b: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const d = b[i]! - 0x30;
    if (d >>> 0 > 9) return -1;
    value = value * 10 + d;
  }
  return value;
}

/**
 * `-?[0-9]{1,19}` within [-limit, limit - 1] (signed) or [0, limit - 1], `limit` a power of two; 2^63 and 2^64 stand for their 64-bit
 * types.
 */
export function parseInteger(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  limit: number,
  unsigned: boolean,
): number {
  if (end - start <= 9 && end > start) {
    const value = digits9(b, start, end);
    if (value >= 0 && value < limit) return unsigned ? putUnsigned(out, at, 0, value) : putSigned32(out, at, value);
  }
  return parseOther(b, start, end, out, at, limit, unsigned);
}

/** Signs, and more than nine digits. */
function parseOther(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  limit: number,
  unsigned: boolean,
): number {
  if (start >= end) return -1;
  const negative = b[start] === 0x2d;
  if (negative && unsigned) return -1;
  const from = negative ? start + 1 : start;
  const size = end - from;
  if (size > 9) return size > 19 ? -1 : parseLong(b, from, end, out, at, negative, limit, unsigned);
  const value = digits9(b, from, end);
  return size === 0 || value < 0 || !negative || value > limit ? -1 : putSigned32(out, at, -value | 0);
}

function parseLong(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  negative: boolean,
  limit: number,
  unsigned: boolean,
): number {
  const cut = end - 9;
  let upper = 0;
  for (let i = start; i < cut; i++) {
    const d = b[i]! - 0x30;
    if (d >>> 0 > 9) return -1;
    upper = upper * 10 + d;
  }
  const lower = digits9(b, cut, end);
  if (lower < 0) return -1;
  // upper * 10^9 + lower, upper below 10^10: in two steps of 16 bits, so that every product stays below 2^53. Remainders are taken by
  // subtraction, as those of doubles are slow.
  const upperHigh = Math.floor(upper / 65536);
  const q = upperHigh * 1e9;
  const qHigh = Math.floor(q / 65536);
  const s = (upper - upperHigh * 65536) * 1e9 + lower + (q - qHigh * 65536) * 65536;
  const sHigh = Math.floor(s / TWO32);
  const high = sHigh + qHigh;
  const low = s - sHigh * TWO32;
  if (limit < 0x8000000000000000) {
    const value = high * TWO32 + low;
    if (value >= limit && !(negative && value === limit)) return -1;
  } else if (limit === 0x8000000000000000 && high >= 0x80000000) {
    if (!(negative && high === 0x80000000 && low === 0)) return -1;
  }
  if (unsigned) return putUnsigned(out, at, high | 0, low | 0);
  if (negative) return putSigned(out, at, low === 0 ? -high | 0 : ~high, -low | 0);
  return putSigned(out, at, high | 0, low | 0);
}

/** Four digits of a year that YEAR can hold. */
export function parseYear(b: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  if (end - start !== 4) return -1;
  const value = digits9(b, start, end);
  return value < 1901 || value > 2155 ? -1 : putSigned32(out, at, value);
}

const WORD_UNITS = Int32Array.of(1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000);

/**
 * The common case of `parseDecimalField`: at most nine digits before the point and nine behind it, no sign. `zeros`: bytes of the leading
 * words, which are zero then; `wholeSize`, `fractionSize`: bytes of the last integer word and of the fractional one; `wholeDigits`: digits
 * of the former. Returns -1 for everything else.
 */
export function parseShortDecimal(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  precision: number,
  scale: number,
  zeros: number,
  wholeDigits: number,
  wholeSize: number,
  fractionSize: number,
): number {
  let whole = 0;
  let i = start;
  let d = 0;
  for (; i < end; i++) {
    d = b[i]! - 0x30;
    if (d >>> 0 > 9) break;
    whole = (whole * 10 + d) | 0;
  }
  if (i - start > wholeDigits || end - start === 0) return -1;
  let fraction = 0;
  let given = 0;
  if (i < end) {
    if (d !== -2) return -1;
    const from = ++i;
    for (; i < end; i++) {
      d = b[i]! - 0x30;
      if (d >>> 0 > 9) return -1;
      fraction = (fraction * 10 + d) | 0;
    }
    given = end - from;
    if (given > scale || (given === 0 && from - start === 1)) return -1;
  }
  out[at] = precision;
  out[at + 1] = scale;
  let to = at + 2;
  for (let k = 0; k < zeros; k++) out[to++] = 0;
  to = putWord(out, to, whole, wholeSize);
  if (fractionSize > 0) to = putWord(out, to, fraction * WORD_UNITS[scale - given]!, fractionSize);
  out[at + 2]! ^= 0x80;
  return to;
}

const MAX_DIGITS = 65;

/**
 * `-?[0-9]*(\.[0-9]*)?` with at least one digit, no more fractional digits than `scale`, no more integer digits than there is room
 * for.
 */
export function parseDecimalField(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  precision: number,
  scale: number,
  unsigned: boolean,
): number {
  let from = start;
  const negative = from < end && b[from] === 0x2d;
  if (negative) from++;
  let point = from;
  while (point < end && b[point] !== 0x2e) point++;
  const fractionAt = point < end ? point + 1 : end;
  const fractionSize = end - fractionAt;
  const digits = point - from + fractionSize;
  // Zeros in front take up room too: more digits than fit the nine words of TiDB's decimal are for the plain path.
  if (digits === 0 || digits > MAX_DIGITS || fractionSize > scale) return -1;
  while (from < point && b[from] === 0x30) from++;
  const whole = precision - scale;
  if (point - from > whole) return -1;
  out[at] = precision;
  out[at + 1] = scale;
  const first = at + 2;
  let to = first;
  let any = 0;
  // Integer part: the leading short word, then words of nine; digits that the text lacks are zeros on the left.
  let place = whole;
  let size = whole % 9;
  if (size === 0) size = 9;
  while (place > 0) {
    const wordEnd = point - place + size;
    let word = 0;
    if (wordEnd > from) {
      word = digits9(b, Math.max(wordEnd - size, from), wordEnd);
      if (word < 0) return -1;
      any |= word;
    }
    to = putWord(out, to, word, DIGIT_BYTES[size]!);
    place -= size;
    size = 9;
  }
  for (let done = 0; done < scale; done += 9) {
    const room = Math.min(9, scale - done);
    const wordAt = fractionAt + done;
    let given = end - wordAt;
    if (given > room) given = room;
    let word = 0;
    if (given > 0) {
      word = digits9(b, wordAt, wordAt + given);
      if (word < 0) return -1;
      for (; given < room; given++) word *= 10;
      any |= word;
    }
    to = putWord(out, to, word, DIGIT_BYTES[room]!);
  }
  if (negative && any !== 0) {
    if (unsigned) return -1;
    for (let i = first; i < to; i++) out[i] = ~out[i]!;
  }
  out[first]! ^= 0x80;
  return to;
}

/** The low `size` bytes of a word, big-endian. */
function putWord(out: Uint8Array, at: number, word: number, size: number): number {
  switch (size) {
    case 4:
      out[at] = word >>> 24;
      out[at + 1] = word >>> 16;
      out[at + 2] = word >>> 8;
      out[at + 3] = word;
      break;
    case 3:
      out[at] = word >>> 16;
      out[at + 1] = word >>> 8;
      out[at + 2] = word;
      break;
    case 2:
      out[at] = word >>> 8;
      out[at + 1] = word;
      break;
    case 1:
      out[at] = word;
      break;
    default:
  }
  return at + size;
}

const POW10 = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const EXACT_DIGITS = 15;
const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * `-?[0-9]*(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?` with at least one digit. Up to 15 digits and 10^22 both factors are exact, so that their
 * product or quotient is rounded once; else the runtime reads the text.
 */
export function parseFloatField(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  single: boolean,
  unsigned: boolean,
): number {
  let from = start;
  const negative = from < end && b[from] === 0x2d;
  if (negative && unsigned) return -1;
  if (negative) from++;
  let value = 0;
  let count = 0;
  let scale = -1;
  for (; from < end; from++) {
    const d = b[from]! - 0x30;
    if (d >>> 0 <= 9) {
      value = value * 10 + d;
      count++;
      if (scale >= 0) scale++;
    } else if (d === -2 && scale < 0) scale = 0;
    else break;
  }
  if (count === 0) return -1;
  let exponent = scale > 0 ? -scale : 0;
  if (from < end) {
    const given = exponentAt(b, from, end);
    if (given === NO_EXPONENT) return -1;
    exponent += given;
  }
  if (count > EXACT_DIGITS || exponent < -22 || exponent > 22) value = slowFloat(b, negative ? start + 1 : start, end);
  else if (exponent < 0) value /= POW10[-exponent]!;
  else value *= POW10[exponent]!;
  if (value > (single ? FLOAT32_MAX : Number.MAX_VALUE)) return -1;
  if (single) value = Math.fround(value);
  putFloat(out, at, negative ? -value : value);
  return at + 8;
}

const NO_EXPONENT = 10_000;

/** The number behind `e`, NO_EXPONENT for anything but up to three digits with a sign. */
function exponentAt(b: Uint8Array, start: number, end: number): number {
  if ((b[start]! | 0x20) !== 0x65) return NO_EXPONENT;
  const sign = b[start + 1]!;
  const from = sign === 0x2d || sign === 0x2b ? start + 2 : start + 1;
  if (from >= end || end - from > 3) return NO_EXPONENT;
  const value = digits9(b, from, end);
  return value < 0 ? NO_EXPONENT : sign === 0x2d ? -value : value;
}

/** The runtime's reading, which is correctly rounded. */
function slowFloat(b: Uint8Array, start: number, end: number): number {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(b[i]!);
  return Number(text);
}
