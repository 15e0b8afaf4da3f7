import type { CallExpr } from "../sql/expr.ts";
import { type FieldTypeInfo, Flag, Tp } from "../table-info.ts";
import {
  dateType,
  datetimeType,
  decimalType,
  durationType,
  evalKind,
  intType,
  jsonType,
  lengthAsString,
  MAX_BLOB_WIDTH,
  realType,
  stringType,
} from "./value-type.ts";

/** Type of a call from those of its arguments; undefined where the rule does not fit these. */
type Rule = (args: FieldTypeInfo[], expr: CallExpr) => FieldTypeInfo | undefined;

const isUnsigned = (type: FieldTypeInfo): boolean => (type.Flag & Flag.unsigned) !== 0;

/** Arithmetic: int, else decimal, else real, by the widest operand; strings and JSON count as real, times as numbers. */
function numericKind(types: FieldTypeInfo[]): "int" | "decimal" | "real" | undefined {
  const kinds = types.map((type) => {
    const kind = evalKind(type);
    if (kind === "int" || kind === "decimal" || kind === "real") return kind;
    if (kind === "string" || kind === "json") return "real";
    if (kind === "datetime" || kind === "duration") return type.Decimal > 0 ? "decimal" : "int";
    return undefined;
  });
  if (kinds.includes(undefined)) return undefined;
  if (kinds.includes("real")) return "real";
  return kinds.includes("decimal") ? "decimal" : "int";
}

/** Plus, minus and mul (`setFlenDecimal4RealOrDecimal`). */
function arithmetic(multiply: boolean): Rule {
  return ([a, b]) => {
    if (!a || !b) return undefined;
    const kind = numericKind([a, b]);
    if (kind === undefined) return undefined;
    if (kind === "int") return intType(20, isUnsigned(a) || isUnsigned(b));
    const known = a.Decimal >= 0 && b.Decimal >= 0;
    if (!known) return kind === "real" ? realType(-1, -1) : decimalType(65, 30);
    const scale = Math.min(30, multiply ? a.Decimal + b.Decimal : Math.max(a.Decimal, b.Decimal));
    const wholes = [a.Flen - a.Decimal, b.Flen - b.Decimal] as const;
    const flen = (multiply ? wholes[0] + wholes[1] : Math.max(...wholes) + 1) + scale;
    return kind === "real" ? realType(Math.min(flen, 23), scale) : decimalType(flen, scale);
  };
}

const divide: Rule = ([a, b]) => {
  if (!a || !b) return undefined;
  const kind = numericKind([a, b]);
  if (kind === undefined) return undefined;
  if (kind === "real") return realType(23, -1);
  // As lengths with sign and point, where the operand's count as such (`setType4DivDecimal`).
  const fraction = Math.max(0, a.Decimal);
  const precision = a.Flen - (fraction > 0 ? 1 : 0) - (isUnsigned(a) || a.Flen === 0 ? 0 : 1);
  const digits = Math.min(65, precision + Math.max(0, b.Decimal) + 4);
  return decimalType(digits + 2, fraction + 4);
};

const modulo: Rule = ([a, b]) => {
  if (!a || !b) return undefined;
  const kind = numericKind([a, b]);
  if (kind === undefined) return undefined;
  if (kind === "int") return intType(20, isUnsigned(a));
  const scale = Math.max(a.Decimal, b.Decimal);
  return kind === "real" ? realType() : decimalType(Math.max(a.Flen, b.Flen), scale);
};

const negate: Rule = ([a]) => {
  if (!a) return undefined;
  const kind = numericKind([a]);
  if (kind === "int") return intType(a.Flen + 1);
  if (kind === "decimal") return decimalType(a.Flen + 1, a.Decimal);
  return kind === "real" ? realType() : undefined;
};

const sameNumber: Rule = ([a]) => {
  if (!a) return undefined;
  const kind = numericKind([a]);
  if (kind === "int") return intType(a.Flen, isUnsigned(a));
  if (kind === "decimal") return decimalType(a.Flen, a.Decimal);
  return kind === "real" ? realType(a.Flen < 0 ? 23 : a.Flen) : undefined;
};

/** Floor and ceiling of small decimals are integers (`getEvalTp4FloorAndCeil`). */
const wholeNumber: Rule = ([a]) => {
  if (!a) return undefined;
  const kind = numericKind([a]);
  if (kind === "int") return intType(a.Flen, isUnsigned(a));
  if (kind === "decimal" && a.Flen - a.Decimal < 18) return intType(a.Flen, isUnsigned(a));
  if (kind === "decimal") return decimalType(a.Flen, 0);
  return kind === "real" ? realType(-1, 0) : undefined;
};

