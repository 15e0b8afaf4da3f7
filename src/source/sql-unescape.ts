import { ESCAPED } from "./csv-unescape.ts";

/**
 * Resolves a string literal's content bytes[from, to) in place; gives the new end. `quote` doubled is one; `\%` and `\_` keep
 * their backslash as in MySQL (they are patterns of LIKE).
 */
export function unescapeSql(
  bytes: Uint8Array,
  from: number,
  to: number,
  quote: number,
  backslash: boolean,
  keepWildcards = true,
): number {
  let read = from;
  while (read < to && bytes[read] !== quote && bytes[read] !== 0x5c) read++;
  let write = read;
  while (read < to) {
    const byte = bytes[read++]!;
    if (byte === quote) {
      bytes[write++] = byte;
      read++;
    } else if (byte === 0x5c && backslash && read < to) {
      const next = bytes[read++]!;
      if (keepWildcards && (next === 0x25 || next === 0x5f)) bytes[write++] = 0x5c;
      bytes[write++] = ESCAPED[next]!;
    } else {
      bytes[write++] = byte;
    }
  }
  return write;
}

/** Decodes the hex digits bytes[from, to) in place; an odd count gets a leading zero. Gives the new end, or -1: no hex digit. */
export function decodeHex(bytes: Uint8Array, from: number, to: number): number {
  let write = from;
  let read = from;
  if ((to - from) % 2 === 1) {
    const low = hexDigit(bytes[read++]!);
    if (low < 0) return -1;
    bytes[write++] = low;
  }
  while (read < to) {
    const high = hexDigit(bytes[read++]!);
    const low = hexDigit(bytes[read++]!);
    if (high < 0 || low < 0) return -1;
    bytes[write++] = high * 16 + low;
  }
  return write;
}

/** Decodes the digits 0 and 1 of bytes[from, to) in place, big-endian, whole bytes. Gives the new end, or -1. */
export function decodeBits(bytes: Uint8Array, from: number, to: number): number {
  const size = Math.ceil((to - from) / 8);
  let read = from;
  for (let k = 0; k < size; k++) {
    let value = 0;
    const stop = to - 8 * (size - 1 - k);
    while (read < stop) {
      const digit = bytes[read++]! - 0x30;
      if (digit !== 0 && digit !== 1) return -1;
      value = value * 2 + digit;
    }
    bytes[from + k] = value;
  }
  return from + size;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
