import { partsFromUtcSeconds, type TimeParts, utcSeconds } from "../../codec/mod.ts";
import type { SqlMode } from "../sql/sql-mode.ts";

const DATE = /^(\d{1,4})[^\w\s](\d{1,2})[^\w\s](\d{1,2})$/;
const CLOCK = /^(\d{1,2})(?:[^\w\s](\d{1,2}))?(?:[^\w\s](\d{1,2}))?(?:\.(\d*))?$/;

/** Digits without separators by their number: where year, month … end. */
const COMPACT: Record<number, RegExp> = {
  6: /^(\d\d)(\d\d)(\d\d)()()()$/,
  8: /^(\d{4})(\d\d)(\d\d)()()()$/,
  10: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()$/,
  12: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/,
  14: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/,
};

/**
 * Reads a date or datetime as DDL holds it (defaults, bounds of partitions): `2020-01-02 03:04:05.6`, `2020-01-02`,
 * `20200102030405`; the fraction is rounded to `fsp` digits. Undefined where it is none or breaks the SQL mode's rules.
 */
export function parseDateTime(text: string, fsp: number, mode: SqlMode): TimeParts | undefined {
  const fields = compactFields(text.trim()) ?? separatedFields(text.trim());
  if (!fields) return undefined;
  const [yearText = "", month = "", day = "", hour = "", minute = "", second = "", fraction = ""] = fields;
  let year = Number(yearText);
  if (yearText.length === 2) year += year < 70 ? 2000 : 1900;
  const { carry, micro } = roundFraction(fraction, fsp);
  const parts = {
    year,
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    micro,
  };
  if (!isValid(parts, mode)) return undefined;
  return carry && parts.month > 0 && parts.day > 0 ? partsFromUtcSeconds(utcSeconds(parts) + 1, 0) : parts;
}

function compactFields(text: string): string[] | undefined {
  const [digits = "", fraction = ""] = text.split(".");
  const pattern = COMPACT[digits.length];
  const match = pattern?.exec(digits);
  return match ? [...match.slice(1), fraction] : undefined;
}

function separatedFields(text: string): string[] | undefined {
  const gap = /[T\s]+/.exec(text);
  const date = DATE.exec(gap ? text.slice(0, gap.index) : text);
  if (!date) return undefined;
  if (!gap) return date.slice(1);
  const clock = CLOCK.exec(text.slice(gap.index + gap[0].length));
  return clock ? [...date.slice(1), ...clock.slice(1)] : undefined;
}

/** Rounds digits behind the point half up to `fsp` digits. */
function roundFraction(digits: string, fsp: number): { carry: boolean; micro: number } {
  const scale = 10 ** (6 - fsp);
  const value = Number(digits.slice(0, 7).padEnd(7, "0")) / 10;
  const rounded = Math.round(Math.floor(value) / scale + (value % 1) / scale) * scale;
  return rounded >= 1_000_000 ? { carry: true, micro: 0 } : { carry: false, micro: rounded };
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isValid(t: TimeParts, mode: SqlMode): boolean {
  if (t.month > 12 || t.day > 31 || t.hour > 23 || t.minute > 59 || t.second > 59) return false;
  if (isZero(t)) return true;
  const zeroPart = t.month === 0 || t.day === 0;
  if (zeroPart) return !mode.has("NO_ZERO_IN_DATE");
  if (mode.has("ALLOW_INVALID_DATES")) return true;
  const leap = t.year % 4 === 0 && (t.year % 100 !== 0 || t.year % 400 === 0);
  return t.day <= DAYS[t.month - 1]! && (t.month !== 2 || t.day < 29 || leap);
}

/** 0000-00-00 00:00:00. */
export function isZero(t: TimeParts): boolean {
  return (
    t.year === 0 && t.month === 0 && t.day === 0 && t.hour === 0 && t.minute === 0 && t.second === 0 && t.micro === 0
  );
}

const DURATION = /^(-)?(?:(\d+)\s+)?(\d+)(?::(\d{1,2}))?(?::(\d{1,2}))?(?:\.(\d*))?$/;
const MAX_SECONDS = 838 * 3600 + 59 * 60 + 59;

/** Reads a TIME: `-12:34:56.7`, `1 2:3:4`, `123456`; nanoseconds rounded to `fsp` digits; undefined where it is none. */
export function parseDuration(text: string, fsp: number): bigint | undefined {
  const match = DURATION.exec(text.trim());
  if (!match) return undefined;
  const [, minus, days, first = "", second, third, fraction = ""] = match;
  let hours: number;
  let minutes = Number(second ?? 0);
  let seconds = Number(third ?? 0);
  if (days === undefined && second === undefined) {
    const digits = first.padStart(6, "0");
    hours = Number(digits.slice(0, -4));
    minutes = Number(digits.slice(-4, -2));
    seconds = Number(digits.slice(-2));
  } else {
    hours = Number(first) + 24 * Number(days ?? 0);
  }
  if (minutes > 59 || seconds > 59) return undefined;
  const { carry, micro } = roundFraction(fraction, fsp);
  const whole = hours * 3600 + minutes * 60 + seconds + (carry ? 1 : 0);
  if (whole > MAX_SECONDS || (whole === MAX_SECONDS && micro > 0)) return undefined;
  const nanos = (BigInt(whole) * 1_000_000n + BigInt(micro)) * 1000n;
  return minus ? -nanos : nanos;
}
