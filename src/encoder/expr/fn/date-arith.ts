/** DATE_ADD, DATE_SUB, ADDDATE, SUBDATE, TIMESTAMPADD, TIMESTAMPDIFF (TiDB `pkg/expression/builtin_time.go`). */
import { textOf, utf8 } from "../../../base/mod.ts";
import { decimalText, partsFromUtcSeconds, type TimeParts, utcSeconds } from "../../../codec/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import {
  byteString,
  CastError,
  checkTime,
  durationToTime,
  type Fault,
  formatFixed,
  isDateOnlyText,
  isRealTime,
  MAX_INT64,
  MIN_INT64,
  parseDecimalText,
  parseTime,
  timeFromNumber,
  trimSpace,
  wrongValue,
} from "../../cast/mod.ts";
import { daysFromCivilLoose, unitsBetween } from "../calendar.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { timeText } from "../cast-text.ts";
import type { ExprContext } from "../context.ts";
import { roundDec, shownDec, signedUnscaled } from "../dec.ts";
import { isUnsigned } from "../field-types.ts";
import {
  addInterval,
  intervalNanos,
  isClockUnit,
  isDateUnit,
  isMicroUnit,
  negated,
  parseInterval,
} from "../interval.ts";
import { as, lift1, lift2, type Node } from "../node.ts";
import { datetimeType, durationType, sumDurations } from "../time-sum.ts";
import { time, timeOfDatum } from "../time-value.ts";
import type { Dec, Eval, Kind, Time } from "../value.ts";
import { DATE_TYPE, hasZeroPart } from "./time-part.ts";

const DATETIME_OVERFLOW: Fault = { code: 1441, message: "Datetime function: datetime field overflow" };

function unitOf(call: Call, at: number): string {
  const written = call.exprs[at];
  return written?.kind === "unit" ? written.unit : "DAY";
}

/** As Go prints the parts of a time that is none. */
function goParts(t: TimeParts): string {
  return `{${t.year} ${t.month} ${t.day} ${t.hour} ${t.minute} ${t.second} ${t.micro}}`;
}

/** The interval's number as text: whole units are read from the front of a text, and rounded from decimals. */
function amountText(call: Call, amount: Node, unit: string): Eval<string> {
  const { ctx } = call;
  const isSingle = !unit.includes("_");
  switch (amount.kind) {
    case "string":
      return lift1(amount.eval, (v) => (isSingle ? singleOfText(ctx, unit, byteString(v)) : byteString(v)));
    case "decimal":
      return lift1(amount.eval, (v) => (isSingle ? singleOfDecimal(ctx, unit, v) : compoundOfDecimal(unit, v)));
    case "real": {
      const digits = amount.type.Decimal;
      return lift1(amount.eval, (v) => (digits < 0 ? formatFixed(v) : v.toFixed(digits)));
    }
    default: {
      const unsigned = isUnsigned(amount.type);
      return lift1(as(amount, "int").eval, (v) => String(unsigned ? BigInt.asUintN(64, v) : v));
    }
  }
}

function singleOfText(ctx: ExprContext, unit: string, text: string): string {
  if (unit !== "SECOND") {
    const trimmed = trimSpace(text);
    const digits = /^[+-]?[0-9]+/.exec(trimmed)?.[0] ?? "";
    const whole = digits === "" ? "0" : digits;
    if (whole !== trimmed) ctx.truncated("DECIMAL", trimmed);
    return whole;
  }
  ctx.session.fault = null;
  const value = parseDecimalText(ctx.session, text);
  if (ctx.session.take() !== null) ctx.truncated("DECIMAL", text);
  return decimalText(value);
}

function singleOfDecimal(ctx: ExprContext, unit: string, v: Dec): string {
  if (unit === "SECOND") return decimalText(shownDec(v));
  const n = signedUnscaled(roundDec(v, 0));
  if (n <= MAX_INT64 && n >= MIN_INT64) return String(n);
  ctx.truncated("DECIMAL", decimalText(shownDec(v)));
  return String(n > 0n ? MAX_INT64 : MIN_INT64);
}

