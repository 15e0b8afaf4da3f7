/** ABS, CEIL, FLOOR, ROUND, TRUNCATE (TiDB `pkg/expression/builtin_math.go`). */
import { type FieldTypeInfo, Flag } from "../../../schema/mod.ts";
import { MIN_INT64, pow10, roundToEven } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { wrap } from "../cast-number.ts";
import { outOfRange } from "../context.ts";
import { dec, decOfInt, roundDec } from "../dec.ts";
import { isUnsigned, MAX_DECIMAL_SCALE, MAX_INT_WIDTH } from "../field-types.ts";
import { as, lift1, lift2, type Node } from "../node.ts";
import type { Dec } from "../value.ts";

type Numeric = "int" | "decimal" | "real";

function numeric(node: Node): Numeric {
  return node.kind === "int" || node.kind === "decimal" ? node.kind : "real";
}

const signFlag = (node: Node): { Flag: number } => ({ Flag: Flag.binary | (node.type.Flag & Flag.unsigned) });

function abs(call: Call): Node {
  const kind = numeric(call.args[0]!);
  const [arg] = call.cast(kind, kind) as unknown as [Node];
  const { Flen, Decimal } = arg.type;
  if (arg.kind === "int") {
    if (isUnsigned(arg.type)) return call.uint(arg.eval, { Flen });
    return call.int(
      lift1(arg.eval, (v) => {
        if (v === MIN_INT64) throw outOfRange("BIGINT", `abs(${v})`);
        return v < 0n ? -v : v;
      }),
      { Flen },
    );
  }
  if (arg.kind === "decimal") {
    const evaluate = lift1(arg.eval, (v) => dec({ ...v, negative: false }, v.shown));
    return call.node("decimal", evaluate, { Flen, Decimal, ...signFlag(arg) });
  }
  return call.real(lift1(as(arg, "real").eval, Math.abs), { Flen, Decimal });
}

/** The next whole number, up or down. */
function toWhole(d: Dec, up: boolean): bigint {
  const unit = pow10(d.scale);
  const whole = d.unscaled / unit;
  const value = d.negative ? -whole : whole;
  if (whole * unit === d.unscaled || d.negative === up) return value;
  return up ? value + 1n : value - 1n;
}

function ceilOrFloor(up: boolean): (call: Call) => Node {
  return (call) => {
    const [given] = call.args as [Node];
    const kind = numeric(given);
    if (kind === "int") {
      const [a] = call.cast("int", "int");
      return call.int(a.eval, { ...signFlag(given), Flen: given.type.Flen, Decimal: 0 });
    }
    if (kind === "real") {
      const [a] = call.cast("real", "real");
      return call.real(lift1(a.eval, up ? Math.ceil : Math.floor), { Decimal: 0 });
    }
    const { Flen, Decimal } = given.type;
    if (Flen - Decimal > MAX_INT_WIDTH - 2) {
      const [a] = call.cast("decimal", "decimal");
      return call.node(
        "decimal",
        lift1(a.eval, (v) => decOfInt(toWhole(v, up))),
        { Flen, Decimal: 0, ...signFlag(given) },
      );
    }
    const [a] = call.cast("int", "decimal");
    const evaluate = lift1(a.eval, (v) => toWhole(v, up));
    return isUnsigned(given.type) ? call.uint(evaluate) : call.int(evaluate);
  };
}

/** To that many decimals, halves to even; TiDB's `types.Round`. */
function roundReal(x: number, scale: number): number {
  const shift = Number(`1e${scale}`);
  const shifted = x * shift;
  if (!Number.isFinite(shifted)) return x;
  const value = roundToEven(shifted) / shift;
  return Number.isNaN(value) ? 0 : value;
}

function truncateReal(x: number, scale: number): number {
  const shift = Number(`1e${scale}`);
  const shifted = x * shift;
  if (!Number.isFinite(shifted)) return x;
  return shift === 0 ? 0 : Math.trunc(shifted) / shift;
}

