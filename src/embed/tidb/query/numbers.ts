import { SqlError } from "../wire/mod.ts";
import { double, exactNumber, integerOf, NULL_VALUE, number, numberOf, signedOf, type Value } from "./values.ts";

/** Digits that a division adds (`div_precision_increment`). */
const DIVISION_DIGITS = 4;

const doubles: Record<string, (a: number, b: number) => number> = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  intdiv: (a, b) => Math.trunc(a / b),
};

/** `+ - * / % DIV` and signs; undefined for other names. */
export function arithmetic(name: string, args: readonly Value[]): Value | undefined {
  const unary = name === "unaryminus" || name === "unaryplus";
  const work = doubles[name];
  if (work === undefined && !unary) return undefined;
  if (args.some(({ text }) => text === null)) return NULL_VALUE;
  if (name === "unaryplus") return args[0];
  const [a, b] = args.map(numberOf) as [ReturnType<typeof numberOf>, ReturnType<typeof numberOf>];
  if (name === "unaryminus") {
    return "double" in a ? double(-a.double) : exactNumber(-signedOf(a.exact), a.exact.scale);
  }
  if ("double" in a || "double" in b) {
    const plain = (x: typeof a) => ("double" in x ? x.double : Number(signedOf(x.exact)) / 10 ** x.exact.scale);
    return double(work!(plain(a), plain(b)));
  }
  const scale = Math.max(a.exact.scale, b.exact.scale);
  const x = signedOf(a.exact) * 10n ** BigInt(scale - a.exact.scale);
  const y = signedOf(b.exact) * 10n ** BigInt(scale - b.exact.scale);
  switch (name) {
    case "plus":
    case "minus":
      return inRange(name === "plus" ? x + y : x - y, scale, name);
    case "mul":
      return inRange(signedOf(a.exact) * signedOf(b.exact), a.exact.scale + b.exact.scale, name);
    default:
      if (y === 0n) return NULL_VALUE;
  }
  if (name === "mod") return exactNumber(x % y, scale);
  if (name === "intdiv") return exactNumber(x / y, 0);
  const digits = a.exact.scale + DIVISION_DIGITS;
  const unit = 10n ** BigInt(digits);
  const sign = x < 0n !== y < 0n ? -1n : 1n;
  const [p, q] = [x < 0n ? -x : x, y < 0n ? -y : y];
  return exactNumber((sign * (2n * p * unit + q)) / (2n * q), digits);
}

/** Integers beyond 64 bits are an error, as in TiDB. */
function inRange(unscaled: bigint, scale: number, name: string): Value {
  if (scale === 0 && (unscaled > 0xffffffffffffffffn || unscaled < -0x8000000000000000n))
    throw new SqlError(1690, `BIGINT value is out of range in '${name}'`, "22003");
  return exactNumber(unscaled, scale);
}

const bits: Record<string, (a: bigint, b: bigint) => bigint> = {
  bitand: (a, b) => a & b,
  bitor: (a, b) => a | b,
  bitxor: (a, b) => a ^ b,
  leftshift: (a, b) => (b > 63n ? 0n : a << b),
  rightshift: (a, b) => (b > 63n ? 0n : a >> b),
  bitneg: (a) => ~a,
};

/** `& | ^ << >> ~` on 64 unsigned bits; undefined for other names. */
export function bitwise(name: string, args: readonly Value[]): Value | undefined {
  const work = bits[name];
  if (work === undefined) return undefined;
  if (args.some(({ text }) => text === null)) return NULL_VALUE;
  const [a, b = 0n] = args.map((arg) => BigInt.asUintN(64, integerOf(arg)));
  return number(String(BigInt.asUintN(64, work(a!, b))));
}

/** GREATEST and LEAST over numbers. */
export function extreme(args: readonly Value[], order: (a: Value, b: Value) => number): Value {
  if (args.some(({ text }) => text === null)) return NULL_VALUE;
  return args.reduce((best, one) => (order(one, best) > 0 ? one : best));
}
