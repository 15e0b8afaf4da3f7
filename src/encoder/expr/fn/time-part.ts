/** Parts of dates and times (TiDB `pkg/expression/builtin_time.go`). */
import { utf8 } from "../../../base/mod.ts";
import type { TimeParts } from "../../../codec/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import { byteString, type Duration, durationParts, fspOfText, parseDateTime, parseDuration } from "../../cast/mod.ts";
import { dayNumberOf, dayOfYear, lastDay, weekday, weekOf, yearWeek } from "../calendar.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { timeText } from "../cast-text.ts";
import { isClockUnit, isDateUnit } from "../interval.ts";
import { as, lift1, type Node } from "../node.ts";
import { dateOf, isZero, time } from "../time-value.ts";
import type { Eval, Time } from "../value.ts";

export const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
/** From Monday. */
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export const DATE_TYPE = { Tp: Tp.date, Flen: 10, Decimal: 0 };

/** Month or day is zero. */
export const hasZeroPart = (t: TimeParts): boolean => t.month === 0 || t.day === 0;

/** A number out of a time, whatever its parts are. */
function part(f: (t: Time) => number, flen: number): (call: Call) => Node {
  return (call) => {
    const [t] = call.cast("int", "time");
    return call.int(
      lift1(t.eval, (v) => BigInt(f(v))),
      { Flen: flen, Decimal: 0 },
    );
  };
}

/** A number out of a date: NULL with a warning or an error if month or day is zero. */
function datePart(f: (t: Time) => number | bigint | null, flen: number): (call: Call) => Node {
  return (call) => {
    const [t] = call.cast("int", "time");
    return call.int(
      lift1(t.eval, (v) => {
        const n = hasZeroPart(v) ? null : f(v);
        return n === null ? call.ctx.invalidTime(timeText(v)) : BigInt(n);
      }),
      { Flen: flen, Decimal: 0 },
    );
  };
}

function clockPart(f: (p: ReturnType<typeof durationParts>) => number, flen: number): (call: Call) => Node {
  return (call) => {
    const [d] = call.cast("int", "duration");
    return call.int(
      lift1(d.eval, (v) => BigInt(f(durationParts(v.nanos)))),
      { Flen: flen, Decimal: 0 },
    );
  };
}

function timeToSec(call: Call): Node {
  const [d] = call.cast("int", "duration");
  return call.int(
    lift1(d.eval, (v) => {
      const p = durationParts(v.nanos);
      const seconds = BigInt(p.hours * 3600 + p.minutes * 60 + p.seconds);
      return p.negative ? -seconds : seconds;
    }),
    { Flen: 10 },
  );
}

/** WEEK and YEARWEEK: with a mode as second argument. */
function weekly(f: (t: Time, mode: number) => bigint, defaultMode: (call: Call) => number, flen: number) {
  return (call: Call): Node => {
    const kinds = (["time", "int"] as const).slice(0, call.args.length);
    call.cast("int", ...kinds);
    const t = as(call.args[0]!, "time").eval;
    const mode = call.args[1] === undefined ? undefined : as(call.args[1], "int").eval;
    const nullIsZero = call.name === "yearweek";
    const usual = defaultMode(call);
    return call.int(
      (row) => {
        const v = t(row);
        if (v === null) return null;
        if (hasZeroPart(v)) return call.ctx.invalidTime(timeText(v));
        const m = mode === undefined ? BigInt(usual) : mode(row);
        if (m === null && !nullIsZero) return null;
        return f(v, Number(BigInt.asIntN(32, m ?? 0n)));
      },
      { Flen: flen, Decimal: 0 },
    );
  };
}

function yearWeekNumber(t: Time, mode: number): bigint {
  const { year, week } = yearWeek(t, mode);
  const n = year * 100 + week;
  return n < 0 ? 4294967295n : BigInt(n);
}

function monthName(call: Call): Node {
  const [t] = call.cast("string", "time");
  return call.string(
    lift1(t.eval, (v) => {
      if (isZero(v) && call.ctx.session.noZeroDate) return call.ctx.invalidTime(timeText(v));
      return v.month === 0 ? null : utf8(MONTHS[v.month - 1]!);
    }),
    { Flen: 10 },
  );
}

/** A name, but as a number the day of the week from Monday. */
function dayName(call: Call): Node {
  const [t] = call.cast("string", "time");
  const index: Eval<number> = lift1(t.eval, (v) =>
    hasZeroPart(v) ? call.ctx.invalidTime(timeText(v)) : (weekday(v) + 6) % 7,
  );
  const asInt = lift1(index, (i) => BigInt(i));
  return call.node(
    "string",
    lift1(index, (i) => utf8(WEEKDAYS[i]!)),
    { Flen: 10 },
    { asInt },
  );
}

function date(call: Call): Node {
  const [t] = call.cast("time", "time");
  return call.node(
    "time",
    lift1(t.eval, (v) => (isZero(v) && call.ctx.session.noZeroDate ? call.ctx.invalidTime(timeText(v)) : dateOf(v))),
    DATE_TYPE,
  );
}

function lastDayOf(call: Call): Node {
  const [t] = call.cast("time", "time");
  const { ctx } = call;
  return call.node(
    "time",
    lift1(t.eval, (v) => {
      if (v.month === 0 || (v.day === 0 && ctx.session.noZeroDate)) return ctx.invalidTime(timeText(v));
      return time({ ...dateOf(v), day: lastDay(v.year, v.month) }, Tp.date, 0);
    }),
    DATE_TYPE,
  );
}

type Clock = ReturnType<typeof durationParts>;

