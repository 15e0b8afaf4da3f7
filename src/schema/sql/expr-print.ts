import { toHex } from "../../base/mod.ts";
import type { BinaryExpr, CallExpr, CaseExpr, CastExpr, CastType, ColumnExpr, Expr, StringExpr } from "./expr.ts";

/** How TiDB writes an expression down (`format.RestoreFlags`). */
export interface PrintStyle {
  /** Keywords and function names in upper case. */
  upper: boolean;
  /** Spaces around all operators, not only around words. */
  spaces: boolean;
  /** Every binary operation in parentheses. */
  brackets: boolean;
  /** Table and schema in front of column names. */
  qualified: boolean;
  /** Character set of strings without introducer; "" writes none. */
  charset: string;
}

/** `generated_expr_string` of columns (`pkg/ddl`: generated columns and expression indexes). */
export const GENERATED_STYLE: PrintStyle = {
  upper: false,
  spaces: true,
  brackets: false,
  qualified: false,
  charset: "utf8mb4",
};

/** `default` of columns with `default_is_expr`. */
export const DEFAULT_STYLE: PrintStyle = { ...GENERATED_STYLE, qualified: true };

/** `expr` of partitions (`pkg/ddl/partition.go`). */
export const PARTITION_STYLE: PrintStyle = {
  upper: true,
  spaces: false,
  brackets: true,
  qualified: false,
  charset: "utf8mb4",
};

/** Writes an expression in TiDB's canonical text; parsing that text gives the same tree. */
export function printExpr(expr: Expr, style: PrintStyle = GENERATED_STYLE): string {
  const parens = expr.parens ?? 0;
  return "(".repeat(parens) + printBare(expr, style) + ")".repeat(parens);
}

/** A name in back quotes. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A string in single quotes; quotes are doubled, backslashes stay as they are, as in TiDB. */
export function quoteString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function printBare(expr: Expr, style: PrintStyle): string {
  switch (expr.kind) {
    case "null":
      return keyword("NULL", style);
    case "bool":
      return keyword(expr.value ? "TRUE" : "FALSE", style);
    case "int":
      return `${expr.value}`;
    case "decimal":
      return expr.text;
    case "float":
      return goFloat(expr.value);
    case "string":
      return printString(expr, style);
    case "hex":
    case "bit":
      return printBinary(expr, style);
    case "temporal":
      return `${expr.type.toUpperCase()} ${quoteString(expr.text)}`;
    case "column":
      return printColumn(expr, style);
    case "variable":
      return (expr.system ? "@@" : "@") + quoteName(expr.name);
    case "param":
      return "?";
    case "default":
      return keyword("DEFAULT", style) + (expr.column ? `(${printColumn(expr.column, style)})` : "");
    case "row":
      return `${keyword("ROW", style)}(${printAll(expr.items, style, ",")})`;
    case "call":
      return expr.form === undefined ? printFunction(expr, style) : printOperator(expr, style);
    case "case":
      return printCase(expr, style);
    case "cast":
      return printCast(expr, style);
    case "collate":
      return `${printExpr(expr.arg, style)} ${keyword("COLLATE", style)} ${expr.collation}`;
    case "unit":
      return keyword(expr.unit, style);
    case "keyword":
      return keyword(expr.word, style);
  }
}

function keyword(word: string, style: PrintStyle): string {
  return style.upper ? word.toUpperCase() : word.toLowerCase();
}

function printAll(items: readonly Expr[], style: PrintStyle, separator: string): string {
  return items.map((item) => printExpr(item, style)).join(separator);
}

function printString(expr: StringExpr, style: PrintStyle): string {
  const charset = expr.charset ?? style.charset;
  return (charset === "" ? "" : keyword(`_${charset}`, style)) + quoteString(expr.text);
}

