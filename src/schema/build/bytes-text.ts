import { textOf } from "../../base/mod.ts";
import { utf8SequenceLength } from "../../codec/mod.ts";

/** Bytes as text the way Go's JSON encoder does it: every byte that is no UTF-8 becomes U+FFFD (`encoding/json`). */
export function goUtf8(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    const size = utf8SequenceLength(bytes, i, bytes.length);
    out += size === 0 ? "\ufffd" : textOf(bytes.subarray(i, i + size));
    i += size || 1;
  }
  return out;
}

/** Bytes of a number, big-endian, without leading zeros (at least one byte). */
export function bytesOfUint(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Uint8Array.from(even.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}

/** Big-endian number of bytes. */
export function uintOfBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Base64 without line ends. */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Bytes of base64 text. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
