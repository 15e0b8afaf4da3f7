/** Casts to dates and times inside expressions. */
import { utf8 } from "../../base/mod.ts";
import {
  decimalText,
  JsonType,
  jsonDuration,
  jsonInt,
  jsonText,
  type TimeParts,
  unpackCoreTime,
} from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import {
  byteString,
  checkTime,
  coreTime,
  type Duration,
  durationToTime,
  formatFixed,
  fromDecimalText,
  fspOf,
  parseDuration,
  parseDurationOrNull,
  parseTime,
  parseTimeNumber,
  roundDuration,
  roundTimeDatum,
  timeDatum,
  timeFromNumber,
  timeOfDay,
  truncatedWrongValue,
  typeName,
  unquotedJson,
  valueOutOfRange,
} from "../cast/mod.ts";
import { timeText } from "./cast-text.ts";
import type { ExprContext } from "./context.ts";
import { lift1, type Node } from "./node.ts";
import { dateOf, datumOfTime, isZero, time, timeOfDatum } from "./time-value.ts";
import type { Eval, Time } from "./value.ts";

/** A DATE has no time of day. */
function asType(t: Time, tp: number): Time {
  return tp === Tp.date ? dateOf(t) : t;
}

/** Runs a conversion; null if it failed and that was forgiven. */
function attempt(ctx: ExprContext, tp: number, convert: () => Time): Time | null {
  ctx.session.fault = null;
  const t = convert();
  return ctx.failed() ? null : asType(t, tp);
}

/** Text as a time; NULL if it is none, or a zero date that the mode does not allow. */
export function textToTime(ctx: ExprContext, text: Uint8Array, tp: number, fsp: number): Time | null {
  const t = attempt(ctx, tp, () => timeOfDatum(parseTime(ctx.session, text, tp, fsp)));
  if (t === null || !isZero(t) || !ctx.session.noZeroDate) return t;
  return ctx.invalidTime(timeText(t));
}

function yearToTime(ctx: ExprContext, year: bigint, tp: number, fsp: number): Time | null {
  if (year === 0n) return time(coreTime(0, 0, 0), tp, fsp);
  const t = coreTime(Number(year), 0, 0);
  return attempt(ctx, tp, () => {
    checkTime(ctx.session, t, tp);
    return time(t, tp, fsp);
  });
}

/** Another of the three types, rounded. */
export function convertTime(ctx: ExprContext, t: Time, tp: number, fsp: number): Time | null {
  const { session } = ctx;
  return attempt(ctx, tp, () => {
    if (t.tp !== tp && !isZero(t)) checkTime(session, t, tp);
    if (session.fault !== null) return t;
    const source = timeDatum(t, tp === Tp.date ? Tp.datetime : tp, t.fsp);
    return { ...timeOfDatum(roundTimeDatum(session, source, tp === Tp.date ? t.fsp : fsp)), tp };
  });
}

function durationAsTime(ctx: ExprContext, d: Duration, tp: number, fsp: number): Time | null {
  return attempt(ctx, tp, () => {
    const t = durationToTime(ctx.session, d, tp);
    return timeOfDatum(ctx.session.fault === null ? roundTimeDatum(ctx.session, t, fsp) : t);
  });
}

/** The time with another precision; its microseconds stay, as in TiDB. */
function jsonTime(json: Uint8Array, tp: number, fsp: number): Time {
  return time(unpackCoreTime(jsonInt(json)), tp, fsp);
}

function jsonToTime(ctx: ExprContext, json: Uint8Array, tp: number, fsp: number): Time | null {
  switch (json[0]) {
    case JsonType.date:
    case JsonType.datetime:
    case JsonType.timestamp:
      return asType(jsonTime(json, tp, fsp), tp);
    case JsonType.time:
      return durationAsTime(ctx, jsonDuration(json), tp, fsp);
    case JsonType.string:
      return attempt(ctx, tp, () => timeOfDatum(parseTime(ctx.session, unquotedJson(json), tp, fsp)));
    default:
      ctx.truncated(typeName(tp), jsonText(json));
      return null;
  }
}

