/** + - * / DIV % and their kin (TiDB `pkg/expression/builtin_arithmetic.go`). */
import { type FieldTypeInfo, Tp } from "../../../schema/mod.ts";
import { type CastError, MAX_INT64, MAX_UINT64, MIN_INT64 } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { wrap } from "../cast-number.ts";
import { outOfRange } from "../context.ts";
import { dec } from "../dec.ts";
import { addDec, divDec, modDec, mulDec, wholePart } from "../dec-arith.ts";
import {
  isHybrid,
  isTemporal,
  isUnsigned,
  MAX_DECIMAL_SCALE,
  MAX_DECIMAL_WIDTH,
  MAX_REAL_WIDTH,
} from "../field-types.ts";
import { isConst, lift1, lift2, type Node } from "../node.ts";
import type { Dec } from "../value.ts";

const DIV_PRECISION_INCREMENT = 4;

/** Kind in which a number is computed with. */
export function numericKind(node: Node): "int" | "decimal" | "real" {
  const { type } = node;
  if (isTemporal(type.Tp)) return type.Decimal > 0 ? "decimal" : "int";
  if (node.binaryLiteral === true || type.Tp === Tp.bit) return "int";
  if (isHybrid(type)) return "real";
  return node.kind === "int" || node.kind === "decimal" ? node.kind : "real";
}

function commonKind(args: readonly Node[]): "int" | "decimal" | "real" {
  const kinds = args.map(numericKind);
  return kinds.includes("real") ? "real" : kinds.includes("decimal") ? "decimal" : "int";
}

/** Length and scale of the result of + - * %. */
function sizes(a: FieldTypeInfo, b: FieldTypeInfo, isReal: boolean, isMultiply: boolean): Partial<FieldTypeInfo> {
  if (a.Decimal < 0 || b.Decimal < 0) {
    return isReal ? { Flen: -1, Decimal: -1 } : { Flen: MAX_DECIMAL_WIDTH, Decimal: MAX_DECIMAL_SCALE };
  }
  let scale = isMultiply ? a.Decimal + b.Decimal : Math.max(a.Decimal, b.Decimal);
  if (!isReal) scale = Math.min(scale, MAX_DECIMAL_SCALE);
  if (a.Flen < 0 || b.Flen < 0) return { Flen: -1, Decimal: scale };
  const wholeA = a.Flen - a.Decimal;
  const wholeB = b.Flen - b.Decimal;
  const flen = isMultiply ? wholeA + wholeB + scale : Math.max(wholeA, wholeB) + scale + 1;
  return { Flen: Math.min(flen, isReal ? MAX_REAL_WIDTH : MAX_DECIMAL_WIDTH), Decimal: scale };
}

interface Operation {
  readonly sign: string;
  readonly real: (a: number, b: number) => number;
  readonly decimal: (a: Dec, b: Dec) => Dec | null;
  /** Null for an overflow. */
  readonly int: (a: bigint, b: bigint, unsignedA: boolean, unsignedB: boolean, unsigned: boolean) => bigint | null;
  readonly isMultiply: boolean;
}

function inRange(value: bigint, unsigned: boolean): bigint | null {
  const fits = unsigned ? value >= 0n && value <= MAX_UINT64 : value >= MIN_INT64 && value <= MAX_INT64;
  return fits ? value : null;
}

/** TiDB's check, which lets some overflows of signed numbers pass. */
function subtract(a: bigint, b: bigint, unsignedA: boolean, unsignedB: boolean, unsigned: boolean): bigint | null {
  const result = BigInt.asIntN(64, a - b);
  let isWide = false;
  if (unsignedA && unsignedB) {
    if (a >= b) isWide = true;
    else if (result >= 0n) return null;
  } else if (unsignedA) {
    if (b < 0n && a - b > MAX_UINT64) return null;
    isWide = b < 0n || a > b;
  } else if (unsignedB) {
    if (a - MIN_INT64 < b) return null;
  } else if (a > 0n && b < 0n) isWide = true;
  else if (a < 0n && b > 0n && result >= 0n) return null;
  if (unsigned && !isWide && result < 0n) return null;
  if (!unsigned && isWide && BigInt.asUintN(64, result) > MAX_INT64) return null;
  return wrap(result, unsigned);
}

