import type { Expr } from "../../../schema/mod.ts";
import { bytesOfSqlText, SqlError } from "../wire/mod.ts";
import { callFunction } from "./functions.ts";
import { arithmetic, bitwise } from "./numbers.ts";
import {
  compareValues,
  double,
  isTrue,
  like,
  NULL_VALUE,
  number,
  plain,
  stringOf,
  truth,
  type Value,
} from "./values.ts";

export { compareValues, isTrue, NULL_VALUE, stringOf, type Value } from "./values.ts";

export interface Scope {
  /** Undefined where the table has no such column. */
  column(name: string): Value | undefined;
  variable(name: string, system: boolean): string | null;
  functions: Record<string, (args: Value[]) => string | null>;
  /** NEXTVAL, LASTVAL and SETVAL of a sequence. */
  sequence?(work: string, name: { db: string | undefined; table: string }, value: Value | undefined): string | null;
  /** VALUES(column) in ON DUPLICATE KEY UPDATE. */
  insertValue?(name: string): Value | undefined;
  /** Milliseconds since 1970, and the session's zone: for the functions of time. */
  nowMs: number;
  timeZone: string;
  /** What error 1054 names; "field list" where absent. */
  clause?: string;
}

const comparisons: Record<string, (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

function unknownColumn(name: string, scope: Scope): SqlError {
  return new SqlError(1054, `Unknown column '${name}' in '${scope.clause ?? "field list"}'`, "42S22");
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
      return number(expr.text);
    case "float":
      return double(Number(expr.text));
    case "string":
      return plain(/[\udc80-\udcff]/.test(expr.text) ? bytesOfSqlText(expr.text) : expr.text);
    case "hex":
    case "bit":
      return plain(expr.bytes);
    case "temporal":
      return plain(expr.text);
    case "column": {
      const found = scope.column(expr.name);
      if (found === undefined) throw unknownColumn(expr.name, scope);
      return found;
    }
    case "default": {
      const found = expr.column && scope.insertValue?.(expr.column.name);
      if (found === undefined) throw new SqlError(1305, "the sandbox does not know DEFAULT here", "42000");
      return found;
    }
    case "variable": {
      const text = scope.variable(expr.name, expr.system);
      return { text, numeric: text !== null && /^-?\d+$/.test(text), caseless: true };
    }
    case "collate":
      return { ...evaluate(expr.arg, scope), caseless: /_ci$/.test(expr.collation) };
    case "case":
      return evaluateCase(expr, scope);
    case "cast":
      return callFunction(`cast_${expr.to.type}`, [evaluate(expr.arg, scope)], scope);
    case "call":
      return evaluateCall(expr.name, expr.args, scope);
    default:
      throw new SqlError(1305, `the sandbox does not know ${expr.kind} in an expression`, "42000");
  }
}

function evaluateCase(expr: Extract<Expr, { kind: "case" }>, scope: Scope): Value {
  const value = expr.value && evaluate(expr.value, scope);
  for (const { when, result } of expr.whens) {
    const one = evaluate(when, scope);
    const hit =
      value === undefined
        ? isTrue(one) === true
        : value.text !== null && one.text !== null && compareValues(value, one) === 0;
    if (hit) return evaluate(result, scope);
  }
  return expr.otherwise === undefined ? NULL_VALUE : evaluate(expr.otherwise, scope);
}

/** Rows compare by their members: undefined where the sides are no rows. */
function evaluateRows(name: string, args: readonly Expr[], scope: Scope): Value | undefined {
  const [left, ...right] = args;
  if (left?.kind !== "row" || (name !== "eq" && name !== "ne" && name !== "in")) return undefined;
  let unknown = false;
  for (const one of right) {
    if (one.kind !== "row" || one.items.length !== left.items.length)
      throw new SqlError(1241, `Operand should contain ${left.items.length} column(s)`, "21000");
    const all = left.items.map((item, i) => isTrue(evaluateCall("eq", [item, one.items[i]!], scope)));
    if (!all.includes(false) && all.includes(null)) unknown = true;
    else if (!all.includes(false)) return truth(name !== "ne");
  }
  return unknown ? NULL_VALUE : truth(name === "ne");
}

function evaluateCall(name: string, args: readonly Expr[], scope: Scope): Value {
  const at = (i: number) => evaluate(args[i]!, scope);
  const rows = evaluateRows(name, args, scope);
  if (rows !== undefined) return rows;
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
    case "xor": {
      const [a, b] = [isTrue(at(0)), isTrue(at(1))];
      return truth(a === null || b === null ? null : a !== b);
    }
    case "not": {
      const a = isTrue(at(0));
      return truth(a === null ? null : !a);
    }
    case "istrue":
      return truth(isTrue(at(0)) === true);
    case "isfalse":
      return truth(isTrue(at(0)) === false);
    case "isnull":
      return truth(at(0).text === null);
    case "nulleq": {
      const [a, b] = [at(0), at(1)];
      return truth(a.text === null || b.text === null ? a.text === b.text : compareValues(a, b) === 0);
    }
    case "in":
      return evaluateIn(at(0), args.slice(1), scope);
    case "between": {
      const [a, low, high] = [at(0), at(1), at(2)];
      if (a.text === null || low.text === null || high.text === null) return NULL_VALUE;
      return truth(compareValues(a, low) >= 0 && compareValues(a, high) <= 0);
    }
    case "like": {
      const [a, b] = [at(0), at(1)];
      if (a.text === null || b.text === null) return NULL_VALUE;
      return truth(like(stringOf(a.text), stringOf(b.text), a.caseless));
    }
    case "if":
      return isTrue(at(0)) === true ? at(1) : at(2);
    case "ifnull":
    case "coalesce":
      for (let i = 0; i < args.length; i++) {
        const a = at(i);
        if (a.text !== null) return a;
      }
      return NULL_VALUE;
    case "nextval":
    case "lastval":
    case "setval": {
      const target = args[0];
      if (target?.kind !== "column" || scope.sequence === undefined) break;
      const text = scope.sequence(name, { db: target.table, table: target.name }, args[1] && at(1));
      return { text, numeric: true, caseless: false };
    }
    case "values": {
      const column = args[0];
      const found = column?.kind === "column" ? scope.insertValue?.(column.name) : undefined;
      if (found === undefined) throw unknownColumn(column?.kind === "column" ? column.name : "", scope);
      return found;
    }
  }
  const values = args.map((arg) => (arg.kind === "unit" || arg.kind === "keyword" ? NULL_VALUE : evaluate(arg, scope)));
  return arithmetic(name, values) ?? bitwise(name, values) ?? callFunction(name, values, scope);
}

function evaluateIn(a: Value, list: readonly Expr[], scope: Scope): Value {
  if (a.text === null) return NULL_VALUE;
  let unknown = false;
  for (const arg of list) {
    const b = evaluate(arg, scope);
    if (b.text === null) unknown = true;
    else if (compareValues(a, b) === 0) return truth(true);
  }
  return unknown ? NULL_VALUE : truth(false);
}