export function timeEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<Time> {
  const { session } = ctx;
  const tp = type.Tp;
  const fsp = fspOf(type);
  const fromText = (text: string) => attempt(ctx, tp, () => timeOfDatum(fromDecimalText(session, text, tp, fsp)));
  switch (arg.kind) {
    case "int":
      if (arg.type.Tp === Tp.year) return lift1(arg.eval, (v) => yearToTime(ctx, v, tp, fsp));
      return lift1(arg.eval, (v) =>
        attempt(ctx, tp, () => timeOfDatum(parseTimeNumber(session, BigInt.asIntN(64, v), tp, fsp))),
      );
    case "real":
      return lift1(arg.eval, (v) => {
        const text = formatFixed(v);
        return text === "0" ? time(coreTime(0, 0, 0), tp, 0) : fromText(text);
      });
    case "decimal":
      return lift1(arg.eval, (v) => fromText(decimalText(v)));
    case "string":
      return lift1(arg.eval, (v) => textToTime(ctx, v, tp, fsp));
    case "time":
      return lift1(arg.eval, (v) => convertTime(ctx, v, tp, fsp));
    case "duration":
      return lift1(arg.eval, (v) => durationAsTime(ctx, v, tp, fsp));
    case "json":
      return lift1(arg.eval, (v) => jsonToTime(ctx, v, tp, fsp));
  }
}

/** Text as TIME; what is wrong is warned of and the nearest value taken, NULL for what is no TIME at all. */
export function textToDuration(ctx: ExprContext, text: Uint8Array, fsp: number): Duration | null {
  ctx.session.fault = null;
  const d = parseDurationOrNull(ctx.session, byteString(text), fsp);
  ctx.failed();
  return d;
}

/** As `textToDuration`, but NULL for a text that is not wholly a TIME. */
function strictDuration(ctx: ExprContext, text: string, fsp: number): Duration | null {
  ctx.session.fault = null;
  const d = parseDuration(ctx.session, utf8(text), fsp);
  return ctx.failed() ? null : d;
}

/** 838:59:59 as a number, and the first number that is read as a date and time. */
const LAST_CLOCK = 8385959n;
const FIRST_DATETIME = 10000000000n;

/** hhmmss, or the time of day of a full date and time; NULL where what is wrong is forgiven (TiDB `NumberToDuration`). */
function numberToDuration(ctx: ExprContext, value: bigint, fsp: number): Duration | null {
  const size = value < 0n ? -value : value;
  if (size > LAST_CLOCK) {
    const dated = value >= FIRST_DATETIME ? timeOfNumber(ctx, value) : null;
    if (dated !== null) return timeOfDay(datumOfTime(time(dated, Tp.datetime, 0)));
    ctx.handle(valueOutOfRange("Duration", String(value)));
    return null;
  }
  const n = Number(size);
  if (n % 100 >= 60 || Math.floor(n / 100) % 100 >= 60) {
    ctx.handle(truncatedWrongValue("time", String(value)));
    return null;
  }
  const seconds = BigInt(Math.floor(n / 10000) * 3600 + (Math.floor(n / 100) % 100) * 60 + (n % 100));
  return { nanos: (value < 0n ? -seconds : seconds) * 1000000000n, fsp };
}

/** A date and time without zero parts; null, and nothing said, if it is none. */
function timeOfNumber(ctx: ExprContext, value: bigint): TimeParts | null {
  return timeFromNumber(ctx.session.with({ allowZeroInDate: false, allowInvalidDates: false }), value);
}

function jsonToDuration(ctx: ExprContext, json: Uint8Array, fsp: number): Duration | null {
  switch (json[0]) {
    case JsonType.date:
    case JsonType.datetime:
    case JsonType.timestamp:
      return roundDuration(timeOfDay(datumOfTime(jsonTime(json, Tp.datetime, fsp))), fsp);
    case JsonType.time:
      return jsonDuration(json);
    case JsonType.string:
      return textToDuration(ctx, unquotedJson(json), fsp) ?? { nanos: 0n, fsp: 0 };
    default:
      ctx.handle(truncatedWrongValue("TIME", jsonText(json)));
      return null;
  }
}

export function durationEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<Duration> {
  const fsp = fspOf(type);
  switch (arg.kind) {
    case "int":
      return lift1(arg.eval, (v) => numberToDuration(ctx, BigInt.asIntN(64, v), fsp));
    case "real":
      return lift1(arg.eval, (v) => strictDuration(ctx, formatFixed(v), fsp));
    case "decimal":
      return lift1(arg.eval, (v) => strictDuration(ctx, decimalText(v), fsp));
    case "string":
      return lift1(arg.eval, (v) => textToDuration(ctx, v, fsp));
    case "time":
      return lift1(arg.eval, (v) => roundDuration(timeOfDay(datumOfTime(v)), fsp));
    case "duration":
      return lift1(arg.eval, (v) => roundDuration(v, fsp));
    case "json":
      return lift1(arg.eval, (v) => jsonToDuration(ctx, v, fsp));
  }
}
