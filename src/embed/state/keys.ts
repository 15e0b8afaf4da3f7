import { toHex } from "../../base/mod.ts";

const GROUP = 8;

/**
 * The form in which TiKV and PD order keys ("memcomparable", `codec::encode_bytes`): groups of eight bytes, each followed by
 * 0xFF minus the number of padding zeros. This is the sandbox's own form, apart from the importer's.
 */
export function encodeKey(raw: Uint8Array): Uint8Array {
  const groups = Math.floor(raw.length / GROUP) + 1;
  const out = new Uint8Array(groups * (GROUP + 1));
  for (let group = 0; group < groups; group++) {
    const from = group * GROUP;
    const part = raw.subarray(from, from + GROUP);
    out.set(part, group * (GROUP + 1));
    out[group * (GROUP + 1) + GROUP] = 0xff - (GROUP - part.length);
  }
  return out;
}

/** The raw key of an encoded one; undefined where the bytes are no encoded key. */
export function decodeKey(encoded: Uint8Array): Uint8Array | undefined {
  if (encoded.length === 0 || encoded.length % (GROUP + 1) !== 0) return undefined;
  const out = new Uint8Array((encoded.length / (GROUP + 1)) * GROUP);
  let at = 0;
  for (let from = 0; from < encoded.length; from += GROUP + 1) {
    const marker = encoded[from + GROUP]!;
    const used = GROUP - (0xff - marker);
    const last = from + GROUP + 1 === encoded.length;
    if (last ? used < 0 || used === GROUP : used !== GROUP) return undefined;
    for (let i = used; i < GROUP; i++) if (encoded[from + i] !== 0) return undefined;
    out.set(encoded.subarray(from, from + used), at);
    at += used;
  }
  return out.subarray(0, at);
}

/** Keys in TiKV's messages and in PD's HTTP answers are upper-case hex. */
export function hexKey(key: Uint8Array): string {
  return toHex(key).toUpperCase();
}

/** The smallest key behind `key`. */
export function afterKey(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out.set(key);
  return out;
}

/** First key behind all keys that start with `prefix`; undefined = no end. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    if (prefix[i] === 0xff) continue;
    const out = prefix.slice(0, i + 1);
    out[i]!++;
    return out;
  }
  return undefined;
}

/** Byte order of two slices. */
export function compareSlices(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const n = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < n; i++) {
    const d = a[aStart + i]! - b[bStart + i]!;
    if (d !== 0) return d;
  }
  return aEnd - aStart - (bEnd - bStart);
}
