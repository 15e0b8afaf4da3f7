/** Functions that all bulk kernels share, in the language of `kernel/`. */
import { CRC_TABLES, NO_WEIGHT, SORT_KEY, SUM_ENTRY, SUM_GROUPS, SUM_STRIDE, SUMS_AT } from "./memory.ts";

/** Flipped, numbers with a sign ascend as those without. */
export const SIGN_BIT = "0x8000000000000000L";

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

// Pairs of one shape are xored; others go through CRC each, into the sums at "sums".
fn sumAlone(sums: i32, key: i32, keyEnd: i32, value: i32, end: i32) {
  store64(sums, load64(sums) ^ ~crcBytes(crcBytes(-1L, key, keyEnd), value, end));
  store64(sums, load64(sums, 8) + i64(keyEnd - key + end - value), 8);
  store64(sums, load64(sums, 16) + 1, 16);
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

// An entry, with those of the same lengths in "groups"; where others have taken the place, alone.
fn sumEntry(groups: i32, alone: i32, key: i32, keySize: i32, value: i32, end: i32) {
  if (end - key <= ${SUM_ENTRY}) {
    let valueSize = end - value;
    let lengths = (keySize << 16) | valueSize;
    let group = (keySize * 37 + valueSize) & ${SUM_GROUPS - 1};
    let at = groups + group * 8;
    let known = load32(at);
    if (known == 0) { store32(at, lengths); known = lengths; }
    if (known == lengths) {
      sumInto(groups + ${SUMS_AT} + group * ${SUM_STRIDE}, at + 4, key, end);
      return;
    }
  }
  sumAlone(alone, key, key + keySize, value, end);
}
`;

/** What index entries are made with. */
export const KEY_PART = `
// Copies whole words; what is behind the end is written over.
fn words(from: i32, to: i32, size: i32) {
  let i = 0;
  while (i < size) {
    store64(to + i, load64(from + i));
    i += 8;
  }
}

// Copies at least eight bytes, none behind the end.
fn exactly(from: i32, to: i32, size: i32) {
  let i = 0;
  while (i + 8 <= size) {
    store64(to + i, load64(from + i));
    i += 8;
  }
  store64(to + size - 8, load64(from + size - 8));
}

// The comparable form of bytes: groups of eight with a mark behind each; the position behind it.
fn groups(from: i32, end: i32, to: i32): i32 {
  let p = from;
  let o = to;
  while (end - p >= 8) {
    store64(o, load64(p));
    store8(o, 255, 8);
    p += 8;
    o += 9;
  }
  let rest = end - p;
  store64(o, load64(p) & ((1L << i64(rest << 3)) - 1L));
  store8(o, 247 + rest, 8);
  return o + 9;
}

// End of a text without the blanks at its end.
fn trimmed(from: i32, end: i32): i32 {
  let e = end;
  while (e > from && load8(e - 1) == 32) { e -= 1; }
  return e;
}

// Bytes of the first characters of a text.
fn prefix(from: i32, size: i32, characters: i32): i32 {
  let p = from;
  let left = characters;
  while (p < from + size) {
    if ((load8(p) & 0xc0) != 0x80) {
      if (left == 0) { break; }
      left -= 1;
    }
    p += 1;
  }
  return p - from;
}

// Weights of ASCII characters, one behind the other; the position behind them.
fn weights(from: i32, end: i32, table: i32): i32 {
  let o = ${SORT_KEY};
  let p = from;
  while (p < end) {
    let weight = load16(table + (load8(p) << 1));
    store16(o, weight);
    o += (weight != ${NO_WEIGHT}) << 1;
    p += 1;
  }
  return o;
}

// Bytes that a number takes in a row.
fn signedSize(v: i64): i32 {
  let wide = 64L - clz(v ^ (v >> 63L));
  return 1 << ((wide > 7) + (wide > 15) + (wide > 31));
}

fn unsignedSize(v: i64): i32 {
  let wide = 64L - clz(v);
  return 1 << ((wide > 8) + (wide > 16) + (wide > 32));
}

// Two bytes of a length from 128 on.
fn length2(size: i32): i32 {
  return (size & 127) | 128 | ((size >>> 7) << 8);
}

// Tags and lengths of an entry whose key stands four bytes behind "at" where they need more; by how much the key was moved.
fn longHead(at: i32, keySize: i32, end: i32): i32 {
  let wideKey: i32 = keySize >= 128;
  let pair = end - at - 2 + wideKey;
  let widePair: i32 = pair >= 128;
  copy(at + 4 + wideKey + widePair, at + 4, end - at - 4);
  store8(at, 0x12);
  if (widePair) { store16(at, length2(pair), 1); } else { store8(at, pair, 1); }
  let k = at + 2 + widePair;
  store8(k, 0x0a);
  if (wideKey) { store16(k, length2(keySize), 1); } else { store8(k, keySize, 1); }
  return wideKey + widePair;
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
