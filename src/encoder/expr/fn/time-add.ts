/** ADDTIME, SUBTIME, TIMEDIFF, TIME, TIMESTAMP (TiDB `pkg/expression/builtin_time.go`). */
import { utf8 } from "../../../base/mod.ts";
import { durationText } from "../../../codec/mod.ts";
import { Flag, Tp } from "../../../schema/mod.ts";
import { byteString, type Duration, type Fault, fromDecimalText, fspOfText } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { timeText } from "../cast-text.ts";
import type { ExprContext } from "../context.ts";
import { hasFlag } from "../field-types.ts";
import { as, lift1, lift2, type Node } from "../node.ts";
import {
  addDuration,
  clampDuration,
  datetimeType,
  durationOrTime,
  durationType,
  expressionFsp,
  isDurationText,
  readDuration,
  readTime,
  sumDurations,
  timeBetween,
} from "../time-sum.ts";
import { isZero, timeOfDatum } from "../time-value.ts";
import type { Eval, Kind, Time } from "../value.ts";

type Sign = 1 | -1;

/** 6 if the text has a fraction that is not zero, else 0. */
function roughFsp(text: Uint8Array): number {
  const source = byteString(text);
  const point = source.indexOf(".");
  return point >= 0 && /[^0]/.test(source.slice(point + 1)) ? 6 : 0;
}

/** NULL with a warning in every mode. */
function warned(ctx: ExprContext, fault: Fault): null {
  ctx.warn(fault.code, fault.message);
  return null;
}

/** The second argument as a TIME; NULL if it is none. */
function amountOf(ctx: ExprContext, amount: Node, fspOf: (text: Uint8Array) => number): Eval<Duration> {
  if (amount.kind === "duration") return amount.eval;
  return lift1(as(amount, "string").eval, (text) => {
    if (!isDurationText(text)) return null;
    const { value, fault } = readDuration(ctx, text, fspOf(text));
    return fault === null ? value : warned(ctx, fault);
  });
}

const exactFsp = (text: Uint8Array): number => fspOfText(byteString(text));

function signed(d: Duration, sign: Sign): Duration {
  return sign > 0 ? d : { nanos: -d.nanos, fsp: d.fsp };
}

/** The sum as text: six digits behind the point or none. */
function textPlus(ctx: ExprContext, text: Uint8Array, d: Duration, sign: Sign): Uint8Array | null {
  if (isDurationText(text)) {
    const { value, fault } = readDuration(ctx, text, 6);
    if (fault !== null) return warned(ctx, fault);
    const { nanos } = sumDurations(value, d, sign);
    return utf8(durationText(nanos, (nanos / 1000n) % 1000000n === 0n ? 0 : 6));
  }
  const { value, fault } = readTime(ctx, text, 6);
  if (value === null) return fault === null ? null : warned(ctx, fault);
  const sum = addDuration(ctx, value, signed(d, sign));
  return utf8(timeText({ ...sum, fsp: sum.micro === 0 ? 0 : 6 }));
}

/** A text that begins like `1-2` is no TIME here. */
function isDashed(text: Uint8Array): boolean {
  return /^[ \t\n\v\f\r]*[0-9]+-./.test(byteString(text));
}

function addToText(call: Call, text: Node, amount: Node, sign: Sign): Node {
  const { ctx } = call;
  const change = { Tp: Tp.string, Flen: 26 };
  const source = as(text, "string").eval;
  if (amount.kind === "duration") {
    return call.string(
      lift2(source, amount.eval, (v, d) => textPlus(ctx, v, d, sign)),
      change,
    );
  }
  if (hasFlag(amount.type, Flag.binary)) return call.string(() => null, change);
  const by = as(amount, "string").eval;
  return call.string(
    lift2(source, by, (v, written) => {
      const { value, fault } = readDuration(ctx, written, roughFsp(written));
      if (fault !== null) return warned(ctx, fault);
      return isDashed(written) ? null : textPlus(ctx, v, value, sign);
    }),
    change,
  );
}

const isMoment = (tp: number): boolean => tp === Tp.datetime || tp === Tp.timestamp;