const PLUS: Operation = {
  sign: "+",
  real: (a, b) => a + b,
  decimal: (a, b) => addDec(a, b, 1n),
  int: (a, b, _a, _b, unsigned) => inRange(a + b, unsigned),
  isMultiply: false,
};
const MINUS: Operation = {
  sign: "-",
  real: (a, b) => a - b,
  decimal: (a, b) => addDec(a, b, -1n),
  int: subtract,
  isMultiply: false,
};
const TIMES: Operation = {
  sign: "*",
  real: (a, b) => a * b,
  decimal: mulDec,
  int: (a, b, _a, _b, unsigned) =>
    unsigned ? inRange(BigInt.asUintN(64, a) * BigInt.asUintN(64, b), true) : inRange(a * b, false),
  isMultiply: true,
};

function binary(call: Call, op: Operation): Node {
  const kind = commonKind(call.args);
  const overflow = (type: string): CastError =>
    outOfRange(type, `(${call.args[0]!.text()} ${op.sign} ${call.args[1]!.text()})`);
  if (kind === "real") {
    const [a, b] = call.cast("real", "real", "real");
    const evaluate = lift2(a.eval, b.eval, (x, y) => {
      const value = op.real(x, y);
      if (!Number.isFinite(value)) throw overflow("DOUBLE");
      return value;
    });
    return call.real(evaluate, sizes(a.type, b.type, true, op.isMultiply));
  }
  if (kind === "decimal") {
    const [a, b] = call.cast("decimal", "decimal", "decimal");
    const evaluate = lift2(a.eval, b.eval, (x, y) => {
      const value = op.decimal(x, y);
      if (value === null) throw overflow("DECIMAL");
      return value;
    });
    return call.node("decimal", evaluate, sizes(a.type, b.type, false, op.isMultiply));
  }
  const [a, b] = call.cast("int", "int", "int");
  const unsignedA = isUnsigned(a.type);
  const unsignedB = isUnsigned(b.type);
  const forced = op === MINUS && call.ctx.noUnsignedSubtraction;
  const unsigned = (unsignedA || unsignedB) && !forced;
  const evaluate = lift2(a.eval, b.eval, (x, y) => {
    const value = op.int(x, y, unsignedA, unsignedB, unsigned);
    if (value === null) throw overflow(unsigned ? "BIGINT UNSIGNED" : "BIGINT");
    return value;
  });
  return unsigned ? call.uint(evaluate) : call.int(evaluate);
}

function divide(call: Call): Node {
  const { ctx } = call;
  if (commonKind(call.args) === "real") {
    const [a, b] = call.cast("real", "real", "real");
    const evaluate = lift2(a.eval, b.eval, (x, y) => {
      if (y === 0) return ctx.divisionByZero();
      const value = x / y;
      if (!Number.isFinite(value)) throw outOfRange("DOUBLE", `(${a.text()} / ${b.text()})`);
      return value;
    });
    return call.real(evaluate, { Flen: MAX_REAL_WIDTH, Decimal: -1 });
  }
  const [a, b] = call.cast("decimal", "decimal", "decimal");
  const scale = Math.min(Math.max(a.type.Decimal, 0) + DIV_PRECISION_INCREMENT, MAX_DECIMAL_SCALE);
  const precision =
    a.type.Flen < 0 ? MAX_DECIMAL_WIDTH : a.type.Flen - (a.type.Decimal > 0 ? 1 : 0) - (isUnsigned(a.type) ? 0 : 1);
  const flen = a.type.Flen < 0 ? precision : precision + Math.max(b.type.Decimal, 0) + DIV_PRECISION_INCREMENT + 2;
  const evaluate = lift2(a.eval, b.eval, (x, y) => {
    if (y.unscaled === 0n) return ctx.divisionByZero();
    const value = divDec(x, y, DIV_PRECISION_INCREMENT);
    if (value === null) throw outOfRange("DECIMAL", `(${a.text()} / ${b.text()})`);
    if (value.scale >= scale) return value;
    return dec({ ...value, unscaled: value.unscaled * 10n ** BigInt(scale - value.scale), scale });
  });
  return call.node("decimal", evaluate, { Flen: flen, Decimal: scale });
}

/** A whole quotient with the sign of the result; null for an overflow. */
function quotient(a: bigint, b: bigint, unsigned: boolean): bigint | null {
  const value = a / b;
  if (!unsigned) return inRange(value, false);
  return value === 0n ? 0n : inRange(value, true);
}

