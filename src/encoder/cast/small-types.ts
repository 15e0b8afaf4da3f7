/** Casts to YEAR, BIT and JSON (TiDB `pkg/types/datum.go`). */
import { utf8 } from "../../base/mod.ts";
import {
  type Datum,
  JsonError,
  JsonType,
  packCoreTime,
  parseJson,
  unpackTime,
  writeDouble,
  writeInt,
  writeString,
  writeTime,
} from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { byteString, trimSpace } from "./bytes-text.ts";
import { decimalToFloat } from "./decimal-text.ts";
import { Code, OUT_OF_RANGE, unnumbered } from "./fault.ts";
import { toSigned, toUnsigned } from "./integer.ts";
import { literalToUint } from "./integer-range.ts";
import { jsonToInt } from "./json-value.ts";
import { textToInt } from "./number-text.ts";
import type { CastSession } from "./session.ts";
import { bitBytes, type CastSource, kindName } from "./source.ts";
import { sourceText } from "./source-text.ts";
import { durationToTime } from "./time.ts";
import { fullYear } from "./time-parse.ts";
import type { TimeDatum } from "./time-value.ts";

const MIN_YEAR = 1901;
const MAX_YEAR = 2155;

/** Two-digit years completed, range checked. Zero stays zero unless it was written with digits that mean 2000. */
function adjustYear(session: CastSession, value: bigint, zeroMeans2000: boolean): bigint {
  if (value === 0n && !zeroMeans2000) return 0n;
  const year = value >= 0n && value <= 99n ? BigInt(fullYear(Number(value))) : value;
  if (year >= MIN_YEAR && year <= MAX_YEAR) return year;
  session.raise(OUT_OF_RANGE);
  if (year < 0n) return 0n;
  return BigInt(year < MIN_YEAR ? MIN_YEAR : MAX_YEAR);
}

function yearFromText(session: CastSession, bytes: Uint8Array): bigint {
  const value = textToInt(session, bytes);
  if (session.fault !== null) return 0n;
  const zeroMeans2000 = value === 0n && bytes.length !== 4 && trimSpace(byteString(bytes)).startsWith("0");
  return adjustYear(session, value, zeroMeans2000);
}

export function castYear(session: CastSession, source: CastSource): Datum {
  let value: bigint;
  switch (source.kind) {
    case "bytes":
      value = yearFromText(session, source.value);
      break;
    case "time":
      value = adjustYear(session, BigInt(unpackTime(source.packed).year), false);
      break;
    case "duration": {
      const t = durationToTime(session, source, Tp.datetime);
      value = adjustYear(session, BigInt(unpackTime(t.packed).year), false);
      break;
    }
    case "json": {
      const year = jsonToInt(session, source.value, Tp.longlong, false);
      value = session.fault === null ? adjustYear(session, year, false) : 0n;
      break;
    }
    default: {
      const year = toSigned(session, source, Tp.longlong);
      if (session.fault !== null || year === null) {
        session.fault = unnumbered(`cannot convert datum from ${kindName(source.kind)} to type year`);
        value = 0n;
      } else value = adjustYear(session, year, false);
    }
  }
  return { kind: "int", value };
}

/** Strings are their bytes; negative integers their two's complement. Null where there is no such conversion. */
export function castBit(session: CastSession, source: CastSource, type: FieldTypeInfo): Datum | null {
  let value: bigint | null;
  if (source.kind === "bytes") value = literalToUint(session, source.value);
  else if (source.kind === "int") value = BigInt.asUintN(64, source.value);
  else value = toUnsigned(session, source, Tp.bit);
  if (value === null) return null;
  const limit = 1n << BigInt(Math.min(type.Flen, 64));
  if (value >= limit) {
    session.fault = { code: Code.tooLong, message: `Data Too Long, field len ${type.Flen}` };
    value = limit - 1n;
  }
  return { kind: "bit", value };
}

/** DATE, DATETIME or TIMESTAMP as JSON. */
function timeToJson(d: TimeDatum): Uint8Array {
  const t = unpackTime(d.packed);
  if (d.tp === Tp.date) return writeInt(JsonType.date, packCoreTime(t, "date", 0) & ~0xfn);
  const [type, kind] =
    d.tp === Tp.timestamp ? ([JsonType.timestamp, "timestamp"] as const) : ([JsonType.datetime, "datetime"] as const);
  return writeInt(type, packCoreTime(t, kind, 0) & ~0xfn);
}

function jsonOf(session: CastSession, source: CastSource, from?: FieldTypeInfo): Uint8Array {
  switch (source.kind) {
    case "int":
      return writeInt(JsonType.int64, source.value);
    case "uint":
      return writeInt(JsonType.uint64, source.value);
    case "float":
      return writeDouble(source.value);
    case "decimal":
      return writeDouble(decimalToFloat(source.value));
    case "json":
      return source.value;
    case "time":
      return timeToJson(source);
    case "duration":
      return writeTime(source.nanos, source.fsp);
    case "enum":
    case "set":
      return parseJson(utf8(sourceText(source, from)));
    case "bytes":
      return parseJson(source.value);
    case "bit":
      return writeString(bitBytes(source.value, from?.Flen ?? 64));
    case "literal":
      session.raise({
        code: Code.jsonCharset,
        message: "Cannot create a JSON value from a string with CHARACTER SET 'binary'.",
      });
      return new Uint8Array(0);
    default:
      return writeString(utf8(sourceText(source, from)));
  }
}

/** Texts are parsed as JSON, all other values become JSON scalars. */
export function castJson(session: CastSession, source: CastSource, from?: FieldTypeInfo): Datum {
  try {
    return { kind: "json", value: jsonOf(session, source, from) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    session.raise({ code: error.mysqlCode, message: error.message });
    return { kind: "json", value: new Uint8Array(0) };
  }
}
