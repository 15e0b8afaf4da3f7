/** Casts to DATE, DATETIME and TIMESTAMP (TiDB `pkg/types/datum.go`; zero dates: `pkg/table/column.go`, handleZeroDatetime). */
import { type Datum, decimalText, partsFromUtcSeconds, unpackTime } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { type CoreTime, coreTime, fromUnix, zeroTime } from "./core-time.ts";
import type { Duration } from "./duration-value.ts";
import { Code, type Fault, wrongValue } from "./fault.ts";
import { unquotedJson } from "./json-value.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, fspOf, typeName } from "./source.ts";
import { checkTime } from "./time-check.ts";
import { timeFromNumber } from "./time-number.ts";
import { parseDateTime, parseDateTimeText } from "./time-parse.ts";
import { roundTimeDatum, type TimeDatum, timeDatum } from "./time-value.ts";

/** The time if the type can hold it, else zero. */
function checked(session: CastSession, t: CoreTime | null, tp: number, fsp: number): TimeDatum {
  if (t === null || !checkTime(session, t, tp)) return timeDatum(zeroTime(), tp, 0);
  if (tp === Tp.date) return timeDatum(coreTime(t.year, t.month, t.day), tp, 0);
  return timeDatum(t, tp, fsp);
}

/** A date and time from text, for a column of that type and precision. What is wrong is raised; the value is then zero. */
export function parseTime(session: CastSession, bytes: Uint8Array, tp: number, fsp: number): TimeDatum {
  return checked(session, parseDateTime(session, bytes, fsp), tp, fsp);
}

/** A date and time from a number such as 20200102030405. */
export function parseTimeNumber(session: CastSession, value: bigint, tp: number, fsp: number): TimeDatum {
  if (value === 0n) return timeDatum(zeroTime(), tp, 0);
  return checked(session, timeFromNumber(session, value), tp, fsp);
}

/** A date and time from the text of a number with a fraction. */
export function fromDecimalText(session: CastSession, text: string, tp: number, fsp: number): TimeDatum {
  if (text.startsWith("0.0")) return timeDatum(zeroTime(), tp, 0);
  return checked(session, parseDateTimeText(session, text, fsp, true), tp, fsp);
}

/** Another of the three types; the time of day is lost in a DATE. */
function fromTime(session: CastSession, source: TimeDatum, tp: number, fsp: number): TimeDatum {
  if (source.packed !== 0n && source.tp !== tp && !checkTime(session, unpackTime(source.packed), tp)) {
    return timeDatum(zeroTime(), tp, 0);
  }
  const as = timeDatum(unpackTime(source.packed), tp, source.tp === Tp.date ? 0 : source.fsp);
  if (tp === Tp.date) {
    const t = unpackTime(source.packed);
    return timeDatum(coreTime(t.year, t.month, t.day), tp, 0);
  }
  return roundTimeDatum(session, as, fsp);
}

/** A TIME is counted from the beginning of the statement's day. */
export function durationToTime(session: CastSession, d: Duration, tp: number): TimeDatum {
  const today = fromUnix(Math.floor(session.nowMs / 1000), 0, session.zone);
  const micros = d.nanos / 1000n;
  const seconds = Number(micros / 1000000n);
  let micro = Number(micros % 1000000n);
  let second = seconds;
  if (micro < 0) {
    micro += 1000000;
    second--;
  }
  const midnight = Date.UTC(today.year, today.month - 1, today.day) / 1000;
  const t = { ...partsFromUtcSeconds(midnight + second, micro) };
  return checked(session, t, tp, d.fsp);
}

export function castTime(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  const tp = type.Tp;
  const fsp = fspOf(type);
  switch (source.kind) {
    case "bytes":
      return parseTime(session, source.value, tp, fsp);
    case "int":
      return parseTimeNumber(session, source.value, tp, fsp);
    case "uint":
      if (tp === Tp.timestamp) return null;
      if (source.value < 1n << 63n) return parseTimeNumber(session, source.value, tp, fsp);
      session.raise(wrongValue("time", String(source.value)));
      return timeDatum(zeroTime(), tp, 0);
    case "decimal":
      return fromDecimalText(session, decimalText(source.value), tp, fsp);
    case "time":
      return fromTime(session, source, tp, fsp);
    case "duration":
      return roundTimeDatum(session, durationToTime(session, source, tp), fsp);
    case "json":
      return parseTime(session, unquotedJson(source.value), tp, fsp);
    default:
      return null;
  }
}

/** What the column's mode makes of a time that is zero, has zero parts or is not valid. */
export interface ZeroVerdict {
  readonly value: Datum;
  /** Ends the cast: nothing more is looked at. */
  readonly final: boolean;
  readonly fault: Fault | null;
}

/**
 * Zero dates by NO_ZERO_DATE, zero parts by NO_ZERO_IN_DATE, and for TIMESTAMP anything invalid. `text`: the source as quoted in
 * messages. `pending`: the failure of the conversion.
 */
export function judgeZero(
  session: CastSession,
  value: TimeDatum,
  pending: Fault | null,
  text: () => string,
): ZeroVerdict {
  const invalid = pending !== null && pending.code === Code.wrongValue;
  const isZero = value.packed === 0n;
  const t = isZero ? null : unpackTime(value.packed);
  const partial = t !== null && (t.month === 0 || t.day === 0);
  const zero = timeDatum(zeroTime(), value.tp, 0);
  const refuse = (): ZeroVerdict => {
    const fault = wrongValue(typeName(value.tp), text());
    if (session.strict) return { value: zero, final: true, fault };
    session.warn(fault.code, fault.message);
    return { value: zero, final: true, fault: null };
  };
  if (value.tp === Tp.timestamp) {
    if (isZero) return invalid || session.noZeroDate ? refuse() : { value: zero, final: true, fault: null };
    if (invalid) return refuse();
  }
  if (isZero) return invalid || session.noZeroDate ? refuse() : { value: zero, final: true, fault: null };
  if (partial) return session.noZeroInDate ? refuse() : { value, final: true, fault: null };
  return { value, final: false, fault: pending };
}
