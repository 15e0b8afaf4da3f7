/** UTF-8 by hand, for places where a TextDecoder would allocate or hide errors. */
import type { ByteWriter } from "./byte-writer.ts";

/** Length of the valid UTF-8 sequence at `at`, 0 where there is none. */
export function utf8SequenceLength(source: Uint8Array, at: number, end: number): number {
  const c = source[at]!;
  if (c < 0x80) return 1;
  const size = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
  if (size === 0 || at + size > end) return 0;
  const second = source[at + 1]!;
  const low = c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80;
  const high = c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < size; i++) if ((source[at + i]! & 0xc0) !== 0x80) return 0;
  return size;
}

/** Appends the UTF-8 form of a code point. */
export function putRune(out: ByteWriter, rune: number): void {
  if (rune < 0x80) out.u8(rune);
  else if (rune < 0x800) {
    out.u8(0xc0 | (rune >> 6));
    out.u8(0x80 | (rune & 63));
  } else if (rune < 0x10000) {
    out.u8(0xe0 | (rune >> 12));
    out.u8(0x80 | ((rune >> 6) & 63));
    out.u8(0x80 | (rune & 63));
  } else {
    out.u8(0xf0 | (rune >> 18));
    out.u8(0x80 | ((rune >> 12) & 63));
    out.u8(0x80 | ((rune >> 6) & 63));
    out.u8(0x80 | (rune & 63));
  }
}

/** True where the slice is valid UTF-8. */
export function isValidUtf8(source: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (source[at]! < 0x80) {
      at++;
      continue;
    }
    const size = utf8SequenceLength(source, at, end);
    if (size === 0) return false;
    at += size;
  }
  return true;
}

/** Number of code points; every byte of an invalid sequence counts as one, as Go's `utf8.RuneCount` counts. */
export function countRunes(source: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; count++) {
    at += source[at]! < 0x80 ? 1 : Math.max(1, utf8SequenceLength(source, at, end));
  }
  return count;
}

/** Offset behind the first `limit` code points (or `end`). */
export function skipRunes(source: Uint8Array, start: number, end: number, limit: number): number {
  let at = start;
  for (let count = 0; at < end && count < limit; count++) {
    at += source[at]! < 0x80 ? 1 : Math.max(1, utf8SequenceLength(source, at, end));
  }
  return at;
}
