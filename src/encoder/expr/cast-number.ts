/** Casts to numbers inside expressions (TiDB `pkg/expression/builtin_cast.go`): other rules than those of columns. */
import { type Decimal, decimalText } from "../../codec/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import {
  byteString,
  decimalToFloat,
  durationToDecimal,
  fitDecimal,
  fitFloat,
  floatPrefixLength,
  floatToDecimal,
  floatToSigned,
  floatToUnsigned,
  jsonToDecimal,
  jsonToFloat,
  jsonToInt,
  MAX_INT64,
  MAX_UINT64,
  MIN_INT64,
  parseDecimalText,
  plainInteger,
  readable,
  roundDuration,
  roundTimeDatum,
  roundUnscaled,
  timeToDecimal,
  trimSpace,
  truncatedWrongValue,
  valueOutOfRange,
  type WideDecimal,
  wholeDecimal,
  widen,
} from "../cast/mod.ts";
import type { ExprContext } from "./context.ts";
import { dec, shownDec } from "./dec.ts";
import { isHybrid, isUnsigned } from "./field-types.ts";
import { lift1, type Node, type NodeOf } from "./node.ts";
import { datumOfTime } from "./time-value.ts";
import type { Dec, Eval } from "./value.ts";

/** The number as 64 bits with or without a sign: what TiDB keeps in an int64. */
export function wrap(value: bigint, unsigned: boolean): bigint {
  return unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
}

/** A decimal rounded to a whole number; beyond the range the nearest with an overflow. */
function decimalToInt(ctx: ExprContext, d: Decimal, unsigned: boolean): bigint {
  const size = roundUnscaled(d.unscaled, d.scale);
  const value = d.negative ? -size : size;
  const [low, high] = unsigned ? [0n, MAX_UINT64] : [MIN_INT64, MAX_INT64];
  if (value >= low && value <= high) return value;
  const strict = ctx.session.strict;
  ctx.handle(strict ? valueOutOfRange("DECIMAL", decimalText(d)) : truncatedWrongValue("DECIMAL", decimalText(d)));
  return value < low ? low : high;
}

const INTEGER_PREFIX = /^[+-]?[0-9]*/;

/** The digits that a text begins with: neither point nor exponent count. */
export function textToInteger(ctx: ExprContext, bytes: Uint8Array, unsigned: boolean): bigint {
  const quick = plainInteger(bytes);
  if (quick >= 0) return BigInt(quick);
  const text = trimSpace(byteString(bytes));
  const prefix = INTEGER_PREFIX.exec(text)![0];
  const digits = /[0-9]/.test(prefix);
  const negative = text.length > 1 && text.startsWith("-");
  let value = digits ? BigInt(prefix.replace(/^[+-]/, "")) : 0n;
  if (negative) value = -value;
  if (!digits || prefix.length !== text.length) ctx.truncated("INTEGER", readable(text));
  const [low, high] = negative ? [MIN_INT64, MAX_INT64] : [0n, MAX_UINT64];
  if (value < low || value > high) {
    const type = negative ? "BIGINT" : "BIGINT UNSIGNED";
    ctx.handle(
      ctx.session.strict ? valueOutOfRange(type, readable(prefix)) : truncatedWrongValue("INTEGER", readable(text)),
    );
    value = negative ? MIN_INT64 : MAX_UINT64;
  } else if (!unsigned && value > MAX_INT64) {
    ctx.warn(1105, "Cast to signed converted positive out-of-range integer to its negative complement");
  } else if (unsigned && negative) {
    ctx.warn(1105, "Cast to unsigned converted negative integer to its positive complement");
  }
  return wrap(value, unsigned);
}

/** The number that a text begins with; an empty text is 0. */
export function textToReal(ctx: ExprContext, bytes: Uint8Array): number {
  const quick = plainInteger(bytes);
  if (!Number.isNaN(quick) && quick !== 0) return quick;
  const text = trimSpace(byteString(bytes));
  if (text === "") return 0;
  const { length, whole } = floatPrefixLength(text);
  if (!whole) ctx.truncated("DOUBLE", readable(text));
  const value = length === 0 ? 0 : Number(text.slice(0, length).replace(/\.$/, ""));
  if (Number.isFinite(value)) return value;
  ctx.truncated("DOUBLE", readable(text));
  return value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE;
}

