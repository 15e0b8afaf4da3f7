/** Casts to TIME (TiDB `pkg/types/datum.go`, `convertToMysqlDuration`). */
import { type Datum, NULL_DATUM, unpackTime } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { parseDuration, parseDurationText } from "./duration-parse.ts";
import { type Duration, MAX_DURATION, roundDuration } from "./duration-value.ts";
import { wrongValue } from "./fault.ts";
import { toSigned } from "./integer.ts";
import { unquotedJson } from "./json-value.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, fspOf } from "./source.ts";
import { sourceText } from "./source-text.ts";
import type { TimeDatum } from "./time-value.ts";

/** 838:59:59 as a number. */
const MAX_NUMBER = 8385959n;

function datum(d: Duration): Datum {
  return { kind: "duration", nanos: d.nanos, fsp: d.fsp };
}

/** The time of day. */
export function timeOfDay(d: TimeDatum): Duration {
  const t = unpackTime(d.packed);
  const nanos = BigInt(t.hour * 3600 + t.minute * 60 + t.second) * 1000000000n + BigInt(t.micro) * 1000n;
  return { nanos, fsp: d.packed === 0n ? 0 : d.fsp };
}

/** hhmmss, or beyond 10000000000 a full date and time. Too small numbers give NULL when they are forgiven. */
function fromNumber(session: CastSession, source: CastSource, fsp: number): Datum {
  const value = toSigned(session, source, Tp.longlong);
  if (session.fault !== null || value === null) return NULL_DATUM;
  const text = sourceText(source);
  if (value > MAX_NUMBER && value < 10000000000n) {
    session.raise(wrongValue("time", text));
    return datum({ nanos: MAX_DURATION, fsp: 0 });
  }
  if (value < -MAX_NUMBER) {
    session.raise(wrongValue("time", text));
    return NULL_DATUM;
  }
  return datum(parseDurationText(session, text, fsp));
}

export function castDuration(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  const fsp = fspOf(type);
  switch (source.kind) {
    case "time":
      return datum(roundDuration(timeOfDay(source), fsp));
    case "duration":
      return datum(roundDuration(source, fsp));
    case "int":
    case "uint":
    case "float":
    case "decimal":
      return fromNumber(session, source, fsp);
    case "bytes":
      return datum(parseDuration(session, source.value, fsp));
    case "json":
      return datum(parseDuration(session, unquotedJson(source.value), fsp));
    default:
      return null;
  }
}
