/** = <=> <> < <= > >= and IN (TiDB `pkg/expression/builtin_compare.go`, `builtin_other.go`). */
import { compareDecimals } from "../../cast/mod.ts";
import { ANY_NUMBER, Call, type FunctionTable, fn } from "../call.ts";
import { toJson } from "../cast.ts";
import { collationOf, comparer } from "../collate.ts";
import { deriveFrom } from "../collation.ts";
import { compareKind, refine } from "../compare-kind.ts";
import { compareJson } from "../json-compare.ts";
import { isNullType, nullConst } from "../leaf.ts";
import { as, type Node } from "../node.ts";
import { compareTimes } from "../time-value.ts";
import type { Eval, Kind, ValueOf } from "../value.ts";

type Order = (row: Parameters<Eval<number>>[0]) => number | null;

/** Order of two evaluated values; null if one is NULL. */
function ordered<T>(a: Eval<T>, b: Eval<T>, compare: (a: T, b: T) => number): Order {
  return (row) => {
    const x = a(row);
    if (x === null) return null;
    const y = b(row);
    return y === null ? null : compare(x, y);
  };
}

const sign = <T extends number | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

export function compareOf<K extends Kind>(kind: K, strings: (a: Uint8Array, b: Uint8Array) => number) {
  const table: { [P in Kind]: (a: ValueOf[P], b: ValueOf[P]) => number } = {
    int: sign,
    real: sign,
    decimal: compareDecimals,
    string: strings,
    time: compareTimes,
    duration: (a, b) => sign(a.nanos, b.nanos),
    json: compareJson,
  };
  return table[kind];
}

/** Casts the call's two arguments to what they are compared as. */
function comparedArgs(call: Call, collate?: string): { kind: Kind; order: Order; a: Node; b: Node } {
  const { ctx } = call;
  const [left, right] = refine(ctx, call.args[0]!, call.args[1]!);
  const kind = compareKind(left, right);
  call.args = [left, right];
  if (kind === "json") {
    call.args = call.args.map((arg) => toJson(ctx, arg, false));
    call.collation = call.derive("int", "json");
  } else call.cast("int", kind, kind);
  const strings = kind === "string" ? comparer(collationOf(ctx, collate ?? call.collation.collate)) : sign;
  const compare = compareOf(kind, strings as (a: Uint8Array, b: Uint8Array) => number);
  const [a, b] = call.args as [Node, Node];
  const order = ordered(as(a, kind).eval as Eval<never>, as(b, kind).eval as Eval<never>, compare as never);
  return { kind, order, a, b };
}

function comparison(test: (order: number) => boolean): (call: Call) => Node {
  return (call) => {
    const { order } = comparedArgs(call);
    return call.bool((row) => {
      const o = order(row);
      return o === null ? null : test(o);
    });
  };
}

function nullSafeEqual(call: Call): Node {
  const { a, b, kind } = comparedArgs(call);
  const strings = kind === "string" ? comparer(collationOf(call.ctx, call.collation.collate)) : sign;
  const compare = compareOf(kind, strings as (a: Uint8Array, b: Uint8Array) => number) as (
    a: unknown,
    b: unknown,
  ) => number;
  return call.bool((row) => {
    const x = a.eval(row);
    const y = b.eval(row);
    return x === null || y === null ? x === y : compare(x, y) === 0;
  });
}

/** A value and a list: true if one is equal, else NULL if one is NULL. */
function isIn(call: Call): Node {
  const { ctx } = call;
  const [value, ...list] = call.args as [Node, ...Node[]];
  if (isNullType(value)) return nullConst();
  const isText = value.kind === "string";
  const collate = isText ? deriveFrom("in", "int", call.args).collate : undefined;
  const orders = list.map((item) => comparedArgs(new Call(ctx, "eq", [value, item], []), collate).order);
  call.collation = call.derive("int", undefined);
  return call.bool((row) => {
    let sawNull = false;
    for (const order of orders) {
      const o = order(row);
      if (o === 0) return true;
      if (o === null) sawNull = true;
    }
    return sawNull ? null : false;
  });
}

function strcmp(call: Call): Node {
  const [a, b] = call.cast("int", "string", "string");
  const compare = comparer(collationOf(call.ctx, call.collation.collate));
  const order = ordered(a.eval, b.eval, compare);
  return call.int(
    (row) => {
      const o = order(row);
      return o === null ? null : BigInt(Math.sign(o));
    },
    { Flen: 2 },
  );
}

export const comparisons: FunctionTable = {
  eq: fn(
    comparison((o) => o === 0),
    2,
  ),
  ne: fn(
    comparison((o) => o !== 0),
    2,
  ),
  lt: fn(
    comparison((o) => o < 0),
    2,
  ),
  le: fn(
    comparison((o) => o <= 0),
    2,
  ),
  gt: fn(
    comparison((o) => o > 0),
    2,
  ),
  ge: fn(
    comparison((o) => o >= 0),
    2,
  ),
  nulleq: fn(nullSafeEqual, 2),
  in: fn(isIn, 2, ANY_NUMBER * 256),
  strcmp: fn(strcmp, 2),
};
