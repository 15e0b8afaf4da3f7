/** Strings, copied while they are looked at; ENUM and SET by comparing bytes. Answers as those of the numbers. */
import { countRunes, isValidUtf8 } from "../../codec/mod.ts";
import { putUnsigned } from "./slots.ts";

/** Answer of `parseText` where `out` is too small for the string and the slack behind it. */
export const NO_ROOM = -2;

/** Longer strings are copied by the runtime, which costs a view. */
const COPY_BY_HAND = 96;

/** How strings of a column are taken: which non-ASCII bytes may be in it, and two marks. */
export const TextMode = {
  /** Any bytes. */
  binary: 0,
  utf8mb4: 1,
  /** UTF-8 up to three bytes a character. */
  utf8: 2,
  /** ASCII only; other characters are left to the plain path. */
  other: 3,
  /** The limit counts bytes, not characters. */
  inBytes: 4,
  /** Blanks at the end are dropped (CHAR). */
  trim: 8,
  /** Zero bytes fill it up to the limit (BINARY). */
  pad: 16,
} as const;
const CHARSET = 3;

/** A string that fits its column as it is; `mode` is made of TextMode, `slack` must stay free behind it. */
export function parseText(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  mode: number,
  limit: number,
  slack: number,
): number {
  let stop = end;
  if ((mode & TextMode.trim) !== 0) while (stop > start && b[stop - 1] === 0x20) stop--;
  const size = stop - start;
  if ((mode & TextMode.pad) !== 0) return padded(b, start, end, out, at, limit, slack);
  if (size > out.length - at - slack) return NO_ROOM;
  let any = 0;
  if (size > COPY_BY_HAND) {
    out.set(b.subarray(start, stop), at);
    if (mode !== TextMode.binary) for (let i = start; i < stop; i++) any |= b[i]!;
  } else {
    for (let i = start, to = at; i < stop; i++, to++) {
      const c = b[i]!;
      any |= c;
      out[to] = c;
    }
  }
  if (any >= 0x80 && (mode & CHARSET) !== TextMode.binary) return checkText(b, start, stop, at, mode, limit);
  return size > limit ? -1 : at + size;
}

function padded(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  limit: number,
  slack: number,
): number {
  const size = end - start;
  if (size > limit) return -1;
  // The caller makes room for the text alone, so that the padding has to fit the slack too.
  if (limit > out.length - at - slack) return size === limit ? NO_ROOM : -1;
  for (let i = 0; i < size; i++) out[at + i] = b[start + i]!;
  for (let i = size; i < limit; i++) out[at + i] = 0;
  return at + limit;
}

/** The part for strings that are not ASCII. */
function checkText(b: Uint8Array, start: number, end: number, at: number, mode: number, limit: number): number {
  const charset = mode & CHARSET;
  if (charset === TextMode.other || !isValidUtf8(b, start, end)) return -1;
  if (charset === TextMode.utf8 && hasFourBytes(b, start, end)) return -1;
  const size = end - start;
  if (size > limit && ((mode & TextMode.inBytes) !== 0 || countRunes(b, start, end) > limit)) return -1;
  return at + size;
}

function hasFourBytes(b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (b[i]! >= 0xf0) return true;
  return false;
}

/** Bytes of the elements of an ENUM or SET, one behind the other. */
export interface Elements {
  readonly bytes: Uint8Array;
  /** Offset of each element; one more at the end. */
  readonly offsets: Int32Array;
}

/** Number of the element with exactly these bytes, from 1; 0 where there is none. */
export function findElement(elements: Elements, b: Uint8Array, start: number, end: number): number {
  const { bytes, offsets } = elements;
  const size = end - start;
  next: for (let k = 0; k + 1 < offsets.length; k++) {
    const from = offsets[k]!;
    if (offsets[k + 1]! - from !== size) continue;
    for (let i = 0; i < size; i++) if (bytes[from + i] !== b[start + i]) continue next;
    return k + 1;
  }
  return 0;
}

export function parseEnum(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  elements: Elements,
): number {
  const index = findElement(elements, b, start, end);
  return index === 0 ? -1 : putUnsigned(out, at, 0, index);
}

/** Element names with commas between them; nothing is the empty set. */
export function parseSet(
  b: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  elements: Elements,
): number {
  let low = 0;
  let high = 0;
  let from = start;
  if (start === end) return findElement(elements, b, start, end) === 0 ? putUnsigned(out, at, 0, 0) : -1;
  for (let i = start; i <= end; i++) {
    if (i < end && b[i] !== 0x2c) continue;
    const index = findElement(elements, b, from, i);
    if (index === 0) return -1;
    if (index <= 32) low |= 1 << (index - 1);
    else high |= 1 << (index - 33);
    from = i + 1;
  }
  return putUnsigned(out, at, high, low);
}

/** Bytes as a big-endian number of up to `bits` bits. */
export function parseBit(b: Uint8Array, start: number, end: number, out: Uint8Array, at: number, bits: number): number {
  const size = end - start;
  if (size < 1 || size > 8) return -1;
  let high = 0;
  let low = 0;
  for (let i = start; i < end; i++) {
    high = (high << 8) | (low >>> 24);
    low = (low << 8) | b[i]!;
  }
  if (bits < 64 && (high >>> 0) * 0x100000000 + (low >>> 0) >= 2 ** bits) return -1;
  return putUnsigned(out, at, high, low);
}