/** What stands before a decimal, and in place of its point, for each unit. */
const COMPOUND_FORMS: Record<string, readonly [before: string, point: string]> = {
  HOUR_MINUTE: ["", ":"],
  MINUTE_SECOND: ["", ":"],
  YEAR_MONTH: ["", "-"],
  DAY_HOUR: ["", " "],
  DAY_MINUTE: ["0 ", ":"],
  DAY_SECOND: ["0 00:", ":"],
  DAY_MICROSECOND: ["0 00:00:", "."],
  HOUR_MICROSECOND: ["00:00:", "."],
  HOUR_SECOND: ["00:", ":"],
  MINUTE_MICROSECOND: ["00:", "."],
  SECOND_MICROSECOND: ["", "."],
};

function compoundOfDecimal(unit: string, v: Dec): string {
  const text = decimalText(shownDec(v));
  const [before, point] = COMPOUND_FORMS[unit] ?? ["", "."];
  const size = before + text.replace("-", "").replaceAll(".", point);
  return text.startsWith("-") ? `-${size}` : size;
}

/** Moves a time; NULL where that is forgiven to fail. */
function move(ctx: ExprContext, t: Time, unit: string, text: string, sign: 1 | -1, fsp: number): Time | null {
  const { interval, fault } = parseInterval(unit, text);
  if (fault !== null) ctx.handle(fault);
  const moved = addInterval(t, sign < 0 ? negated(interval) : interval);
  if (moved === undefined) return ctx.invalidTime(goParts(t), "time");
  if (moved === null) {
    ctx.handle(DATETIME_OVERFLOW);
    return null;
  }
  const parts = moved.year === 0 ? { ...moved, month: 0, day: 0 } : moved;
  return { ...parts, tp: t.tp, fsp: t.tp === Tp.date ? 0 : fsp };
}

/** A date out of a text; without a time of day it stays a date if the unit is one of dates. */
function dateOfText(ctx: ExprContext, text: Uint8Array, unit: string): Time | null {
  const { session } = ctx;
  const isDate = isDateOnlyText(byteString(text)) && !isClockUnit(unit);
  session.fault = null;
  const t = timeOfDatum(parseTime(session, text, isDate ? Tp.date : Tp.datetime, 6));
  if (ctx.failed()) return null;
  if (session.noZeroDate && (t.year === 0 || t.month === 0 || t.day === 0)) return ctx.invalidTime(textOf(text));
  return t;
}

/** 20010203 is a date, 20010203040506 a date and time. */
function dateOfNumber(ctx: ExprContext, n: bigint, unit: string): Time | null {
  ctx.session.fault = null;
  const t = timeFromNumber(ctx.session, n);
  if (ctx.failed() || t === null) return null;
  const hasClock = n >= 101000000n || isClockUnit(unit);
  return time(t, hasClock ? Tp.datetime : Tp.date, 0);
}

/** The date as DATE_ADD reads it from what is no time. */
function looseDate(call: Call, date: Node, unit: string): Eval<Time> {
  const { ctx } = call;
  const withMicros = (t: Time | null, micro: number): Time | null =>
    t === null || t.tp === Tp.date ? t : { ...t, micro, fsp: 6 };
  switch (date.kind) {
    case "int":
      return lift1(date.eval, (v) => dateOfNumber(ctx, BigInt.asIntN(64, v), unit));
    case "real":
      return lift1(date.eval, (v) => {
        const whole = Math.trunc(v);
        const n = whole >= 9.2e18 || whole <= -9.2e18 ? MIN_INT64 : BigInt(whole);
        return withMicros(dateOfNumber(ctx, n, unit), Math.round((v - whole) * 1e6));
      });
    case "decimal":
      return lift1(date.eval, (v) => {
        const whole = v.unscaled / 10n ** BigInt(v.scale);
        const micros = ((v.unscaled - whole * 10n ** BigInt(v.scale)) * 1000000n) / 10n ** BigInt(v.scale);
        return withMicros(dateOfNumber(ctx, v.negative ? -whole : whole, unit), Number(micros));
      });
    default:
      return lift1(as(date, "string").eval, (v) => dateOfText(ctx, v, unit));
  }
}

