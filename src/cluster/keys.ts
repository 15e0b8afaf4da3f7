/**
 * Raw and encoded keys. Inside levin every key is raw; PD, region borders, SST ranges and label rules speak the memcomparable
 * form (TiDB's `codec.EncodeBytes`). The two meet here and nowhere else: `cluster` encodes what it sends and decodes what it
 * receives, its callers never see an encoded key.
 *
 * Memcomparable: groups of 8 bytes, each followed by 0xff - (number of padding zeros); the last group always has padding.
 * A border that is empty stays empty: minus infinity as a start, plus infinity as an end.
 */
import { compareBytes } from "../base/mod.ts";
import { encodedBytesLength, putBytes } from "../codec/mod.ts";

const GROUP = 8;
const FULL = 0xff;

/** `[start, end)` of raw keys; an empty start is the beginning, an empty end is infinity. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** Encoded form of a raw key; the empty key has one too (nine bytes). */
export function encodeKey(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(encodedBytesLength(raw.length));
  putBytes(out, 0, raw, 0, raw.length);
  return out;
}

/** Encoded form of a border: empty stays empty. */
export function encodeBorder(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  return raw.length === 0 ? new Uint8Array(0) : encodeKey(raw);
}

/**
 * The smallest raw key whose encoded form is not below `border`; empty for an empty border. For a well-formed border that is its
 * decoding. Total on purpose: a label rule or a tool may have split a region at bytes that are no encoded key, and such a region
 * still holds exactly the raw keys from this one on.
 */
export function decodeBorder(border: Uint8Array): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  let at = 0;
  while (at < border.length) {
    const group = border.subarray(at, Math.min(at + GROUP, border.length));
    let significant = group.length;
    while (significant > 0 && group[significant - 1] === 0) significant--;
    const marker = border[at + GROUP];
    if (marker === FULL) {
      for (const byte of group) out.push(byte);
      at += GROUP + 1;
      continue;
    }
    // The last group of the answer: as short as its marker allows.
    let length = significant;
    if (marker !== undefined) {
      length = Math.max(length, GROUP - (FULL - marker));
      // More bytes behind an equal marker are above every key that ends here.
      if (border.length > at + GROUP + 1 && length === GROUP - (FULL - marker)) length++;
    }
    for (let i = 0; i < length; i++) out.push(group[i] ?? 0);
    break;
  }
  return Uint8Array.from(out);
}

/** The next key in byte order: nothing lies between a key and its successor. */
export function successorKey(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(key.length + 1);
  out.set(key);
  return out;
}

/** Compares two range ends, where empty is infinity. */
export function compareEnds(a: Uint8Array, b: Uint8Array): number {
  if (a.length === 0) return b.length === 0 ? 0 : 1;
  if (b.length === 0) return -1;
  return compareBytes(a, b);
}

export function rangeHolds(range: KeyRange, key: Uint8Array): boolean {
  return compareBytes(range.start, key) <= 0 && (range.end.length === 0 || compareBytes(key, range.end) < 0);
}

/** The common part of two ranges, undefined when there is none. */
export function intersectRanges(a: KeyRange, b: KeyRange): KeyRange | undefined {
  const start = compareBytes(a.start, b.start) >= 0 ? a.start : b.start;
  const end = compareEnds(a.end, b.end) <= 0 ? a.end : b.end;
  if (end.length > 0 && compareBytes(start, end) >= 0) return undefined;
  return { start, end };
}
