/**
 * Dates and times from text in all of MySQL's loose forms (TiDB `pkg/types/time.go`, `parseDatetime`): separated or compact, two-digit
 * years, fractions rounded with carry, offsets, text behind the end. Zero parts and the calendar are checked elsewhere.
 */
import { TimeZone } from "../../codec/mod.ts";
import { byteString, bytesOf, isDigit, readable } from "./bytes-text.ts";
import { type CoreTime, coreTime, fitsFields, fromUnix, toUnix, zeroTime } from "./core-time.ts";
import { truncatedWrongValue, unnumbered, wrongValue } from "./fault.ts";
import { textToInt } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { timeFromNumber } from "./time-number.ts";
import { splitTime, type TimeParts } from "./time-split.ts";

/** 0..69 -> 2000.., 70..99 -> 1970... */
export function fullYear(year: number): number {
  if (year < 0 || year > 99) return year;
  return year <= 69 ? 2000 + year : 1900 + year;
}

/** Microseconds of the digits behind the point, rounded half up to fsp digits; `carry` if that makes a full second. */
export function parseFraction(digits: string, fsp: number): { micro: number; carry: boolean } {
  if (digits.length === 0) return { micro: 0, carry: false };
  if (fsp >= digits.length) return { micro: Number(digits.padEnd(6, "0")), carry: false };
  const rounded = Math.floor((Number(digits.slice(0, fsp + 1)) + 5) / 10);
  if (rounded >= 10 ** fsp) return { micro: 0, carry: true };
  return { micro: rounded * 10 ** (6 - fsp), carry: false };
}

/** Widths of the fields of a text without separators, by its length; a 4 in front is a full year. */
const COMPACT: Record<number, readonly number[]> = {
  14: [4, 2, 2, 2, 2, 2],
  12: [2, 2, 2, 2, 2, 2],
  11: [2, 2, 2, 2, 2, 1],
  10: [2, 2, 2, 2, 2],
  9: [2, 2, 2, 2, 1],
  8: [4, 2, 2],
  7: [2, 2, 2, 1],
  6: [2, 2, 2],
  5: [2, 2, 2],
};

/** Reads numbers of the given widths as C's scanf does: fewer digits do, something else ends with `failed`. */
function scanWidths(text: string, widths: readonly number[]): { values: number[]; end: number; failed: boolean } {
  const values: number[] = [];
  let at = 0;
  for (const width of widths) {
    const limit = Math.min(at + width, text.length);
    const start = at;
    while (at < limit && isDigit(text.charCodeAt(at))) at++;
    if (at === start) return { values, end: at, failed: true };
    values.push(Number(text.slice(start, at)));
  }
  return { values, end: at, failed: false };
}

/** A text that is being read. */
interface Reading {
  readonly session: CastSession;
  readonly source: string;
  readonly split: TimeParts;
  readonly time: CoreTime;
  /** Whether the text goes down to seconds, so that fraction and offset count. */
  complete: boolean;
}

function warnTruncated(r: Reading): void {
  const { code, message } = truncatedWrongValue("datetime", readable(r.source));
  r.session.warn(code, message);
}

function fail(r: Reading): null {
  r.session.raise(wrongValue("datetime", readable(r.source)));
  return null;
}

function assign(time: CoreTime, values: readonly number[]): void {
  const [year, month, day, hour, minute, second] = values;
  time.year = year ?? time.year;
  time.month = month ?? time.month;
  time.day = day ?? time.day;
  time.hour = hour ?? time.hour;
  time.minute = minute ?? time.minute;
  time.second = second ?? time.second;
}

/** The fraction behind a compact date is a time of day: `20170118.1234`. Returns whether it is not one. */
function fractionAsTime(r: Reading): boolean {
  const fraction = r.split.fraction;
  if (fraction === "") return false;
  const widths = fraction.length <= 2 ? [2] : fraction.length <= 4 ? [2, 2] : [2, 2, 2];
  const { values, end, failed } = scanWidths(fraction, widths);
  r.time.hour = values[0] ?? r.time.hour;
  r.time.minute = values[1] ?? r.time.minute;
  r.time.second = values[2] ?? r.time.second;
  return failed || end < fraction.length;
}