function printBinary(expr: BinaryExpr, style: PrintStyle): string {
  const charset =
    expr.charset !== undefined && expr.charset !== "utf8mb4" ? `${keyword(`_${expr.charset}`, style)} ` : "";
  if (expr.kind === "hex") return `${charset}x'${toHex(expr.bytes)}'`;
  const bits = [...expr.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return `${charset}b'${bits.replace(/^0+(?=.)/, "")}'`;
}

/** As Go's strconv.FormatFloat(x, 'e', -1, 64): shortest digits, exponent of at least two digits. */
function goFloat(value: number): string {
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

function printColumn(expr: ColumnExpr, style: PrintStyle): string {
  const parts = style.qualified ? [expr.schema, expr.table, expr.name] : [expr.name];
  return parts
    .filter((part) => part !== undefined && part !== "")
    .map((part) => quoteName(part!))
    .join(".");
}

const SIGNS: Record<string, string> = {
  or: "OR",
  xor: "XOR",
  and: "AND",
  eq: "=",
  nulleq: "<=>",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  bitor: "|",
  bitand: "&",
  bitxor: "^",
  leftshift: "<<",
  rightshift: ">>",
  plus: "+",
  minus: "-",
  mul: "*",
  div: "/",
  intdiv: "DIV",
  mod: "%",
};

const PREFIXES: Record<string, string> = { unaryminus: "-", unaryplus: "+", bitneg: "~" };

function printOperator(expr: CallExpr, style: PrintStyle): string {
  const [first, second] = expr.args as [Expr, Expr];
  if (expr.form === "bang") return `!${printExpr(first, style)}`;
  if (expr.form === "predicate") return printPredicate(first as CallExpr, true, style);
  if (expr.name === "not") return `${keyword("NOT", style)} ${printExpr(first, style)}`;
  const prefix = PREFIXES[expr.name];
  if (prefix !== undefined) return prefix + printExpr(first, style);
  const sign = SIGNS[expr.name];
  if (sign === undefined) return printPredicate(expr, false, style);
  const word = /^[A-Z]/.test(sign);
  const gap = style.spaces || word ? " " : "";
  const text = printExpr(first, style) + gap + (word ? keyword(sign, style) : sign) + gap + printExpr(second, style);
  return style.brackets ? `(${text})` : text;
}

function printPredicate(expr: CallExpr, negated: boolean, style: PrintStyle): string {
  const [value, second, third] = expr.args.map((arg) => printExpr(arg, style));
  const not = negated ? "NOT " : "";
  switch (expr.name) {
    case "isnull":
      return value + keyword(` IS ${not}NULL`, style);
    case "istrue":
    case "isfalse":
      return value + keyword(` IS ${not}${expr.name.slice(2)}`, style);
    case "between":
      return `${value}${keyword(` ${not}BETWEEN `, style)}${second}${keyword(" AND ", style)}${third}`;
    case "in":
      return `${value}${keyword(` ${not}IN `, style)}(${printAll(expr.args.slice(1), style, ",")})`;
    case "json_memberof":
      return `${value}${keyword(" MEMBER OF ", style)}(${second})`;
    default: {
      const mark = expr.args[2];
      const written = mark?.kind === "string" && mark.text !== "\\";
      const tail = written ? keyword(" ESCAPE ", style) + quoteString(mark.text) : "";
      return `${value}${keyword(` ${not}${expr.name} `, style)}${second}${tail}`;
    }
  }
}

function printFunction(expr: CallExpr, style: PrintStyle): string {
  const { name } = expr;
  const args = expr.args.map((arg) => printExpr(arg, style));
  const schema = expr.schema === undefined ? "" : `${quoteName(expr.schema)}.`;
  const head = `${schema}${keyword(name, style)}(`;
  switch (name) {
    case "date_add":
    case "date_sub":
    case "adddate":
    case "subdate":
      return `${head}${args[0]}, ${keyword("INTERVAL", style)} ${args[1]} ${args[2]})`;
    case "extract":
      return `${head}${args[0]}${keyword(" FROM ", style)}${args[1]})`;
    case "position":
      return `${head}${args[0]}${keyword(" IN ", style)}${args[1]})`;
    case "convert":
      return `${head}${args[0]}${keyword(" USING ", style)}${printCharset(expr.args[1], args[1]!)})`;
    case "char_func":
      return `${head}${[...args.slice(0, -1), printCharset(expr.args.at(-1), args.at(-1)!)].join(", ")})`;
    case "trim": {
      const direction = args[2] === undefined ? "" : `${args[2]} `;
      const remove = args[1] === undefined || expr.args[1]!.kind === "null" ? "" : `${args[1]} `;
      const from = args.length > 1 ? keyword("FROM ", style) : "";
      return `${head}${direction}${remove}${from}${args[0]})`;
    }
    case "weight_string": {
      const as = expr.args[1];
      const tail = as?.kind === "string" ? `${keyword(` AS ${as.text}`, style)}(${args[2]})` : "";
      return `${head}${args[0]}${tail})`;
    }
    default:
      return `${head}${args.join(", ")})`;
  }
}

/** A character set as an argument is a string without introducer. */
function printCharset(expr: Expr | undefined, otherwise: string): string {
  return expr?.kind === "string" ? quoteString(expr.text) : otherwise;
}

function printCase(expr: CaseExpr, style: PrintStyle): string {
  let text = keyword("CASE", style);
  if (expr.value) text += ` ${printExpr(expr.value, style)}`;
  for (const { when, result } of expr.whens) {
    text += `${keyword(" WHEN ", style)}${printExpr(when, style)}${keyword(" THEN ", style)}${printExpr(result, style)}`;
  }
  if (expr.otherwise) text += keyword(" ELSE ", style) + printExpr(expr.otherwise, style);
  return text + keyword(" END", style);
}

function printCast(expr: CastExpr, style: PrintStyle): string {
  const arg = printExpr(expr.arg, style);
  if (expr.form === "binary") return `${keyword("BINARY", style)} ${arg}`;
  const type = printCastType(expr.to, style);
  if (expr.form === "convert") return `${keyword("CONVERT", style)}(${arg}, ${type})`;
  return `${keyword("CAST", style)}(${arg}${keyword(" AS ", style)}${type})`;
}

function printCastType(to: CastType, style: PrintStyle): string {
  let text = keyword(to.type === "char" && to.charset === "binary" ? "BINARY" : to.type, style);
  if (to.type === "decimal") {
    text += `(${to.length ?? 10}${to.decimals ? `, ${to.decimals}` : ""})`;
  } else if (to.length !== undefined) {
    text += `(${to.length})`;
  } else if (to.decimals) {
    text += `(${to.decimals})`;
  }
  if (to.binaryCollation && to.charset !== "binary") text += keyword(" BINARY", style);
  if (to.charset !== undefined && to.charset !== "binary" && to.charset !== "utf8mb4") {
    text += keyword(` CHARSET ${to.charset}`, style);
  }
  return text + (to.array ? keyword(" ARRAY", style) : "");
}