/** Of what is no time the result is a text. */
function movedText(call: Call, date: Node, amount: Eval<string>, unit: string, sign: 1 | -1): Node {
  const { ctx } = call;
  const start = looseDate(call, date, unit);
  return call.string(
    (row) => {
      const t = start(row);
      if (t === null) return null;
      if (hasZeroPart(t)) return ctx.invalidTime(timeText(t));
      const text = amount(row);
      if (text === null) return null;
      const moved = move(ctx, t, unit, text, sign, 0);
      return moved === null ? null : utf8(timeText({ ...moved, fsp: moved.micro === 0 ? 0 : 6 }));
    },
    { Flen: 29, Decimal: 0 },
  );
}

function movedDuration(call: Call, date: Node, amount: Eval<string>, unit: string, sign: 1 | -1, fsp: number): Node {
  const { ctx } = call;
  const d = as(date, "duration").eval;
  if (isDateUnit(unit) && unit !== "DAY_MICROSECOND") {
    const moved = lift2(d, amount, (v, text) => {
      ctx.session.fault = null;
      const t = timeOfDatum(durationToTime(ctx.session, v, Tp.datetime));
      const fault = ctx.session.take();
      if (fault !== null) throw new CastError(fault.code, fault.message);
      return move(ctx, t, unit, text, sign, fsp);
    });
    return call.node("time", moved, datetimeType(fsp));
  }
  const moved = lift2(d, amount, (v, text) => {
    const nanos = intervalNanos(unit, text);
    if (typeof nanos !== "bigint") {
      ctx.handle(nanos);
      return null;
    }
    return { nanos: sumDurations(v, { nanos, fsp: 0 }, sign).nanos, fsp };
  });
  return call.node("duration", moved, durationType(fsp));
}

function amountKind(amount: Node): Kind {
  if (amount.kind === "json") return "string";
  return amount.kind === "string" || amount.kind === "decimal" || amount.kind === "real" ? amount.kind : "int";
}

function resultFsp(date: Node, amount: Node, unit: string): number {
  if (isMicroUnit(unit)) return 6;
  let least = 0;
  if (unit === "SECOND")
    least = amount.kind === "string" || amount.kind === "real" ? 6 : Math.min(6, amount.type.Decimal);
  return Math.min(6, Math.max(date.type.Decimal, least, 0));
}

function arithmetic(sign: 1 | -1): (call: Call) => Node {
  return (call) => {
    const unit = unitOf(call, 2);
    const [given, by] = call.args as [Node, Node];
    const dateKind: Kind = given.kind === "json" ? "string" : given.kind;
    const isText = dateKind !== "time" && dateKind !== "duration";
    const [date, number] = call.cast(isText ? "string" : dateKind, dateKind, amountKind(by)) as [Node, Node];
    const text = amountText(call, number, unit);
    if (isText) return movedText(call, date, text, unit, sign);
    const fsp = resultFsp(date, number, unit);
    if (dateKind === "duration") return movedDuration(call, date, text, unit, sign, fsp);
    const stays = given.type.Tp === Tp.date && !isClockUnit(unit);
    const moved: Eval<Time> = lift2(as(date, "time").eval, text, (v, amount) => {
      const t = isClockUnit(unit) || v.tp === Tp.timestamp ? { ...v, tp: Tp.datetime } : v;
      return move(call.ctx, t, unit, amount, sign, stays ? 0 : fsp);
    });
    return call.node("time", moved, stays ? DATE_TYPE : datetimeType(fsp));
  };
}

const UNIT_NANOS: Record<string, number> = { MICROSECOND: 1e3, SECOND: 1e3, MINUTE: 60e9, HOUR: 3600e9 };
const DAYS: Record<string, number> = { DAY: 1, WEEK: 7 };
const MONTHS: Record<string, number> = { MONTH: 1, QUARTER: 3, YEAR: 12 };
const FIRST_NANOS = -62135596800e9;
const LAST_NANOS = 253402300799e9 + 999999000;
const DAY_NANOS = 86400e9;

