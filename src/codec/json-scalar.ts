/** Strings and numbers of JSON texts, with the rules of Go's `encoding/json`. */
import { textOf } from "../base/mod.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { JsonType } from "./json-binary.ts";
import { invalidJson } from "./json-error.ts";
import { putRune, utf8SequenceLength } from "./utf8.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What a letter behind a backslash stands for; 0 for letters that may not stand there. */
const ESCAPES = new Uint8Array(256);
ESCAPES[QUOTE] = QUOTE;
ESCAPES[BACKSLASH] = BACKSLASH;
ESCAPES[0x2f] = 0x2f;
ESCAPES[0x62] = 0x08;
ESCAPES[0x66] = 0x0c;
ESCAPES[0x6e] = 0x0a;
ESCAPES[0x72] = 0x0d;
ESCAPES[0x74] = 0x09;

/** Offset of the quote that ends the string whose first byte is at `at`. */
export function jsonStringEnd(source: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const c = source[i]!;
    if (c === QUOTE) return i;
    if (c < 0x20) throw invalidJson();
    if (c === BACKSLASH) i++;
  }
  throw invalidJson();
}

/** Appends the string `source[start, end)` with escapes resolved; invalid UTF-8 and lone surrogates become U+FFFD. */
export function appendJsonString(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  out.reserve(end - start);
  const { bytes } = out;
  let to = out.length;
  let at = start;
  for (; at < end; at++) {
    const c = source[at]!;
    if (c === BACKSLASH || c >= 0x80) break;
    bytes[to++] = c;
  }
  out.length = to;
  while (at < end) {
    const c = source[at]!;
    if (c === BACKSLASH) at = appendEscape(out, source, at, end);
    else at += appendRune(out, source, at, end);
  }
}

function appendRune(out: ByteWriter, source: Uint8Array, at: number, end: number): number {
  const size = utf8SequenceLength(source, at, end);
  if (size === 0) {
    putRune(out, 0xfffd);
    return 1;
  }
  out.slice(source, at, at + size);
  return size;
}

function appendEscape(out: ByteWriter, source: Uint8Array, at: number, end: number): number {
  const kind = source[at + 1]!;
  if (kind !== LETTER_U) {
    const value = ESCAPES[kind]!;
    if (value === 0) throw invalidJson();
    out.u8(value);
    return at + 2;
  }
  let rune = hex4(source, at + 2, end);
  if (rune < 0) throw invalidJson();
  let next = at + 6;
  if (rune >= 0xd800 && rune <= 0xdfff) {
    const paired = next < end && source[next] === BACKSLASH && source[next + 1] === LETTER_U;
    const low = paired ? hex4(source, next + 2, end) : -1;
    if (rune < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
      rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
      next += 6;
    } else rune = 0xfffd;
  }
  putRune(out, rune);
  return next;
}

function hex4(source: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const c = source[i]! | 0x20;
    const digit = c >= 0x61 && c <= 0x66 ? c - 0x57 : isDigit(source[i]!) ? source[i]! - 0x30 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** Where the number that `appendJsonNumber` read ends. */
export const jsonNumber = { end: 0 };

/** Offset behind the digits at `at`, of which there must be one. */
function digitsEnd(source: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && isDigit(source[i]!)) i++;
  if (i === at) throw invalidJson();
  return i;
}

/**
 * Appends the eight bytes of the number at `at` and returns its type: the first of signed, unsigned and double that takes it. Its end
 * is left in `jsonNumber.end`.
 */
export function appendJsonNumber(out: ByteWriter, source: Uint8Array, at: number, end: number): number {
  const negative = source[at] === 0x2d && at < end;
  const first = negative ? at + 1 : at;
  // A zero may only stand alone.
  let i = first < end && source[first] === 0x30 ? first + 1 : digitsEnd(source, first, end);
  const wholeEnd = i;
  if (i < end && source[i] === 0x2e) i = digitsEnd(source, i + 1, end);
  if (i < end && (source[i]! | 0x20) === 0x65) {
    i++;
    if (i < end && (source[i] === 0x2b || source[i] === 0x2d)) i++;
    i = digitsEnd(source, i, end);
  }
  jsonNumber.end = i;
  if (i > wholeEnd) return appendDouble(out, source, at, i);
  if (wholeEnd - first > 15) return appendLong(out, source, at, i);
  let value = 0;
  for (let k = first; k < wholeEnd; k++) value = value * 10 + source[k]! - 0x30;
  const high = Math.floor(value / 0x100000000);
  const low = value % 0x100000000;
  out.u32le(negative ? -low : low);
  out.u32le(!negative ? high : low === 0 ? -high : ~high);
  return JsonType.int64;
}

function appendLong(out: ByteWriter, source: Uint8Array, start: number, end: number): number {
  if (end - start <= 20) {
    const value = BigInt(textOf(source.subarray(start, end)));
    if (value >= -(1n << 63n) && value < 1n << 64n) {
      out.u64le(value);
      return value < 1n << 63n ? JsonType.int64 : JsonType.uint64;
    }
  }
  return appendDouble(out, source, start, end);
}

function appendDouble(out: ByteWriter, source: Uint8Array, start: number, end: number): number {
  const text = textOf(source.subarray(start, end));
  const value = Number(text);
  if (!Number.isFinite(value)) throw invalidJson(`strconv.ParseFloat: parsing "${text}": value out of range`);
  out.f64le(value);
  return JsonType.double;
}