/** The fraction behind a compact date and time that lacks seconds is the seconds. Returns whether there is more. */
function fractionAsSeconds(r: Reading): boolean {
  const { values, end, failed } = scanWidths(r.split.fraction, [2]);
  r.time.second = values[0] ?? 0;
  return failed || end < r.split.fraction.length;
}

/** One number without separators. Returns false after a failure. */
function readCompact(r: Reading): boolean {
  const text = r.split.parts[0]!;
  const length = text.length;
  const widths = COMPACT[length];
  if (widths === undefined) {
    fail(r);
    return false;
  }
  const { values, failed } = scanWidths(text, widths);
  assign(r.time, values);
  if (widths[0] === 2) r.time.year = fullYear(r.time.year);
  r.complete = length === 14 || length === 12 || length === 11;
  // A truncation found while splitting is reported once more here, and then anything goes.
  let { truncated } = r.split;
  let bad = failed;
  if (length === 5 || length === 6 || (length >= 8 && length <= 10)) {
    // A fraction that reads well makes up for digits that did not.
    if (r.split.fraction !== "") bad = length < 9 ? fractionAsTime(r) : fractionAsSeconds(r);
    truncated = bad;
  }
  if (truncated) warnTruncated(r);
  if (truncated || !bad) return true;
  r.session.raise(unnumbered("expected integer"));
  return false;
}

/** A number without separators that was a DECIMAL: read as MySQL reads numbers. */
function readNumber(r: Reading): boolean {
  const text = r.split.parts[0]!;
  const value = textToInt(r.session, bytesOf(text));
  const time = r.session.fault === null ? timeFromNumber(r.session, value) : null;
  if (time === null) {
    r.session.fault = null;
    fail(r);
    return false;
  }
  assign(r.time, [time.year, time.month, time.day, time.hour, time.minute, time.second]);
  r.complete = text === "0" || (text.length >= 9 && text.length <= 14);
  return true;
}

const SIGNED_DIGITS = /^[+-]?[0-9]+$/;

/** Three to six numbers; further ones are dropped with a warning. */
function readParts(r: Reading): boolean {
  const parts = r.split.parts;
  if (parts.length > 6) {
    parts.length = 6;
    warnTruncated(r);
  }
  r.complete = parts.length === 6;
  const values: number[] = [];
  for (const part of parts) {
    const value = SIGNED_DIGITS.test(part) ? Number(part) : Number.NaN;
    if (!(Math.abs(value) < 2 ** 63)) {
      r.session.raise(unnumbered(`strconv.Atoi: parsing "${readable(part)}": invalid syntax`));
      return false;
    }
    values.push(value);
  }
  assign(r.time, values);
  return true;
}

/** Fraction or offset that turn out to be ordinary parts, because the text has too few without them. */
function absorb(split: TimeParts, isDecimal: boolean): void {
  const full = () => split.parts.length > 5 || (split.parts.length === 1 && split.parts[0]!.length > 4);
  if (split.fraction !== "" && !isDecimal && !full()) {
    split.parts.push(split.fraction);
    split.fraction = "";
  }
  const { sign, hours, minutes, separator } = split.offset;
  if (split.hasOffset && sign !== "" && !full() && !(minutes !== "" && separator === "")) {
    if (hours !== "") split.parts.push(hours);
    if (minutes !== "") split.parts.push(minutes);
    split.hasOffset = false;
  }
}

/** Moves the time from the text's offset to the session's zone; null if the offset is not valid. */
function applyOffset(r: Reading, time: CoreTime): CoreTime | null {
  const { sign, hours, minutes } = r.split.offset;
  const h = hours === "" ? 0 : Number(hours);
  const m = minutes === "" ? 0 : Number(minutes);
  if (!r.complete || h > 14 || m > 59 || (h === 14 && m !== 0) || (sign === "-" && h === 0 && m === 0)) return fail(r);
  const unix = toUnix(time, TimeZone.fixed("", (sign === "-" ? -60 : 60) * (h * 60 + m)));
  return Number.isNaN(unix) ? fail(r) : fromUnix(unix, time.micro, r.session.zone);
}

