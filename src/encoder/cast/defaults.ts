/** Zero values, NULL in NOT NULL columns, and constant defaults (TiDB `pkg/table/column.go`). */
import { utf8 } from "../../base/mod.ts";
import { type Datum, NULL_DATUM, packTime, TimeZone, unpackTime } from "../../codec/mod.ts";
import { type ColumnInfo, Flag, Tp } from "../../schema/mod.ts";
import { castDatum } from "./cast.ts";
import { coreTime, fromUnix, toUnix, zeroTime } from "./core-time.ts";
import { CastError, Code } from "./fault.ts";
import type { CastSession } from "./session.ts";
import { type CastSource, fspOf, isUnsigned } from "./source.ts";
import { parseTime } from "./time.ts";
import { timeDatum } from "./time-value.ts";

/** The value that stands for NULL where the mode lets a NOT NULL column take one; also that of an unset AUTO_INCREMENT column. */
export function zeroValue(column: ColumnInfo): Datum {
  const type = column.type;
  switch (type.Tp) {
    case Tp.tiny:
    case Tp.short:
    case Tp.int24:
    case Tp.long:
    case Tp.longlong:
      return { kind: isUnsigned(type) ? "uint" : "int", value: 0n };
    case Tp.year:
      return { kind: "int", value: 0n };
    case Tp.float:
    case Tp.double:
      return { kind: "float", value: 0 };
    case Tp.newdecimal:
      return { kind: "decimal", value: { negative: false, unscaled: 0n, scale: Math.max(type.Decimal, 0) } };
    case Tp.string: {
      const size = type.Charset === "binary" ? Math.max(type.Flen, 0) : 0;
      return { kind: "bytes", value: new Uint8Array(size), collation: type.Collate };
    }
    case Tp.duration:
      return { kind: "duration", nanos: 0n, fsp: fspOf(type) };
    case Tp.date:
    case Tp.timestamp:
    case Tp.datetime:
      return timeDatum(zeroTime(), type.Tp, fspOf(type));
    case Tp.bit:
    case Tp.set:
    case Tp.enum:
      return { kind: type.Tp === Tp.bit ? "bit" : type.Tp === Tp.set ? "set" : "enum", value: 0n };
    case Tp.json:
      return { kind: "json", value: Uint8Array.of(4, 0) };
    case Tp.vector:
      return { kind: "vector", value: new Uint8Array(4) };
    default:
      return { kind: "bytes", value: new Uint8Array(0), collation: type.Collate };
  }
}

/** NULL for a column that is not allowed to be: error 1048, or with a warning the zero value; of a vector always an error. */
export function nullValue(session: CastSession, column: ColumnInfo): Datum {
  if ((column.type.Flag & (Flag.notNull | Flag.preventNullInsert)) === 0) return NULL_DATUM;
  const message = `Column '${column.name.O}' cannot be null`;
  if (column.type.Tp === Tp.vector) throw new CastError(0, `VECTOR column '${column.name.O}' cannot be null`);
  if (session.strict) throw new CastError(Code.columnCannotBeNull, message);
  session.warn(Code.columnCannotBeNull, message);
  return zeroValue(column);
}

/** No default: NULL, the first element of an ENUM, or where NULL is not allowed the zero value if the mode permits. */
function missingDefault(session: CastSession, column: ColumnInfo): Datum {
  const flags = column.type.Flag;
  if ((flags & Flag.notNull) === 0) return NULL_DATUM;
  if (column.type.Tp === Tp.enum) return { kind: "enum", value: 1n };
  if ((flags & Flag.autoIncrement) !== 0) return zeroValue(column);
  const message = `Field '${column.name.O}' doesn't have a default value`;
  if (session.strict) throw new CastError(Code.noDefault, message);
  session.warn(Code.noDefault, message);
  return zeroValue(column);
}

const NOW = /^current_(?:timestamp|date)(?:\(\d?\))?$/i;

/** The session's clock; digits beyond the column's are cut, not rounded (`getTimeCurrentTimeStamp`). */
function now(session: CastSession, column: ColumnInfo): Datum {
  const { Tp: tp } = column.type;
  const fsp = fspOf(column.type);
  const seconds = Math.floor(session.nowMs / 1000);
  const micro = Math.round((session.nowMs - seconds * 1000) * 1000);
  const t = fromUnix(seconds, micro - (micro % 10 ** (6 - fsp)), session.zone);
  return timeDatum(tp === Tp.date ? coreTime(t.year, t.month, t.day) : t, tp, fsp);
}

/**
 * Date and time defaults are read without a look at the modes for zero dates (TiDB `pkg/expression/helper.go`, GetTimeValue). The
 * text of a TIMESTAMP default is in UTC, in tables of old in the system's zone.
 */
function timeDefault(session: CastSession, column: ColumnInfo, text: string): Datum {
  const { Tp: tp } = column.type;
  if (NOW.test(text)) return now(session, column);
  const zone = tp !== Tp.timestamp ? session.zone : column.version >= 1 ? TimeZone.utc : session.systemZone;
  const reader = session.with({ zone });
  const value = parseTime(reader, utf8(text), tp, fspOf(column.type));
  if (reader.fault !== null) {
    throw new CastError(Code.defaultFailed, `Field '${column.name.O}' get default value fail`);
  }
  if (value.packed === 0n || zone === session.zone) return value;
  const t = unpackTime(value.packed);
  return { ...value, packed: packTime(fromUnix(toUnix(t, zone), t.micro, session.zone)) };
}

function textSource(text: string): CastSource {
  return { kind: "bytes", value: utf8(text), collation: "utf8mb4_bin" };
}

function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i);
  return out;
}

/**
 * The column's default as a row gets it when the source has no value: constant defaults, CURRENT_TIMESTAMP, no default at all.
 * Default expressions (`default_is_expr`) have to be evaluated by the caller. `origin`: the default that rows have which are older
 * than the column.
 */
export function defaultValue(session: CastSession, column: ColumnInfo, origin = false): Datum {
  const bits = origin ? column.origin_default_bit : column.default_bit;
  const text = origin ? column.origin_default : column.default;
  if (column.type.Tp === Tp.bit && bits !== null && bits !== "") {
    return castDatum(
      session,
      { kind: "bytes", value: bytesOfBase64(bits), collation: "binary" },
      column.type,
      column.name.O,
    );
  }
  if (text === null || text === undefined) return missingDefault(session, column);
  if (typeof text === "number") return castDatum(session, numberSource(text), column.type, column.name.O);
  switch (column.type.Tp) {
    case Tp.timestamp:
    case Tp.datetime:
    case Tp.date:
      return timeDefault(session, column, text);
    default:
      return castDatum(session, textSource(text), column.type, column.name.O);
  }
}

function numberSource(value: number): CastSource {
  return Number.isSafeInteger(value) ? { kind: "int", value: BigInt(value) } : { kind: "float", value };
}
