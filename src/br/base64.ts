import { Buffer } from "node:buffer";

/** From so many characters on the runtime's own decoder is faster. */
const NATIVE_FROM = 1024;
const BAD = 255;
const VALUES = new Uint8Array(256).fill(BAD);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split("").forEach((c, i) => {
  VALUES[c.charCodeAt(0)] = i;
});

/**
 * Decodes padded standard base64 (ASCII codes from `start` to `end`); undefined where it is none: wrong length, another alphabet, padding in
 * the middle. Bits left over in the last character are ignored, as Go's decoder does.
 */
export function decodeBase64(codes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const size = end - start;
  if (size % 4 !== 0) return undefined;
  if (size === 0) return new Uint8Array(0);
  const pads = codes[end - 1] === 0x3d ? (codes[end - 2] === 0x3d ? 2 : 1) : 0;
  if (size >= NATIVE_FROM) return decodeLong(codes, start, end, (size / 4) * 3 - pads);
  const out = new Uint8Array((size / 4) * 3 - pads);
  const full = pads === 0 ? end : end - 4;
  let to = 0;
  let all = 0;
  for (let at = start; at < full; at += 4) {
    const a = VALUES[codes[at]!]!;
    const b = VALUES[codes[at + 1]!]!;
    const c = VALUES[codes[at + 2]!]!;
    const d = VALUES[codes[at + 3]!]!;
    all |= a | b | c | d;
    out[to++] = (a << 2) | (b >> 4);
    out[to++] = (b << 4) | (c >> 2);
    out[to++] = (c << 6) | d;
  }
  if (pads > 0) {
    const a = VALUES[codes[full]!]!;
    const b = VALUES[codes[full + 1]!]!;
    const c = pads === 1 ? VALUES[codes[full + 2]!]! : 0;
    all |= a | b | c;
    out[to++] = (a << 2) | (b >> 4);
    if (pads === 1) out[to++] = (b << 4) | (c >> 2);
  }
  // A value of the alphabet has 6 bits; the mark of a bad character has more.
  return all > 63 ? undefined : out;
}

/** The runtime's decoder passes over what it does not know, so the length tells; it takes the other alphabet too, which is looked for. */
function decodeLong(codes: Uint8Array, start: number, end: number, size: number): Uint8Array | undefined {
  const text = Buffer.from(codes.buffer, codes.byteOffset + start, end - start).toString("latin1");
  if (text.includes("-") || text.includes("_")) return undefined;
  const out = Buffer.from(text, "base64");
  return out.length === size ? new Uint8Array(out.buffer, out.byteOffset, out.length) : undefined;
}

/** Padded standard base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
