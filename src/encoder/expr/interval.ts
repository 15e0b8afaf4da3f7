/** INTERVAL values, and dates plus such (TiDB `pkg/types/time.go`, ParseDurationValue; `core_time.go`, AddDate). */
import { partsFromUtcSeconds, type TimeParts, utcSeconds } from "../../codec/mod.ts";
import { type Fault, isRealTime, MAX_INT64, MIN_INT64, truncatedWrongValue, wrongValue } from "../cast/mod.ts";
import { daysFromCivilLoose, lastDay } from "./calendar.ts";

export interface Interval {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly nanos: bigint;
  /** Digits behind the point of the seconds. */
  readonly fsp: number;
}

export interface ParsedInterval {
  readonly interval: Interval;
  /** What is wrong with the text; the interval is then the nearest. */
  readonly fault: Fault | null;
}

const CLOCK = new Set(
  `MICROSECOND SECOND MINUTE HOUR SECOND_MICROSECOND MINUTE_MICROSECOND HOUR_MICROSECOND DAY_MICROSECOND MINUTE_SECOND
   HOUR_SECOND DAY_SECOND HOUR_MINUTE DAY_MINUTE DAY_HOUR`.split(/\s+/),
);
const DATE = new Set(
  "DAY WEEK MONTH QUARTER YEAR DAY_MICROSECOND DAY_SECOND DAY_MINUTE DAY_HOUR YEAR_MONTH".split(" "),
);

export const isClockUnit = (unit: string): boolean => CLOCK.has(unit);
export const isDateUnit = (unit: string): boolean => DATE.has(unit);
export const isMicroUnit = (unit: string): boolean => unit.endsWith("MICROSECOND");

const NANOS: Record<string, bigint> = {
  MICROSECOND: 1000n,
  SECOND: 1000000000n,
  MINUTE: 60000000000n,
  HOUR: 3600000000000n,
};
const DAY_NANOS = 86400000000000n;

/** Nothing, for units that cannot be. */
const NONE: Interval = { years: 0, months: 0, days: 0, nanos: 0n, fsp: 0 };

function clamp(digits: string): bigint | null {
  if (!/^[+-]?[0-9]+$/.test(digits)) return null;
  const value = BigInt(digits.replace(/^\+/, ""));
  return value > MAX_INT64 ? MAX_INT64 : value < MIN_INT64 ? MIN_INT64 : value;
}

function isWide(digits: string): boolean {
  return /^[+-]?[0-9]+$/.test(digits) && BigInt(digits.replace(/^\+/, "")) !== clamp(digits);
}

/** One number, with a fraction for SECOND. */
function parseSingle(unit: string, text: string): ParsedInterval {
  const point = text.indexOf(".");
  const whole = point < 0 ? text : text.slice(0, point);
  const known = clamp(whole);
  let fault: Fault | null = known === null || isWide(whole) ? wrongValue("datetime", text) : null;
  const value = known ?? 0n;
  const sign = text.startsWith("-") ? -1n : 1n;
  let rounded = value;
  let micros = 0n;
  let fsp = 0;
  if (point >= 0 && point < text.length - 1) {
    const digits = /^[0-9]{0,6}/.exec(text.slice(point + 1))![0];
    fsp = digits.length;
    micros = BigInt(digits.padEnd(6, "0"));
    if (micros >= 500000n) rounded += sign;
    if (unit !== "SECOND") fault ??= truncatedWrongValue("DECIMAL", text);
    micros *= sign;
  }
  const nanos = NANOS[unit];
  if (nanos !== undefined) {
    const count = unit === "SECOND" ? value : rounded;
    const perDay = DAY_NANOS / nanos;
    const rest = (count % perDay) * nanos + (unit === "SECOND" ? micros * 1000n : 0n);
    const days = Number(count / perDay);
    return {
      interval: { ...NONE, days, nanos: rest, fsp: unit === "MICROSECOND" ? 6 : unit === "SECOND" ? fsp : 0 },
      fault,
    };
  }
  const n = Number(rounded);
  const parts: Record<string, Partial<Interval>> = {
    DAY: { days: n },
    WEEK: { days: 7 * n },
    MONTH: { months: n },
    QUARTER: { months: 3 * n },
    YEAR: { years: n },
  };
  return { interval: { ...NONE, ...parts[unit] }, fault };
}

/** Index of the last field of a compound unit, and how many fields it has: year, month, day, hour, minute, second, micro. */
const COMPOUND: Record<string, readonly [last: number, count: number]> = {
  SECOND_MICROSECOND: [6, 2],
  MINUTE_MICROSECOND: [6, 3],
  MINUTE_SECOND: [5, 2],
  HOUR_MICROSECOND: [6, 4],
  HOUR_SECOND: [5, 3],
  HOUR_MINUTE: [4, 2],
  DAY_MICROSECOND: [6, 5],
  DAY_SECOND: [5, 4],
  DAY_MINUTE: [4, 3],
  DAY_HOUR: [3, 2],
  YEAR_MONTH: [1, 2],
};