const fixed =
  (flen: number): Rule =>
  () =>
    intType(flen);

const text =
  (length: (args: FieldTypeInfo[], expr: CallExpr) => number): Rule =>
  (args, expr) => {
    const flen = length(args, expr);
    return stringType(flen < 0 ? MAX_BLOB_WIDTH : flen, args);
  };

/** Strings as long as the first argument. */
const sameText: Rule = (args) => {
  const [first] = args;
  return first && stringType(lengthOf(first), [first]);
};

function lengthOf(type: FieldTypeInfo): number {
  const length = lengthAsString(type);
  return length < 0 ? MAX_BLOB_WIDTH : length;
}

/** Text that is ASCII whatever the arguments are. */
const ascii =
  (flen: number): Rule =>
  () =>
    stringType(flen, []);

const literalInt = (expr: CallExpr, index: number): number | undefined => {
  const arg = expr.args[index];
  if (arg?.kind === "call" && arg.name === "unaryminus" && arg.args[0]?.kind === "int")
    return -Number(arg.args[0].value);
  return arg?.kind === "int" ? Number(arg.value) : undefined;
};

/** Byte strings: their character set is binary. */
const bytes =
  (length: (args: FieldTypeInfo[]) => number): Rule =>
  (args) => ({ ...stringType(length(args), []), Flag: Flag.binary, Charset: "binary", Collate: "binary" });

/** ROUND and TRUNCATE with a literal number of digits. */
const rounded: Rule = ([a], expr) => {
  if (!a) return undefined;
  const kind = numericKind([a]);
  if (kind === "int") return intType(a.Flen, isUnsigned(a));
  if (kind === "real") return realType();
  const digits = expr.args.length > 1 ? literalInt(expr, 1) : 0;
  if (kind !== "decimal" || digits === undefined) return undefined;
  const scale = Math.max(0, Math.min(digits, 30));
  return decimalType(a.Flen - Math.max(0, a.Decimal) + scale + 1, scale);
};

/** LPAD and RPAD to a literal length count four bytes a character. */
const padded: Rule = ([value, , fill], expr) => {
  const length = literalInt(expr, 1);
  if (!value || !fill || length === undefined) return undefined;
  const type = stringType(length, [value, fill]);
  return type.Charset === "binary" ? type : { ...type, Flen: 4 * type.Flen };
};

const dateArithmetic: Rule = ([date], expr) => {
  const unit = expr.args[2];
  if (!date || unit?.kind !== "unit") return undefined;
  const clock = /MICROSECOND|SECOND|MINUTE|HOUR/.test(unit.unit);
  const micro = unit.unit.includes("MICROSECOND");
  if (date.Tp === Tp.date) return clock ? datetimeType(micro ? 6 : 0) : dateType();
  if (date.Tp === Tp.datetime || date.Tp === Tp.timestamp) return datetimeType(micro ? 6 : Math.max(0, date.Decimal));
  return undefined;
};

