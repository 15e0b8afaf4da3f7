/** Characters of UTF-8 bytes. A byte that is no part of a character counts as one, as in Go. */
import { ByteWriter, putRune, utf8SequenceLength } from "../../codec/mod.ts";
import { isAscii } from "./const.ts";

/** Length of the character at `at`. */
export function runeSize(bytes: Uint8Array, at: number): number {
  return bytes[at]! < 0x80 ? 1 : utf8SequenceLength(bytes, at, bytes.length) || 1;
}

export function runeCount(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += runeSize(bytes, at)) count++;
  return count;
}

/** Byte offset of character `n`; the length if there are fewer. */
export function runeOffset(bytes: Uint8Array, n: number): number {
  let at = 0;
  for (let i = 0; i < n && at < bytes.length; i++) at += runeSize(bytes, at);
  return at;
}

/** Code point of the character at `at`; U+FFFD for a stray byte. */
export function runeAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return lead;
  const size = utf8SequenceLength(bytes, at, bytes.length);
  if (size === 0) return 0xfffd;
  let value = lead & (0x7f >> size);
  for (let i = 1; i < size; i++) value = (value << 6) | (bytes[at + i]! & 0x3f);
  return value;
}

/** Each character as its bytes. */
export function runesOf(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = runeSize(bytes, at);
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}

/** Each byte. */
export function bytesApart(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i++) out.push(bytes.subarray(i, i + 1));
  return out;
}

const DOTTED_I = 0x130;

/** One character for one, as Go's `unicode` package maps them. */
function mapRune(rune: number, upper: boolean): number {
  if (rune === DOTTED_I) return upper ? rune : 0x69;
  const text = String.fromCodePoint(rune);
  const mapped = upper ? text.toUpperCase() : text.toLowerCase();
  const code = mapped.codePointAt(0)!;
  return mapped.length === (code > 0xffff ? 2 : 1) ? code : rune;
}

function mapAscii(bytes: Uint8Array, from: number, shift: number): Uint8Array {
  const out = bytes.slice();
  for (let i = 0; i < out.length; i++) {
    const c = out[i]!;
    if (c >= from && c < from + 26) out[i] = c + shift;
  }
  return out;
}

/** In upper or lower case. */
export function changeCase(bytes: Uint8Array, upper: boolean): Uint8Array {
  if (isAscii(bytes)) return upper ? mapAscii(bytes, 0x61, -32) : mapAscii(bytes, 0x41, 32);
  const out = new ByteWriter(bytes.length + 8);
  for (let at = 0; at < bytes.length; ) {
    const size = runeSize(bytes, at);
    putRune(out, mapRune(runeAt(bytes, at), upper));
    at += size;
  }
  return out.bytes.slice(0, out.length);
}

/** Offset of `part` in `whole` from `start` on, -1 if it is not there. */
export function indexOfBytes(whole: Uint8Array, part: Uint8Array, start = 0): number {
  const last = whole.length - part.length;
  for (let at = start; at <= last; at++) {
    let i = 0;
    while (i < part.length && whole[at + i] === part[i]) i++;
    if (i === part.length) return at;
  }
  return -1;
}

export function startsWithAt(whole: Uint8Array, part: Uint8Array, at: number): boolean {
  if (at < 0 || at + part.length > whole.length) return false;
  for (let i = 0; i < part.length; i++) if (whole[at + i] !== part[i]) return false;
  return true;
}
