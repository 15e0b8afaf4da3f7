/** Mathematical functions (TiDB `pkg/expression/builtin_math.go`). */
import { utf8 } from "../../../base/mod.ts";
import { Tp } from "../../../schema/mod.ts";
import { byteString } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { outOfRange } from "../context.ts";
import { isHybrid } from "../field-types.ts";
import * as go from "../go-math.ts";
import { lift1, lift2, lift3, type Node } from "../node.ts";

/** A function of doubles that gives NULL where the result is none. */
function real1(f: (x: number) => number | null, name?: string): (call: Call) => Node {
  return (call) => {
    const [a] = call.cast("real", "real");
    return call.real(
      lift1(a.eval, (x) => {
        const y = f(x);
        if (y === null || Number.isNaN(y)) return null;
        if (!Number.isFinite(y)) {
          if (name === undefined) return y;
          throw outOfRange("DOUBLE", `${name}(${a.text()})`);
        }
        return y;
      }),
    );
  };
}

/** Null if the argument is in the domain of logarithms. */
function positive(call: Call, x: number): null | undefined {
  if (x > 0) return undefined;
  call.ctx.warn(3020, "Invalid argument for logarithm");
  return null;
}

function log(call: Call): Node {
  if (call.args.length === 1) return ln(call);
  const [base, value] = call.cast("real", "real", "real");
  return call.real(
    lift2(base.eval, value.eval, (b, x) => {
      if (b <= 0 || b === 1 || x <= 0) {
        call.ctx.warn(3020, "Invalid argument for logarithm");
        return null;
      }
      return go.log(x) / go.log(b);
    }),
  );
}

function ln(call: Call): Node {
  const [a] = call.cast("real", "real");
  return call.real(
    lift1(a.eval, (x) => {
      if (positive(call, x) === null) return null;
      return go.log(x);
    }),
  );
}

function logBase(f: (x: number) => number): (call: Call) => Node {
  return (call) => {
    const [a] = call.cast("real", "real");
    return call.real(lift1(a.eval, (x) => (positive(call, x) === null ? null : f(x))));
  };
}

function pow(call: Call): Node {
  const [a, b] = call.cast("real", "real", "real");
  return call.real(
    lift2(a.eval, b.eval, (x, y) => {
      const value = go.pow(x, y);
      if (!Number.isFinite(value)) throw outOfRange("DOUBLE", `pow(${a.text()}, ${b.text()})`);
      return value;
    }),
  );
}

function exp(call: Call): Node {
  const [a] = call.cast("real", "real");
  return call.real(
    lift1(a.eval, (x) => {
      const value = go.exp(x);
      if (!Number.isFinite(value)) throw outOfRange("DOUBLE", `exp(${a.text()})`);
      return value;
    }),
  );
}

function atan(call: Call): Node {
  if (call.args.length === 1) return real1(go.atan)(call);
  const [y, x] = call.cast("real", "real", "real");
  return call.real(lift2(y.eval, x.eval, go.atan2));
}

function cot(call: Call): Node {
  const [a] = call.cast("real", "real");
  return call.real(
    lift1(a.eval, (x) => {
      const tangent = go.tan(x);
      const value = tangent === 0 ? Number.POSITIVE_INFINITY : 1 / tangent;
      if (!Number.isFinite(value)) throw outOfRange("DOUBLE", `cot(${a.text()})`);
      return value;
    }),
  );
}

function pi(call: Call): Node {
  call.cast("real");
  return call.real(() => Math.PI, { Flen: 8, Decimal: 6 });
}

function sign(call: Call): Node {
  const [a] = call.cast("int", "real");
  return call.int(lift1(a.eval, (x) => (x > 0 ? 1n : x < 0 ? -1n : 0n)));
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** The digits of that base that a text begins with, as a number. */
function parseBase(text: string, base: number): { value: bigint; negative: boolean } {
  const trimmed = text.trim().toLowerCase();
  const negative = trimmed.startsWith("-");
  let value = 0n;
  for (const c of trimmed.replace(/^[+-]/, "")) {
    const digit = DIGITS.indexOf(c);
    if (digit < 0 || digit >= base) break;
    value = value * BigInt(base) + BigInt(digit);
  }
  return { value, negative };
}

/** CONV(number, from, to): a negative base means that the number has a sign. */
function convert(text: string, from: bigint, to: bigint): string | null {
  const signed = from < 0n;
  const ignoreSign = to < 0n;
  const source = from < 0n ? -from : from;
  const target = to < 0n ? -to : to;
  if (source > 36n || source < 2n || target > 36n || target < 2n) return null;
  let { value, negative } = parseBase(text, Number(source));
  const maximum = (1n << 64n) - 1n;
  if (value > maximum) value = maximum;
  if (signed) {
    if (negative && value > 1n << 63n) value = 1n << 63n;
    if (!negative && value >= 1n << 63n) value = (1n << 63n) - 1n;
  }
  if (negative) value = BigInt.asUintN(64, -value);
  negative = BigInt.asIntN(64, value) < 0n;
  if (ignoreSign && negative) value = BigInt.asUintN(64, -value);
  const digits = value.toString(Number(target)).toUpperCase();
  return negative && ignoreSign ? `-${digits}` : digits;
}

function conv(call: Call): Node {
  const [literal] = call.args as [Node, Node, Node];
  const isBits = literal.binaryLiteral === true || literal.type.Tp === Tp.bit || isHybrid(literal.type);
  if (isBits && literal.asInt !== undefined && (literal.binaryLiteral || literal.type.Tp === Tp.bit)) {
    const number = literal.asInt;
    const [, from, to] = call.cast("string", "string", "int", "int");
    return call.string(
      lift3(number, from.eval, to.eval, (n, f, t) => {
        const text = convert(n.toString(), 10n, t);
        return text === null || f < -36n || f > 36n ? null : utf8(text);
      }),
      { Flen: 64 },
    );
  }
  const [text, from, to] = call.cast("string", "string", "int", "int");
  return call.string(
    lift3(text.eval, from.eval, to.eval, (v, f, t) => {
      const result = convert(byteString(v), f, t);
      return result === null ? null : utf8(result);
    }),
    { Flen: 64 },
  );
}

export const mathematics: FunctionTable = {
  sqrt: fn(
    real1((x) => (x < 0 ? null : Math.sqrt(x))),
    1,
  ),
  ln: fn(ln, 1),
  log: fn(log, 1, 2),
  log2: fn(logBase(go.log2), 1),
  log10: fn(logBase(go.log10), 1),
  exp: fn(exp, 1),
  pow: fn(pow, 2),
  power: fn(pow, 2),
  sin: fn(real1(go.sin), 1),
  cos: fn(real1(go.cos), 1),
  tan: fn(real1(go.tan), 1),
  cot: fn(cot, 1),
  asin: fn(real1(go.asin), 1),
  acos: fn(real1(go.acos), 1),
  atan: fn(atan, 1, 2),
  atan2: fn(atan, 2),
  pi: fn(pi, 0),
  radians: fn(
    real1((x) => x * (Math.PI / 180)),
    1,
  ),
  degrees: fn(
    real1((x) => (x * 180) / Math.PI),
    1,
  ),
  sign: fn(sign, 1),
  conv: fn(conv, 3),
};
