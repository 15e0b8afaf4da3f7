import { compareBytes, textOf, toHex, utf8 } from "../../../base/mod.ts";
import { type Decimal, decimalText, parseDecimal } from "../../../codec/mod.ts";
import type { Expr } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";

/** A value while a statement is evaluated: its text or bytes, and whether it compares as a number. */
export interface Value {
  text: string | Uint8Array | null;
  numeric: boolean;
  /** Compares without regard to case. */
  caseless: boolean;
}

export interface Scope {
  /** Undefined where the table has no such column. */
  column(name: string): Value | undefined;
  variable(name: string, system: boolean): string | null;
  functions: Record<string, () => string | null>;
}

export const NULL_VALUE: Value = { text: null, numeric: false, caseless: false };
const number = (text: string): Value => ({ text, numeric: true, caseless: false });
const plain = (text: string | Uint8Array | null): Value => ({ text, numeric: false, caseless: false });
const truth = (value: boolean | null): Value => (value === null ? NULL_VALUE : number(value ? "1" : "0"));

const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === "string" ? utf8(value) : value);
export const stringOf = (value: string | Uint8Array): string => (typeof value === "string" ? value : textOf(value));

const ZERO: Decimal = { negative: false, unscaled: 0n, scale: 0 };

function decimalOf(value: string | Uint8Array): Decimal {
  const text = stringOf(value).trim();
  const exact = parseDecimal(text);
  if (exact !== undefined) return exact;
  const loose = Number.parseFloat(text);
  return Number.isFinite(loose) ? (parseDecimal(loose.toFixed(20)) ?? ZERO) : ZERO;
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const at = (d: Decimal) => (d.negative ? -1n : 1n) * d.unscaled * 10n ** BigInt(scale - d.scale);
  const [x, y] = [at(a), at(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Order of two values that are not NULL. */
export function compareValues(a: Value, b: Value): number {
  if (a.numeric || b.numeric) return compareDecimals(decimalOf(a.text!), decimalOf(b.text!));
  if (a.caseless || b.caseless) {
    const fold = (value: Value) => utf8(stringOf(value.text!).toLowerCase().trimEnd());
    return compareBytes(fold(a), fold(b));
  }
  return compareBytes(bytesOf(a.text!), bytesOf(b.text!));
}

function isTrue(value: Value): boolean | null {
  return value.text === null ? null : compareDecimals(decimalOf(value.text), ZERO) !== 0;
}

function like(text: string, pattern: string, caseless: boolean): boolean {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === "\\" && i + 1 < pattern.length) source += pattern[++i]!.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    else if (c === "%") source += "[\\s\\S]*";
    else if (c === "_") source += "[\\s\\S]";
    else source += c.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  return new RegExp(`^${source}$`, caseless ? "iu" : "u").test(text);
}

const comparisons: Record<string, (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

function unknownFunction(name: string): SqlError {
  return new SqlError(1305, `the sandbox does not know ${name} in a SELECT`, "42000");
}

/** Value of an expression; only what clients of a sandbox ask for, everything else is refused by name. */
export function evaluate(expr: Expr, scope: Scope): Value {
  switch (expr.kind) {
    case "null":
      return NULL_VALUE;
    case "bool":
      return truth(expr.value);
    case "int":
      return number(expr.value.toString());
    case "decimal":
    case "float":
      return number(expr.text);
    case "string":
      return plain(expr.text);
    case "hex":
    case "bit":
      return plain(expr.bytes);
    case "temporal":
      return plain(expr.text);
    case "column": {
      const found = scope.column(expr.name);
      if (found === undefined) throw new SqlError(1054, `Unknown column '${expr.name}' in 'field list'`, "42S22");
      return found;
    }
    case "variable": {
      const text = scope.variable(expr.name, expr.system);
      return { text, numeric: text !== null && /^-?\d+$/.test(text), caseless: true };
    }
    case "cast":
    case "collate":
      return evaluate(expr.arg, scope);
    case "call":
      return evaluateCall(expr.name, expr.args, scope);
    default:
      throw unknownFunction(expr.kind);
  }
}

function evaluateCall(name: string, args: readonly Expr[], scope: Scope): Value {
  const at = (i: number) => evaluate(args[i]!, scope);
  const comparison = comparisons[name];
  if (comparison !== undefined) {
    const [a, b] = [at(0), at(1)];
    return a.text === null || b.text === null ? NULL_VALUE : truth(comparison(compareValues(a, b)));
  }
  switch (name) {
    case "and": {
      const [a, b] = [isTrue(at(0)), isTrue(at(1))];
      return truth(a === false || b === false ? false : a === null || b === null ? null : true);
    }
    case "or": {
      const [a, b] = [isTrue(at(0)), isTrue(at(1))];
      return truth(a === true || b === true ? true : a === null || b === null ? null : false);
    }
    case "not": {
      const a = isTrue(at(0));
      return truth(a === null ? null : !a);
    }
    case "isnull":
      return truth(at(0).text === null);
    case "nulleq": {
      const [a, b] = [at(0), at(1)];
      return truth(a.text === null || b.text === null ? a.text === b.text : compareValues(a, b) === 0);
    }
    case "in": {
      const a = at(0);
      if (a.text === null) return NULL_VALUE;
      return truth(
        args.slice(1).some((arg) => {
          const b = evaluate(arg, scope);
          return b.text !== null && compareValues(a, b) === 0;
        }),
      );
    }
    case "between": {
      const [a, low, high] = [at(0), at(1), at(2)];
      if (a.text === null || low.text === null || high.text === null) return NULL_VALUE;
      return truth(compareValues(a, low) >= 0 && compareValues(a, high) <= 0);
    }
    case "like": {
      const [a, b] = [at(0), at(1)];
      return a.text === null || b.text === null
        ? NULL_VALUE
        : truth(like(stringOf(a.text), stringOf(b.text), a.caseless));
    }
    case "unaryminus": {
      const a = at(0);
      if (a.text === null) return NULL_VALUE;
      const d = decimalOf(a.text);
      return number(decimalText({ ...d, negative: !d.negative && d.unscaled !== 0n }));
    }
    case "unaryplus":
      return at(0);
    case "hex": {
      const a = at(0);
      if (a.text === null) return NULL_VALUE;
      if (a.numeric) return plain(BigInt(stringOf(a.text)).toString(16).toUpperCase());
      return plain(toHex(bytesOf(a.text)).toUpperCase());
    }
    case "length":
    case "octet_length": {
      const a = at(0);
      return a.text === null ? NULL_VALUE : number(String(bytesOf(a.text).length));
    }
    case "lower":
    case "upper": {
      const a = at(0);
      if (a.text === null) return NULL_VALUE;
      const text = stringOf(a.text);
      return plain(name === "lower" ? text.toLowerCase() : text.toUpperCase());
    }
    case "ifnull":
    case "coalesce":
      for (let i = 0; i < args.length; i++) {
        const a = at(i);
        if (a.text !== null) return a;
      }
      return NULL_VALUE;
    case "concat": {
      const parts = args.map((_, i) => at(i).text);
      return parts.includes(null) ? NULL_VALUE : plain(parts.map((part) => stringOf(part!)).join(""));
    }
    default: {
      const known = scope.functions[name];
      if (known === undefined) throw unknownFunction(`${name}()`);
      return plain(known());
    }
  }
}
