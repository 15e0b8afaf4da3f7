/** What operators and built-in functions of kernels compile to. */
import type { ValueType } from "./wasm-bytes.ts";

interface Operator {
  readonly binding: number;
  readonly i32: number;
  readonly i64: number;
  /** The answer is an i32, whatever is compared. */
  readonly compares?: boolean;
}

/** Binary operators, `&&` and `||` apart; a larger `binding` holds tighter. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["|", { binding: 3, i32: 0x72, i64: 0x84 }],
  ["^", { binding: 4, i32: 0x73, i64: 0x85 }],
  ["&", { binding: 5, i32: 0x71, i64: 0x83 }],
  ["==", { binding: 6, i32: 0x46, i64: 0x51, compares: true }],
  ["!=", { binding: 6, i32: 0x47, i64: 0x52, compares: true }],
  ["<", { binding: 7, i32: 0x48, i64: 0x53, compares: true }],
  [">", { binding: 7, i32: 0x4a, i64: 0x55, compares: true }],
  ["<=", { binding: 7, i32: 0x4c, i64: 0x57, compares: true }],
  [">=", { binding: 7, i32: 0x4e, i64: 0x59, compares: true }],
  ["<<", { binding: 8, i32: 0x74, i64: 0x86 }],
  [">>", { binding: 8, i32: 0x75, i64: 0x87 }],
  [">>>", { binding: 8, i32: 0x76, i64: 0x88 }],
  ["+", { binding: 9, i32: 0x6a, i64: 0x7c }],
  ["-", { binding: 9, i32: 0x6b, i64: 0x7d }],
  ["*", { binding: 10, i32: 0x6c, i64: 0x7e }],
]);

export const OR_BINDING = 1;
export const AND_BINDING = 2;

/** Functions of two values of one type. */
export const PAIR_FUNCTIONS: ReadonlyMap<string, Omit<Operator, "binding">> = new Map([
  ["ltu", { i32: 0x49, i64: 0x54, compares: true }],
  ["gtu", { i32: 0x4b, i64: 0x56, compares: true }],
  ["divu", { i32: 0x6e, i64: 0x80 }],
  ["remu", { i32: 0x70, i64: 0x82 }],
  ["rotl", { i32: 0x77, i64: 0x89 }],
]);

/** Functions of one value that answer in its type. */
export const ONE_FUNCTIONS: ReadonlyMap<string, Readonly<Record<ValueType, number>>> = new Map([
  ["clz", { i32: 0x67, i64: 0x79 }],
  ["ctz", { i32: 0x68, i64: 0x7a }],
  ["popcnt", { i32: 0x69, i64: 0x7b }],
]);

interface Access {
  readonly opcode: number;
  readonly type: ValueType;
}

export const LOADS: ReadonlyMap<string, Access> = new Map([
  ["load8", { opcode: 0x2d, type: "i32" }],
  ["load16", { opcode: 0x2f, type: "i32" }],
  ["load32", { opcode: 0x28, type: "i32" }],
  ["load64", { opcode: 0x29, type: "i64" }],
]);

export const STORES: ReadonlyMap<string, Access> = new Map([
  ["store8", { opcode: 0x3a, type: "i32" }],
  ["store16", { opcode: 0x3b, type: "i32" }],
  ["store32", { opcode: 0x36, type: "i32" }],
  ["store64", { opcode: 0x37, type: "i64" }],
]);

/** Functions of doubles, which are given and answered as their bits; two arguments where `two`. */
export const DOUBLE_FUNCTIONS: ReadonlyMap<string, { readonly two: boolean; readonly code: readonly number[] }> =
  new Map([
    ["fmul", { two: true, code: [0xa2] }],
    ["fdiv", { two: true, code: [0xa3] }],
    // f32.demote_f64 and f64.promote_f32.
    ["fround", { two: false, code: [0xb6, 0xbb] }],
  ]);
