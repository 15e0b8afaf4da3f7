/**
 * Elementary functions to the last digit as TiDB computes them: Go's `math` package on amd64, which follows FreeBSD's msun (logarithm),
 * Cephes (sine and its kin) and SLEEF (exponential). The engines' own differ in the last bit, and from each other.
 */
import { assert } from "../../base/mod.ts";

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LOG_EVEN = [0.15313837699209373, 0.22222198432149784, 0.3999999999940942];
const LOG_ODD = [0.14798198605116586, 0.1818357216161805, 0.2857142874366239, 0.6666666666666735];

const view = new DataView(new ArrayBuffer(8));

/** x = fraction * 2^exponent with the fraction in [0.5, 1); of a positive, finite number. */
function frexp(x: number): { fraction: number; exponent: number } {
  if (x < 2.2250738585072014e-308) {
    const { fraction, exponent } = frexp(x * 2 ** 52);
    return { fraction, exponent: exponent - 52 };
  }
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  const exponent = ((high >>> 20) & 0x7ff) - 1022;
  view.setUint32(0, (high & 0x800fffff) | (1022 << 20));
  return { fraction: view.getFloat64(0), exponent };
}

function horner(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (const c of coefficients) sum = sum * x + c;
  return sum;
}

/** Natural logarithm of a positive number. */
export function log(x: number): number {
  if (!Number.isFinite(x)) return x;
  let { fraction, exponent } = frexp(x);
  if (fraction < Math.SQRT2 / 2) {
    fraction *= 2;
    exponent--;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const r = s2 * horner(s4, LOG_ODD) + s4 * horner(s4, LOG_EVEN);
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + r) + exponent * LN2_LOW) - f);
}

export function log2(x: number): number {
  const { fraction, exponent } = frexp(x);
  return fraction === 0.5 ? exponent - 1 : log(fraction) * Math.LOG2E + exponent;
}

export function log10(x: number): number {
  return log(x) * Math.LOG10E;
}

const SPLIT = 134217729;

/** a * b + c with one rounding (but for rare last bits). */
function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const a1 = a * SPLIT - (a * SPLIT - a);
  const b1 = b * SPLIT - (b * SPLIT - b);
  const rest = (a - a1) * (b - b1) - (product - a1 * b1 - (a - a1) * b1 - a1 * (b - b1));
  const sum = product + c;
  const back = sum - product;
  return sum + (product - (sum - back) + (c - back) + rest);
}

const LN2_UPPER = 0.693147180559663;
const LN2_LOWER = 2.8235290563031577e-13;
const EXP = [
  0.0001984126984126984, 0.001388888888888889, 0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5, 1,
];

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

export function exp(x: number): number {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  const exponent = roundToEven(x * Math.LOG2E);
  const reduced = fma(-exponent, LN2_LOWER, fma(-exponent, LN2_UPPER, x)) * 0.0625;
  let y = 2.48015873015873e-5;
  for (const c of EXP) y = fma(y, reduced, c);
  y *= reduced;
  for (let i = 0; i < 3; i++) y *= y + 2;
  y = fma(y + 2, y, 1);
  if (exponent + 1023 <= 0) return 0;
  return exponent + 1023 >= 2047 ? Number.POSITIVE_INFINITY : y * 2 ** exponent;
}

/** By repeated squaring, for whole exponents below 128. */
function smallPower(x: number, n: number): number {
  let rest = n;
  let result = 1;
  while (rest > 1) {
    let power = x;
    let c = 1;
    while (c <= rest >> 1) {
      power *= power;
      c *= 2;
    }
    rest -= c;
    result *= power;
  }
  return rest === 1 ? result * x : result;
}

/** x^y where the special cases of C's pow are done with. */
function generalPower(x: number, y: number): number {
  const size = Math.abs(y);
  let whole = Math.floor(size);
  let part = size - whole;
  let a = 1;
  if (part !== 0) {
    if (part > 0.5) {
      part--;
      whole++;
    }
    a = exp(part * log(x));
  }
  let { fraction, exponent } = frexp(Math.abs(x));
  if (x < 0) fraction = -fraction;
  let scale = 0;
  for (let i = BigInt(whole); i !== 0n; i >>= 1n) {
    if (Math.abs(exponent) > 4096) {
      scale += exponent;
      break;
    }
    if ((i & 1n) === 1n) {
      a *= fraction;
      scale += exponent;
    }
    fraction *= fraction;
    exponent *= 2;
    if (fraction < 0.5) {
      fraction += fraction;
      exponent--;
    }
  }
  return y < 0 ? scaled(1 / a, -scale) : scaled(a, scale);
}

/** a * 2^exponent, in steps that do not overflow by themselves. */
function scaled(a: number, exponent: number): number {
  let value = a;
  let rest = Math.max(-4200, Math.min(4200, exponent));
  while (rest > 1000) {
    value *= 2 ** 1000;
    rest -= 1000;
  }
  while (rest < -1000) {
    value *= 2 ** -1000;
    rest += 1000;
  }
  return value * 2 ** rest;
}

export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return x ** y;
  if (y === 0.5) return Math.sqrt(x);
  if (y === -0.5) return 1 / Math.sqrt(x);
  if (Number.isInteger(y) && y >= -128 && y <= 127) {
    const power = smallPower(x, Math.abs(y));
    return y < 0 ? 1 / power : power;
  }
  if (x < 0 && !Number.isInteger(y)) return Number.NaN;
  if (Math.abs(y) >= 2 ** 63) {
    if (x === -1) return 1;
    return Math.abs(x) < 1 === y > 0 ? 0 : Number.POSITIVE_INFINITY;
  }
  return generalPower(x, y);
}

