/** The general cast of a value to a column type (TiDB `pkg/types/datum.go`, ConvertTo; `pkg/table/column.go`, castColumnValue). */
import { assert } from "../../base/mod.ts";
import { type Datum, NULL_DATUM } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { castDecimal } from "./decimal.ts";
import { castDuration } from "./duration.ts";
import { castEnum, castSet } from "./enum-set.ts";
import { CastError, Code, type Fault, truncatedWrongValue, unnumbered, worded } from "./fault.ts";
import { castFloat } from "./float.ts";
import { castInteger } from "./integer.ts";
import type { CastSession } from "./session.ts";
import { castBit, castJson, castYear } from "./small-types.ts";
import { type CastSource, compactType, isTimeType, isUnsigned, kindName, typeName } from "./source.ts";
import { sourceText } from "./source-text.ts";
import { castText } from "./text.ts";
import { castTime, judgeZero } from "./time.ts";
import { castVector } from "./vector.ts";

/** Null where the two have no conversion. */
function convertTo(
  session: CastSession,
  source: CastSource,
  type: FieldTypeInfo,
  column: string,
  from?: FieldTypeInfo,
): Datum | null {
  switch (type.Tp) {
    case Tp.tiny:
    case Tp.short:
    case Tp.int24:
    case Tp.long:
    case Tp.longlong:
      return castInteger(session, source, type.Tp, isUnsigned(type));
    case Tp.float:
    case Tp.double:
      return castFloat(session, source, type);
    case Tp.newdecimal:
      return castDecimal(session, source, type);
    case Tp.timestamp:
    case Tp.datetime:
    case Tp.date:
      return castTime(session, source, type);
    case Tp.duration:
      return castDuration(session, source, type);
    case Tp.year:
      return castYear(session, source);
    case Tp.enum:
      return castEnum(session, source, type, from);
    case Tp.set:
      return castSet(session, source, type, from);
    case Tp.bit:
      return castBit(session, source, type);
    case Tp.json:
      return castJson(session, source, from);
    case Tp.vector:
      return castVector(session, source, type);
    default:
      assert(type.Tp >= Tp.tinyblob || type.Tp === Tp.varchar, `no cast to type ${type.Tp}`);
      return castText(session, source, type, column, from);
  }
}

function noConversion(source: CastSource, type: FieldTypeInfo): Fault {
  return unnumbered(`cannot convert datum from ${kindName(source.kind)} to type ${typeName(type.Tp)}`);
}

/** What a conversion gave: the value, and the failure that the mode has still to judge. */
export interface Conversion {
  readonly value: Datum;
  readonly fault: Fault | null;
}

/** Converts without judging: the nearest value and the failure. Warnings that belong to every mode are given at once. */
export function convert(
  session: CastSession,
  source: CastSource,
  type: FieldTypeInfo,
  column = "",
  from?: FieldTypeInfo,
): Conversion {
  if (source.kind === "null") return { value: NULL_DATUM, fault: null };
  session.fault = null;
  const value = convertTo(session, source, type, column, from);
  const fault = session.take();
  if (value === null) return { value: NULL_DATUM, fault: noConversion(source, type) };
  return { value, fault };
}

/**
 * Casts a value to a type as a column of it stores the value: NULL stays NULL, whatever NOT NULL says. Warnings go to the session;
 * CastError where the mode does not forgive. `column` is quoted in messages, `from` is the type of the source (needed for ENUM and
 * SET, and to tell FLOAT from DOUBLE and the width of a BIT). The result may share bytes with the source.
 */
export function castDatum(
  session: CastSession,
  source: CastSource,
  type: FieldTypeInfo,
  column = "",
  from?: FieldTypeInfo,
): Datum {
  const { value, fault } = convert(session, source, type, column, from);
  if (fault === null && (value.kind !== "time" || !isTimeType(type.Tp))) return value;
  return judge(session, value, fault, source, type, column, from);
}

function judge(
  session: CastSession,
  value: Datum,
  pending: Fault | null,
  source: CastSource,
  type: FieldTypeInfo,
  column: string,
  from?: FieldTypeInfo,
): Datum {
  const text = (): string => sourceText(source, from);
  let result = value;
  let fault = pending;
  if (fault !== null && fault.code === Code.truncated && type.Tp !== Tp.set && type.Tp !== Tp.enum) {
    fault = truncatedWrongValue(compactType(type), text());
  } else if (value.kind === "time") {
    const verdict = judgeZero(session, value, fault, text);
    result = verdict.value;
    fault = verdict.fault;
    if (verdict.final && fault !== null) throw new CastError(fault.code, fault.message);
  }
  fault = session.forgive(fault === null ? null : worded(fault, column, text));
  if (fault !== null) throw new CastError(fault.code, fault.message);
  return result;
}
