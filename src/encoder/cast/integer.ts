/** Casts to the integer types, signed and unsigned (TiDB `pkg/types/convert.go` and `datum.go`). */
import { type Datum, type Decimal, decimalText } from "../../codec/mod.ts";
import { roundUnscaled } from "./decimal-text.ts";
import { durationToDecimal, roundDuration } from "./duration-value.ts";
import { constantOverflows, DECIMAL_OVERFLOW } from "./fault.ts";
import {
  clampSigned,
  clampUnsigned,
  floatToSigned,
  floatToUnsigned,
  literalToUint,
  unsignedUpper,
} from "./integer-range.ts";
import { jsonToInt } from "./json-value.ts";
import { MAX_INT64, MIN_INT64, textToInt, textToUint } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, typeName } from "./source.ts";
import { roundTimeDatum, timeToDecimal } from "./time-value.ts";

/** Half away from zero; beyond 64 bits MyDecimal's own overflow comes first. */
function decimalToSigned(session: CastSession, d: Decimal, tp: number): bigint {
  const size = roundUnscaled(d.unscaled, d.scale);
  let value = d.negative ? -size : size;
  if (value < MIN_INT64 || value > MAX_INT64) {
    session.raise(DECIMAL_OVERFLOW);
    value = d.negative ? MIN_INT64 : MAX_INT64;
  }
  return clampSigned(session, value, tp);
}

/** Half up; every negative number overflows, even one that would round to 0. */
function decimalToUnsigned(session: CastSession, d: Decimal, tp: number): bigint {
  const value = roundUnscaled(d.unscaled, d.scale);
  const upper = unsignedUpper(tp);
  if (!d.negative && value <= upper) return value;
  session.raise(constantOverflows(decimalText(d), typeName(tp)));
  return d.negative ? 0n : upper;
}

/** The value as a signed integer of the type; null where there is no such conversion. */
export function toSigned(session: CastSession, source: CastSource, tp: number): bigint | null {
  switch (source.kind) {
    case "int":
      return clampSigned(session, source.value, tp);
    case "uint":
      return clampSigned(session, source.value, tp);
    case "float":
      return floatToSigned(session, source.value, tp);
    case "bytes":
      return clampSigned(session, textToInt(session, source.value), tp);
    case "decimal":
      return decimalToSigned(session, source.value, tp);
    case "time":
      return decimalToSigned(session, timeToDecimal(roundTimeDatum(session, source, 0)), tp);
    case "duration":
      return decimalToSigned(session, durationToDecimal(roundDuration(source, 0)), tp);
    case "enum":
    case "set":
      return floatToSigned(session, Number(source.value), tp);
    case "bit":
      return clampSigned(session, source.value, tp);
    case "literal": {
      const value = literalToUint(session, source.value);
      return session.fault === null ? clampSigned(session, value, tp) : 0n;
    }
    case "json":
      return jsonToInt(session, source.value, tp, false);
    default:
      return null;
  }
}

/** The value as an unsigned integer of the type; null where there is no such conversion. */
export function toUnsigned(session: CastSession, source: CastSource, tp: number): bigint | null {
  switch (source.kind) {
    case "int":
      return clampUnsigned(session, source.value, tp);
    case "uint":
      return clampUnsigned(session, source.value, tp);
    case "float":
      return floatToUnsigned(session, source.value, tp);
    case "bytes":
      return textToUnsigned(session, source.value, tp);
    case "decimal":
      return decimalToUnsigned(session, source.value, tp);
    case "time":
      return decimalToUnsigned(session, timeToDecimal(source), tp);
    case "duration":
      return decimalToUnsigned(session, durationToDecimal(source), tp);
    case "enum":
    case "set":
      return floatToUnsigned(session, Number(source.value), tp);
    case "bit":
      return clampUnsigned(session, source.value, tp);
    case "literal": {
      const value = literalToUint(session, source.value);
      return session.fault === null ? clampUnsigned(session, value, tp) : value;
    }
    case "json":
      return jsonToInt(session, source.value, tp, true);
    default:
      return null;
  }
}

/** The column's limit is reported before what is wrong with the text. */
function textToUnsigned(session: CastSession, bytes: Uint8Array, tp: number): bigint {
  const value = textToUint(session, bytes);
  const textFault = session.take();
  const clamped = clampUnsigned(session, value, tp);
  session.raise(textFault);
  return clamped;
}

/** The value as a signed or unsigned Datum. */
export function castInteger(session: CastSession, source: CastSource, tp: number, unsigned: boolean): Datum | null {
  if (unsigned) {
    const value = toUnsigned(session, source, tp);
    return value === null ? null : { kind: "uint", value };
  }
  const value = toSigned(session, source, tp);
  return value === null ? null : { kind: "int", value };
}
