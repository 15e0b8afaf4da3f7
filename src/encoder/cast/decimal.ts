/** Casts to DECIMAL (TiDB `pkg/types/datum.go`, `convertToMysqlDecimal` and `ProduceDecWithSpecifiedTp`). */
import { type Datum, type Decimal, decimalText } from "../../codec/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import {
  compareDecimals,
  floatToDecimal,
  maxDecimal,
  parseDecimal,
  roundDecimal,
  type WideDecimal,
  wholeDecimal,
  wholeDigitsOf,
  widen,
  withScale,
} from "./decimal-text.ts";
import { durationToDecimal } from "./duration-value.ts";
import { truncatedWrongValue, valueOutOfRange } from "./fault.ts";
import { literalToUint } from "./integer-range.ts";
import { jsonToDecimal } from "./json-value.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, isUnsigned } from "./source.ts";
import { timeToDecimal } from "./time-value.ts";

/** The source as a decimal of any size; null where there is no such conversion. */
export function toDecimal(session: CastSession, source: CastSource): WideDecimal | null {
  switch (source.kind) {
    case "int":
    case "uint":
    case "bit":
      return wholeDecimal(source.value);
    case "enum":
    case "set":
      return floatToDecimal(session, Number(source.value));
    case "float":
      return floatToDecimal(session, source.value);
    case "bytes":
      return parseDecimal(session, source.value);
    case "decimal":
      return widen(source.value);
    case "time":
      return widen(timeToDecimal(source));
    case "duration":
      return widen(durationToDecimal(source));
    case "literal":
      return wholeDecimal(literalToUint(session, source.value));
    case "json":
      return jsonToDecimal(session, source.value);
    default:
      return null;
  }
}

/** Rounded half up to the column's scale; too many whole digits give the largest number, lost digits a warning in every mode. */
export function fitDecimal(session: CastSession, d: WideDecimal, type: FieldTypeInfo): Decimal {
  const { Flen: precision, Decimal: scale } = type;
  let fitted: Decimal = d;
  if (precision >= 0 && scale >= 0) {
    const rounded = roundDecimal(d, scale);
    if (precision - scale < wholeDigitsOf(rounded)) {
      session.raise(valueOutOfRange("DECIMAL", `(${precision}, ${scale})`));
      fitted = maxDecimal(d.negative, precision, scale);
    } else {
      if (d.scale > scale && compareDecimals(rounded, d) !== 0) {
        const warning = truncatedWrongValue("DECIMAL", decimalText(d));
        session.warn(warning.code, warning.message);
      }
      fitted = withScale(rounded, scale);
    }
  }
  if (!fitted.negative || !isUnsigned(type)) return fitted;
  session.raise(valueOutOfRange("DECIMAL", `(${precision}, ${scale})`));
  return { negative: false, unscaled: 0n, scale: Math.max(scale, 0) };
}

export function castDecimal(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  const d = toDecimal(session, source);
  if (d === null) return null;
  const value = fitDecimal(session, d, type);
  return { kind: "decimal", value };
}
