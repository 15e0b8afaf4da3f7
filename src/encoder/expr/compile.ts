/** Expressions as trees → closures over a row. Everything that can be refused is refused here. */

import { findCollation } from "../../codec/mod.ts";
import { type CallExpr, type CaseExpr, type CastExpr, type CollateExpr, type Expr, Tp } from "../../schema/mod.ts";
import { CastError } from "../cast/mod.ts";
import { Call } from "./call.ts";
import { castTo, toDuration, toKind, toTime } from "./cast.ts";
import { castToArray } from "./cast-array.ts";
import { castTypeOf } from "./cast-type.ts";
import { betweenKind } from "./compare-kind.ts";
import type { ExprContext } from "./context.ts";
import { fieldType, kindOf } from "./field-types.ts";
import { functions } from "./functions.ts";
import { columnNode, literalNode, nullConst } from "./leaf.ts";
import { Coercibility, type Node, Repertoire } from "./node.ts";

const MAX_DEPTH = 200;

/** Compiles an expression. Throws `Levin:Schema:ErrUnsupported`, or a CastError that TiDB would give for the whole expression. */
export function compile(ctx: ExprContext, expr: Expr, depth = 0): Node {
  if (depth > MAX_DEPTH) throw ctx.unsupported(`expressions nested deeper than ${MAX_DEPTH}`);
  const literal = literalNode(ctx, expr);
  if (literal !== undefined) return literal;
  switch (expr.kind) {
    case "column": {
      const name = expr.name.toLowerCase();
      const column = ctx.table.cols.find((c) => c.name.L === name);
      if (column === undefined) throw ctx.unsupported(`the column "${expr.name}"`);
      return columnNode(ctx, column);
    }
    case "call":
      return compileCall(ctx, expr, depth);
    case "case":
      return compileCase(ctx, expr, depth);
    case "cast":
      return compileCast(ctx, expr, depth);
    case "collate":
      return compileCollate(ctx, expr, depth);
    default:
      throw ctx.unsupported(`a ${expr.kind} in an expression`);
  }
}

/** The call of a function by name, of compiled arguments. */
export function invoke(ctx: ExprContext, name: string, args: readonly Node[], exprs: readonly Expr[] = []): Node {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known === undefined) throw ctx.unsupported(`the function ${name}()`);
  if (args.length < known.min || args.length > known.max) {
    throw new CastError(1582, `Incorrect parameter count in the call to native function '${name}'`);
  }
  return known.build(new Call(ctx, name, [...args], exprs));
}

function compileCall(ctx: ExprContext, expr: CallExpr, depth: number): Node {
  const { name } = expr;
  const values = expr.args.filter((arg) => arg.kind !== "unit" && arg.kind !== "keyword");
  const args = values.map((arg) => compile(ctx, arg, depth + 1));
  switch (name) {
    case "unaryplus":
      return args[0]!;
    case "between":
      return between(ctx, args);
    case "nullif": {
      if (args.length !== 2) break;
      return invoke(ctx, "if", [invoke(ctx, "eq", args), nullConst(), args[0]!]);
    }
  }
  return invoke(ctx, name, args, expr.args);
}

/** As two comparisons, of values cast to one kind. */
function between(ctx: ExprContext, args: readonly Node[]): Node {
  const kind = betweenKind(args);
  const cast = (node: Node): Node => {
    if (kind === "time") return toTime(ctx, node);
    if (kind === "duration") return toDuration(ctx, node);
    return kind === "json" ? node : toKind(ctx, node, kind);
  };
  const [value, low, high] = args.map(cast);
  return invoke(ctx, "and", [invoke(ctx, "ge", [value!, low!]), invoke(ctx, "le", [value!, high!])]);
}

function compileCase(ctx: ExprContext, expr: CaseExpr, depth: number): Node {
  const value = expr.value === undefined ? undefined : compile(ctx, expr.value, depth + 1);
  const args: Node[] = [];
  for (const { when, result } of expr.whens) {
    const condition = compile(ctx, when, depth + 1);
    args.push(value === undefined ? condition : invoke(ctx, "eq", [value, condition]));
    args.push(compile(ctx, result, depth + 1));
  }
  if (expr.otherwise !== undefined) args.push(compile(ctx, expr.otherwise, depth + 1));
  return invoke(ctx, "case", args);
}

function compileCast(ctx: ExprContext, expr: CastExpr, depth: number): Node {
  const arg = compile(ctx, expr.arg, depth + 1);
  const { type, prepared } = castTypeOf(ctx, arg, expr.to, expr.form === "binary");
  if (expr.to.array === true) return castToArray(ctx, arg, expr.to, type);
  const made = castTo(ctx, prepared, type);
  const isText = kindOf(type) === "string";
  return {
    ...made,
    coercibility: isText ? Coercibility.implicit : Coercibility.numeric,
    repertoire: isText && type.Charset !== "ascii" ? Repertoire.unicode : Repertoire.ascii,
  } as Node;
}

function compileCollate(ctx: ExprContext, expr: CollateExpr, depth: number): Node {
  const arg = compile(ctx, expr.arg, depth + 1);
  const collation = expr.collation.toLowerCase();
  if (findCollation(collation) === undefined) throw ctx.unsupported(`the collation ${expr.collation}`);
  const explicit = { coercibility: Coercibility.explicit };
  if (arg.kind === "json") {
    const type = fieldType(Tp.longblob, { Flag: 0, Charset: "utf8mb4", Collate: collation });
    return { ...castTo(ctx, arg, type), ...explicit } as Node;
  }
  return { ...arg, source: undefined, type: { ...arg.type, Collate: collation }, ...explicit } as Node;
}
