import type { CallExpr, CastExpr, Expr } from "../sql/expr.ts";
import { ddlError, unsupportedError } from "../sql/sql-error.ts";
import { type FieldTypeInfo, Flag, type TableInfo, Tp } from "../table-info.ts";
import { FUNCTION_TYPES } from "./expr-function-types.ts";
import { isStringType } from "./field-type.ts";
import { findColumn } from "./index.ts";
import type { DdlSession } from "./session.ts";
import {
  dateType,
  datetimeType,
  decimalType,
  durationType,
  type EvalKind,
  evalKind,
  field,
  intType,
  jsonType,
  LITERALS,
  lengthAsString,
  realType,
  stringType,
} from "./value-type.ts";

export interface TypeContext {
  table: TableInfo;
  session: DdlSession;
  sql: string;
}

/**
 * Type of an expression's value as TiDB infers it, for the hidden columns of expression indexes (`pkg/expression`). Refuses what
 * it does not know: a guessed type would give wrong keys.
 */
export function inferType(expr: Expr, context: TypeContext): FieldTypeInfo {
  switch (expr.kind) {
    case "null":
      return field(Tp.null, 0, 0);
    case "bool":
      return intType(1);
    case "int":
      return intType(`${expr.value}`.length, expr.value >= 1n << 63n);
    case "decimal": {
      // One more than the text, for a sign.
      return decimalType(expr.text.length + 1, expr.text.split(".")[1]?.length ?? 0);
    }
    case "float":
      return realType(expr.text.length, -1);
    case "string": {
      const type = stringType([...expr.text].length, []);
      if (expr.charset !== undefined) type.Charset = expr.charset;
      if (expr.charset !== undefined) type.Collate = expr.charset === "binary" ? "binary" : `${expr.charset}_bin`;
      LITERALS.add(type);
      return type;
    }
    case "column": {
      const column = findColumn(context.table, expr.name);
      if (!column) throw ddlError(1054, `Unknown column '${expr.name}' in 'expression'`, { at: expr.at });
      return column.type;
    }
    case "collate": {
      const type = { ...inferType(expr.arg, context), Collate: expr.collation };
      if (!isStringType(type.Tp)) throw unsupportedError(context.sql, expr.at, "COLLATE of a value that is no string");
      return type;
    }
    case "cast":
      return castType(expr, context);
    case "case": {
      const results = expr.whens.map(({ result }) => result);
      if (expr.otherwise) results.push(expr.otherwise);
      return unionType(
        results.map((result) => inferType(result, context)),
        expr,
        context,
      );
    }
    case "call":
      return callType(expr, context);
    default:
      throw unsupportedError(context.sql, expr.at, "this expression in an index");
  }
}

function callType(expr: CallExpr, context: TypeContext): FieldTypeInfo {
  const values = expr.args.filter((arg) => arg.kind !== "unit" && arg.kind !== "keyword");
  const rule = Object.hasOwn(FUNCTION_TYPES, expr.name) ? FUNCTION_TYPES[expr.name] : undefined;
  const type = rule?.(
    values.map((arg) => inferType(arg, context)),
    expr,
  );
  if (type !== undefined) return type;
  if (UNIONS[expr.name] !== undefined) {
    const from = values.slice(UNIONS[expr.name]);
    return unionType(
      from.map((arg) => inferType(arg, context)),
      expr,
      context,
    );
  }
  throw unsupportedError(context.sql, expr.at, `the function ${expr.name} in an index`);
}

/** Functions whose type is that of several arguments, and how many arguments come first. */
const UNIONS: Record<string, number> = { ifnull: 0, coalesce: 0, if: 1, greatest: 0, least: 0 };

function unionType(types: FieldTypeInfo[], expr: Expr, context: TypeContext): FieldTypeInfo {
  const known = types.filter((type) => type.Tp !== Tp.null);
  const kinds = new Set(known.map(evalKind));
  const [first] = known;
  if (!first) return field(Tp.null, 0, 0);
  const flen = Math.max(...known.map((type) => type.Flen));
  const unsigned = known.every((type) => type.Flag & Flag.unsigned);
  if (kinds.size === 1 && known.every((type) => type.Tp === first.Tp && type.Decimal === first.Decimal)) {
    if (evalKind(first) !== "string") {
      return {
        ...first,
        Flag: Flag.binary | (unsigned ? Flag.unsigned : 0),
        Flen: flen,
        Charset: "binary",
        Collate: "binary",
      };
    }
  }
  if (kinds.size === 1 && kinds.has("int")) return intType(flen, unsigned);
  if (kinds.size === 1 && kinds.has("real")) return realType(flen);
  if (isAll(kinds, "int", "decimal")) {
    const scale = Math.max(...known.map((type) => type.Decimal));
    const whole = Math.max(...known.map((type) => type.Flen - type.Decimal));
    return decimalType(whole + scale, scale);
  }
  if (isAll(kinds, "int", "decimal", "real")) return realType(flen);
  if (isAll(kinds, "int", "decimal", "string")) return stringType(Math.max(...known.map(lengthAsString)), known);
  throw unsupportedError(context.sql, expr.at, "an expression of mixed types in an index");
}

function isAll(kinds: Set<EvalKind>, ...allowed: EvalKind[]): boolean {
  return [...kinds].every((kind) => allowed.includes(kind));
}

/** Type of CAST; an array's elements for `… AS … ARRAY`. */
function castType(expr: CastExpr, context: TypeContext): FieldTypeInfo {
  const { to } = expr;
  const type = castTarget(expr, context);
  if (!to.array) return type;
  return { ...type, Charset: "binary", Collate: "binary", Array: true };
}

function castTarget(expr: CastExpr, context: TypeContext): FieldTypeInfo {
  const { to } = expr;
  switch (to.type) {
    case "signed":
    case "unsigned":
      return intType(22, to.type === "unsigned");
    case "double":
      return realType(22);
    case "float":
      return field(Tp.float, 12, -1);
    case "decimal":
      return decimalType(to.length ?? 10, to.decimals ?? 0);
    case "date":
      return dateType();
    case "datetime":
      return datetimeType(to.decimals ?? 0);
    case "time":
      return durationType(to.decimals ?? 0);
    case "year":
      return field(Tp.year, 4, 0);
    case "json":
      return jsonType();
    case "binary":
      return field(Tp.string, to.length ?? lengthAsString(inferType(expr.arg, context)), -1);
    case "char": {
      const type = stringType(to.length ?? lengthAsString(inferType(expr.arg, context)), []);
      if (to.charset !== undefined) type.Charset = to.charset;
      if (to.charset !== undefined) type.Collate = to.charset === "binary" ? "binary" : `${to.charset}_bin`;
      return type;
    }
    default:
      throw unsupportedError(context.sql, expr.at, "this cast in an index");
  }
}
