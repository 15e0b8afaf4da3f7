import { TimeZone } from "../../../codec/mod.ts";
import { type Expr, parseExpr, type SqlMode } from "../../../schema/mod.ts";
import type { Clauses } from "../query/clauses.ts";
import { evaluate, stringOf } from "../query/evaluate.ts";
import { SqlError, type StatementResult } from "../wire/mod.ts";
import { scopeOf } from "./scope.ts";
import type { SessionState } from "./state.ts";
import { globalOnly, kindOfVariable, readOnly, systemVariables } from "./variables.ts";

const OK: StatementResult = { kind: "ok" };
const CHARSETS = new Set(["utf8mb4", "utf8", "utf8mb3", "latin1", "ascii", "binary", "gbk"]);
const SQL_MODES = new Set(
  (
    "REAL_AS_FLOAT PIPES_AS_CONCAT ANSI_QUOTES IGNORE_SPACE NOT_USED ONLY_FULL_GROUP_BY NO_UNSIGNED_SUBTRACTION NO_DIR_IN_CREATE " +
    "POSTGRESQL ORACLE MSSQL DB2 MAXDB NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_FIELD_OPTIONS MYSQL323 MYSQL40 ANSI NO_AUTO_VALUE_ON_ZERO " +
    "NO_BACKSLASH_ESCAPES STRICT_TRANS_TABLES STRICT_ALL_TABLES NO_ZERO_IN_DATE NO_ZERO_DATE ALLOW_INVALID_DATES " +
    "ERROR_FOR_DIVISION_BY_ZERO TRADITIONAL NO_AUTO_CREATE_USER HIGH_NOT_PRECEDENCE NO_ENGINE_SUBSTITUTION PAD_CHAR_TO_FULL_LENGTH"
  ).split(" "),
);
const COMBINED: Record<string, string> = {
  ANSI: "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,ANSI",
  TRADITIONAL:
    "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
};
/** TiDB keeps versions for ten minutes at least. */
const GC_LIFE_MIN_S = 600;

