/** Sums and differences of times and durations, as TiDB's functions share them (`pkg/types/time.go`, `core_time.go`). */
import { partsFromUtcSeconds, type TimeParts } from "../../codec/mod.ts";
import { Tp } from "../../schema/mod.ts";
import {
  byteString,
  CastError,
  checkTime,
  type Duration,
  durationParts,
  type Fault,
  fspOfText,
  MAX_DURATION,
  parseDuration,
  parseTime,
  toUnix,
  trimSpace,
  truncatedWrongValue,
} from "../cast/mod.ts";
import { dateOfDayNumber, dayNumberOf, microsBetween } from "./calendar.ts";
import { toText, toTime } from "./cast.ts";
import type { ExprContext } from "./context.ts";
import { isConst, type Node } from "./node.ts";
import { time, timeOfDatum } from "./time-value.ts";
import type { Time } from "./value.ts";

const DAY_MICROS = 86400000000n;

export function datetimeType(fsp: number): { Tp: number; Flen: number; Decimal: number } {
  return { Tp: Tp.datetime, Flen: 19 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp };
}

export function durationType(fsp: number): { Tp: number; Flen: number; Decimal: number } {
  return { Tp: Tp.duration, Flen: 10 + (fsp > 0 ? fsp + 1 : 0), Decimal: fsp };
}

/** Digits behind the seconds that a function of this argument gives (TiDB getExpressionFsp). */
export function expressionFsp(ctx: ExprContext, node: Node): number {
  if (!isConst(node)) return Math.min(toTime(ctx, node).type.Decimal, 6);
  const text = toText(ctx, node).eval([]);
  return text === null ? 0 : fspOfText(byteString(text));
}

const DURATION = /^\s*-?(((\d{1,2}\s+)?0*\d{0,3}(:0*\d{1,2}){0,2})|(\d{1,7}))?(\.\d*)?\s*$/;

/** Whether a text has the form of a TIME. */
export function isDurationText(text: Uint8Array): boolean {
  return DURATION.test(byteString(text));
}

/** A text as TIME without the mode: the fault says what is wrong with it. */
export function readDuration(
  ctx: ExprContext,
  text: Uint8Array,
  fsp: number,
): { value: Duration; fault: Fault | null } {
  ctx.session.fault = null;
  const value = parseDuration(ctx.session, text, fsp);
  return { value, fault: ctx.session.take() };
}

/** A text as DATETIME without the mode; null with a fault. */
export function readTime(ctx: ExprContext, text: Uint8Array, fsp: number): { value: Time | null; fault: Fault | null } {
  ctx.session.fault = null;
  const value = timeOfDatum(parseTime(ctx.session, text, Tp.datetime, fsp));
  const fault = ctx.session.take();
  return { value: fault === null ? value : null, fault };
}

/** Time plus duration; an error that no mode forgives if the sum is no time. */
export function addDuration(ctx: ExprContext, t: Time, d: Duration): Time {
  const clock = BigInt(t.hour * 3600 + t.minute * 60 + t.second) * 1000000n + BigInt(t.micro);
  const sum = BigInt(dayNumberOf(t)) * DAY_MICROS + clock + d.nanos / 1000n;
  const micros = sum < 0n ? -sum : sum;
  const rest = micros % DAY_MICROS;
  const date = dateOfDayNumber(Number(micros / DAY_MICROS));
  const parts = { ...partsFromUtcSeconds(Number(rest / 1000000n), Number(rest % 1000000n)), ...date };
  const result = time(parts, t.tp, Math.max(t.fsp, d.fsp));
  ctx.session.fault = null;
  checkTime(ctx.session, { ...parts }, t.tp);
  const fault = ctx.session.take();
  if (fault !== null) throw new CastError(fault.code, fault.message);
  return result;
}

const INT64_MAX = 9223372036854775807n;

/** Sum of durations; nothing is said of TIME's range. */
export function sumDurations(a: Duration, b: Duration, sign: 1 | -1): Duration {
  if (b.nanos === 0n && b.fsp === 0) return a;
  const nanos = a.nanos + BigInt(sign) * b.nanos;
  if (nanos > INT64_MAX || nanos < -INT64_MAX - 1n) {
    const text = `(${a.nanos}, ${BigInt(sign) * b.nanos})`;
    throw new CastError(1690, `BIGINT value is out of range in '${text}'`);
  }
  return { nanos, fsp: Math.max(a.fsp, b.fsp) };
}

/** The duration within TIME's limits; what is cut is handled by the mode. */
export function clampDuration(ctx: ExprContext, d: Duration): Duration {
  if (d.nanos <= MAX_DURATION && d.nanos >= -MAX_DURATION) return d;
  ctx.handle(truncatedWrongValue("time", goDuration(d.nanos)));
  return { nanos: d.nanos > 0n ? MAX_DURATION : -MAX_DURATION, fsp: d.fsp };
}

/** The time from b to a. Two TIMESTAMPs are moments, others readings of a clock. */
export function timeBetween(ctx: ExprContext, a: Time, b: Time): Duration {
  const fsp = Math.max(a.fsp, b.fsp);
  if (a.tp === Tp.timestamp && b.tp === Tp.timestamp) {
    const seconds = moment(ctx, a) - moment(ctx, b);
    return { nanos: BigInt(seconds) * 1000000000n + BigInt(a.micro - b.micro) * 1000n, fsp };
  }
  const micros = microsBetween(a, b);
  const size = BigInt.asIntN(64, (micros < 0n ? -micros : micros) * 1000n);
  return { nanos: micros < 0n ? BigInt.asIntN(64, -size) : size, fsp };
}

function moment(ctx: ExprContext, t: TimeParts): number {
  const unix = toUnix(t, ctx.session.zone);
  return Number.isNaN(unix) ? 0 : unix;
}

/** As Go prints a duration: `-1412h55m54.321s`. */
export function goDuration(nanos: bigint): string {
  const { negative, hours, minutes } = durationParts(nanos);
  const size = negative ? -nanos : nanos;
  const rest = size % 60000000000n;
  const fraction = String(rest % 1000000000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const seconds = `${rest / 1000000000n}${fraction === "" ? "" : `.${fraction}`}s`;
  return `${negative ? "-" : ""}${hours}h${minutes}m${seconds}`;
}

/** A text that is a TIME or, where it is long enough for one, a date and time (TiDB StrToDuration). */
export function durationOrTime(ctx: ExprContext, text: Uint8Array, least: number): Duration | Time {
  const trimmed = trimSpace(byteString(text));
  const point = byteString(text).indexOf(".");
  const digits = point < 0 ? 0 : text.length - point - 1;
  const fsp = digits <= 6 ? Math.max(digits, least) : least;
  const end = trimmed.indexOf(".");
  const length = (end < 0 ? trimmed.length : end) - (trimmed.startsWith("-") ? 1 : 0);
  if (length >= 12) {
    const { value } = readTime(ctx, text, Math.min(fsp, 6));
    if (value !== null) return value;
  }
  const { value, fault } = readDuration(ctx, text, Math.min(fsp, 6));
  if (fault !== null) ctx.handle(fault);
  return value;
}
