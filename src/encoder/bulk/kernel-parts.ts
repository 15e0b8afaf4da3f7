/** Functions that all bulk kernels share, in the language of `kernel/`. */
import { CRC_TABLES } from "./memory.ts";

export const CODE_POWERS = Array.from({ length: 19 }, (_, i) => `${10n ** BigInt(i)}L`);

/** Slicing by 8 as in `codec/crc64.ts`, with whole entries of 64 bits. */
export const CRC_PART = `
export fn crcInit() {
  let b = 0;
  while (b < 256) {
    let c = i64(b);
    let bit = 0;
    while (bit < 8) {
      c = (c >>> 1L) ^ (0xc96c5795d7870f42L & (0L - (c & 1L)));
      bit += 1;
    }
    store64(${CRC_TABLES} + b * 8, c);
    b += 1;
  }
  let at = ${CRC_TABLES};
  while (b < 2048) {
    let c = load64(at);
    store64(at, load64(${CRC_TABLES} + (i32(c) & 255) * 8) ^ (c >>> 8L), 2048);
    at += 8;
    b += 1;
  }
}

fn crcBytes(before: i64, from: i32, end: i32): i64 {
  let c = before;
  let p = from;
  while (end - p >= 8) {
    c ^= load64(p);
    c = load64(((i32(c) & 255) << 3), ${CRC_TABLES + 7 * 2048})
      ^ load64(((i32(c >>> 8L) & 255) << 3), ${CRC_TABLES + 6 * 2048})
      ^ load64(((i32(c >>> 16L) & 255) << 3), ${CRC_TABLES + 5 * 2048})
      ^ load64(((i32(c >>> 24L) & 255) << 3), ${CRC_TABLES + 4 * 2048})
      ^ load64(((i32(c >>> 32L) & 255) << 3), ${CRC_TABLES + 3 * 2048})
      ^ load64(((i32(c >>> 40L) & 255) << 3), ${CRC_TABLES + 2 * 2048})
      ^ load64(((i32(c >>> 48L) & 255) << 3), ${CRC_TABLES + 2048})
      ^ load64(i32(c >>> 56L) << 3, ${CRC_TABLES});
    p += 8;
  }
  while (p < end) {
    c = load64(((i32(c) ^ load8(p)) & 255) << 3, ${CRC_TABLES}) ^ (c >>> 8L);
    p += 1;
  }
  return c;
}

// Pairs of one shape are xored; others go through CRC each.
fn sumAlone(key: i32, keyEnd: i32, value: i32, end: i32) {
  crcTotal ^= ~crcBytes(crcBytes(-1L, key, keyEnd), value, end);
  crcPairs += 1;
  crcSize += keyEnd - key + end - value;
}

// Key, tag, length and value as they lie; what is behind the value is left out when the sum is read.
fn sumInto(sum: i32, count: i32, key: i32, end: i32) {
  store32(count, load32(count) + 1);
  let to = sum;
  let p = key;
  while (p < end) {
    store64(to, load64(to) ^ load64(p));
    to += 8;
    p += 8;
  }
}
`;

export const COMMON_PART = `
global number: i64;

fn bswap(x: i64): i64 {
  let a = ((x & 0x00ff00ff00ff00ffL) << 8L) | ((x >>> 8L) & 0x00ff00ff00ff00ffL);
  return rotl(((a & 0x0000ffff0000ffffL) << 16L) | ((a >>> 16L) & 0x0000ffff0000ffffL), 32L);
}

// Up to 18 digits at p into "number"; the position behind them, 0 where there are more or none.
fn digits(from: i32): i32 {
  let p = from;
  let value: i64 = 0;
  let d = load8(p) - 48;
  while (ltu(d, 10)) {
    value = value * 10L + i64(d);
    p += 1;
    d = load8(p) - 48;
  }
  if (p == from || p - from > 18) { return 0; }
  number = value;
  return p;
}

fn validDay(year: i32, month: i32, day: i32): i32 {
  if (month == 2) {
    if (day > 29) { return 0; }
    if (day < 29) { return 1; }
    return (year & 3) == 0 && (remu(year, 100) != 0 || remu(year, 400) == 0);
  }
  if (month == 4 || month == 6 || month == 9 || month == 11) { return day <= 30; }
  return day <= 31;
}

// Copies UTF-8 from "from" up to a token, of which "classes" tells; the position of the token, 0 where a character is invalid or longer
// than "longest". "number" is the count of bytes that begin no character.
fn utf8Text(from: i32, to: i32, classes: i32, longest: i32): i32 {
  let p = from;
  let o = to;
  number = 0;
  while (1) {
    let c = load8(p);
    if (c < 128) {
      if (load8(classes + c)) { return p; }
      store8(o, c);
      p += 1;
      o += 1;
      continue;
    }
    let size = 2 + (c >= 0xe0) + (c >= 0xf0);
    let least = 0x80 + 0x20 * (c == 0xe0) + 0x10 * (c == 0xf0);
    let most = 0xbf - 0x20 * (c == 0xed) - 0x30 * (c == 0xf4);
    let second = load8(p, 1);
    if (c < 0xc2 || c > 0xf4 || size > longest || second < least || second > most) { return 0; }
    if (size > 2 && (load8(p, 2) & 0xc0) != 0x80) { return 0; }
    if (size > 3 && (load8(p, 3) & 0xc0) != 0x80) { return 0; }
    store32(o, load32(p));
    p += size;
    o += size;
    number += i64(size - 1);
  }
}

// Order of the key at b to that at a: 3 above, 1 equal, 0 below.
fn ascends(a: i32, aSize: i32, b: i32, bSize: i32): i32 {
  let size = select(aSize, bSize, aSize < bSize);
  let i = 0;
  while (i < size) {
    let x = load64(a + i) ^ load64(b + i);
    if (x != 0) {
      let k = i + i32(ctz(x) >>> 3L);
      if (k < size) { return select(3, 0, load8(a + k) < load8(b + k)); }
      break;
    }
    i += 8;
  }
  if (aSize == bSize) { return 1; }
  return select(3, 0, aSize < bSize);
}
`;
