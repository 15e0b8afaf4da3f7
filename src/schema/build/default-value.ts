import { utf8 } from "../../base/mod.ts";
import {
  dateText,
  dateTimeText,
  durationText,
  partsFromUtcSeconds,
  type TimeParts,
  TimeZone,
} from "../../codec/mod.ts";
import type { CallExpr, Expr } from "../sql/expr.ts";
import { DEFAULT_STYLE, printExpr } from "../sql/expr-print.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import { isStrict } from "../sql/sql-mode.ts";
import { type ColumnInfo, Flag, Tp } from "../table-info.ts";
import { base64, bytesOfUint, goUtf8, uintOfBytes } from "./bytes-text.ts";
import { type Constant, constant, textOfConstant } from "./const-eval.ts";
import { checkLiteralDefault, enumDefault, invalidDefault, numberDefault, setDefault } from "./default-check.ts";
import { hasNoLiteralDefault, isIntegerType, isStringType } from "./field-type.ts";
import type { DdlSession } from "./session.ts";
import { isZero, parseDateTime, parseDuration } from "./temporal-text.ts";

/** Functions that TiDB takes as default, stored as expression (`pkg/ddl/add_column.go`, getFuncCallDefaultValue). */
const EXPRESSION_DEFAULTS = new Set(
  "rand uuid uuid_to_bin date_format replace upper str_to_date json_object json_array json_quote vec_from_text".split(
    " ",
  ),
);

const NOW_NAMES = new Set(["current_timestamp", "now", "localtime", "localtimestamp"]);

/** True for CURRENT_TIMESTAMP and its synonyms. */
export function isNow(expr: Expr): boolean {
  return expr.kind === "call" && NOW_NAMES.has(expr.name);
}

/** Fractional digits that CURRENT_TIMESTAMP(n) asks for. */
export function nowPrecision(expr: Expr): number {
  const arg = expr.kind === "call" ? expr.args[0] : undefined;
  return arg?.kind === "int" ? Number(arg.value) : 0;
}

/**
 * Sets DEFAULT of a column as TiDB stores it. Returns false where the clause counts as none. Throws 1067 and its kin, or
 * ErrUnsupported for functions that TiDB refuses as defaults.
 */
export function setColumnDefault(column: ColumnInfo, expr: Expr, session: DdlSession, sql: string): boolean {
  if (expr.kind === "call" && expr.form === undefined) {
    const done = setFunctionDefault(column, expr, session, sql);
    if (done) return true;
  }
  const value = constant(expr, session, sql);
  const stored = storedDefault(column, value, session);
  return setLiteralDefault(column, stored, session);
}

function setFunctionDefault(column: ColumnInfo, expr: CallExpr, session: DdlSession, sql: string): boolean {
  const { Tp: tp, Decimal: fsp } = column.type;
  if (isNow(expr)) {
    if (tp !== Tp.timestamp && tp !== Tp.datetime && tp !== Tp.date) throw invalidDefault(column);
    if (tp !== Tp.date && nowPrecision(expr) !== fsp) throw invalidDefault(column);
    column.default = "CURRENT_TIMESTAMP";
    return true;
  }
  if (expr.name === "current_date" || expr.name === "curdate") {
    if (tp !== Tp.date && tp !== Tp.datetime) throw invalidDefault(column);
    column.default = "CURRENT_DATE";
    return true;
  }
  if (expr.name === "nextval") {
    if (!isIntegerType(tp))
      throw ddlError(8228, `Unsupported sequence default value for column type '${column.name.O}'`);
    setExpressionDefault(column, qualifySequence(expr, session));
    return true;
  }
  if (!EXPRESSION_DEFAULTS.has(expr.name)) {
    const name = `\`${expr.name}\``;
    throw ddlError(
      3770,
      `Default value expression of column '${column.name.O}' contains a disallowed function: ${name}.`,
      { at: expr.at },
    );
  }
  if (expr.args.some((arg) => arg.kind === "column")) {
    throw unsupportedError(sql, expr.at, "a default that names a column");
  }
  setExpressionDefault(column, expr);
  return true;
}

function setExpressionDefault(column: ColumnInfo, expr: CallExpr): void {
  column.default_is_expr = true;
  const { parens: _, ...bare } = expr;
  column.default = printExpr(bare, DEFAULT_STYLE);
}

/** The sequence of nextval gets the current database in front. */
function qualifySequence(expr: CallExpr, session: DdlSession): CallExpr {
  const [name] = expr.args;
  if (name?.kind !== "column" || name.table !== undefined || session.database === undefined) return expr;
  return { ...expr, args: [{ ...name, table: session.database }] };
}

/** Text that a constant becomes before the checks (`getDefaultValue`); undefined for NULL. */
function storedDefault(column: ColumnInfo, value: Constant, session: DdlSession): string | Uint8Array | undefined {
  if (value.kind === "null") return undefined;
  const { Tp: tp } = column.type;
  if (tp === Tp.timestamp || tp === Tp.datetime || tp === Tp.date) return timeDefault(column, value, session);
  if (value.kind === "bytes") {
    if (tp === Tp.bit || isStringType(tp) || tp === Tp.enum || tp === Tp.set) return value.bytes;
    return `${uintOfBytes(value.bytes)}`;
  }
  switch (tp) {
    case Tp.set:
      return setDefault(column, value);
    case Tp.enum:
      return enumDefault(column, value);
    case Tp.duration: {
      const nanos = parseDuration(textOfConstant(value)!, column.type.Decimal);
      if (nanos === undefined) throw invalidDefault(column);
      return durationText(nanos, column.type.Decimal);
    }
    case Tp.bit:
      if (value.kind === "int") return bytesOfUint(BigInt.asUintN(64, value.value));
      break;
    case Tp.tiny:
    case Tp.short:
    case Tp.int24:
    case Tp.long:
    case Tp.longlong:
    case Tp.float:
    case Tp.double:
      return numberDefault(column, value);
  }
  return textOfConstant(value)!;
}

