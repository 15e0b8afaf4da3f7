/** Casts to FLOAT and DOUBLE, with or without (M,D) (TiDB `pkg/types/datum.go`, `helper.go`). */
import type { Datum } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { decimalToFloat } from "./decimal-text.ts";
import { durationToDecimal } from "./duration-value.ts";
import { constantOverflows, valueOutOfRange } from "./fault.ts";
import { literalToUint } from "./integer-range.ts";
import { jsonToFloat } from "./json-value.ts";
import { formatFixed, roundToEven } from "./number-format.ts";
import { textToFloat } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, isUnsigned, typeName } from "./source.ts";
import { timeToDecimal } from "./time-value.ts";

const MAX_FLOAT32 = 3.4028234663852886e38;

function powerOfTen(n: number): number {
  return Number(`1e${n}`);
}

/** Rounded to `scale` decimals, halves to even. */
function roundFloat(value: number, scale: number): number {
  const shift = powerOfTen(scale);
  const shifted = value * shift;
  if (!Number.isFinite(shifted)) return value;
  const result = roundToEven(shifted) / shift;
  return Number.isNaN(result) ? 0 : result;
}

/** FLOAT(M,D): rounded to D, clamped to M digits. */
function fitDigits(session: CastSession, value: number, precision: number, scale: number): number {
  const max = powerOfTen(precision - scale) - powerOfTen(-scale);
  const rounded = roundFloat(value, scale);
  if (rounded >= -max && rounded <= max) return rounded;
  session.raise(valueOutOfRange("DOUBLE", `(${precision}, ${scale})`));
  return rounded > 0 ? max : -max;
}

/** The value as the type can hold it, still as a double. */
export function fitFloat(session: CastSession, value: number, type: FieldTypeInfo): number {
  const overflow = (v: number) => constantOverflows(formatFixed(v), typeName(type.Tp));
  if (!Number.isFinite(value)) {
    session.raise(overflow(value));
    return Number.isNaN(value) ? 0 : value;
  }
  const earlier = session.take();
  let fitted = value;
  if (type.Flen >= 0 && type.Decimal >= 0) fitted = fitDigits(session, value, type.Flen, type.Decimal);
  if (isUnsigned(type) && fitted < 0) {
    session.fault = earlier ?? overflow(fitted);
    return 0;
  }
  if (session.fault === null && type.Tp === Tp.float && Math.abs(fitted) > MAX_FLOAT32) {
    session.raise(overflow(fitted));
    fitted = fitted > 0 ? MAX_FLOAT32 : -MAX_FLOAT32;
  }
  session.fault = earlier ?? session.fault;
  return fitted;
}

/** The source as a double; null where there is no such conversion. */
export function toFloat(session: CastSession, source: CastSource): number | null {
  switch (source.kind) {
    case "int":
    case "uint":
    case "enum":
    case "set":
    case "bit":
      return Number(source.value);
    case "float":
      return source.value;
    case "bytes":
      return textToFloat(session, source.value);
    case "decimal":
      return decimalToFloat(source.value);
    case "time":
      return decimalToFloat(timeToDecimal(source));
    case "duration":
      return decimalToFloat(durationToDecimal(source));
    case "literal":
      return Number(literalToUint(session, source.value));
    case "json":
      return jsonToFloat(session, source.value);
    default:
      return null;
  }
}

export function castFloat(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  const value = toFloat(session, source);
  if (value === null) return null;
  const fitted = fitFloat(session, value, type);
  return { kind: "float", value: type.Tp === Tp.float ? Math.fround(fitted) : fitted };
}
