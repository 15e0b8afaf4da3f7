/** Dates and times out of numbers and texts, periods, time zones (TiDB `pkg/expression/builtin_time.go`). */
import { textOf, utf8 } from "../../../base/mod.ts";
import { TimeZone } from "../../../codec/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import {
  byteString,
  CastError,
  checkTime,
  type Duration,
  formatFixed,
  fromUnix,
  fullYear,
  isRealTime,
  timeOfDay,
  truncatedWrongValue,
} from "../../cast/mod.ts";
import { dateOfDayNumber, dayNumber } from "../calendar.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { timeText } from "../cast-text.ts";
import { type ExprContext, wrongValueForType } from "../context.ts";
import { isUnsigned } from "../field-types.ts";
import { isConst, lift1, lift2, lift3, type Node } from "../node.ts";
import { formatKind, strToDate } from "../str-to-date.ts";
import { datetimeType, durationType, readDuration } from "../time-sum.ts";
import { datumOfTime, time } from "../time-value.ts";
import type { Time } from "../value.ts";
import { DATE_TYPE, hasZeroPart } from "./time-part.ts";

function dateOfDays(n: bigint): Time {
  const days = n < 0n || n > 10000000n ? 0 : Number(n);
  return time({ ...dateOfDayNumber(days), hour: 0, minute: 0, second: 0, micro: 0 }, Tp.date, 0);
}

function fromDays(call: Call): Node {
  const [n] = call.cast("time", "int");
  return call.node(
    "time",
    lift1(n.eval, (v) => {
      const t = dateOfDays(v);
      return t.year > 9999 ? null : t;
    }),
    DATE_TYPE,
  );
}

function makeDate(call: Call): Node {
  const [year, day] = call.cast("time", "int", "int");
  return call.node(
    "time",
    lift2(year.eval, day.eval, (y, d) => {
      if (d <= 0n || y < 0n || y > 9999n) return null;
      const t = dateOfDays(BigInt(dayNumber(fullYear(Number(y)), 1, 1)) + d - 1n);
      return t.year === 0 || t.year > 9999 ? null : t;
    }),
    DATE_TYPE,
  );
}

/** A TIME that the function itself wrote; what is wrong with it no mode forgives. */
function written(ctx: ExprContext, text: string, fsp: number): Duration {
  const { value, fault } = readDuration(ctx, utf8(text), fsp);
  if (fault !== null) throw new CastError(fault.code, fault.message);
  return value;
}

/** Two places, the sign being one. */
const two = (n: bigint): string => (n < 0n ? String(n) : String(n).padStart(2, "0"));

function fspOfNumber(node: Node): number {
  if (node.kind === "int") return 0;
  if (node.kind !== "real" && node.kind !== "decimal") return 6;
  return node.type.Decimal > 6 || node.type.Decimal < 0 ? 6 : node.type.Decimal;
}

function makeTime(call: Call): Node {
  const fsp = fspOfNumber(call.args[2]!);
  const [hour, minute, second] = call.cast("duration", "int", "int", "real");
  const unsigned = isUnsigned(hour.type);
  return call.node(
    "duration",
    lift3(hour.eval, minute.eval, second.eval, (h, m, s) => {
      if (m < 0n || m >= 60n || s < 0 || s >= 60) return null;
      const hours = unsigned && h < 0n ? 839n : h;
      const isLong = hours > 838n || hours < -838n || ((hours === 838n || hours === -838n) && m === 59n && s > 59);
      if (isLong) return written(call.ctx, `${hours < 0n ? "-" : ""}838:59:59`, fsp);
      const seconds = s !== 0 && s < 1e-4 ? s.toExponential() : formatFixed(s);
      return written(call.ctx, `${two(hours)}:${two(m)}:${seconds}`, fsp);
    }),
    durationType(fsp),
  );
}

function secToTime(call: Call): Node {
  const arg = call.args[0]!;
  const known = arg.kind !== "string" && arg.type.Decimal >= 0;
  const fsp = known ? Math.min(arg.type.Decimal, 6) : 6;
  const [seconds] = call.cast("duration", "real");
  const { ctx } = call;
  return call.node(
    "duration",
    lift1(seconds.eval, (v) => {
      const size = Math.abs(v);
      const sign = v < 0 ? "-" : "";
      const whole = Math.trunc(size);
      if (whole >= 839 * 3600) {
        ctx.handle(truncatedWrongValue("time", formatFixed(size)));
        return written(ctx, `${sign}838:59:59`, fsp);
      }
      const clock = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)].map((n) => String(n).padStart(2, "0"));
      return written(ctx, `${sign}${clock.join(":")}:${formatFixed((whole % 60) + (size - whole))}`, fsp);
    }),
    durationType(fsp),
  );
}

const wrap = (n: bigint): bigint => BigInt.asUintN(64, n);

const wideYear = (year: bigint): bigint => (year < 70n ? year + 2000n : year < 100n ? year + 1900n : year);

/** Months of a period such as 202001 or 2001. */
function monthsOf(call: Call, period: bigint): bigint {
  const month = period % 100n;
  if (period < 0n || month === 0n || month > 12n) {
    throw new CastError(1210, `Incorrect arguments to ${call.name}`);
  }
  return wideYear(period / 100n) * 12n + month - 1n;
}

function periodAdd(call: Call): Node {
  const [period, months] = call.cast("int", "int", "int");
  return call.int(
    lift2(period.eval, months.eval, (p, n) => {
      const sum = wrap(monthsOf(call, p) + n);
      return sum === 0n ? 0n : BigInt.asIntN(64, wideYear(sum / 12n) * 100n + (sum % 12n) + 1n);
    }),
    { Flen: 6 },
  );
}