/** A time plus a number of units; null beyond the years 1 to 9999. Large numbers wrap as in Go. */
function addUnits(unit: string, t: TimeParts, v: number): TimeParts | null {
  const count = Math.sign(v) * Math.round(Math.abs(v));
  const nanos = utcSeconds(t) * 1e9 + t.micro * 1000;
  const inRange = (by: number): boolean => by + nanos >= FIRST_NANOS && by + nanos <= LAST_NANOS;
  const size = UNIT_NANOS[unit];
  if (size !== undefined) {
    const units = unit === "SECOND" ? Math.trunc(v * 1000000) : count;
    if (!inRange(units * size)) return null;
    const micros = BigInt.asIntN(64, BigInt(units) * BigInt(size)) / 1000n + BigInt(t.micro);
    const micro = ((micros % 1000000n) + 1000000n) % 1000000n;
    return partsFromUtcSeconds(utcSeconds(t) + Number((micros - micro) / 1000000n), Number(micro));
  }
  const days = DAYS[unit];
  if (days !== undefined) {
    if (!inRange(count * days * DAY_NANOS)) return null;
    return partsFromUtcSeconds(utcSeconds(t) + count * days * 86400, t.micro);
  }
  const months = count * MONTHS[unit]!;
  const sum = months + t.year * 12 + t.month - 1;
  if (sum < 12 || sum > 9999 * 12 + 11) return null;
  if (unit === "MONTH") return addInterval(t, { years: 0, months, days: 0, nanos: 0n, fsp: 0 }) ?? null;
  const day = daysFromCivilLoose(t.year, t.month + months, t.day);
  return partsFromUtcSeconds(day * 86400 + t.hour * 3600 + t.minute * 60 + t.second, t.micro);
}

function timestampAdd(call: Call): Node {
  const unit = unitOf(call, 0);
  const [number, date] = call.cast("string", "real", "time");
  const { ctx } = call;
  return call.string(
    lift2(number.eval, date.eval, (v, t) => {
      if (!isRealTime(t)) {
        const fault = wrongValue("time", goParts(t));
        ctx.warn(fault.code, fault.message);
        return null;
      }
      const sum = addUnits(unit, t, v);
      if (sum === null) {
        ctx.handle(DATETIME_OVERFLOW);
        return null;
      }
      const tp = t.tp === Tp.date && isClockUnit(unit) ? Tp.datetime : t.tp;
      ctx.session.fault = null;
      checkTime(ctx.session, { ...sum }, tp);
      if (ctx.failed()) return null;
      return utf8(timeText(time(sum, tp, sum.micro === 0 ? 0 : 6)));
    }),
    { Flen: unit === "MICROSECOND" ? 26 : 19 },
  );
}

/** Warns of, or throws, what has zero parts; false if there are none. */
function invalidPair(ctx: ExprContext, a: Time, b: Time): boolean {
  const invalid = [a, b].filter(hasZeroPart);
  for (const t of invalid) ctx.invalidTime(timeText(t));
  return invalid.length > 0;
}

function timestampDiff(call: Call): Node {
  const unit = unitOf(call, 0);
  const [from, to] = call.cast("int", "time", "time");
  return call.int(lift2(from.eval, to.eval, (a, b) => (invalidPair(call.ctx, a, b) ? null : unitsBetween(unit, a, b))));
}

function dateDiff(call: Call): Node {
  const [a, b] = call.cast("int", "time", "time");
  return call.int(
    lift2(a.eval, b.eval, (x, y) => {
      if (invalidPair(call.ctx, x, y)) return null;
      const day = (t: Time): Time => ({ ...t, hour: 0, minute: 0, second: 0, micro: 0 });
      return unitsBetween("DAY", day(y), day(x));
    }),
  );
}

export const dateArithmetic: FunctionTable = {
  date_add: fn(arithmetic(1), 2),
  date_sub: fn(arithmetic(-1), 2),
  adddate: fn(arithmetic(1), 2),
  subdate: fn(arithmetic(-1), 2),
  timestampadd: fn(timestampAdd, 2),
  timestampdiff: fn(timestampDiff, 2),
  datediff: fn(dateDiff, 2),
};
