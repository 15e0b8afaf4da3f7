/** The statement's time, and seconds since 1970 (TiDB `pkg/expression/builtin_time.go`). */
import { textOf } from "../../../base/mod.ts";
import { TimeZone } from "../../../codec/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import {
  CastError,
  type Duration,
  fromUnix,
  isRealTime,
  roundDuration,
  roundTimeDatum,
  timeDatum,
} from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { castTo } from "../cast.ts";
import { decOf, signedUnscaled } from "../dec.ts";
import { fieldType, isBlob, MAX_DECIMAL_WIDTH } from "../field-types.ts";
import { isConst, lift1, type Node } from "../node.ts";
import { datetimeType, durationType } from "../time-sum.ts";
import { dateOf, time, timeOfDatum } from "../time-value.ts";
import type { Dec, Eval, Time } from "../value.ts";
import { formatDate } from "./time-format.ts";
import { DATE_TYPE } from "./time-part.ts";

/** The precision that a call is given as a constant. */
function precision(call: Call): number {
  const arg = call.args[0];
  if (arg === undefined) return 0;
  const [value] = call.castAll("time", "int");
  const fsp = isConst(value!) ? value!.eval([]) : null;
  if (fsp !== null && (fsp < 0n || fsp > 6n)) {
    throw new CastError(1426, `Too-big precision ${fsp} specified for '${call.name}'. Maximum is 6.`);
  }
  return Number(fsp ?? 0n);
}

function nowIn(call: Call, zone: TimeZone): Time {
  const { nowMs } = call.ctx.session;
  const seconds = Math.floor(nowMs / 1000);
  return time(fromUnix(seconds, Math.floor((nowMs - seconds * 1000) * 1000), zone), Tp.datetime, 6);
}

/** Digits behind the precision cut off. */
function cut(t: Time, fsp: number): Time {
  const unit = 10 ** (6 - fsp);
  return { ...t, micro: Math.floor(t.micro / unit) * unit, fsp };
}

function rounded(call: Call, t: Time, fsp: number): Time {
  return timeOfDatum(roundTimeDatum(call.ctx.session.with({ zone: TimeZone.utc }), timeDatum(t, Tp.datetime, 6), fsp));
}

function now(call: Call): Node {
  const fsp = precision(call);
  const value = cut(nowIn(call, call.ctx.session.zone), fsp);
  return call.node("time", () => value, datetimeType(fsp));
}

/** Rounded, where NOW cuts off. */
function roundedNow(zoneOf: (call: Call) => TimeZone): (call: Call) => Node {
  return (call) => {
    const fsp = precision(call);
    const value = rounded(call, nowIn(call, zoneOf(call)), fsp);
    return call.node("time", () => value, datetimeType(fsp));
  };
}

function today(zoneOf: (call: Call) => TimeZone): (call: Call) => Node {
  return (call) => {
    const value = dateOf(nowIn(call, zoneOf(call)));
    return call.node("time", () => value, DATE_TYPE);
  };
}

function clock(zoneOf: (call: Call) => TimeZone): (call: Call) => Node {
  return (call) => {
    const isWhole = call.args.length === 0;
    const fsp = precision(call);
    const t = nowIn(call, zoneOf(call));
    const micros = isWhole ? 0 : t.micro;
    const nanos = BigInt(t.hour * 3600 + t.minute * 60 + t.second) * 1000000000n + BigInt(micros) * 1000n;
    const value: Duration = roundDuration({ nanos, fsp: 6 }, fsp);
    const type = durationType(fsp);
    return call.node("duration", () => value, { ...type, Flen: type.Flen - 2 });
  };
}

const sessionZone = (call: Call): TimeZone => call.ctx.session.zone;
const utc = (): TimeZone => TimeZone.utc;

const LAST_SECOND = 32536771199;

/** Microseconds since 1970; 0 for what UNIX_TIMESTAMP has no number of. */
function unixMicros(seconds: number, micro: number): bigint {
  return seconds < 1 || seconds > LAST_SECOND ? 0n : BigInt(seconds) * 1000000n + BigInt(micro);
}

/** Digits behind the point of UNIX_TIMESTAMP. */
function unixScale(arg: Node): number {
  let scale = arg.type.Decimal;
  if (arg.kind === "string") {
    scale = -1;
    if (isConst(arg)) {
      const text = arg.eval([]);
      scale = /\.([^.]*)$/.exec(text === null ? "" : textOf(text))?.[1]?.length ?? 0;
    }
  }
  return scale > 6 || scale < 0 ? 6 : scale;
}

/** The value, where an error is not what the function gives. */
function orOnError<T>(evaluate: Eval<T>, instead: (error: CastError) => T | null): Eval<T> {
  return (row) => {
    try {
      return evaluate(row);
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      return instead(thrown);
    }
  };
}