export function intEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<bigint> {
  const { session } = ctx;
  const unsigned = isUnsigned(type);
  if (arg.asInt !== undefined) return lift1(arg.asInt, (v) => wrap(v, unsigned));
  switch (arg.kind) {
    case "int":
      return isUnsigned(arg.type) === unsigned ? arg.eval : lift1(arg.eval, (v) => wrap(v, unsigned));
    case "real":
      return lift1(arg.eval, (v) => {
        const value = (unsigned ? floatToUnsigned : floatToSigned)(session, v, Tp.longlong);
        ctx.failed();
        return value;
      });
    case "decimal":
      return lift1(arg.eval, (v) => decimalToInt(ctx, v, unsigned));
    case "string":
      return lift1(arg.eval, (v) => textToInteger(ctx, v, unsigned));
    case "time":
      return lift1(arg.eval, (v) => {
        const rounded = roundTimeDatum(session, datumOfTime(v), 0);
        ctx.failed();
        return timeToDecimal(rounded).unscaled;
      });
    case "duration":
      return lift1(arg.eval, (v) => {
        const d = durationToDecimal(roundDuration(v, 0));
        return wrap(d.negative ? -d.unscaled : d.unscaled, unsigned);
      });
    case "json":
      return lift1(arg.eval, (v) => {
        const value = jsonToInt(session, v, Tp.longlong, unsigned);
        ctx.failed();
        return value;
      });
  }
}

export function realEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<number> {
  const { session } = ctx;
  if (arg.asInt !== undefined && (isHybrid(arg.type) || arg.shape === "const" || arg.name === "dayname")) {
    return lift1(arg.asInt, Number);
  }
  switch (arg.kind) {
    case "int": {
      const asUnsigned = isUnsigned(type) || isUnsigned(arg.type);
      return lift1(arg.eval, (v) => Number(asUnsigned ? BigInt.asUintN(64, v) : v));
    }
    case "real":
      return arg.eval;
    case "decimal":
      return lift1(arg.eval, (v) => decimalToFloat(shownDec(v)));
    case "string":
      return lift1(arg.eval, (v) => {
        const value = fitFloat(session, textToReal(ctx, v), type);
        ctx.failed();
        return value;
      });
    case "time":
      return lift1(arg.eval, (v) => decimalToFloat(timeToDecimal(datumOfTime(v))));
    case "duration":
      return lift1(arg.eval, (v) => decimalToFloat(durationToDecimal(v)));
    case "json":
      return lift1(arg.eval, (v) => {
        const value = jsonToFloat(session, v);
        ctx.failed();
        return value;
      });
  }
}

/** Rounded to the size of the type; what does not fit is the largest number with an overflow. */
function produce(ctx: ExprContext, d: WideDecimal, type: FieldTypeInfo, shown: number): Dec {
  if (type.Flen < 0 || type.Decimal < 0) return dec(d, shown);
  const value = fitDecimal(ctx.session, d, { ...type, Flag: 0 });
  ctx.failed();
  return dec(value);
}

function textToDecimal(ctx: ExprContext, bytes: Uint8Array): WideDecimal {
  const text = trimSpace(byteString(bytes));
  const value = parseDecimalText(ctx.session, text);
  const fault = ctx.session.take();
  if (fault !== null) ctx.handle(fault.code === 1265 ? truncatedWrongValue("DECIMAL", readable(text)) : fault);
  return value;
}

export function decimalEval(ctx: ExprContext, arg: Node, type: FieldTypeInfo): Eval<Dec> {
  const { session } = ctx;
  const fit = (d: WideDecimal, shown = d.scale): Dec => produce(ctx, d, type, shown);
  const whole = (v: bigint): Dec => fit(wholeDecimal(v));
  if (arg.asInt !== undefined && (isHybrid(arg.type) || arg.shape === "const")) return lift1(arg.asInt, whole);
  switch (arg.kind) {
    case "int": {
      const asUnsigned = isUnsigned(type) || isUnsigned(arg.type);
      return lift1(arg.eval, (v) => whole(asUnsigned ? BigInt.asUintN(64, v) : v));
    }
    case "real":
      return lift1(arg.eval, (v) => {
        const value = floatToDecimal(session, v);
        const fault = session.take();
        if (fault !== null && fault.code === 1690) ctx.handle(fault);
        return fit(value);
      });
    case "decimal":
      return lift1(arg.eval, (v) => fit(widen(v), v.shown));
    case "string":
      return lift1(arg.eval, (v) => fit(textToDecimal(ctx, v)));
    case "time":
      return lift1(arg.eval, (v) => fit(widen(timeToDecimal(datumOfTime(v)))));
    case "duration":
      return lift1(arg.eval, (v) => fit(widen(durationToDecimal(v))));
    case "json":
      return lift1(arg.eval, (v) => {
        const value = jsonToDecimal(session, v);
        ctx.failed();
        return fit(value);
      });
  }
}

/** A node that is an integer, of whatever kind its type says; for hex literals, ENUM, SET and BIT. */
export function intOf(arg: Node): Eval<bigint> | undefined {
  return arg.asInt ?? (arg.kind === "int" ? (arg as NodeOf<"int">).eval : undefined);
}
