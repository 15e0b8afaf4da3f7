/**
 * Dates and times taken apart: parts may be zero or out of the calendar until they are checked (TiDB `pkg/types/core_time.go`).
 */
import { dateText, dateTimeText, type TimeZone, utcSeconds } from "../../codec/mod.ts";

/** Codec's `TimeParts`, to be filled in. */
export interface CoreTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** Microseconds. */
  micro: number;
}

export function coreTime(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
  micro = 0,
): CoreTime {
  return { year, month, day, hour, minute, second, micro };
}

export function zeroTime(): CoreTime {
  return coreTime(0, 0, 0);
}

export function isZeroTime(t: Readonly<CoreTime>): boolean {
  return (
    t.year === 0 && t.month === 0 && t.day === 0 && t.hour === 0 && t.minute === 0 && t.second === 0 && t.micro === 0
  );
}

/** Whether each part fits the bit field that TiDB keeps it in. */
export function fitsFields(t: CoreTime): boolean {
  return (
    t.year < 16384 && t.month < 16 && t.day < 32 && t.hour < 32 && t.minute < 64 && t.second < 64 && t.micro < 1 << 20
  );
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Days of the month 1..12. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : MONTH_DAYS[month - 1]!;
}

/** Whether such a day and time of day exist (time zone apart). */
export function isRealTime(t: Readonly<CoreTime>): boolean {
  return (
    t.month >= 1 &&
    t.month <= 12 &&
    t.day >= 1 &&
    t.day <= daysInMonth(t.year, t.month) &&
    t.hour < 24 &&
    t.minute < 60 &&
    t.second < 60 &&
    t.micro < 1000000
  );
}

/** The instant (seconds since the epoch, microseconds left out) of a wall clock time in the zone; NaN if there is none. */
export function toUnix(t: Readonly<CoreTime>, zone: TimeZone): number {
  return isRealTime(t) ? zone.toUnix(utcSeconds(t)) : Number.NaN;
}

/** The wall clock time in the zone at an instant. */
export function fromUnix(unix: number, micro: number, zone: TimeZone): CoreTime {
  return { ...zone.toLocal(unix, micro) };
}

/** `2020-01-02` / `2020-01-02 03:04:05.678`. */
export function formatTime(t: Readonly<CoreTime>, dateOnly: boolean, fsp: number): string {
  return dateOnly ? dateText(t) : dateTimeText(t, fsp);
}
