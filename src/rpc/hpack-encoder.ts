import type { HeaderList } from "./hpack-decoder.ts";
import { STATIC_TABLE } from "./hpack-tables.ts";

const whole = new Map<string, number>();
const names = new Map<string, number>();
STATIC_TABLE.forEach(([name, value], i) => {
  if (value !== "") whole.set(`${name}\0${value}`, i + 1);
  if (!names.has(name)) names.set(name, i + 1);
});

/** Tells the peer that our dynamic table is of size 0: what we use of it anyway. */
export const NO_DYNAMIC_TABLE = 0x20;

/**
 * One header block: static entries by index, everything else as literals without indexing and without Huffman code. So the encoder
 * has no state, and a block may be sent on any connection. Names must be in lower case; values are sent a byte a character.
 */
export function hpackEncode(headers: HeaderList): Uint8Array {
  const out: number[] = [];
  for (const [name, value] of headers) {
    const index = whole.get(`${name}\0${value}`);
    if (index !== undefined) {
      putInteger(out, 0x80, 7, index);
      continue;
    }
    const nameIndex = names.get(name) ?? 0;
    putInteger(out, 0, 4, nameIndex);
    if (nameIndex === 0) putString(out, name);
    putString(out, value);
  }
  return Uint8Array.from(out);
}

function putInteger(out: number[], pattern: number, prefixBits: number, value: number): void {
  const max = (1 << prefixBits) - 1;
  if (value < max) {
    out.push(pattern | value);
    return;
  }
  out.push(pattern | max);
  let rest = value - max;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
}

function putString(out: number[], text: string): void {
  putInteger(out, 0, 7, text.length);
  for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i) & 0xff);
}
