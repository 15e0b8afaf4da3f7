/** Days and weeks as MySQL counts them (TiDB `pkg/types/core_time.go`). */
import { civilFromDays, daysFromCivil, type TimeParts } from "../../codec/mod.ts";
import { daysInMonth, isLeapYear } from "../cast/mod.ts";

const DAY_SECONDS = 86400;

/** Days since 0000-00-00; 1 is 0000-01-01. */
export function dayNumber(year: number, month: number, day: number): number {
  if (year === 0 && month === 0) return 0;
  let sum = 365 * year + 31 * (month - 1) + day;
  let y = year;
  if (month <= 2) y--;
  else sum -= Math.trunc((month * 4 + 23) / 10);
  const centuries = Math.trunc((Math.trunc(y / 100 + 1) * 3) / 4);
  return sum + Math.trunc(y / 4) - centuries;
}

export function dayNumberOf(t: TimeParts): number {
  return dayNumber(t.year, t.month, t.day);
}

const FIRST_DAY = 366;
/** The first that has no date; the days before it from 3652425 on are of the year 10000. */
const NO_DAY = 3652500;

/** The date of a day number; zero where there is none. */
export function dateOfDayNumber(n: number): { year: number; month: number; day: number } {
  if (n < FIRST_DAY || n >= NO_DAY) return { year: 0, month: 0, day: 0 };
  return civilFromDays(n - EPOCH_DAY);
}

/** Day number of 1970-01-01. */
const EPOCH_DAY = 719528;

/** 0 is Sunday; of the day that the parts come to if they are no date. */
export function weekday(t: TimeParts): number {
  const days = daysFromCivilLoose(t.year, t.month, t.day);
  return (((days + 4) % 7) + 7) % 7;
}

/** Months and days out of their ranges count on, as in Go's time.Date. */
export function daysFromCivilLoose(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1;
  const y = Math.floor(months / 12);
  return daysFromCivil(y, months - y * 12 + 1, 1) + day - 1;
}

export function dayOfYear(t: TimeParts): number {
  if (t.month === 0 || t.day === 0) return 0;
  return dayNumberOf(t) - dayNumber(t.year, 1, 1) + 1;
}

function daysInYear(year: number): number {
  return (year & 3) === 0 && (year % 100 !== 0 || (year % 400 === 0 && year !== 0)) ? 366 : 365;
}

const MONDAY_FIRST = 1;
const OF_YEAR = 2;
const FIRST_WEEKDAY = 4;

function behaviour(mode: number): number {
  const format = mode & 7;
  return (format & MONDAY_FIRST) === 0 ? format ^ FIRST_WEEKDAY : format;
}

/** Number of the week, and the year that it belongs to. */
function calculateWeek(t: TimeParts, flags: number): { year: number; week: number } {
  const first = (flags & FIRST_WEEKDAY) !== 0;
  let ofYear = (flags & OF_YEAR) !== 0;
  let firstDay = dayNumber(t.year, 1, 1);
  let year = t.year;
  let begins = (firstDay + 5 + ((flags & MONDAY_FIRST) === 0 ? 1 : 0)) % 7;
  const isLate = (): boolean => (first ? begins !== 0 : begins >= 4);
  if (t.month === 1 && t.day <= 7 - begins) {
    if (!ofYear && isLate()) return { year, week: 0 };
    ofYear = true;
    year--;
    const days = daysInYear(year);
    firstDay -= days;
    begins = (begins + 53 * 7 - days) % 7;
  }
  const days = dayNumberOf(t) - (isLate() ? firstDay + 7 - begins : firstDay - begins);
  if (ofYear && days >= 52 * 7) {
    const next = (begins + daysInYear(year)) % 7;
    if (first ? next === 0 : next < 4) return { year: year + 1, week: 1 };
  }
  return { year, week: Math.trunc(days / 7) + 1 };
}

/** WEEK(t, mode). */
export function weekOf(t: TimeParts, mode: number): number {
  return t.month === 0 || t.day === 0 ? 0 : calculateWeek(t, behaviour(mode)).week;
}

export function yearWeek(t: TimeParts, mode: number): { year: number; week: number } {
  return calculateWeek(t, behaviour(mode) | OF_YEAR);
}

/** Last day of the month, 0 if there is no such month. */
export function lastDay(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  return month === 2 && isLeapYear(year) ? 29 : daysInMonth(year, month);
}

/** Microseconds from b to a. */
export function microsBetween(a: TimeParts, b: TimeParts): bigint {
  const seconds = (t: TimeParts): number => dayNumberOf(t) * DAY_SECONDS + t.hour * 3600 + t.minute * 60 + t.second;
  return BigInt(seconds(a) - seconds(b)) * 1000000n + BigInt(a.micro - b.micro);
}

function clock(t: TimeParts): number {
  return (t.hour * 3600 + t.minute * 60 + t.second) * 1e6 + t.micro;
}

/** Whole months from the earlier to the later. */
function monthsBetween(from: TimeParts, to: TimeParts): number {
  const short = to.month < from.month || (to.month === from.month && to.day < from.day);
  let months = 12 * (to.year - from.year - (short ? 1 : 0));
  months += short ? 12 - (from.month - to.month) : to.month - from.month;
  if (to.day < from.day || (to.day === from.day && clock(to) < clock(from))) months--;
  return months;
}

const UNIT_MICROS: Record<string, bigint> = {
  MICROSECOND: 1n,
  SECOND: 1000000n,
  MINUTE: 60000000n,
  HOUR: 3600000000n,
  DAY: 86400000000n,
  WEEK: 604800000000n,
};

const UNIT_MONTHS: Record<string, number> = { MONTH: 1, QUARTER: 3, YEAR: 12 };

/** Whole units from `from` to `to`. */
export function unitsBetween(unit: string, from: TimeParts, to: TimeParts): bigint {
  const micros = microsBetween(to, from);
  const months = UNIT_MONTHS[unit];
  if (months === undefined) return micros / (UNIT_MICROS[unit] ?? 1n);
  const count = micros < 0n ? -monthsBetween(to, from) : monthsBetween(from, to);
  return BigInt(Math.trunc(count / months));
}