function integerDivide(call: Call): Node {
  const { ctx } = call;
  const unsigned = call.args.some((arg) => isUnsigned(arg.type));
  const type = unsigned ? "BIGINT UNSIGNED" : "BIGINT";
  if (commonKind(call.args) === "int") {
    const [a, b] = call.cast("int", "int", "int");
    const evaluate = lift2(a.eval, b.eval, (x, y) => {
      if (y === 0n) return ctx.divisionByZero();
      const value = quotient(x, y, unsigned);
      if (value === null) throw outOfRange(type, `(${x}, ${y})`);
      return value;
    });
    return unsigned ? call.uint(evaluate) : call.int(evaluate);
  }
  const [a, b] = call.cast("int", "decimal", "decimal");
  const evaluate = lift2(a.eval, b.eval, (x, y) => {
    if (y.unscaled === 0n) return ctx.divisionByZero();
    const whole = divDec(x, y, DIV_PRECISION_INCREMENT);
    const value = whole === null ? null : inRange(wholePart(whole), unsigned);
    if (value === null) throw outOfRange(type, `(${a.text()} DIV ${b.text()})`);
    return value;
  });
  return unsigned ? call.uint(evaluate) : call.int(evaluate);
}

function modulo(call: Call): Node {
  const { ctx } = call;
  const kind = commonKind(call.args);
  if (kind === "real") {
    const [a, b] = call.cast("real", "real", "real");
    const evaluate = lift2(a.eval, b.eval, (x, y) => (y === 0 ? ctx.divisionByZero() : x % y));
    return call.real(evaluate, modSizes(a.type, b.type, true));
  }
  if (kind === "decimal") {
    const [a, b] = call.cast("decimal", "decimal", "decimal");
    const evaluate = lift2(a.eval, b.eval, (x, y) => (y.unscaled === 0n ? ctx.divisionByZero() : modDec(x, y)));
    return call.node("decimal", evaluate, modSizes(a.type, b.type, false));
  }
  const [a, b] = call.cast("int", "int", "int");
  const evaluate = lift2(a.eval, b.eval, (x, y) => (y === 0n ? ctx.divisionByZero() : x % y));
  return isUnsigned(a.type) ? call.uint(evaluate) : call.int(evaluate);
}

function modSizes(a: FieldTypeInfo, b: FieldTypeInfo, isReal: boolean): Partial<FieldTypeInfo> {
  const Decimal = a.Decimal < 0 || b.Decimal < 0 ? -1 : Math.max(a.Decimal, b.Decimal);
  if (a.Flen < 0 || b.Flen < 0) return { Flen: -1, Decimal: isReal ? Decimal : Math.min(Decimal, MAX_DECIMAL_SCALE) };
  return { Flen: Math.min(Math.max(a.Flen, b.Flen), isReal ? MAX_REAL_WIDTH : MAX_DECIMAL_WIDTH), Decimal };
}

function negate(call: Call): Node {
  const [arg] = call.args as [Node];
  const flen = { Flen: arg.type.Flen + 1 };
  if (arg.kind === "int") {
    const limit = isUnsigned(arg.type) ? MAX_INT64 + 1n : MAX_INT64;
    const tooBig = isConst(arg) ? arg.eval([]) : null;
    if (tooBig === null || (tooBig <= limit && tooBig !== MIN_INT64)) {
      const [a] = call.cast("int", "int");
      const evaluate = lift1(a.eval, (v) => {
        if (v > limit || v === MIN_INT64) throw outOfRange("BIGINT", `-${v}`);
        return -v;
      });
      return call.int(evaluate, { ...flen, Decimal: 0 });
    }
  }
  if (arg.kind === "int" || arg.kind === "decimal" || arg.kind === "time" || arg.kind === "duration") {
    const [a] = call.cast("decimal", "decimal");
    const evaluate = lift1(a.eval, (v) => dec({ ...v, negative: !v.negative }, v.shown));
    return call.node("decimal", evaluate, { ...flen, Decimal: arg.kind === "int" ? 0 : arg.type.Decimal });
  }
  const [a] = call.cast("real", "real");
  return call.real(
    lift1(a.eval, (v) => -v),
    flen,
  );
}

export const arithmetic: FunctionTable = {
  plus: fn((call) => binary(call, PLUS), 2),
  minus: fn((call) => binary(call, MINUS), 2),
  mul: fn((call) => binary(call, TIMES), 2),
  div: fn(divide, 2),
  intdiv: fn(integerDivide, 2),
  mod: fn(modulo, 2),
  unaryminus: fn(negate, 1),
};
