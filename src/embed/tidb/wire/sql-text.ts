import { textOf, utf8 } from "../../../base/mod.ts";

/** Bytes that are no UTF-8 stand in a text as one lone surrogate each. */
const ESCAPE = 0xdc00;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A statement's bytes as text from which `bytesOfSqlText` gives the same bytes again, binary strings included. */
export function textOfSqlBytes(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (!text.includes("\ufffd")) return text;
  try {
    return strict.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

function escaped(bytes: Uint8Array): string {
  const parts: string[] = [];
  let good = 0;
  for (let i = 0; i < bytes.length; ) {
    const size = sequenceLength(bytes[i]!);
    if (size === 1 || (size > 1 && isSequence(bytes, i, size))) {
      i += size;
      continue;
    }
    parts.push(strict.decode(bytes.subarray(good, i)), String.fromCharCode(ESCAPE + bytes[i]!));
    good = ++i;
  }
  parts.push(strict.decode(bytes.subarray(good)));
  return parts.join("");
}

function isSequence(bytes: Uint8Array, at: number, size: number): boolean {
  if (at + size > bytes.length) return false;
  for (let i = 1; i < size; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
  const [first, second] = [bytes[at]!, bytes[at + 1]!];
  if (first === 0xe0 && second < 0xa0) return false;
  if (first === 0xed && second > 0x9f) return false;
  if (first === 0xf0 && second < 0x90) return false;
  return !(first === 0xf4 && second > 0x8f);
}

export function bytesOfSqlText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return utf8(text);
  const out: number[] = [];
  let good = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) {
      i++;
      continue;
    }
    if (code < 0xdc80 || code > 0xdcff) continue;
    for (const byte of utf8(text.slice(good, i))) out.push(byte);
    out.push(code - ESCAPE);
    good = i + 1;
  }
  for (const byte of utf8(text.slice(good))) out.push(byte);
  return Uint8Array.from(out);
}
