/**
 * Dates and times from text straight into a row: complete, valid spellings only; -1 leaves the rest to the plain path, else the
 * answer is the offset behind the written value.
 */
import { civilFromDays, daysFromCivil, type TimeZone } from "../../codec/mod.ts";
import { putSigned, putUnsigned } from "./slots.ts";

const MONTH_DAYS = Uint8Array.of(0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

function two(b: Uint8Array, at: number): number {
  const tens = b[at]! - 0x30;
  const ones = b[at + 1]! - 0x30;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** `YYYY-MM-DD` of the calendar as (year * 13 + month) << 5 | day, -1 for anything else. Years below 1000 are left out. */
function civil(b: Uint8Array, at: number): number {
  const century = two(b, at);
  const rest = two(b, at + 2);
  const month = two(b, at + 5);
  const day = two(b, at + 8);
  if (century < 10 || rest < 0 || month < 1 || day < 1 || month > 12) return -1;
  if (b[at + 4] !== 0x2d || b[at + 7] !== 0x2d || day > MONTH_DAYS[month]!) return -1;
  const year = century * 100 + rest;
  if (day === 29 && month === 2 && ((year & 3) !== 0 || (year % 100 === 0 && year % 400 !== 0))) return -1;
  return ((year * 13 + month) << 5) | day;
}

/** `hh:mm:ss` as hour << 12 | minute << 6 | second, -1 for anything else. */
function clock(b: Uint8Array, at: number): number {
  const hour = two(b, at);
  const minute = two(b, at + 3);
  const second = two(b, at + 6);
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 59) return -1;
  if (b[at + 2] !== 0x3a || b[at + 5] !== 0x3a) return -1;
  return (hour << 12) | (minute << 6) | second;
}

/** Microseconds of `.f…` at `at`, up to `fsp` digits; 0 where the text ends, -1 for anything else. */
function fraction(b: Uint8Array, at: number, end: number, fsp: number): number {
  if (at === end) return 0;
  const count = end - at - 1;
  if (b[at] !== 0x2e || count < 1 || count > fsp) return -1;
  let micro = 0;
  for (let i = at + 1; i < end; i++) {
    const d = b[i]! - 0x30;
    if (d >>> 0 > 9) return -1;
    micro = micro * 10 + d;
  }
  for (let i = count; i < 6; i++) micro *= 10;
  return micro;
}

function putPacked(out: Uint8Array, at: number, ymd: number, hms: number, micro: number): number {
  return putUnsigned(out, at, (ymd << 9) | (hms >> 8), (hms << 24) | micro);
}

export function parseDate(b: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  if (end - start !== 10) return -1;
  const ymd = civil(b, start);
  return ymd < 0 ? -1 : putPacked(out, at, ymd, 0, 0);
}

/** `YYYY-MM-DD hh:mm:ss[.f…]`, no digits to round. `zone`: that of a TIMESTAMP, undefined for DATETIME. */
export function parseDateTime(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  fsp: number,
  zone: TimeZone | undefined,
): number {
  if (end - start < 19 || b[start + 10] !== 0x20) return -1;
  const ymd = civil(b, start);
  const hms = clock(b, start + 11);
  const micro = fraction(b, start + 19, end, fsp);
  if (ymd < 0 || hms < 0 || micro < 0) return -1;
  if (zone === undefined) return putPacked(out, at, ymd, hms, micro);
  return putTimestamp(out, at, ymd, hms, micro, zone);
}

const utcDay = { year: 0, month: 0, day: 0 };
let utcDayOf = Number.NaN;

function putTimestamp(out: Uint8Array, at: number, ymd: number, hms: number, micro: number, zone: TimeZone): number {
  const months = ymd >> 5;
  const year = Math.floor(months / 13);
  // Well inside the range of TIMESTAMP in every zone; the years at its ends are left to the plain path.
  if (year < 1971 || year > 2037) return -1;
  if (zone.fixedOffset === 0) return putPacked(out, at, ymd, hms, micro);
  const seconds = (hms >> 12) * 3600 + ((hms >> 6) & 63) * 60 + (hms & 63);
  const utc = zone.toUnix(daysFromCivil(year, months % 13, ymd & 31) * 86400 + seconds);
  if (Number.isNaN(utc)) return -1;
  const day = Math.floor(utc / 86400);
  // One object for as long as the day stays the same.
  if (day !== utcDayOf) {
    Object.assign(utcDay, civilFromDays(day));
    utcDayOf = day;
  }
  const rest = utc - day * 86400;
  const hour = Math.floor(rest / 3600);
  const minute = Math.floor(rest / 60) % 60;
  return putPacked(
    out,
    at,
    ((utcDay.year * 13 + utcDay.month) << 5) | utcDay.day,
    (hour << 12) | (minute << 6) | (rest % 60),
    micro,
  );
}

/** `-?h{2,3}:mm:ss[.f…]` within TIME's range, no digits to round. */
export function parseDuration(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  fsp: number,
): number {
  const negative = b[start] === 0x2d && start < end;
  let from = negative ? start + 1 : start;
  let hours = 0;
  const first = from;
  while (from < end && b[from] !== 0x3a) {
    const d = b[from]! - 0x30;
    if (d >>> 0 > 9) return -1;
    hours = hours * 10 + d;
    from++;
  }
  if (from - first < 2 || from - first > 3 || end - from < 6 || b[from + 3] !== 0x3a) return -1;
  const minute = two(b, from + 1);
  const second = two(b, from + 4);
  const micro = fraction(b, from + 6, end, fsp);
  if (minute < 0 || second < 0 || micro < 0 || minute > 59 || second > 59 || hours > 837) return -1;
  const nanos = ((hours * 60 + minute) * 60 + second) * 1e9 + micro * 1000;
  const high = Math.floor(nanos / 0x100000000);
  const low = nanos % 0x100000000;
  return negative ? putSigned(out, at, low === 0 ? -high | 0 : ~high, -low | 0) : putSigned(out, at, high | 0, low | 0);
}
