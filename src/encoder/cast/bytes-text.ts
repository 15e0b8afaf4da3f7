/**
 * Text as bytes: the loose parsers count bytes, as TiDB does, so they work on "byte strings": JavaScript strings with one
 * character a byte. Classes of characters are those of Go's `unicode` package and of TiDB `pkg/types/helper.go`.
 */
import { textOf } from "../../base/mod.ts";

const CHUNK = 4096;

/** The bytes as a string of characters U+0000..U+00FF. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let out = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    out += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  }
  return out;
}

/** The bytes of a byte string. */
export function bytesOf(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/** A byte string as readable text, for messages. */
export function readable(text: string): string {
  return textOf(bytesOf(text));
}

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** ASCII punctuation, symbols included. */
export function isPunctuation(c: number): boolean {
  return (c >= 0x21 && c <= 0x2f) || (c >= 0x3a && c <= 0x40) || (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/** Space, \t \n \v \f \r, and the bytes 85 and A0 (Go's `unicode.IsSpace` of one byte taken as a character). */
export function isSpaceByte(c: number): boolean {
  return c === 0x20 || (c >= 9 && c <= 13) || c === 0x85 || c === 0xa0;
}

function isAsciiSpace(c: number): boolean {
  return c === 0x20 || (c >= 9 && c <= 13);
}

/** Length of the white space character (in UTF-8) that starts at `i`, 0 if there is none. */
function spaceAt(text: string, i: number): number {
  const a = text.charCodeAt(i);
  if (a < 0x80) return isAsciiSpace(a) ? 1 : 0;
  const b = text.charCodeAt(i + 1);
  if (a === 0xc2) return b === 0x85 || b === 0xa0 ? 2 : 0;
  const c = text.charCodeAt(i + 2);
  if (a === 0xe1) return b === 0x9a && c === 0x80 ? 3 : 0;
  if (a === 0xe3) return b === 0x80 && c === 0x80 ? 3 : 0;
  if (a !== 0xe2) return 0;
  if (b === 0x80) return (c >= 0x80 && c <= 0x8a) || c === 0xa8 || c === 0xa9 || c === 0xaf ? 3 : 0;
  return b === 0x81 && c === 0x9f ? 3 : 0;
}

/** Go's `strings.TrimSpace` on a byte string: all Unicode white space, UTF-8 encoded. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end) {
    const n = spaceAt(text, start);
    if (n === 0 || start + n > end) break;
    start += n;
  }
  while (end > start) {
    const last = text.charCodeAt(end - 1);
    let n = 0;
    if (last < 0x80) n = isAsciiSpace(last) ? 1 : 0;
    else if (end - 2 >= start && spaceAt(text, end - 2) === 2) n = 2;
    else if (end - 3 >= start && spaceAt(text, end - 3) === 3) n = 3;
    if (n === 0) break;
    end -= n;
  }
  return start === 0 && end === text.length ? text : text.slice(start, end);
}