function periodDiff(call: Call): Node {
  const [a, b] = call.cast("int", "int", "int");
  return call.int(
    lift2(a.eval, b.eval, (x, y) => monthsOf(call, x) - monthsOf(call, y)),
    { Flen: 6 },
  );
}

const OFFSET = /^([-+](0?[0-9]|1[0-3]):[0-5]?[0-9]|\+14:00?)$/;

/** The zone of a name or an offset; undefined for what is none. */
function zoneOf(ctx: ExprContext, name: string): TimeZone | undefined {
  if (name === "") return undefined;
  if (OFFSET.test(name)) {
    const [hours = "", minutes = ""] = name.slice(1).split(":");
    const seconds = Number(hours) * 3600 + Number(minutes) * 60;
    return TimeZone.fixed(name, name.startsWith("-") ? -seconds : seconds);
  }
  if (/^system$/i.test(name)) return ctx.session.systemZone;
  return /^[-+]/.test(name) ? undefined : TimeZone.find(name);
}

/** Digits behind the seconds: those of a constant, else six. */
function convertedFsp(arg: Node): number {
  if (!isConst(arg)) return 6;
  let digits = 6;
  if (arg.kind === "int") digits = 0;
  if (arg.kind === "real" || arg.kind === "decimal") digits = arg.type.Decimal;
  if (arg.kind === "string") {
    const text = arg.eval([]);
    if (text !== null) digits = /\.([^.]*)$/.exec(byteString(text))?.[1]?.length ?? 0;
  }
  return Math.min(Math.max(digits, 0), 6);
}

function convertTz(call: Call): Node {
  const { ctx } = call;
  const fsp = convertedFsp(call.args[0]!);
  const [date, from, to] = call.cast("time", "time", "string", "string");
  return call.node(
    "time",
    (row) => {
      const t = date.eval(row);
      if (t === null) return null;
      if (hasZeroPart(t)) return ctx.invalidTime(timeText(t));
      const source = from.eval(row);
      const target = source === null ? null : to.eval(row);
      if (source === null || target === null || !isRealTime(t)) return null;
      const sourceZone = zoneOf(ctx, textOf(source));
      const targetZone = zoneOf(ctx, textOf(target));
      if (sourceZone === undefined || targetZone === undefined) return null;
      const moment = sourceZone.toUtcSeconds(t);
      const at = moment ?? sourceZone.afterGap(t);
      return time(fromUnix(at, moment === undefined ? 0 : t.micro, targetZone), Tp.datetime, fsp);
    },
    datetimeType(fsp),
  );
}

/** What the format of STR_TO_DATE, if it is constant, says of the result. */
function formatOf(format: Node): { tp: number; fsp: number } {
  if (!isConst(format)) return { tp: Tp.datetime, fsp: 6 };
  const value = format.eval([]);
  if (value === null || format.kind !== "string") return { tp: Tp.datetime, fsp: 0 };
  const text = byteString(value as Uint8Array);
  const { hasDate, hasTime } = formatKind(text);
  const tp = hasTime && !hasDate ? Tp.duration : hasDate && !hasTime ? Tp.date : Tp.datetime;
  return { tp, fsp: text.includes("%f") ? 6 : 0 };
}

/** The text by the format, checked; NULL if it is no time and that is forgiven. */
function parsed(ctx: ExprContext, text: Uint8Array, format: Uint8Array): Time | null {
  const found = strToDate(byteString(text), byteString(format));
  if (found === null) return ctx.invalidTime("0000-00-00 00:00:00");
  ctx.session.fault = null;
  const t = time(found.t, Tp.datetime, 0);
  checkTime(ctx.session, { ...found.t }, Tp.datetime);
  if (ctx.session.take() !== null) return ctx.invalidTime(timeText(t));
  if (found.truncated) {
    const { code, message } = truncatedWrongValue("datetime", textOf(text));
    ctx.warn(code, message);
  }
  return t;
}

function strToDateCall(call: Call): Node {
  const { ctx } = call;
  const { tp, fsp } = formatOf(call.args[1]!);
  const [text, format] = call.cast(tp === Tp.duration ? "duration" : "time", "string", "string");
  if (tp === Tp.duration) {
    const d = lift2(text.eval, format.eval, (v, f) => {
      const t = parsed(ctx, v, f);
      return t === null ? null : timeOfDay(datumOfTime({ ...t, fsp }));
    });
    return call.node("duration", d, durationType(fsp));
  }
  const isDate = tp === Tp.date;
  const value = lift2(text.eval, format.eval, (v, f) => {
    const t = parsed(ctx, v, f);
    if (t === null) return null;
    if (ctx.session.noZeroDate && (t.year === 0 || t.month === 0 || t.day === 0)) {
      if (!isDate) return ctx.invalidTime(timeText(t));
      const { code, message } = wrongValueForType("datetime", textOf(v), "str_to_date");
      ctx.handle({ code, message });
      return null;
    }
    return { ...t, tp, fsp };
  });
  return call.node("time", value, isDate ? DATE_TYPE : datetimeType(fsp));
}

export const timeMakers: FunctionTable = {
  from_days: fn(fromDays, 1),
  makedate: fn(makeDate, 2),
  maketime: fn(makeTime, 3),
  sec_to_time: fn(secToTime, 1),
  period_add: fn(periodAdd, 2),
  period_diff: fn(periodDiff, 2),
  convert_tz: fn(convertTz, 3),
  str_to_date: fn(strToDateCall, 2),
};