function truncateDec(d: Dec, scale: number): Dec {
  if (scale >= d.scale) return roundDec(d, scale);
  const unit = pow10(d.scale - scale);
  const unscaled = d.unscaled / unit;
  if (scale >= 0) return dec({ negative: d.negative, unscaled, scale });
  return dec({ negative: d.negative, unscaled: unscaled * pow10(-scale), scale: 0 });
}

/** The number of decimals, within what a rounding can tell apart. */
function places(n: bigint): number {
  return n > 400n ? 400 : n < -400n ? -400 : Number(n);
}

/** Scale and length of a rounded DECIMAL. */
function decimalType(call: Call): Partial<FieldTypeInfo> {
  const [arg, digits] = call.args as [Node, Node?];
  let scale = 0;
  if (digits !== undefined) {
    const known = digits.shape === "const" ? as(digits, "int").eval([]) : undefined;
    if (known === undefined) scale = arg.type.Decimal;
    else scale = known === null || known < 0n ? 0 : Math.min(places(known), MAX_DECIMAL_SCALE);
  }
  const more = arg.type.Decimal < 0 ? scale : Math.max(scale - arg.type.Decimal, 0);
  return { Flen: arg.type.Flen + more, Decimal: scale, ...signFlag(arg) };
}

interface Rounding {
  readonly real: (x: number, scale: number) => number;
  readonly decimal: (d: Dec, scale: number) => Dec;
  readonly int: (v: bigint, scale: number, unsigned: boolean) => bigint;
}

/** Through a double, as TiDB does. */
function roundInt(v: bigint, scale: number, unsigned: boolean): bigint {
  if (scale >= 0 && v > -(1n << 53n) && v < 1n << 53n) return v;
  const value = roundReal(Number(v), scale);
  return Math.abs(value) < 2 ** 63 ? wrap(BigInt(value), unsigned) : wrap(MIN_INT64, unsigned);
}

function truncateInt(v: bigint, scale: number): bigint {
  if (scale >= 0) return v;
  if (scale < -18) return 0n;
  const unit = pow10(-scale);
  return (v / unit) * unit;
}

const ROUND: Rounding = { real: roundReal, decimal: roundDec, int: roundInt };
const TRUNCATE: Rounding = { real: truncateReal, decimal: truncateDec, int: truncateInt };

function rounding(how: Rounding): (call: Call) => Node {
  return (call) => {
    const kind = numeric(call.args[0]!);
    const withPlaces = call.args.length === 2;
    const kinds = withPlaces ? ([kind, "int"] as const) : ([kind] as const);
    call.cast(kind, ...kinds);
    const [arg, digits] = call.args as [Node, Node?];
    const scaleOf = digits === undefined ? () => 0n : as(digits, "int").eval;
    if (kind === "int") {
      const unsigned = isUnsigned(arg.type);
      const value = as(arg, "int").eval;
      return call.int(
        withPlaces ? lift2(value, scaleOf, (v, n) => how.int(v, places(n), unsigned)) : value,
        signFlag(arg),
      );
    }
    if (kind === "real") {
      return call.real(lift2(as(arg, "real").eval, scaleOf, (v, n) => how.real(v, places(n))));
    }
    const type = decimalType(call);
    const most = type.Decimal! < 0 ? MAX_DECIMAL_SCALE : type.Decimal!;
    const evaluate = lift2(as(arg, "decimal").eval, scaleOf, (v, n) => how.decimal(v, Math.min(places(n), most)));
    return call.node("decimal", evaluate, type);
  };
}

export const roundings: FunctionTable = {
  abs: fn(abs, 1),
  ceil: fn(ceilOrFloor(true), 1),
  ceiling: fn(ceilOrFloor(true), 1),
  floor: fn(ceilOrFloor(false), 1),
  round: fn(rounding(ROUND), 1, 2),
  truncate: fn(rounding(TRUNCATE), 2),
};