/** Result types by function name; the lengths are TiDB's (`pkg/expression/builtin_*.go`). */
export const FUNCTION_TYPES: Record<string, Rule> = {
  plus: arithmetic(false),
  minus: arithmetic(false),
  mul: arithmetic(true),
  div: divide,
  mod: modulo,
  intdiv: (args) => intType(20, args.some(isUnsigned)),
  unaryminus: negate,
  unaryplus: ([a]) => a,
  abs: sameNumber,
  floor: wholeNumber,
  ceil: wholeNumber,
  ceiling: wholeNumber,
  round: rounded,
  truncate: rounded,
  sign: fixed(20),
  sqrt: () => realType(),
  pow: () => realType(),
  power: () => realType(),
  ln: () => realType(),
  exp: () => realType(),
  concat: text((args) => args.reduce((sum, type) => sum + lengthOf(type), 0)),
  concat_ws: text(([separator, ...rest]) => {
    const lengths = rest.reduce((sum, type) => sum + lengthOf(type), 0);
    return lengths + Math.max(0, rest.length - 1) * (separator ? lengthOf(separator) : 0);
  }),
  lpad: padded,
  rpad: padded,
  replace: ([value, from, to]) => {
    if (!value || !from || !to) return undefined;
    const growth = to.Flen - from.Flen;
    const flen = lengthOf(value);
    const more = growth > 0 && from.Flen > 0 ? Math.floor(flen / from.Flen) * growth : 0;
    return stringType(flen + more, [value, from, to]);
  },
  json_unquote: ascii(65535),
  md5: ascii(32),
  sha: ascii(40),
  sha1: ascii(40),
  sha2: ascii(128),
  hex: ([a]) =>
    a && stringType(evalKind(a) === "string" ? lengthOf(a) * (a.Charset === "binary" ? 2 : 8) : a.Flen * 2, []),
  elt: text(([, ...values]) => Math.max(0, ...values.map(lengthOf))),
  quote: text(([a]) => (a ? lengthOf(a) * 2 + 2 : 0)),
  repeat: (args) => args[0] && stringType(MAX_BLOB_WIDTH, [args[0]]),
  insert: (args) => args[0] && stringType(MAX_BLOB_WIDTH, [args[0]]),
  space: ascii(MAX_BLOB_WIDTH),
  bin: ascii(64),
  oct: ascii(64),
  conv: ascii(64),
  dayname: ascii(10),
  monthname: ascii(10),
  inet_ntoa: ascii(15),
  unhex: bytes(([a]) => (a ? Math.floor((lengthOf(a) * (a.Charset === "binary" ? 1 : 4) + 1) / 2) : 0)),
  uuid_to_bin: bytes(() => 16),
  inet6_aton: bytes(() => 16),
  makedate: () => dateType(),
  ascii: fixed(3),
  strcmp: fixed(2),
  find_in_set: fixed(3),
  instr: fixed(11),
  date: () => dateType(),
  last_day: () => dateType(),
  from_days: () => dateType(),
  time: ([a]) => durationType(Math.max(0, a?.Decimal ?? 0)),
  date_add: dateArithmetic,
  date_sub: dateArithmetic,
  adddate: dateArithmetic,
  subdate: dateArithmetic,
  date_format: (_, expr) => {
    const format = expr.args[1];
    return format?.kind === "string" ? stringType(Math.floor((format.text.length + 1) / 2) * 11, []) : undefined;
  },
  unix_timestamp: ([a]) => {
    const fsp = Math.max(0, a?.Decimal ?? 0);
    return fsp === 0 ? intType(11) : decimalType(12 + fsp, fsp);
  },
  json_length: fixed(20),
  json_valid: fixed(20),
  json_depth: fixed(20),
  vitess_hash: () => intType(20, true),
  tidb_shard: () => intType(4, true),
  crc32: () => intType(10, true),
  bit_count: fixed(2),
  bitand: () => intType(20, true),
  bitor: () => intType(20, true),
  bitxor: () => intType(20, true),
  bitneg: () => intType(20, true),
  leftshift: () => intType(20, true),
  rightshift: () => intType(20, true),
  period_diff: fixed(20),
  inet_aton: () => intType(21, true),
};

for (const name of [
  "lower",
  "lcase",
  "upper",
  "ucase",
  "substring",
  "substr",
  "mid",
  "left",
  "right",
  "trim",
  "ltrim",
]) {
  FUNCTION_TYPES[name] = sameText;
}
for (const name of [
  "sin",
  "cos",
  "tan",
  "cot",
  "asin",
  "acos",
  "atan",
  "atan2",
  "log",
  "log2",
  "log10",
  "radians",
  "degrees",
]) {
  FUNCTION_TYPES[name] = () => realType();
}
const JSON_FUNCTIONS = `json_extract json_array json_object json_keys json_search json_set json_remove json_merge_patch json_insert
json_replace json_array_append json_array_insert json_merge json_merge_preserve`;
for (const name of JSON_FUNCTIONS.split(/\s+/)) FUNCTION_TYPES[name] = () => jsonType();
for (const name of ["rtrim", "reverse", "substring_index"]) FUNCTION_TYPES[name] = sameText;
for (const name of ["eq", "nulleq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor", "not", "istrue", "isfalse"]) {
  FUNCTION_TYPES[name] = fixed(1);
}
for (const name of ["isnull", "in", "between", "like", "regexp", "json_memberof", "json_contains", "json_overlaps"]) {
  FUNCTION_TYPES[name] = fixed(1);
}
for (const name of ["length", "octet_length", "bit_length", "ord"]) FUNCTION_TYPES[name] = fixed(10);
for (const name of ["char_length", "character_length", "locate", "position", "field"]) FUNCTION_TYPES[name] = fixed(20);

/** Parts of dates and their display lengths. */
const DATE_PARTS: Record<string, number> = {
  year: 4,
  month: 2,
  day: 2,
  dayofmonth: 2,
  dayofweek: 1,
  dayofyear: 3,
  weekday: 1,
  weekofyear: 2,
  week: 2,
  yearweek: 6,
  quarter: 1,
  hour: 3,
  minute: 2,
  second: 2,
  microsecond: 6,
  extract: 20,
  to_days: 20,
  to_seconds: 20,
  datediff: 20,
  time_to_sec: 10,
  timestampdiff: 20,
};
for (const [name, flen] of Object.entries(DATE_PARTS)) FUNCTION_TYPES[name] = fixed(flen);
