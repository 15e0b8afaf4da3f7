import { H2Code, PeerError } from "./frames.ts";
import { HUFFMAN_LENGTHS } from "./hpack-tables.ts";

const END_OF_STRING = 256;
const LONGEST_CODE = 30;

/**
 * The code as a binary tree in one array: `tree[2 * node + bit]` is the next node, or `-1 - symbol` at a leaf. 257 leaves make 256
 * inner nodes.
 */
const tree = buildTree();

function buildTree(): Int16Array {
  const out = new Int16Array(2 * END_OF_STRING);
  let nodes = 1;
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    code *= 2;
    for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
      if (HUFFMAN_LENGTHS[symbol] !== length) continue;
      let node = 0;
      for (let bit = length - 1; bit > 0; bit--) {
        const slot = 2 * node + ((code >>> bit) & 1);
        if (out[slot] === 0) out[slot] = nodes++;
        node = out[slot]!;
      }
      out[2 * node + (code & 1)] = -1 - symbol;
      code++;
    }
  }
  return out;
}

/** Text of a Huffman-coded string, a character a byte (ISO 8859-1). Throws PeerError for bad padding (RFC 7541 §5.2). */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number): string {
  let out = "";
  let node = 0;
  let bitsSinceSymbol = 0;
  let onlyOnes = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      const b = (byte >>> bit) & 1;
      const next = tree[2 * node + b]!;
      bitsSinceSymbol++;
      if (b === 0) onlyOnes = false;
      if (next >= 0) {
        node = next;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === END_OF_STRING)
        throw new PeerError(H2Code.compressionError, "end-of-string inside a Huffman string");
      out += String.fromCharCode(symbol);
      node = 0;
      bitsSinceSymbol = 0;
      onlyOnes = true;
    }
  }
  if (bitsSinceSymbol > 7 || !onlyOnes) throw new PeerError(H2Code.compressionError, "bad padding of a Huffman string");
  return out;
}
