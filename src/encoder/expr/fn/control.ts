/** CASE, IF, IFNULL, COALESCE (TiDB `pkg/expression/builtin_control.go`). NULLIF is made of IF. */
import { type FieldTypeInfo, Tp } from "../../../schema/mod.ts";
import { ANY_NUMBER, Call, type FunctionTable, fn } from "../call.ts";
import { castTo } from "../cast.ts";
import { deriveFrom } from "../collation.ts";
import { controlType } from "../control-type.ts";
import { kindOf, sameType } from "../field-types.ts";
import { nullConst } from "../leaf.ts";
import type { Node } from "../node.ts";
import { truthOf } from "../truth.ts";
import type { Eval, Kind, Time, ValueOf } from "../value.ts";

type AnyEval = Eval<ValueOf[Kind]>;

/** The value as the common type has it. */
function castResult(call: Call, node: Node, type: FieldTypeInfo): Node {
  const kind = kindOf(type);
  if (kind === "decimal" || kind === "time" || kind === "duration") {
    if (node.type.Tp === Tp.null) return node;
    return sameType(node.type, type) && node.kind === kind ? node : castTo(call.ctx, node, type);
  }
  return call.castOne(node, kind);
}

function anyOf(node: Node): AnyEval {
  return node.eval as AnyEval;
}

/** The type and the cast results of a control function whose values are `nodes`. */
function prepare(call: Call, nodes: readonly Node[]): { type: FieldTypeInfo; evals: AnyEval[]; nodes: Node[] } {
  const type = controlType(call.name, nodes);
  call.collation = call.derive(kindOf(type), undefined);
  if (kindOf(type) === "string" && nodes.length > 0) call.collation = deriveFrom(call.name, "string", nodes);
  const results = nodes.map((node) => castResult(call, node, type));
  return { type, evals: results.map(anyOf), nodes: results };
}

function result(call: Call, type: FieldTypeInfo, evaluate: AnyEval): Node {
  if (type.Tp === Tp.null) return { ...nullConst(), eval: evaluate, shape: "call" } as Node;
  return call.node(kindOf(type), evaluate as never, type);
}

/** The node; where a result is an ENUM or SET, with the way to get numbers out of it. `at`: places of the results. */
export function hybridAware(call: Call, at: readonly number[], build: (call: Call) => Node): Node {
  const given = [...call.args];
  const node = build(call);
  const isHybrid = at.some((i) => given[i]!.type.Tp === Tp.enum || given[i]!.type.Tp === Tp.set);
  if (!isHybrid || node.kind !== "string") return node;
  const { ctx, name, exprs } = call;
  const recast = (wrap: (node: Node) => Node): Node =>
    build(
      new Call(
        ctx,
        name,
        given.map((arg, i) => (at.includes(i) ? wrap(arg) : arg)),
        exprs,
      ),
    );
  return { ...node, recast };
}

/** Places of the results of CASE: every second, and the ELSE. */
function resultsOfCase(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => i % 2 === 1 || (i === count - 1 && count % 2 === 1));
}

function iff(call: Call): Node {
  const truth = truthOf(call.ctx, call.args[0]!);
  const { type, evals, nodes } = prepare(call, call.args.slice(1));
  call.args = [call.args[0]!, ...nodes];
  const [yes, no] = evals as [AnyEval, AnyEval];
  return result(call, type, (row) => (truth(row) === true ? yes(row) : no(row)));
}

function firstOf(evals: readonly AnyEval[]): AnyEval {
  const [a, b] = evals;
  if (evals.length === 2) return (row) => a!(row) ?? b!(row);
  return (row) => {
    for (const evaluate of evals) {
      const value = evaluate(row);
      if (value !== null) return value;
    }
    return null;
  };
}

function ifnull(call: Call): Node {
  const { type, evals, nodes } = prepare(call, call.args);
  call.args = nodes;
  return result(call, type, firstOf(evals));
}

/** As IFNULL; times get the precision of the result. */
function coalesce(call: Call): Node {
  const type = controlType(call.name, call.args);
  const kind = kindOf(type);
  call.collation = kind === "string" ? deriveFrom(call.name, "string", call.args) : call.derive(kind, undefined);
  call.args = call.args.map((node) => (node.type.Tp === Tp.null ? node : call.castOne(node, kind)));
  const value = firstOf(call.args.map(anyOf));
  if (kind !== "time" && kind !== "duration") return result(call, type, value);
  const fsp = Math.max(type.Decimal, 0);
  return result(call, type, (row) => {
    const v = value(row);
    return v === null ? null : { ...(v as Time), fsp };
  });
}

/** Conditions and results in turn, then the ELSE. */
function caseWhen(call: Call): Node {
  const conditions: Eval<boolean>[] = [];
  const nodes: Node[] = [];
  const { args } = call;
  for (let i = 0; i + 1 < args.length; i += 2) {
    conditions.push(truthOf(call.ctx, args[i]!));
    nodes.push(args[i + 1]!);
  }
  if (args.length % 2 === 1) nodes.push(args[args.length - 1]!);
  const { type, evals } = prepare(call, nodes);
  const otherwise = args.length % 2 === 1 ? evals[evals.length - 1]! : () => null;
  return result(call, type, (row) => {
    for (let i = 0; i < conditions.length; i++) if (conditions[i]!(row) === true) return evals[i]!(row);
    return otherwise(row);
  });
}

export const control: FunctionTable = {
  if: fn((call) => hybridAware(call, [1, 2], iff), 3),
  ifnull: fn(ifnull, 2),
  coalesce: fn(coalesce, 1, ANY_NUMBER),
  case: fn((call) => hybridAware(call, resultsOfCase(call.args.length), caseWhen), 1, ANY_NUMBER * 256),
};
