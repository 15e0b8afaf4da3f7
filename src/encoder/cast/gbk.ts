/**
 * GBK from and to code points, by TiDB's table (that of the collation gbk_bin): the euro sign is no character of it, and 80 no byte
 * (TiDB `pkg/parser/charset/encoding_gbk.go`).
 */
import { assert } from "../../base/mod.ts";
import { ByteWriter, findCollation, putRune, utf8SequenceLength, type WeightTable } from "../../codec/mod.ts";

const QUESTION = 0x3f;
const EURO = 0x20ac;

let weights: WeightTable | undefined;
let codePoints: Uint16Array | undefined;

function table(): WeightTable {
  if (weights === undefined) {
    const collation = findCollation("gbk_bin");
    assert(collation?.weights !== undefined, "gbk_bin has a weight table");
    weights = collation.weights();
  }
  return weights;
}

/** The one or two bytes of a code point as a number; -1 if GBK has no such character. */
export function gbkCode(codePoint: number): number {
  if (codePoint < 0x80) return codePoint;
  if (codePoint > 0xffff || codePoint === EURO) return -1;
  const code = table().entry(codePoint) & 0xffff;
  return code === QUESTION ? -1 : code;
}

/** Code point of two GBK bytes taken as a number; 0 if there is none. */
function gbkCodePoint(code: number): number {
  if (codePoints === undefined) {
    codePoints = new Uint16Array(0x10000);
    for (let cp = 0xffff; cp >= 0x80; cp--) {
      const known = cp >= 0xd800 && cp <= 0xdfff ? -1 : gbkCode(cp);
      if (known > 0xff) codePoints[known] = cp;
    }
    // Two codes that are read (Go's table has them) but never written.
    codePoints[0xa2e3] = EURO;
    codePoints[0xa3a0] = 0x3000;
  }
  return codePoints[code]!;
}

/** UTF-8 of GBK bytes up to the first that are none, and where that is (the length if all are good). */
export function decodeGbk(bytes: Uint8Array): { text: Uint8Array; bad: number } {
  const out = new ByteWriter(bytes.length * 2);
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      out.u8(lead);
      at++;
      continue;
    }
    const codePoint = at + 1 < bytes.length ? gbkCodePoint(lead * 256 + bytes[at + 1]!) : 0;
    if (codePoint === 0) break;
    putRune(out, codePoint);
    at += 2;
  }
  return { text: out.bytes.slice(0, out.length), bad: at };
}

/** GBK bytes of UTF-8 up to the first character that GBK lacks. */
export function encodeGbk(text: Uint8Array): Uint8Array {
  const out = new ByteWriter(text.length);
  for (let at = 0; at < text.length; ) {
    const size = utf8SequenceLength(text, at, text.length);
    const code = size === 0 ? -1 : gbkCode(codePointAt(text, at, size));
    if (code < 0) break;
    if (code > 0xff) out.u16be(code);
    else out.u8(code);
    at += size;
  }
  return out.bytes.slice(0, out.length);
}

/** Code point of the valid UTF-8 sequence of that size. */
export function codePointAt(text: Uint8Array, at: number, size: number): number {
  if (size === 1) return text[at]!;
  let value = text[at]! & (0x7f >> size);
  for (let i = 1; i < size; i++) value = (value << 6) | (text[at + i]! & 0x3f);
  return value;
}
