import {
  civilFromDays,
  dateText,
  dateTimeText,
  daysFromCivil,
  partsFromUtcSeconds,
  type TimeParts,
  utcSeconds,
} from "../../codec/mod.ts";
import type { PartitionInterval } from "../ddl/ast.ts";
import type { Expr } from "../sql/expr.ts";
import { ddlError } from "../sql/sql-error.ts";
import { type ColumnInfo, Flag, type PartitionDefinition, type TableInfo, Tp } from "../table-info.ts";
import { ciStr } from "./column.ts";
import { constant, integerOf } from "./const-eval.ts";
import { findColumn } from "./index.ts";
import { temporalValue, type ValueContext, wrapQuotes } from "./partition-value.ts";
import { parseDateTime } from "./temporal-text.ts";
import { evalKind } from "./value-type.ts";

const MAX_PARTITIONS = 8192;

type Bound = Omit<PartitionDefinition, "id">;

/**
 * The partitions that INTERVAL (n) FIRST … LAST … stands for (`generatePartitionDefinitionsFromInterval`): `P_LT_<bound>`,
 * before them `P_NULL`, behind them `P_MAXVALUE`.
 */
export function intervalDefinitions(table: TableInfo, interval: PartitionInterval, context: ValueContext): Bound[] {
  const column = intervalColumn(table);
  if (!interval.first || !interval.last) {
    throw ddlError(8200, "Unsupported INTERVAL partitioning: FIRST PARTITION and LAST PARTITION are needed");
  }
  const isDate = column !== undefined && evalKind(column.type) === "datetime";
  const bounds = isDate
    ? dateBounds(column, interval, interval.first, interval.last, context)
    : integerBounds(interval, interval.first, interval.last, context);
  const named = bounds.map((text) => bound(`P_LT_${text}`, isDate ? wrapQuotes(text) : text));
  if (interval.nullPartition) named.unshift(bound("P_NULL", isDate ? "'0000-01-01'" : lowest(column)));
  if (interval.maxvaluePartition) named.push(bound("P_MAXVALUE", "MAXVALUE"));
  return named;
}

function bound(name: string, lessThan: string): Bound {
  return { name: ciStr(name), less_than: [lessThan], in_values: null, policy_ref_info: null };
}

/** The column of RANGE COLUMNS; undefined for RANGE (expr). */
export function intervalColumn(table: TableInfo): ColumnInfo | undefined {
  const columns = table.partition!.columns ?? [];
  if (columns.length > 1) {
    throw ddlError(8200, "Unsupported INTERVAL partitioning, only allowed on RANGE partitioning of a single column");
  }
  const [name] = columns;
  const column = name && findColumn(table, name.O);
  if (column && evalKind(column.type) !== "int" && evalKind(column.type) !== "datetime") {
    throw ddlError(8200, "Unsupported INTERVAL partitioning, only supports Date, Datetime and INT types");
  }
  return column;
}

const BITS: Partial<Record<number, bigint>> = { [Tp.tiny]: 8n, [Tp.short]: 16n, [Tp.int24]: 24n, [Tp.long]: 32n };

function lowest(column: ColumnInfo | undefined): string {
  if (column && column.type.Flag & Flag.unsigned) return "0";
  return `${-(1n << ((column ? (BITS[column.type.Tp] ?? 64n) : 64n) - 1n))}`;
}

function integer(expr: Expr, context: ValueContext): bigint {
  const value = integerOf(constant(expr, context.session, context.sql));
  if (value === undefined) throw ddlError(1697, "VALUES value must have type INT", { at: expr.at });
  return value;
}

function integerBounds(interval: PartitionInterval, first: Expr, last: Expr, context: ValueContext): string[] {
  const step = integer(interval.amount, context);
  const end = integer(last, context);
  if (step < 1n) throw ddlError(8200, "Unsupported INTERVAL partitioning: the interval must be positive");
  const bounds: string[] = [];
  for (let at = integer(first, context); at <= end; at += step) {
    bounds.push(`${at}`);
    checkCount(bounds.length);
  }
  if (bounds.at(-1) !== `${end}`) {
    throw ddlError(8200, "Unsupported INTERVAL: expr (last) is not matching FIRST + n INTERVALs");
  }
  return bounds;
}

function checkCount(count: number): void {
  if (count > MAX_PARTITIONS) throw ddlError(1499, "Too many partitions (including subpartitions) were defined");
}

function dateBounds(
  column: ColumnInfo,
  interval: PartitionInterval,
  first: Expr,
  last: Expr,
  context: ValueContext,
): string[] {
  const { session } = context;
  const text = (expr: Expr) => temporalValue(constant(expr, session, context.sql), column.type, session);
  const start = parseDateTime(text(first), 6, session.sqlMode)!;
  const end = text(last);
  const step = Number(integer(interval.amount, context));
  if (step < 1) throw ddlError(8200, "Unsupported INTERVAL partitioning: the interval must be positive");
  const bounds: string[] = [];
  for (let i = 0; ; i++) {
    const at = addInterval(start, i * step, interval.unit ?? "DAY");
    const written = column.type.Tp === Tp.date ? dateText(at) : dateTimeText(at, Math.max(0, column.type.Decimal));
    if (written > end || at.year > 9999) break;
    bounds.push(written);
    checkCount(bounds.length);
  }
  if (bounds.at(-1) !== end)
    throw ddlError(8200, "Unsupported INTERVAL: expr (last) is not matching FIRST + n INTERVALs");
  return bounds;
}

const MONTHS: Record<string, number> = { MONTH: 1, QUARTER: 3, YEAR: 12 };
const SECONDS: Record<string, number> = { SECOND: 1, MINUTE: 60, HOUR: 3600, DAY: 86400, WEEK: 604800 };

/** A moment plus a number of units; a day that the month has not becomes its last. */
export function addInterval(from: TimeParts, count: number, unit: string): TimeParts {
  const months = MONTHS[unit];
  if (months !== undefined) {
    const total = from.year * 12 + from.month - 1 + count * months;
    const year = Math.floor(total / 12);
    const month = (total % 12) + 1;
    const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
    return { ...from, year, month, day: Math.min(from.day, civilFromDays(next - 1).day) };
  }
  const seconds = SECONDS[unit];
  if (seconds === undefined) throw ddlError(8200, `Unsupported INTERVAL partitioning: unit ${unit}`);
  return partsFromUtcSeconds(utcSeconds(from) + count * seconds, from.micro);
}
