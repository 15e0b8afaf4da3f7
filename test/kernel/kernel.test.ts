import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { startKernel } from "../../src/kernel/mod.ts";

/** Functions of a kernel that works on the numbers at 0 and 8 of its memory. */
function kernelOf(source: string): { bytes: DataView; call: (name: string, ...args: number[]) => number } {
  const kernel = startKernel(source, 1)!;
  return {
    bytes: new DataView(kernel.bytes.buffer),
    call: (name, ...args) => kernel.functions[name]!(...args),
  };
}

const int32 = (x: number | boolean): number => Number(x) | 0;

/** The operators of 32 bits and what JavaScript says of them. */
const OPERATORS: Record<string, (a: number, b: number) => number | boolean> = {
  "a + b": (a, b) => a + b,
  "a - b": (a, b) => a - b,
  "a * b": (a, b) => Math.imul(a, b),
  "a & b | 12": (a, b) => (a & b) | 12,
  "a ^ ~b": (a, b) => a ^ ~b,
  "a << (b & 31)": (a, b) => a << (b & 31),
  "a >> 3": (a) => a >> 3,
  "a >>> (b & 7)": (a, b) => a >>> (b & 7),
  "a < b": (a, b) => a < b,
  "a >= b": (a, b) => a >= b,
  "ltu(a, b)": (a, b) => a >>> 0 < b >>> 0,
  "gtu(a, b)": (a, b) => a >>> 0 > b >>> 0,
  "divu(a, b | 1)": (a, b) => Math.floor((a >>> 0) / ((b | 1) >>> 0)),
  "remu(a, b | 1)": (a, b) => (a >>> 0) % ((b | 1) >>> 0),
  "a == b || a < 0 && b > 5": (a, b) => a === b || (a < 0 && b > 5),
  "!a + -b": (a, b) => int32(!a) - b,
  "select(a, b, a > b)": (a, b) => Math.max(a, b),
  "a - b - 1": (a, b) => a - b - 1,
  "2 + a * 3 - (b + 1) * 5": (a, b) => 2 + Math.imul(a, 3) - Math.imul(b + 1, 5),
  "clz(a)": (a) => Math.clz32(a),
};

test("operators of 32 bits are those of JavaScript", () => {
  const names = Object.keys(OPERATORS);
  const source = names.map((code, i) => `export fn f${i}(a: i32, b: i32): i32 { return ${code}; }`).join("\n");
  const { call } = kernelOf(source);
  const random = seededRandom(1);
  for (let k = 0; k < 300; k++) {
    const [a, b] = [0, 0].map(() => int32((random.next() - 0.5) * 2 ** (k % 34))) as [number, number];
    names.forEach((code, i) => {
      assert.equal(call(`f${i}`, a, b), int32(OPERATORS[code]!(a, b)), `${code} of ${a} and ${b}`);
    });
  }
});

test("64 bits, conversions, loads and stores of every size", () => {
  const { bytes, call } = kernelOf(`
    export fn f() {
      let a = load64(0);
      store64(16, a * 0x123456789abcdefL + (a >>> 7L) - (a >> 9L));
      store64(24, i64s(load32(0)) ^ i64(load32(4)));
      store32(33, i32(a >>> 32L));
      store16(40, load16(1));
      store8(40, load8(7), 2);
      store64(48, rotl(a, 13L) & -5 | ctz(a) + popcnt(a));
      copy(56, 0, 8);
    }`);
  for (const a of [0x0123456789abcdefn, 0xfedcba9876543210n, 1n << 63n]) {
    bytes.setBigUint64(0, a, true);
    call("f");
    const wrap = (x: bigint): bigint => BigInt.asUintN(64, x);
    const signed = BigInt.asIntN(64, a);
    assert.equal(bytes.getBigUint64(16, true), wrap(a * 0x123456789abcdefn + (a >> 7n) - (signed >> 9n)));
    assert.equal(bytes.getBigUint64(24, true), wrap(BigInt.asIntN(32, a) ^ (a >> 32n)));
    assert.equal(bytes.getUint32(33, true), Number(a >> 32n));
    assert.equal(bytes.getUint16(40, true), Number((a >> 8n) & 0xffffn));
    assert.equal(bytes.getUint8(42), Number(a >> 56n));
    const bits = [...a.toString(2)].filter((bit) => bit === "1").length;
    const zeros = a.toString(2).padStart(64, "0").length - 1 - a.toString(2).padStart(64, "0").lastIndexOf("1");
    assert.equal(bytes.getBigUint64(48, true), (wrap((a << 13n) | (a >> 51n)) & wrap(-5n)) | BigInt(zeros + bits));
    assert.equal(bytes.getBigUint64(56, true), a);
  }
});

test("doubles by their bits", () => {
  const { bytes, call } = kernelOf(`
    export fn f() {
      store64(16, double(load64(0)));
      store64(24, fmul(double(load64(0)), load64(8)));
      store64(32, fdiv(double(load64(0)), load64(8)));
      store64(40, fround(load64(8)));
    }`);
  for (const x of [0n, 1n, 123456789n, (1n << 53n) - 1n, (1n << 64n) - 1n]) {
    for (const y of [10, 1e22, 0.1, 1e300]) {
      bytes.setBigUint64(0, x, true);
      bytes.setFloat64(8, y, true);
      call("f");
      const results = [16, 24, 32, 40].map((at) => bytes.getFloat64(at, true));
      assert.deepEqual(results, [Number(x), Number(x) * y, Number(x) / y, Math.fround(y)]);
    }
  }
});

test("loops, conditions, calls, globals and scopes", () => {
  const { call } = kernelOf(`
    global calls: i32;
    fn fib(n: i32): i32 { calls += 1; if (n < 2) { return n; } return fib(n - 1) + fib(n - 2); }
    export fn fibs(n: i32): i32 { calls = 0; let sum = fib(n); fib(1); return sum * 1000 + calls; }
    // Odd numbers up to 20, without 7; a name in a block hides the one outside.
    export fn odd(n: i32): i32 {
      let sum = 0;
      let i = 0;
      while (1) {
        i += 1;
        if (i > n) { break; }
        if ((i & 1) == 0) { continue; } else if (i == 7) { continue; } else { let sum = 5; sum += 1; }
        let k = 0;
        while (k < i) { k += 1; if (k == 20) { break; } }
        sum += k;
      }
      return sum;
    }`);
  assert.equal(call("fibs", 10), 55_000 + 178);
  assert.equal(call("odd", 12), 1 + 3 + 5 + 9 + 11);
});

test("what a kernel says wrongly is named with its line", () => {
  const wrong = (source: string, expected: RegExp): void => {
    assert.throws(() => startKernel(source, 1), expected);
  };
  wrong("export fn f(): i32 {\n return g; }", /line 2 at ";": g is not known/);
  wrong("fn f(a: i64): i32 { return a + load8(0); }", /right side of \+ is no i64/);
  wrong("fn f() { let a: i64 = load8(0); }", /a is i64, its value i32/);
  wrong("fn f() { break; }", /there is no loop/);
  wrong("fn f() { } fn f() { }", /f is there twice/);
  wrong("fn f() { if (1) { ", /a block has no end/);
});