function timeDefault(column: ColumnInfo, value: Constant, session: DdlSession): string {
  const { Tp: tp, Decimal: fsp } = column.type;
  const text = value.kind === "int" && value.value === 0n ? "0000-00-00" : textOfConstant(value)!;
  const parts = parseDateTime(text, tp === Tp.date ? 0 : fsp, session.sqlMode);
  if (!parts) throw invalidDefault(column);
  if (isZero(parts) && session.sqlMode.has("NO_ZERO_DATE") && isStrict(session.sqlMode)) throw invalidDefault(column);
  if (tp === Tp.date) return dateText(parts);
  if (tp === Tp.timestamp && !isZero(parts)) return dateTimeText(toUtc(column, parts, session), fsp);
  return dateTimeText(parts, fsp);
}

/** TIMESTAMP defaults are stored in UTC (column version 1 and later). */
function toUtc(column: ColumnInfo, parts: TimeParts, session: DdlSession): TimeParts {
  const zone = TimeZone.find(session.timeZone);
  if (!zone) throw ddlError(1298, `Unknown or incorrect time zone: '${session.timeZone}'`);
  const seconds = zone.toUtcSeconds(parts);
  if (seconds === undefined || seconds < 1 || seconds > 2 ** 31 - 1) throw invalidDefault(column);
  return partsFromUtcSeconds(seconds, parts.micro);
}

/** Checks and stores a literal; returns false where the clause counts as none (TEXT DEFAULT '' outside strict mode). */
function setLiteralDefault(column: ColumnInfo, stored: string | Uint8Array | undefined, session: DdlSession): boolean {
  const { Tp: tp } = column.type;
  if (stored === undefined) {
    column.default = null;
    return true;
  }
  if (hasNoLiteralDefault(tp)) {
    if (isStrict(session.sqlMode) || stored !== "" || tp === Tp.vector) {
      throw ddlError(1101, `BLOB/TEXT/JSON column '${column.name.O}' can't have a default value`);
    }
    column.default = tp === Tp.json ? "null" : "";
    return tp !== Tp.blob && tp !== Tp.longblob;
  }
  checkLiteralDefault(column, stored);
  setStored(column, stored);
  return true;
}

function setStored(column: ColumnInfo, stored: string | Uint8Array): void {
  const { Tp: tp, Flen: flen, Charset: charset } = column.type;
  let bytes = typeof stored === "string" ? utf8(stored) : stored;
  // BINARY(n) is filled up with zero bytes.
  if (tp === Tp.string && charset === "binary" && bytes.length < flen) {
    const padded = new Uint8Array(flen);
    padded.set(bytes);
    bytes = padded;
  }
  column.default = goUtf8(bytes);
  if (tp === Tp.bit) column.default_bit = base64(bytes);
}

const ZERO_TEXTS: Partial<Record<number, string>> = {
  [Tp.date]: "0000-00-00",
  [Tp.duration]: "00:00:00",
  [Tp.year]: "0000",
};

/**
 * Value of the rows that are older than an added column (`generateOriginDefaultValue`): its default, the moment of the statement
 * for CURRENT_TIMESTAMP, or the type's zero for NOT NULL columns without default.
 */
export function setOriginDefault(column: ColumnInfo, session: DdlSession): void {
  const { Tp: tp, Flag: flag, Decimal: fsp, Elems: elems } = column.type;
  let value = column.default;
  let bit = column.default_bit;
  if (value === null && (flag & Flag.notNull) !== 0) {
    if (tp === Tp.enum) value = elems?.[0] ?? "";
    else if (tp === Tp.bit) [value, bit] = ["\0", base64(Uint8Array.of(0))];
    else if (tp === Tp.datetime || tp === Tp.timestamp) value = dateTimeText(ZERO_TIME, fsp);
    else if (tp === Tp.string && column.type.Charset === "binary") value = "\0".repeat(Math.max(0, column.type.Flen));
    else if (tp === Tp.json) value = "null";
    else if (isStringType(tp) || tp === Tp.set) value = "";
    else value = ZERO_TEXTS[tp] ?? "0";
  } else if (value === "CURRENT_TIMESTAMP" && (tp === Tp.timestamp || tp === Tp.datetime)) {
    const zone = tp === Tp.timestamp ? TimeZone.utc : TimeZone.find(session.timeZone);
    const seconds = Math.floor(session.nowMs / 1000);
    value = dateTimeText((zone ?? TimeZone.utc).toLocal(seconds, (session.nowMs % 1000) * 1000), fsp);
  }
  column.origin_default = value;
  column.origin_default_bit = bit;
}

const ZERO_TIME: TimeParts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, micro: 0 };
