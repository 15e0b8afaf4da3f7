import { textOf } from "../base/mod.ts";

const PERCENT = 0x25;

/**
 * The header `grpc-message` with an escaping that `decodeURIComponent` takes. gRPC asks clients to show a badly escaped text as it is
 * rather than to lose the status with it (doc/PROTOCOL-HTTP2.md, "Percent-Encoded"); Connect throws instead.
 */
export function mendGrpcMessage(value: string): string {
  try {
    decodeURIComponent(value);
    return value;
  } catch {
    return encodeURIComponent(decodeLeniently(value));
  }
}

/** Escapes that are none stay as they are; bytes that are no UTF-8 become U+FFFD. */
function decodeLeniently(value: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < value.length; at++) {
    const byte = value.charCodeAt(at) & 0xff;
    const digits = value.slice(at + 1, at + 3);
    if (byte === PERCENT && /^[0-9a-fA-F]{2}$/.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      at += 2;
    } else {
      bytes.push(byte);
    }
  }
  return textOf(Uint8Array.from(bytes));
}
