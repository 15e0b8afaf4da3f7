import { type BlockCursor, read32 } from "./block-cursor.ts";

/** Uncompressed bytes of a chunk at most (framing_format.txt §4.2). */
const CHUNK_BYTES_MAX = 65536;
const IDENTIFIER = "sNaPpY";

/**
 * Decodes the Snappy framing format, as Dumpling writes it: `stream := chunk*`, `chunk := type(1) length(3) data`, the first one
 * the identifier. Each chunk's CRC-32C is checked. The blocks given out are valid until the next one.
 */
export async function* snappyBlocks(cursor: BlockCursor): AsyncGenerator<Uint8Array> {
  const out = new Uint8Array(CHUNK_BYTES_MAX);
  let begun = false;
  while (await cursor.hasMore()) {
    const start = cursor.position;
    const head = await cursor.take(4);
    const type = head[0]!;
    const length = head[1]! | (head[2]! << 8) | (head[3]! << 16);
    if (type === 0xff) {
      const name = String.fromCharCode(...(await cursor.take(length)));
      if (name !== IDENTIFIER) throw cursor.damage("not a stream", start);
      begun = true;
      continue;
    }
    if (!begun) throw cursor.damage("not a stream", start);
    if (type >= 0x80) {
      await cursor.skip(length);
      continue;
    }
    if (type > 1 || length < 4) throw cursor.damage("a chunk of an unknown type", start);
    const data = await cursor.take(length);
    const wanted = read32(data, 0);
    let block: Uint8Array;
    if (type === 1) {
      if (length - 4 > CHUNK_BYTES_MAX) throw cursor.damage("a chunk is too long", start);
      block = data.subarray(4);
    } else {
      const size = decodeSnappy(data, 4, out);
      if (size < 0) throw cursor.damage("a chunk is damaged", start);
      block = out.subarray(0, size);
    }
    if (maskedCrc(block) !== wanted) throw cursor.damage("a chunk's checksum is wrong", start);
    yield block;
  }
  if (!begun) throw cursor.damage("the file is empty");
}

/** Decodes one block at `from`; gives its size, or -1 where it is damaged. */
function decodeSnappy(input: Uint8Array, from: number, out: Uint8Array): number {
  let at = from;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= input.length || shift > 28) return -1;
    const byte = input[at++]!;
    size += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (size > out.length) return -1;
  let to = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    let length = (tag >> 2) + 1;
    let offset = 0;
    switch (tag & 3) {
      case 0: {
        const extra = length > 60 ? length - 60 : 0;
        if (extra > 0) {
          if (at + extra > input.length) return -1;
          length = 0;
          for (let k = extra - 1; k >= 0; k--) length = length * 256 + input[at + k]!;
          length++;
          at += extra;
        }
        if (at + length > input.length || to + length > size) return -1;
        out.set(input.subarray(at, at + length), to);
        at += length;
        to += length;
        continue;
      }
      case 1:
        length = ((tag >> 2) & 7) + 4;
        offset = ((tag & 0xe0) << 3) | input[at]!;
        at += 1;
        break;
      case 2:
        offset = input[at]! | (input[at + 1]! << 8);
        at += 2;
        break;
      default:
        if (at + 4 > input.length) return -1;
        offset = read32(input, at);
        at += 4;
    }
    if (at > input.length || offset === 0 || offset > to || to + length > size) return -1;
    copyMatch(out, to, offset, length);
    to += length;
  }
  return to === size ? size : -1;
}

/** Copies `length` bytes from `offset` before `to`; the two may overlap, which repeats. */
export function copyMatch(out: Uint8Array, to: number, offset: number, length: number): void {
  if (offset >= length) {
    out.copyWithin(to, to - offset, to - offset + length);
    return;
  }
  for (let k = 0; k < length; k++) out[to + k] = out[to + k - offset]!;
}

const CRC_TABLES = crcTables();

function crcTables(): Int32Array[] {
  const tables = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    tables[0]![n] = c;
  }
  for (let n = 0; n < 256; n++) {
    for (let t = 1; t < 4; t++) {
      const before = tables[t - 1]![n]!;
      tables[t]![n] = (before >>> 8) ^ tables[0]![before & 255]!;
    }
  }
  return tables;
}

/** CRC-32C (Castagnoli), four bytes a step, masked as the framing format says. */
function maskedCrc(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = CRC_TABLES as [Int32Array, Int32Array, Int32Array, Int32Array];
  let crc = -1;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t3[crc & 255]! ^ t2[(crc >>> 8) & 255]! ^ t1[(crc >>> 16) & 255]! ^ t0[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 255]!;
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
