/** AND, OR, NOT, IS … and the bit operators (TiDB `pkg/expression/builtin_op.go`). */
import { type Call, type FunctionTable, fn } from "../call.ts";
import { lift1, lift2, type Node } from "../node.ts";
import { truthForNot, truthOf } from "../truth.ts";
import type { Eval } from "../value.ts";

function and(call: Call): Node {
  const [a, b] = call.args.map((arg) => truthOf(call.ctx, arg)) as [Eval<boolean>, Eval<boolean>];
  call.collation = call.derive("int", undefined);
  return call.bool((row) => {
    const x = a(row);
    if (x === false) return false;
    const y = b(row);
    return y === false ? false : x === null || y === null ? null : true;
  });
}

function or(call: Call): Node {
  const [a, b] = call.args.map((arg) => truthOf(call.ctx, arg)) as [Eval<boolean>, Eval<boolean>];
  call.collation = call.derive("int", undefined);
  return call.bool((row) => {
    const x = a(row);
    if (x === true) return true;
    const y = b(row);
    return y === true ? true : x === null || y === null ? null : false;
  });
}

function xor(call: Call): Node {
  const [a, b] = call.args.map((arg) => truthOf(call.ctx, arg)) as [Eval<boolean>, Eval<boolean>];
  call.collation = call.derive("int", undefined);
  return call.bool(lift2(a, b, (x, y) => x !== y));
}

function not(call: Call): Node {
  const truth = truthForNot(call.ctx, call.args[0]!);
  call.collation = call.derive("int", undefined);
  return call.bool(lift1(truth, (v) => !v));
}

/** IS TRUE, IS FALSE: never NULL. */
function is(wanted: boolean): (call: Call) => Node {
  return (call) => {
    const truth = truthOf(call.ctx, call.args[0]!);
    call.collation = call.derive("int", undefined);
    return call.bool((row) => truth(row) === wanted);
  };
}

function isNull(call: Call): Node {
  const { eval: evaluate } = call.args[0]!;
  call.collation = call.derive("int", undefined);
  return call.bool((row) => evaluate(row) === null);
}

function bits(combine: (a: bigint, b: bigint) => bigint): (call: Call) => Node {
  return (call) => {
    const [a, b] = call.cast("int", "int", "int");
    return call.uint(lift2(a.eval, b.eval, (x, y) => BigInt.asUintN(64, combine(x, y))));
  };
}

/** Both operands as 64 bits without a sign; 64 places and more leave nothing. */
function shift(move: (value: bigint, places: bigint) => bigint): (call: Call) => Node {
  return bits((a, b) => {
    const places = BigInt.asUintN(64, b);
    return places >= 64n ? 0n : move(BigInt.asUintN(64, a), places);
  });
}

function invert(call: Call): Node {
  const [a] = call.cast("int", "int");
  return call.uint(lift1(a.eval, (v) => BigInt.asUintN(64, ~v)));
}

function bitCount(call: Call): Node {
  const [a] = call.cast("int", "int");
  return call.int(
    lift1(a.eval, (v) => {
      let count = 0;
      for (let rest = BigInt.asUintN(64, v); rest > 0n; rest &= rest - 1n) count++;
      return BigInt(count);
    }),
    { Flen: 2 },
  );
}

export const logic: FunctionTable = {
  and: fn(and, 2),
  or: fn(or, 2),
  xor: fn(xor, 2),
  not: fn(not, 1),
  istrue: fn(is(true), 1),
  isfalse: fn(is(false), 1),
  isnull: fn(isNull, 1),
  bitand: fn(
    bits((a, b) => a & b),
    2,
  ),
  bitor: fn(
    bits((a, b) => a | b),
    2,
  ),
  bitxor: fn(
    bits((a, b) => a ^ b),
    2,
  ),
  leftshift: fn(
    shift((a, n) => a << n),
    2,
  ),
  rightshift: fn(
    shift((a, n) => a >> n),
    2,
  ),
  bitneg: fn(invert, 1),
  bit_count: fn(bitCount, 1),
};
