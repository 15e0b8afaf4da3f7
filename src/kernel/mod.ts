/**
 * A small language for loops over bytes, compiled to WebAssembly while the program runs. What it is for: code that is made for one
 * table, uses 64-bit integers and reads eight bytes at a time, all of which JavaScript is slow at.
 *
 *   export fn sum(from: i32, end: i32): i64 {
 *     let total: i64 = 0;
 *     while (from < end) { total += i64(load8(from)); from += 1; }
 *     return total;
 *   }
 *
 * Types are `i32` and `i64`; literals take the type that is wanted, `7L` is always an i64. Operators are those of JavaScript with the
 * same precedence, comparisons and `>>` signed, `>>>` unsigned; both sides have one type. Built in: `load8/16/32/64(at[, offset])`,
 * `store8/16/32/64(at, value[, offset])` (little-endian, any alignment), `i32(x)`, `i64(x)` (unsigned), `i64s(x)` (signed), `ctz`, `clz`,
 * `popcnt`, `rotl`, `ltu`, `gtu`, `divu`, `remu`, `select(a, b, condition)`, `copy(to, from, size)`. Doubles are i64 of their bits:
 * `double(x)` of an unsigned number, `fmul`, `fdiv`, `fround` (to the nearest 32-bit float, as a double).
 *
 * Invariants: a source compiles to the same bytes everywhere; what it says wrongly is a bug of ours and trips an assertion that names the
 * line. It lacks: a type of floats, vectors, arrays, imports.
 */
export { compileKernel } from "./compile.ts";
export { type Kernel, startKernel } from "./start.ts";
