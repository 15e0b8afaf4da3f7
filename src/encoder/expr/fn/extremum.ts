/** GREATEST, LEAST and INTERVAL (TiDB `pkg/expression/builtin_compare.go`). */
import { compareBytes, utf8 } from "../../../base/mod.ts";
import { type FieldTypeInfo, Flag, Tp } from "../../../schema/mod.ts";
import { byteString, fspOfText, parseTime } from "../../cast/mod.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { convertTime } from "../cast-temporal.ts";
import { timeText } from "../cast-text.ts";
import { collationOf, comparer } from "../collate.ts";
import { isStringKind, isTemporal, isTime, kindOf } from "../field-types.ts";
import { aggregateType } from "../merge-type.ts";
import { as, type Node } from "../node.ts";
import { timeOfDatum } from "../time-value.ts";
import type { Eval, Kind, Time } from "../value.ts";
import { compareOf } from "./comparison.ts";

/** The first of several values that none goes before; NULL if one is NULL. */
function best<T>(evals: readonly Eval<T>[], goesBefore: (a: T, b: T) => boolean): Eval<T> {
  return (row) => {
    let found = evals[0]!(row);
    if (found === null) return null;
    for (let i = 1; i < evals.length; i++) {
      const value = evals[i]!(row);
      if (value === null) return null;
      if (goesBefore(value, found)) found = value;
    }
    return found;
  };
}

/** Strings beside dates: all are read as dates, and the texts of these compared. */
function mixed(call: Call, direction: 1 | -1, tp: number, sizes: Partial<FieldTypeInfo>): Node {
  const { ctx } = call;
  const args = call.castAll("string", "string");
  const asTime = (text: Uint8Array): Uint8Array => {
    ctx.session.fault = null;
    const fsp = tp === Tp.date ? 0 : fspOfText(byteString(text));
    const t = timeOfDatum(parseTime(ctx.session, text, tp, fsp));
    return ctx.failed() ? text : utf8(timeText(t));
  };
  const evals = args.map(
    (arg): Eval<Uint8Array> =>
      (row) => {
        const v = arg.eval(row);
        return v === null ? null : asTime(v);
      },
  );
  return call.string(
    best(evals, (a, b) => compareBytes(a, b) * direction > 0),
    sizes,
  );
}

function extremum(direction: 1 | -1): (call: Call) => Node {
  return (call) => {
    const types = call.args.map((arg) => arg.type);
    const merged = aggregateType(types);
    const kind = kindOf(merged);
    const sizes = {
      Flen: Math.max(0, ...types.map((type) => type.Flen)),
      Decimal: Math.max(0, ...types.map((type) => type.Decimal)),
    };
    if (isStringKind(kind) && !isTemporal(merged.Tp)) {
      const leading = types.find((type) => type.Tp === Tp.datetime) ?? types.find((type) => isTemporal(type.Tp));
      if (leading !== undefined && isTime(leading.Tp)) {
        return mixed(call, direction, leading.Tp === Tp.date ? Tp.date : Tp.datetime, sizes);
      }
    }
    return ofKind(call, kind === "json" ? "string" : kind, direction, merged, sizes);
  };
}

/** TiDB compares the 64 bits as signed numbers, also of unsigned columns (`builtinGreatestIntSig`). */
function compareSigned(a: unknown, b: unknown): number {
  const difference = BigInt.asIntN(64, a as bigint) - BigInt.asIntN(64, b as bigint);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function ofKind(call: Call, kind: Kind, direction: 1 | -1, merged: FieldTypeInfo, sizes: Partial<FieldTypeInfo>): Node {
  const args = call.castAll(kind, kind);
  const strings = kind === "string" ? comparer(collationOf(call.ctx, call.collation.collate)) : compareBytes;
  const compare = kind === "int" ? compareSigned : (compareOf(kind, strings) as (a: unknown, b: unknown) => number);
  const evals = args.map((arg) => arg.eval as Eval<unknown>);
  const value = best(evals, (a, b) => compare(a, b) * direction > 0);
  if (kind === "int") {
    const flag = Flag.binary | (merged.Flag & Flag.unsigned);
    return call.int(value as Eval<bigint>, { ...sizes, Decimal: 0, Flag: flag });
  }
  if (kind !== "time") return call.node(kind, value as never, sizes);
  const tp = merged.Tp === Tp.date ? Tp.date : Tp.datetime;
  return call.node(
    "time",
    (row) => {
      const t = value(row) as Time | null;
      return t === null ? null : convertTime(call.ctx, t, tp, t.fsp);
    },
    sizes,
  );
}

/** INTERVAL(n, a, b, …): how many of the list, from its beginning, are not above n. */
function interval(call: Call): Node {
  const allInt = call.args.every((arg) => arg.kind === "int");
  const kind = allInt ? "int" : "real";
  call.castAll("int", kind);
  const [value, ...list] = call.args.map((arg) => as(arg, kind).eval as Eval<bigint | number>);
  const notNull = call.args.every((arg) => (arg.type.Flag & Flag.notNull) !== 0);
  return call.int((row) => {
    const n = value!(row);
    if (n === null) return -1n;
    const isBelow = (i: number): boolean => {
      const limit = list[i]!(row);
      return limit !== null && n < limit;
    };
    return BigInt(notNull ? bisect(list.length, isBelow) : linear(list.length, isBelow));
  });
}

function linear(count: number, isBelow: (i: number) => boolean): number {
  let i = 0;
  while (i < count && !isBelow(i)) i++;
  return i;
}

function bisect(count: number, isBelow: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBelow(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export const extrema: FunctionTable = {
  greatest: fn(extremum(1), 2, ANY_NUMBER),
  least: fn(extremum(-1), 2, ANY_NUMBER),
  interval: fn(interval, 2, ANY_NUMBER),
};