const SIN = [
  1.5896230157654656e-10, -2.5050747762857807e-8, 2.7557313621385722e-6, -0.0001984126982958954, 0.008333333333322118,
  -0.1666666666666663,
];
const COS = [
  -1.1358536521387682e-11, 2.087570084197473e-9, -2.755731417929674e-7, 2.4801587288851704e-5, -0.0013888888888873056,
  0.041666666666666595,
];
const TAN_P = [-13093.693918138379, 1153516.6483858742, -17956525.197648488];
const TAN_Q = [1, 13681.296347069296, -1320892.3444021097, 25008380.18233579, -53869575.592945464];
const PI4 = [0.7853981256484985, 3.774894707930798e-8, 2.6951514290790595e-15];

/** Octant (an even number 0 to 6) and what is left of an angle that is not negative. */
function reduce(x: number): { octant: number; z: number } {
  if (x >= 2 ** 29) return reduceLarge(x);
  let octant = Math.trunc(x * (4 / Math.PI));
  if (octant % 2 === 1) octant++;
  const z = x - octant * PI4[0]! - octant * PI4[1]! - octant * PI4[2]!;
  return { octant: octant % 8, z };
}

let fourOverPi: bigint | undefined;
const PI_BITS = 1300n;

/** 4/pi times 2^1300, by Machin's formula. */
function fourByPi(): bigint {
  if (fourOverPi !== undefined) return fourOverPi;
  const guard = PI_BITS + 32n;
  const inverseTangent = (n: bigint): bigint => {
    let term = (1n << guard) / n;
    let sum = term;
    for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
      term /= n * n;
      sum += (sign * term) / k;
    }
    return sum;
  };
  const quarterPi = 4n * inverseTangent(5n) - inverseTangent(239n);
  fourOverPi = (1n << (guard + PI_BITS)) / quarterPi;
  return fourOverPi;
}

/** The angle in octants, to 64 bits behind the point. */
function reduceLarge(x: number): { octant: number; z: number } {
  const { fraction, exponent } = frexp(x);
  const product = BigInt(fraction * 2 ** 53) * fourByPi();
  const point = PI_BITS + 53n - BigInt(exponent);
  assert(point > 0n, "an angle within the range of doubles");
  const octant = Number((product >> point) & 7n);
  const rest = product & ((1n << point) - 1n);
  const bits = point > 128n ? rest >> (point - 128n) : rest << (128n - point);
  const length = bits.toString(2).length;
  const mantissa = length > 53 ? bits >> BigInt(length - 53) : bits;
  const z = Number(mantissa) * 2 ** (length > 53 ? length - 53 - 128 : -128);
  return octant % 2 === 1 ? { octant: (octant + 1) % 8, z: (z - 1) * (Math.PI / 4) } : { octant, z: z * (Math.PI / 4) };
}

function sineOf(z: number): number {
  const zz = z * z;
  return z + z * zz * horner(zz, SIN);
}

function cosineOf(z: number): number {
  const zz = z * z;
  return 1 - 0.5 * zz + zz * zz * horner(zz, COS);
}

export function sin(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? x : Number.NaN;
  const { octant, z } = reduce(Math.abs(x));
  const quarter = octant % 4;
  const y = quarter === 2 ? cosineOf(z) : sineOf(z);
  return octant > 3 !== x < 0 ? -y : y;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, z } = reduce(Math.abs(x));
  const quarter = octant % 4;
  const y = quarter === 2 ? sineOf(z) : cosineOf(z);
  return octant > 3 !== quarter > 1 ? -y : y;
}

export function tan(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? x : Number.NaN;
  const { octant, z } = reduce(Math.abs(x));
  const zz = z * z;
  let y = zz > 1e-14 ? z + z * ((zz * horner(zz, TAN_P)) / horner(zz, TAN_Q)) : z;
  if (octant % 4 === 2) y = -1 / y;
  return x < 0 ? -y : y;
}

const ATAN_P = [-0.8750608600031904, -16.157537187333652, -75.00855792314705, -122.88666844901361, -64.85021904942025];
const ATAN_Q = [1, 24.858464901423062, 165.02700983169885, 432.88106049129027, 485.3903996359137, 194.5506571482614];
const MORE_BITS = 6.123233995736766e-17;

function atanSmall(x: number): number {
  const z = x * x;
  return x * ((z * horner(z, ATAN_P)) / horner(z, ATAN_Q)) + x;
}

/** Of a number that is not negative. */
function atanPositive(x: number): number {
  if (x <= 0.66) return atanSmall(x);
  if (x > 2.414213562373095) return Math.PI / 2 - atanSmall(1 / x) + MORE_BITS;
  return Math.PI / 4 + atanSmall((x - 1) / (x + 1)) + 0.5 * MORE_BITS;
}

export function atan(x: number): number {
  if (x === 0) return x;
  return x > 0 ? atanPositive(x) : -atanPositive(-x);
}

export function atan2(y: number, x: number): number {
  if (y === 0 || x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return Math.atan2(y, x);
  const q = atan(y / x);
  if (x > 0) return q;
  return q <= 0 ? q + Math.PI : q - Math.PI;
}

export function asin(x: number): number {
  if (x === 0) return x;
  const size = Math.abs(x);
  if (!(size <= 1)) return Number.NaN;
  const root = Math.sqrt(1 - size * size);
  const angle = size > 0.7 ? Math.PI / 2 - atanPositive(root / size) : atanPositive(size / root);
  return x < 0 ? -angle : angle;
}

export function acos(x: number): number {
  return Math.PI / 2 - asin(x);
}
