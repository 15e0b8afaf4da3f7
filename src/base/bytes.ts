import { Buffer } from "node:buffer";

const HEX = "0123456789abcdef";
/** From so many bytes on the runtime's own conversion is faster. */
const NATIVE_FROM = 32;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Lower-case hex of the bytes. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > NATIVE_FROM) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
  }
  let out = "";
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]!;
    out += HEX[b >> 4]! + HEX[b & 15]!;
  }
  return out;
}

/** Bytes of a hex text; throws RangeError where it is not hex. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError("hex text has an odd length");
  if (text.length > 2 * NATIVE_FROM && /^[0-9a-fA-F]*$/.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const pair = text.slice(2 * i, 2 * i + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(pair)) throw new RangeError(`not hex: "${pair}"`);
    out[i] = Number.parseInt(pair, 16);
  }
  return out;
}

/** Byte order of two strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = a[i]! - b[i]!;
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** As `concatBytes`, for lists of any length: a call takes no more than some hundred thousand arguments. */
export function joinBytes(parts: readonly Uint8Array[], separator?: Uint8Array): Uint8Array<ArrayBuffer> {
  let size = (separator?.length ?? 0) * Math.max(0, parts.length - 1);
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    if (separator !== undefined && i > 0) {
      out.set(separator, at);
      at += separator.length;
    }
    out.set(parts[i]!, at);
    at += parts[i]!.length;
  }
  return out;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; invalid sequences become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