function ofDate(unit: string, t: TimeParts): bigint {
  const hms = t.hour * 10000 + t.minute * 100 + t.second;
  switch (unit) {
    case "DAY":
      return BigInt(t.day);
    case "WEEK":
      return BigInt(weekOf(t, 0));
    case "MONTH":
      return BigInt(t.month);
    case "QUARTER":
      return BigInt(Math.trunc((t.month + 2) / 3));
    case "YEAR":
      return BigInt(t.year);
    case "YEAR_MONTH":
      return BigInt(t.year * 100 + t.month);
    case "DAY_MICROSECOND":
      return BigInt(t.day * 1000000 + hms) * 1000000n + BigInt(t.micro);
    case "DAY_SECOND":
      return BigInt(t.day * 1000000 + hms);
    case "DAY_MINUTE":
      return BigInt(t.day * 10000 + t.hour * 100 + t.minute);
    default:
      return BigInt(t.day * 100 + t.hour);
  }
}

function ofClock(unit: string, p: Clock): bigint {
  const hms = p.hours * 10000 + p.minutes * 100 + p.seconds;
  const sizes: Record<string, number> = {
    MICROSECOND: p.micro,
    SECOND: p.seconds,
    MINUTE: p.minutes,
    HOUR: p.hours,
    SECOND_MICROSECOND: p.seconds * 1e6 + p.micro,
    MINUTE_MICROSECOND: (p.minutes * 100 + p.seconds) * 1e6 + p.micro,
    MINUTE_SECOND: p.minutes * 100 + p.seconds,
    HOUR_MICROSECOND: hms * 1e6 + p.micro,
    HOUR_SECOND: hms,
    HOUR_MINUTE: p.hours * 100 + p.minutes,
    DAY_MICROSECOND: hms * 1e6 + p.micro,
    DAY_SECOND: hms,
    DAY_MINUTE: p.hours * 100 + p.minutes,
    DAY_HOUR: p.hours,
  };
  const size = BigInt(sizes[unit] ?? 0);
  return p.negative ? -size : size;
}

/** A text that is taken for a date and time or for a TIME, whichever fits. */
function ofText(call: Call, unit: string, text: Uint8Array): bigint | null {
  const { session } = call.ctx;
  session.fault = null;
  const fsp = fspOfText(byteString(text));
  const d: Duration = parseDuration(session, text, fsp);
  if (call.ctx.failed()) return null;
  const clock = durationParts(d.nanos);
  const t = parseDateTime(session, text, fsp);
  session.fault = null;
  const isSame = t !== null && t.hour === clock.hours && t.minute === clock.minutes && t.second === clock.seconds;
  return isSame && t.year > 0 ? ofDate(unit, t) : ofClock(unit, clock);
}

function extract(call: Call): Node {
  const written = call.exprs[0];
  const unit = written?.kind === "unit" ? written.unit : "DAY";
  const [arg] = call.args as [Node];
  const both = isClockUnit(unit) && isDateUnit(unit);
  if (both && arg.kind !== "time" && arg.kind !== "duration") {
    const [text] = call.cast("int", "string");
    return call.int(lift1(text.eval, (v) => ofText(call, unit, v)));
  }
  if (isClockUnit(unit) && !(both && arg.kind === "time")) {
    const [d] = call.cast("int", "duration");
    return call.int(lift1(d.eval, (v) => ofClock(unit, durationParts(v.nanos))));
  }
  const [t] = call.cast("int", "time");
  return call.int(lift1(t.eval, (v) => ofDate(unit, v)));
}

/** NULL for day 0. */
const orNull = (n: number): number | null => (n === 0 ? null : n);

function secondsNumber(t: Time): bigint | null {
  const n = BigInt(dayNumberOf(t)) * 86400n + BigInt(t.hour * 3600 + t.minute * 60 + t.second);
  return n === 0n ? null : n;
}

export const timeParts: FunctionTable = {
  year: fn(
    part((t) => t.year, 4),
    1,
  ),
  month: fn(
    part((t) => t.month, 2),
    1,
  ),
  day: fn(
    part((t) => t.day, 2),
    1,
  ),
  dayofmonth: fn(
    part((t) => t.day, 2),
    1,
  ),
  quarter: fn(
    part((t) => Math.trunc((t.month + 2) / 3), 1),
    1,
  ),
  hour: fn(
    clockPart((p) => p.hours, 3),
    1,
  ),
  minute: fn(
    clockPart((p) => p.minutes, 2),
    1,
  ),
  second: fn(
    clockPart((p) => p.seconds, 2),
    1,
  ),
  microsecond: fn(
    clockPart((p) => p.micro, 6),
    1,
  ),
  dayofweek: fn(
    datePart((t) => weekday(t) + 1, 1),
    1,
  ),
  weekday: fn(
    datePart((t) => (weekday(t) + 6) % 7, 1),
    1,
  ),
  dayofyear: fn(datePart(dayOfYear, 3), 1),
  weekofyear: fn(
    datePart((t) => weekOf(t, 3), 2),
    1,
  ),
  week: fn(
    weekly(
      (t, mode) => BigInt(weekOf(t, mode)),
      (call) => call.ctx.defaultWeekFormat,
      2,
    ),
    1,
    2,
  ),
  yearweek: fn(
    weekly(yearWeekNumber, () => 0, 6),
    1,
    2,
  ),
  to_days: fn(
    datePart((t) => orNull(dayNumberOf(t)), 20),
    1,
  ),
  to_seconds: fn(datePart(secondsNumber, 20), 1),
  time_to_sec: fn(timeToSec, 1),
  monthname: fn(monthName, 1),
  dayname: fn(dayName, 1),
  date: fn(date, 1),
  last_day: fn(lastDayOf, 1),
  extract: fn(extract, 1),
};