/** Numbers with anything between them; missing ones are those in front. */
function parseCompound(text: string, last: number, count: number): ParsedInterval {
  const trimmed = text.trim();
  const negative = trimmed.startsWith("-");
  const numbers = trimmed.match(/[0-9]+/g) ?? [];
  const fsp = last === 6 ? 6 : 0;
  if (numbers.length > count) return { interval: { ...NONE, fsp: 0 }, fault: wrongValue("datetime", text) };
  const fields = ["0", "0", "0", "0", "0", "0", "0"];
  numbers.forEach((number, i) => {
    fields[last - numbers.length + 1 + i] = (negative ? "-" : "") + number;
  });
  const micro = fields[6]!.replace(/^-/, "").padEnd(6, "0");
  fields[6] = (fields[6]!.startsWith("-") ? "-" : "") + micro;
  const fault = fields.some(isWide) ? wrongValue("datetime", text) : null;
  const [years, months, days, hours, minutes, seconds, micros] = fields.map((field) => clamp(field) ?? 0n);
  const total = BigInt.asIntN(64, hours! * 3600n + minutes! * 60n + seconds!);
  const interval = {
    years: Number(years),
    months: Number(months),
    days: Number(days! + total / 86400n),
    nanos: (total % 86400n) * 1000000000n + micros! * 1000n,
    fsp,
  };
  return { interval, fault };
}

export function parseInterval(unit: string, text: string): ParsedInterval {
  const compound = COMPOUND[unit];
  return compound === undefined ? parseSingle(unit, text) : parseCompound(text, ...compound);
}

const MAX_TIME_HOURS = 838n;
const MAX_TIME_MINUTES = MAX_TIME_HOURS * 60n + 59n;
const MAX_TIME_SECONDS = MAX_TIME_MINUTES * 60n + 59n;

/** The largest count of single units that a TIME can be moved by; TiDB lets only 1000 microseconds stand for a second. */
const MOST: Record<string, bigint> = {
  MICROSECOND: MAX_TIME_SECONDS * 1000n,
  SECOND: MAX_TIME_SECONDS,
  MINUTE: MAX_TIME_MINUTES,
  HOUR: MAX_TIME_HOURS,
  DAY: MAX_TIME_HOURS / 24n,
  WEEK: MAX_TIME_HOURS / 24n / 7n,
  MONTH: 1n,
  QUARTER: -1n,
  YEAR: -1n,
};

const OVERFLOW: Fault = { code: 1441, message: "Datetime function: time field overflow" };

/** The interval as nanoseconds that a TIME is moved by, a month being 30 days; else what is wrong. */
export function intervalNanos(unit: string, text: string): bigint | Fault {
  const { interval: i, fault } = parseInterval(unit, text);
  const days = BigInt(i.days) * DAY_NANOS;
  const most = MOST[unit];
  if (most === undefined) {
    if (fault !== null) return fault;
    const total = days + i.nanos;
    const tooLong = (total < 0n ? -total : total) > MAX_TIME_SECONDS * 1000000000n;
    return i.years !== 0 || i.months !== 0 || Math.abs(i.days) > 34 || tooLong || unit === "YEAR_MONTH"
      ? OVERFLOW
      : total;
  }
  if (isBeyond(unit, i, most)) return OVERFLOW;
  return fault ?? days + BigInt(i.months) * 30n * DAY_NANOS + i.nanos;
}

function isBeyond(unit: string, i: Interval, most: bigint): boolean {
  if (most < 0n) return true;
  const nanos = NANOS[unit];
  let count = BigInt(Math.abs(unit === "MONTH" ? i.months : unit === "WEEK" ? i.days / 7 : i.days));
  if (nanos !== undefined) {
    const total = BigInt(i.days) * DAY_NANOS + i.nanos;
    count = (total < 0n ? -total : total) / nanos;
  }
  return count > most;
}

export function negated(i: Interval): Interval {
  return { years: -i.years, months: -i.months, days: -i.days, nanos: -i.nanos, fsp: i.fsp };
}

const MAX_ADDED = 3650000;

/** Days that bring a month's end to the end of a shorter month. */
function fixedDays(t: TimeParts, i: Interval): number {
  if ((i.years === 0 && i.months === 0) || i.days !== 0) return 0;
  const months = (t.year + i.years) * 12 + t.month - 1 + i.months;
  const year = Math.floor(months / 12);
  const month = months - year * 12 + 1;
  const last = lastDay(year, month);
  return t.day > last ? last - t.day : 0;
}

/** Date plus interval; null beyond the years 0 to 9999, undefined for what is no date. */
export function addInterval(t: TimeParts, i: Interval): TimeParts | null | undefined {
  if (!isRealTime(t)) return undefined;
  const micros = BigInt(t.micro) + i.nanos / 1000n;
  const seconds = Number((micros - (((micros % 1000000n) + 1000000n) % 1000000n)) / 1000000n);
  const micro = Number(((micros % 1000000n) + 1000000n) % 1000000n);
  const moved = partsFromUtcSeconds(utcSeconds(t) + seconds, micro);
  if ([i.years, i.months, i.days].some((n) => Math.abs(n) > MAX_ADDED)) return null;
  const days = i.days + fixedDays(moved, i);
  const day = daysFromCivilLoose(moved.year + i.years, moved.month + i.months, moved.day + days);
  const second = moved.hour * 3600 + moved.minute * 60 + moved.second;
  const result = partsFromUtcSeconds(day * 86400 + second, moved.micro);
  return result.year < 0 || result.year > 9999 ? null : result;
}