/** Runs SET; the cursor stands at it. */
export async function setVariables(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<StatementResult> {
  clauses.at++;
  if (clauses.takeWords("NAMES")) return setNames(clauses, state);
  if (clauses.takeWords("CHARACTER", "SET") || clauses.takeWords("CHARSET")) return setNames(clauses, state);
  if (clauses.takeWords("PASSWORD") || clauses.takeWords("DEFAULT", "ROLE") || clauses.takeWords("ROLE")) return OK;
  do await setOne(clauses, state, mode);
  while (clauses.takeOp(","));
  clauses.end();
  return { kind: "ok", warnings: state.warnings.length };
}

function setNames(clauses: Clauses, state: SessionState): StatementResult {
  const { text } = clauses.token;
  clauses.at++;
  const charset = text.toLowerCase();
  if (charset !== "default" && !CHARSETS.has(charset))
    throw new SqlError(1115, `Unknown character set: '${text}'`, "42000");
  if (clauses.takeWords("COLLATE")) {
    const collation = clauses.token.text.toLowerCase();
    clauses.at++;
    state.keepVariable("collation_connection", collation, false);
  } else if (charset !== "default") state.keepVariable("collation_connection", defaultCollation(charset), false);
  if (charset !== "default")
    for (const part of ["client", "connection", "results"]) state.keepVariable(`character_set_${part}`, charset, false);
  clauses.end();
  return OK;
}

const defaultCollation = (charset: string): string =>
  charset === "gbk" ? "gbk_chinese_ci" : charset === "binary" ? "binary" : `${charset}_bin`;

async function setOne(clauses: Clauses, state: SessionState, mode: SqlMode): Promise<void> {
  let global = clauses.takeWords("GLOBAL");
  if (!global) clauses.takeWords("SESSION") || clauses.takeWords("LOCAL");
  if (clauses.takeWords("TRANSACTION")) {
    while (!clauses.done) clauses.at++;
    return;
  }
  const { token } = clauses;
  clauses.at++;
  if (!clauses.takeOp("=") && !clauses.takeOp(":=")) throw clauses.fail();
  const { text } = clauses.textUntil([]);
  if (token.kind === "uservar") {
    const { text: value } = evaluate(parseExpr(text, mode), scopeOf(state));
    state.setUserVariable(token.text, value === null ? null : stringOf(value));
    return;
  }
  const scoped = /^(global|session|local)\.(.*)$/i.exec(token.text);
  global ||= scoped?.[1]?.toLowerCase() === "global";
  const name = (scoped?.[2] ?? token.text).toLowerCase();
  if (name === "names") return;
  const default_ = systemVariables[name];
  if (default_ === undefined || token.kind === "string" || token.kind === "int") {
    throw new SqlError(1193, `Unknown system variable '${scoped?.[2] ?? token.text}'`);
  }
  if (readOnly.has(name)) throw new SqlError(1238, `Variable '${name}' is a read only variable`);
  if (globalOnly.has(name) && !global) {
    throw new SqlError(1621, `SESSION variable '${name}' is read-only. Use SET GLOBAL to assign the value`);
  }
  const value = /^default$/i.test(text)
    ? global
      ? default_
      : state.variable(name, true)
    : settingValue(text, state, mode);
  const checked = checkValue(name, value ?? "", state);
  if (name === "autocommit" && checked === "ON" && !state.flag("autocommit")) await state.commit();
  state.keepVariable(name, checked, global);
}

/** A value in SET: an expression, or a bare word such as ON, utf8mb4 or DEFAULT. */
function settingValue(text: string, state: SessionState, mode: SqlMode): string | null {
  if (/^[a-z][a-z0-9_]*$/i.test(text) && !/^(null|true|false)$/i.test(text)) return text;
  const expr: Expr = parseExpr(text, mode);
  const { text: value } = evaluate(expr, scopeOf(state));
  return value === null ? null : stringOf(value);
}

function checkValue(name: string, value: string, state: SessionState): string {
  const wrong = () => new SqlError(1231, `Variable '${name}' can't be set to the value of '${value}'`, "42000");
  switch (name) {
    case "sql_mode":
      return sqlMode(value);
    case "time_zone":
      if (value.toUpperCase() !== "SYSTEM" && TimeZone.find(value) === undefined)
        throw new SqlError(1298, `Unknown or incorrect time zone: '${value}'`);
      return value;
    case "tidb_gc_life_time":
    case "tidb_gc_run_interval":
      return gcDuration(name, value, state);
    case "tidb_snapshot":
      return snapshot(value, state);
  }
  const kind = kindOfVariable(name);
  const known = systemVariables[name]!;
  if (kind === "switch" || /^(ON|OFF)$/.test(known)) {
    if (/^(on|1|true)$/i.test(value)) return "ON";
    if (/^(off|0|false)$/i.test(value)) return "OFF";
    if (kind === "switch") throw wrong();
    return value.toUpperCase();
  }
  if (kind === "number") {
    if (!/^[+-]?\d+$/.test(value)) throw new SqlError(1232, `Incorrect argument type to variable '${name}'`, "42000");
    return String(BigInt(value));
  }
  return value;
}

function sqlMode(value: string): string {
  const out: string[] = [];
  for (const part of value.split(",")) {
    const one = part.trim().toUpperCase();
    if (one === "") continue;
    if (!SQL_MODES.has(one)) {
      throw new SqlError(1105, `ERROR 1231 (42000): Variable 'sql_mode' can't be set to the value of '${part.trim()}'`);
    }
    for (const mode of (COMBINED[one] ?? one).split(",")) if (!out.includes(mode)) out.push(mode);
  }
  return out.join(",");
}

/** `100h` as `100h0m0s`; undefined for what is no duration of Go. */
export function goDuration(text: string): string | undefined {
  if (!/^(\d+(\.\d+)?(h|m|s|ms|us|ns))+$/.test(text)) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };
  let seconds = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(h|ms|us|ns|m|s)/g))
    seconds += Number(number) * units[unit!]!;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${seconds % 60}s`;
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
}

function gcDuration(name: string, value: string, state: SessionState): string {
  const duration = goDuration(value);
  if (duration === undefined) throw new SqlError(1232, `Incorrect argument type to variable '${name}'`, "42000");
  const [, h = "0", m = "0", s = "0"] = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(duration) ?? [];
  if (Number(h) * 3600 + Number(m) * 60 + Number(s) >= GC_LIFE_MIN_S) return duration;
  state.warnings.push({ level: "Warning", code: 1292, message: `Truncated incorrect ${name} value: '${value}'` });
  return "10m0s";
}

const GC_MARGIN_BITS = 18n;

/** Physical time in milliseconds above 18 bits, as a TSO has it. */
function snapshot(value: string, state: SessionState): string {
  if (value === "") return value;
  const ms = /^\d{14,20}$/.test(value)
    ? Number(BigInt(value) >> GC_MARGIN_BITS)
    : Date.parse(`${value.trim().replace(" ", "T")}${value.includes(":") ? "" : "T00:00"}Z`);
  if (ms < state.front.startedMs - GC_LIFE_MIN_S * 1000)
    throw new SqlError(8055, "snapshot is older than GC safe point");
  if (/^\d+$/.test(value)) return value;
  if (Number.isNaN(ms)) throw new SqlError(1292, `Incorrect datetime value: '${value}'`, "22007");
  return String(BigInt(ms) << GC_MARGIN_BITS);
}
