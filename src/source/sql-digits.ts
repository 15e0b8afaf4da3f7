import { FieldKind } from "../codec/mod.ts";

/** Operators that make a value an expression. */
export function isOperator(byte: number): boolean {
  return "+-*/%^&|<>=!".includes(String.fromCharCode(byte));
}

/** Text of ASCII bytes in lower case. */
export function asciiLower(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text.toLowerCase();
}

/** Whether all bytes are hex digits, or 0 and 1. */
export function everyDigit(bytes: Uint8Array, from: number, to: number, hex: boolean): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    const letter = byte | 0x20;
    const fits = hex
      ? (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66)
      : byte === 0x30 || byte === 0x31;
    if (!fits) return false;
  }
  return true;
}

const MAX_UINT = "18446744073709551615";
const MAX_NEGATIVE = "9223372036854775808";

/** Whether the digits bytes[from, to) fit 64 bits of the kind; MySQL reads longer ones as DECIMAL. */
export function fitsInteger(bytes: Uint8Array, from: number, to: number, kind: number): boolean {
  if (kind !== FieldKind.int && kind !== FieldKind.uint) return true;
  let at = from;
  while (at < to && bytes[at] === 0x30) at++;
  const limit = kind === FieldKind.int ? MAX_NEGATIVE : MAX_UINT;
  if (to - at !== limit.length) return to - at < limit.length;
  for (let k = 0; k < limit.length; k++) {
    const d = bytes[at + k]! - limit.charCodeAt(k);
    if (d !== 0) return d < 0;
  }
  return true;
}