function readAll(r: Reading, isDecimal: boolean): boolean {
  const parts = r.split.parts;
  if (parts.length === 0 || parts.length === 2) {
    fail(r);
    return false;
  }
  if (parts.length === 1) return isDecimal ? readNumber(r) : readCompact(r);
  return readParts(r);
}

/**
 * Reads a date and time. `isDecimal`: the text is that of a DECIMAL value, where a fraction is no time of day.
 * Null after a failure, which is left in `session.fault`; a text with more behind its end is a mere warning.
 */
export function parseDateTimeText(
  session: CastSession,
  source: string,
  fsp: number,
  isDecimal: boolean,
): CoreTime | null {
  const split = splitTime(source);
  const r: Reading = { session, source, split, time: zeroTime(), complete: false };
  if (split.truncated) warnTruncated(r);
  absorb(split, isDecimal);
  if (!readAll(r, isDecimal)) return null;
  const time = r.time;
  if (split.parts[0]!.length <= 2 && !isDecimal) {
    const nothing = time.year + time.month + time.day + time.hour + time.minute + time.second === 0;
    if (!nothing || split.fraction !== "") time.year = fullYear(time.year);
  }
  let carry = false;
  if (r.complete) {
    const fraction = parseFraction(split.fraction, fsp);
    time.micro = fraction.micro;
    carry = fraction.carry;
  }
  if (!fitsFields(time)) return fail(r);
  return finish(r, time, carry);
}

function finish(r: Reading, start: CoreTime, carry: boolean): CoreTime | null {
  let time = start;
  if (carry) {
    const unix = toUnix(time, r.session.zone);
    if (Number.isNaN(unix)) return fail(r);
    time = fromUnix(unix + 1, 0, r.session.zone);
  }
  return r.split.hasOffset ? applyOffset(r, time) : time;
}

function pair(bytes: Uint8Array, at: number): number {
  const high = bytes[at]! - 48;
  const low = bytes[at + 1]! - 48;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN;
}

/** `2020-01-02` and `2020-01-02 03:04:05`, with up to 6 digits of fraction that need no rounding; null for all other forms. */
function plainDateTime(bytes: Uint8Array, fsp: number): CoreTime | null {
  const length = bytes.length;
  if (length !== 10 && length !== 19 && (length < 21 || length > 20 + fsp)) return null;
  if (bytes[4] !== 0x2d || bytes[7] !== 0x2d) return null;
  const date = pair(bytes, 0) * 100 + pair(bytes, 2);
  const time = coreTime(date, pair(bytes, 5), pair(bytes, 8));
  if (length > 10) {
    if ((bytes[10] !== 0x20 && bytes[10] !== 0x54) || bytes[13] !== 0x3a || bytes[16] !== 0x3a) return null;
    time.hour = pair(bytes, 11);
    time.minute = pair(bytes, 14);
    time.second = pair(bytes, 17);
  }
  if (length > 19) {
    if (bytes[19] !== 0x2e) return null;
    let micro = 0;
    for (let i = 20; i < 26; i++) {
      const digit = i < length ? bytes[i]! - 48 : 0;
      micro = micro * 10 + (digit >= 0 && digit <= 9 ? digit : Number.NaN);
    }
    time.micro = micro;
  }
  const sum = time.year + time.month + time.day + time.hour + time.minute + time.second + time.micro;
  return !Number.isNaN(sum) && fitsFields(time) ? time : null;
}

/** Reads a date and time from bytes, see `parseDateTimeText`. */
export function parseDateTime(session: CastSession, bytes: Uint8Array, fsp: number): CoreTime | null {
  return plainDateTime(bytes, fsp) ?? parseDateTimeText(session, byteString(bytes), fsp, false);
}
