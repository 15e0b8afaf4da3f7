import { toHex, utf8 } from "../../base/mod.ts";
import { dateText, dateTimeText, durationText } from "../../codec/mod.ts";
import type { Expr } from "../sql/expr.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type FieldTypeInfo, Flag } from "../table-info.ts";
import { type Constant, constant, integerOf, textOfConstant } from "./const-eval.ts";
import type { DdlSession } from "./session.ts";
import { parseDateTime, parseDuration } from "./temporal-text.ts";
import { evalKind } from "./value-type.ts";

/** Context of values in partition clauses. */
export interface ValueContext {
  session: DdlSession;
  sql: string;
}

/** A string as `less_than` and `in_values` hold it: backslashes and quotes doubled. */
export function wrapQuotes(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** The inverse of `wrapQuotes`; text without quotes is returned as it is. */
export function unwrapQuotes(text: string): string {
  if (text.length < 2 || !text.startsWith("'") || !text.endsWith("'")) return text;
  return text.slice(1, -1).replaceAll("''", "'").replaceAll("\\\\", "\\");
}

const wrongType = () => ddlError(1654, "Partition column values of incorrect type");

/** Value of RANGE (expr) and LIST (expr): an integer as text, NULL where allowed. */
export function integerValue(expr: Expr, partition: string, context: ValueContext, nullable: boolean): string {
  const value = constant(expr, context.session, context.sql);
  if (value.kind === "null" && nullable) return "NULL";
  const integer = value.kind === "int" ? value.value : undefined;
  if (integer === undefined) {
    throw ddlError(1697, `VALUES value for partition '${partition}' must have type INT`, { at: expr.at });
  }
  return `${integer}`;
}

/** Value of RANGE COLUMNS and LIST COLUMNS in the form of the column's type (`generatePartValuesWithTp`). */
export function columnValue(expr: Expr, type: FieldTypeInfo, context: ValueContext): string {
  const value = constant(expr, context.session, context.sql);
  if (value.kind === "null") return "NULL";
  switch (evalKind(type)) {
    case "int": {
      const integer = value.kind === "int" || value.kind === "bytes" ? integerOf(value) : undefined;
      if (integer === undefined || !fitsInteger(integer, type)) throw wrongType();
      return `${integer}`;
    }
    case "datetime":
    case "duration":
      return wrapQuotes(temporalValue(value, type, context.session));
    case "string":
      return stringValue(value, type);
    default:
      throw wrongType();
  }
}

function fitsInteger(value: bigint, type: FieldTypeInfo): boolean {
  const bits = { 1: 8n, 2: 16n, 9: 24n, 3: 32n }[type.Tp] ?? 64n;
  if (type.Flag & Flag.unsigned) return value >= 0n && value < 1n << bits;
  return value >= -(1n << (bits - 1n)) && value < 1n << (bits - 1n);
}

/** Text of a date, datetime or time with the column's fraction. */
export function temporalValue(value: Constant, type: FieldTypeInfo, session: DdlSession): string {
  if (value.kind !== "string") throw wrongType();
  const fsp = Math.max(0, type.Decimal);
  if (evalKind(type) === "duration") {
    const nanos = parseDuration(value.text, fsp);
    if (nanos === undefined) throw wrongType();
    return durationText(nanos, fsp);
  }
  const parts = parseDateTime(value.text, type.Tp === 10 ? 0 : fsp, session.sqlMode);
  if (!parts) throw wrongType();
  return type.Tp === 10 ? dateText(parts) : dateTimeText(parts, fsp);
}

function stringValue(value: Constant, type: FieldTypeInfo): string {
  if (value.kind !== "string" && value.kind !== "bytes") throw wrongType();
  if (type.Charset === "binary") {
    const bytes = value.kind === "bytes" ? value.bytes : utf8(value.text);
    return `_binary 0x${toHex(bytes)}`;
  }
  return wrapQuotes(textOfConstant(value)!);
}
