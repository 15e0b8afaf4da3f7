import { daysFromCivil, type TimeParts, TimeZone } from "../../codec/mod.ts";
import type { CallExpr, Expr } from "../sql/expr.ts";
import { unsupportedError } from "../sql/sql-error.ts";
import { goUtf8, uintOfBytes } from "./bytes-text.ts";
import type { DdlSession } from "./session.ts";
import { parseDateTime } from "./temporal-text.ts";

/** A constant of DDL. Numbers that are no integers stay text, so that nothing is lost. */
export type Constant =
  | { kind: "null" }
  | { kind: "int"; value: bigint }
  | { kind: "decimal"; text: string }
  | { kind: "float"; value: number }
  | { kind: "string"; text: string }
  | { kind: "bytes"; bytes: Uint8Array };

/** Value of a constant expression, undefined where it is none that DDL can hold. */
export function tryConstant(expr: Expr, session: DdlSession): Constant | undefined {
  switch (expr.kind) {
    case "null":
      return { kind: "null" };
    case "bool":
      return { kind: "int", value: expr.value ? 1n : 0n };
    case "int":
      return { kind: "int", value: expr.value };
    case "decimal":
      return { kind: "decimal", text: expr.text };
    case "float":
      return { kind: "float", value: expr.value };
    case "string":
      return { kind: "string", text: expr.text };
    case "temporal":
      return { kind: "string", text: expr.text };
    case "hex":
    case "bit":
      return { kind: "bytes", bytes: expr.bytes };
    case "call":
      return constantCall(expr, session);
    default:
      return undefined;
  }
}

/** As `tryConstant`; refuses what it does not know, naming the place in `sql`. */
export function constant(expr: Expr, session: DdlSession, sql: string): Constant {
  const value = tryConstant(expr, session);
  if (value === undefined) throw unsupportedError(sql, expr.at, "this expression as a constant");
  return value;
}

/** Integer value, undefined for what is none. */
export function integerOf(value: Constant): bigint | undefined {
  if (value.kind === "int") return value.value;
  if (value.kind === "bytes") return uintOfBytes(value.bytes);
  if (value.kind === "string" && /^\s*[+-]?\d+\s*$/.test(value.text))
    return BigInt(value.text.trim().replace(/^\+/, ""));
  return undefined;
}

/** The value as TiDB's Datum.ToString gives it; null for NULL. */
export function textOfConstant(value: Constant): string | null {
  switch (value.kind) {
    case "null":
      return null;
    case "int":
      return `${value.value}`;
    case "decimal":
    case "string":
      return value.text;
    case "float":
      return plainNumber(value.value);
    case "bytes":
      return goUtf8(value.bytes);
  }
}

/** As Go's FormatFloat(x, 'f', -1, 64): shortest digits, never an exponent. */
export function plainNumber(value: number): string {
  const text = `${value}`;
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, "0");
  return sign + padded.slice(0, point) + (padded.length > point ? `.${padded.slice(point)}` : "");
}

type Numbers = (a: bigint, b: bigint) => bigint | undefined;

const ARITHMETIC: Record<string, Numbers> = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  mul: (a, b) => a * b,
  intdiv: (a, b) => (b === 0n ? undefined : a / b),
  mod: (a, b) => (b === 0n ? undefined : a % b),
};

/** Functions of one date whose value is an integer. */
const OF_DATE: Record<string, (t: TimeParts, session: DdlSession) => number | undefined> = {
  to_days: (t) => daysFromCivil(t.year, t.month, t.day) + 719528,
  to_seconds: (t) => (daysFromCivil(t.year, t.month, t.day) + 719528) * 86400 + secondsOfDay(t),
  year: (t) => t.year,
  month: (t) => t.month,
  day: (t) => t.day,
  dayofmonth: (t) => t.day,
  quarter: (t) => Math.floor((t.month + 2) / 3),
  dayofyear: (t) => daysFromCivil(t.year, t.month, t.day) - daysFromCivil(t.year, 1, 1) + 1,
  dayofweek: (t) => ((((daysFromCivil(t.year, t.month, t.day) + 4) % 7) + 7) % 7) + 1,
  weekday: (t) => (((daysFromCivil(t.year, t.month, t.day) + 3) % 7) + 7) % 7,
  hour: (t) => t.hour,
  minute: (t) => t.minute,
  second: (t) => t.second,
  time_to_sec: secondsOfDay,
  unix_timestamp: (t, session) => TimeZone.find(session.timeZone)?.toUtcSeconds(t),
};

function secondsOfDay(t: TimeParts): number {
  return t.hour * 3600 + t.minute * 60 + t.second;
}

function constantCall(expr: CallExpr, session: DdlSession): Constant | undefined {
  const args: Constant[] = [];
  for (const arg of expr.args) {
    const value = tryConstant(arg, session);
    if (value === undefined) return undefined;
    args.push(value);
  }
  const [first, second] = args;
  if (first === undefined) return undefined;
  if (expr.name === "unaryminus") return negated(first);
  if (expr.name === "unaryplus") return first;
  const date = OF_DATE[expr.name];
  if (date !== undefined && args.length === 1) return ofDate(first, date, session);
  const numbers = ARITHMETIC[expr.name];
  if (numbers === undefined || second === undefined) return undefined;
  if (first.kind === "null" || second.kind === "null") return { kind: "null" };
  const a = integerOf(first);
  const b = integerOf(second);
  const value = a === undefined || b === undefined ? undefined : numbers(a, b);
  return value === undefined ? undefined : { kind: "int", value };
}

function ofDate(
  arg: Constant,
  compute: (t: TimeParts, session: DdlSession) => number | undefined,
  session: DdlSession,
): Constant | undefined {
  const text = textOfConstant(arg);
  if (text === null) return { kind: "null" };
  const parts = parseDateTime(text, 6, session.sqlMode);
  const value = parts && compute(parts, session);
  return value === undefined ? undefined : { kind: "int", value: BigInt(value) };
}

function negated(value: Constant): Constant | undefined {
  switch (value.kind) {
    case "null":
      return value;
    case "int":
      return { kind: "int", value: -value.value };
    case "decimal":
      return { kind: "decimal", text: value.text.startsWith("-") ? value.text.slice(1) : `-${value.text}` };
    case "float":
      return { kind: "float", value: -value.value };
    default:
      return undefined;
  }
}