function unixTimestamp(call: Call): Node {
  const { zone, nowMs } = call.ctx.session;
  if (call.args.length === 0) {
    const seconds = Math.floor(nowMs / 1000);
    return call.int(() => unixMicros(seconds, 0) / 1000000n, { Flen: 11, Decimal: 0 });
  }
  const scale = unixScale(call.args[0]!);
  const [arg] = call.cast(scale === 0 ? "int" : "decimal", "time");
  if (scale === 0) {
    const seconds = lift1(arg.eval, (t) => {
      if (!isRealTime(t)) return 0n;
      const moment = zone.toUtcSeconds(t);
      return unixMicros(moment ?? zone.afterGap(t), 0) / 1000000n;
    });
    return call.int(
      orOnError(seconds, (error) => (error.code === 1292 ? 0n : null)),
      { Flen: 11, Decimal: 0 },
    );
  }
  const exact = lift1(arg.eval, (t): Dec => {
    const moment = isRealTime(t) ? zone.toUtcSeconds(t) : undefined;
    const micros = moment === undefined ? 0n : unixMicros(moment, t.micro);
    return micros === 0n ? decOf(0n, 0) : decOf(micros / 10n ** BigInt(6 - scale), scale);
  });
  return call.node(
    "decimal",
    orOnError(exact, () => null),
    { Flen: 12 + scale, Decimal: scale },
  );
}

/** Microseconds of a number of seconds, rounded to the precision; NULL beyond the range. */
function momentOf(call: Call, v: Dec, fsp: number): Time | null {
  const unscaled = signedUnscaled(v);
  if (unscaled < 0n) return null;
  const one = 10n ** BigInt(v.scale);
  const seconds = unscaled / one;
  if (seconds > BigInt(LAST_SECOND)) return null;
  const unit = 10n ** BigInt(9 - fsp);
  const nanos = ((unscaled - seconds * one) * 1000000000n) / one;
  const micros = seconds * 1000000n + (((nanos + unit / 2n) / unit) * unit) / 1000n;
  return time(fromUnix(Number(micros / 1000000n), Number(micros % 1000000n), call.ctx.session.zone), Tp.datetime, fsp);
}

/** A text is read with six digits behind the point. */
function withFraction(call: Call, arg: Node): Node {
  const { Tp: tp, Flen } = arg.type;
  const isText = tp === Tp.string || tp === Tp.varchar || isBlob(tp);
  if (!isText || arg.kind !== "string" || arg.type.Decimal !== 0) return arg;
  const length = Flen < 0 ? MAX_DECIMAL_WIDTH : Math.min(Flen, MAX_DECIMAL_WIDTH);
  const type = fieldType(Tp.newdecimal, { Flen: Math.min(length + 6, MAX_DECIMAL_WIDTH), Decimal: 6 });
  return castTo(call.ctx, arg, type);
}

function fromUnixTime(call: Call): Node {
  const given = call.args[0]!;
  const scale = given.type.Decimal;
  const fsp = given.kind !== "string" && scale >= 0 ? Math.min(scale, 6) : 6;
  call.args[0] = withFraction(call, given);
  if (call.args.length === 1) {
    const [seconds] = call.cast("time", "decimal");
    return call.node(
      "time",
      lift1(seconds.eval, (v) => momentOf(call, v, fsp)),
      datetimeType(fsp),
    );
  }
  const [seconds, format] = call.cast("string", "decimal", "string");
  return call.string((row) => {
    const f = format.eval(row);
    const v = f === null ? null : seconds.eval(row);
    const t = v === null ? null : momentOf(call, v, 6);
    return f === null || t === null ? null : formatDate(t, textOf(f));
  });
}

/** The wall clock time of a timestamp of TiKV. */
function parseTso(call: Call): Node {
  const [tso] = call.cast("time", "int");
  return call.node(
    "time",
    lift1(tso.eval, (v) => {
      if (v <= 0n) return null;
      const ms = Number(v >> 18n);
      const seconds = Math.floor(ms / 1000);
      return time(fromUnix(seconds, (ms - seconds * 1000) * 1000, call.ctx.session.zone), Tp.datetime, 6);
    }),
    { Tp: Tp.datetime, Flen: 10, Decimal: 0 },
  );
}

function parseTsoLogical(call: Call): Node {
  const [tso] = call.cast("int", "int");
  return call.int(lift1(tso.eval, (v) => (v <= 0n ? null : v & 0x3ffffn)));
}

const nowLike = fn(now, 0, 1);

export const timeNow: FunctionTable = {
  now: nowLike,
  current_timestamp: nowLike,
  localtime: nowLike,
  localtimestamp: nowLike,
  sysdate: fn(roundedNow(sessionZone), 0, 1),
  utc_timestamp: fn(roundedNow(utc), 0, 1),
  curdate: fn(today(sessionZone), 0),
  current_date: fn(today(sessionZone), 0),
  utc_date: fn(today(utc), 0),
  curtime: fn(clock(sessionZone), 0, 1),
  current_time: fn(clock(sessionZone), 0, 1),
  utc_time: fn(clock(utc), 0, 1),
  unix_timestamp: fn(unixTimestamp, 0, 1),
  from_unixtime: fn(fromUnixTime, 1, 2),
  tidb_parse_tso: fn(parseTso, 1),
  tidb_parse_tso_logical: fn(parseTsoLogical, 1),
};