function addTime(sign: Sign): (call: Call) => Node {
  return (call) => {
    const { ctx } = call;
    const [given, by] = call.args as [Node, Node];
    const tp = given.type.Tp;
    const byTp = by.type.Tp;
    const fsp = Math.min(Math.max(expressionFsp(ctx, given), expressionFsp(ctx, by)), 6);
    const startKind: Kind = given.kind === "time" || given.kind === "duration" ? given.kind : "string";
    const result: Kind = isMoment(tp) ? "time" : tp === Tp.duration ? "duration" : "string";
    const amountKind: Kind = byTp === Tp.datetime || byTp === Tp.duration ? "duration" : "string";
    const [start, amount] = call.cast(result, startKind, amountKind) as [Node, Node];
    const isNull = isMoment(byTp);
    if (result === "time") {
      if (isNull) return call.node("time", () => null, datetimeType(fsp));
      const sum = lift2(nonZero(start), amountOf(ctx, amount, exactFsp), (t, d) =>
        addDuration(ctx, t, signed(d, sign)),
      );
      return call.node("time", sum, datetimeType(fsp));
    }
    if (result === "duration") {
      if (isNull) return call.node("duration", () => null, durationType(fsp));
      const sum = lift2(as(start, "duration").eval, amountOf(ctx, amount, exactFsp), (a, b) =>
        sumDurations(a, b, sign),
      );
      return call.node("duration", sum, durationType(fsp));
    }
    if (isNull) return call.string(() => null, { Tp: Tp.string, Flen: 26 });
    if (startKind === "string") return addToText(call, start, amount, sign);
    const sum = lift2(nonZero(start), amountOf(ctx, amount, roughFsp), (t, d) =>
      utf8(timeText(addDuration(ctx, { ...t, tp: Tp.datetime }, signed(d, sign)))),
    );
    return call.string(sum, { Tp: Tp.string, Flen: 26 });
  };
}

function nonZero(start: Node): Eval<Time> {
  return lift1(as(start, "time").eval, (t) => (isZero(t) ? null : t));
}

function timeDiff(call: Call): Node {
  const { ctx } = call;
  const [x, y] = call.args as [Node, Node];
  const fsp = Math.max(expressionFsp(ctx, x), expressionFsp(ctx, y));
  const kindOf = (node: Node): Kind => (node.kind === "time" || node.kind === "duration" ? node.kind : "string");
  const [a, b] = call.cast("duration", kindOf(x), kindOf(y)) as [Node, Node];
  const change = durationType(fsp);
  const value = (node: Node): Eval<Time | Duration> =>
    node.kind === "string"
      ? lift1(node.eval, (text) => durationOrTime(ctx, text, fsp))
      : (node.eval as Eval<Time | Duration>);
  if (a.kind !== "string" && b.kind !== "string" && a.kind !== b.kind) return call.node("duration", () => null, change);
  return call.node(
    "duration",
    lift2(value(a), value(b), (left, right) => {
      if ("nanos" in left) return "nanos" in right ? clampDuration(ctx, sumDurations(left, right, -1)) : null;
      return "nanos" in right ? null : clampDuration(ctx, timeBetween(ctx, left, right));
    }),
    change,
  );
}

function timeOf(call: Call): Node {
  const { ctx } = call;
  const fsp = expressionFsp(ctx, call.args[0]!);
  const [text] = call.cast("duration", "string");
  return call.node(
    "duration",
    lift1(text.eval, (v) => {
      const source = byteString(v);
      const point = source.indexOf(".");
      const digits = point < 0 ? 0 : Math.min(source.length - point - 1, 6);
      const { value, fault } = readDuration(ctx, v, digits);
      if (fault !== null) ctx.handle(fault);
      return value;
    }),
    durationType(fsp),
  );
}

/** Types whose values are read as numbers such as 20200102030405. */
const NUMBERS: readonly number[] = [Tp.float, Tp.double, Tp.newdecimal, Tp.longlong];

function timestamp(call: Call): Node {
  const { ctx } = call;
  const isNumber = NUMBERS.includes(call.args[0]!.type.Tp);
  const fsp = Math.max(...call.args.map((arg) => expressionFsp(ctx, arg)));
  const [date, clock] = call.castAll("time", "string");
  const read: Eval<Time> = lift1(date!.eval, (v) => {
    ctx.session.fault = null;
    const digits = fspOfText(byteString(v));
    if (!isNumber) {
      const { value, fault } = readTime(ctx, v, digits);
      if (fault !== null) ctx.handle(fault);
      return value;
    }
    const t = timeOfDatum(fromDecimalText(ctx.session, byteString(v), Tp.datetime, digits));
    return ctx.failed() ? null : t;
  });
  if (clock === undefined) return call.node("time", read, datetimeType(fsp));
  return call.node(
    "time",
    lift2(read, clock.eval, (t, text) => {
      if (t.year === 0 || !isDurationText(text)) return null;
      const { value, fault } = readDuration(ctx, text, fspOfText(byteString(text)));
      if (fault === null) return addDuration(ctx, t, value);
      ctx.handle(fault);
      return null;
    }),
    datetimeType(fsp),
  );
}

export const timeSums: FunctionTable = {
  addtime: fn(addTime(1), 2),
  subtime: fn(addTime(-1), 2),
  timediff: fn(timeDiff, 2),
  time: fn(timeOf, 1),
  timestamp: fn(timestamp, 1, 2),
};
