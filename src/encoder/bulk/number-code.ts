/** Code of a bulk kernel for the values of numbers: digits, and the types that few tables have. */
import { SIGN_BIT } from "./kernel-parts.ts";
import { POWERS, POWERS_MAX } from "./memory.ts";
import type { FieldForm } from "./plan.ts";

/** The byte eight times, as a number of 64 bits. */
export function eightTimes(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0").repeat(8)}L`;
}

/** A minus sign. */
export const MINUS = "let minus = 0; if (load8(p) == 45) { minus = 1; p += 1; }";

/** Eight digits in `x`, the first one lowest, as a number. */
export const EIGHT_DIGITS = `
    x = x * 2561L >>> 8L;
    x = (x & 0x00ff00ff00ff00ffL) * 6553601L >>> 16L;
    x = (x & 0x0000ffff0000ffffL) * 42949672960001L >>> 32L;`;

/** Digits at `p` into `v`: fewer than eight by three multiplications, more by a loop. */
export const NUMBER = `
  let v: i64 = 0;
  let x = load64(p) ^ ${eightTimes(0x30)};
  let n = ctz(((x + ${eightTimes(0x76)}) | x) & ${eightTimes(0x80)});
  if (n < 64) {
    n = n & 56;
    if (n == 0) { return 0; }
    x = x << (64L - n);
    ${EIGHT_DIGITS}
    v = x;
    p += i32(n >>> 3L);
  } else {
    p = digits(p);
    if (p == 0) { return 0; }
    v = number;
  }`;

/** Four digits of a year that YEAR can hold. */
export function yearCode(position: number): string {
  return `{
    let from = p;
    ${NUMBER}
    if (p - from != 4 || v < 1901 || v > 2155) { return 0; }
    k${position} = v;
    store16(o, i32(v));
    o += 2;
  }`;
}

/** Numbers below are exact as doubles. */
const MANTISSA = 1n << 53n;

/**
 * `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?` where digits and power of ten are exact as doubles, so that one product or quotient rounds as
 * the runtime does; none is beyond the range of FLOAT. Zero has no sign in a key.
 */
export function floatCode({ single, unsigned }: FieldForm & { kind: "float" }): string {
  return `{
    ${unsigned ? "let minus = 0;" : MINUS}
    let all: i64 = 0;
    let power = 0;
    let start = p;
    { ${NUMBER} all = v; }
    if (load8(p) == 46) {
      p += 1;
      let from = p;
      ${NUMBER}
      power = from - p;
      if (p - start > 19) { return 0; }
      let left = power;
      while (left < 0) { all *= 10L; left += 1; }
      all += v;
    }
    if (gtu(all, ${MANTISSA - 1n}L)) { return 0; }
    if ((load8(p) | 32) == 101) {
      p += 1;
      let below: i32 = load8(p) == 45;
      p += below | (load8(p) == 43);
      let from = p;
      ${NUMBER}
      if (p - from > 3) { return 0; }
      power += select(-i32(v), i32(v), below);
    }
    if (power > ${POWERS_MAX} || power < -${POWERS_MAX}) { return 0; }
    let bits = double(all);
    if (power < 0) { bits = fdiv(bits, load64(${POWERS} - power * 8)); }
    else { bits = fmul(bits, load64(${POWERS} + power * 8)); }
    ${single ? "bits = fround(bits);" : ""}
    if (minus) { minus = bits != 0; }
    bits = select(~(bits | ${SIGN_BIT}), bits | ${SIGN_BIT}, minus);
    store64(o, bswap(bits));
    o += 8;
  }`;
}

/** One of the elements, the longest first: what it is followed by is looked at behind it. */
export function enumCode({ elements }: FieldForm & { kind: "enum" }, position: number): string {
  const longestFirst = [...elements].sort(([a], [b]) => b.length - a.length);
  const tests = longestFirst.map(
    ([name, value]) => `if (${startsWith(name)}) { k${position} = ${value}; p += ${name.length}; }`,
  );
  return `${[...tests, "{ return 0; }"].join("\n    else ")} store8(o, i32(k${position})); o += 1;`;
}

function startsWith(name: Uint8Array): string {
  const words: string[] = [];
  for (let at = 0; at < name.length; at += 8) {
    const piece = name.subarray(at, at + 8);
    const value = piece.reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
    const mask = (1n << BigInt(8 * piece.length)) - 1n;
    words.push(`(load64(p, ${at}) & 0x${mask.toString(16)}L) == 0x${value.toString(16)}L`);
  }
  return words.length === 0 ? "1" : words.join(" && ");
}
