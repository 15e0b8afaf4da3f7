import type { BlockCursor } from "./block-cursor.ts";
import { copyMatch } from "./snappy.ts";
import { Xxh32 } from "./xxh32.ts";
import { isSkippable } from "./zstd-frames.ts";

const MAGIC = 0x184d2204;
/** Bytes that a block may refer back to. */
const HISTORY_BYTES = 65536;
/** Block sizes by the frame header's number (lz4_Frame_format.md). */
const BLOCK_BYTES_MAX = [0, 0, 0, 0, 1 << 16, 1 << 18, 1 << 20, 1 << 22];

/**
 * Decodes LZ4 frames: `frame := magic descriptor block* endmark checksum?`. Checksums of header, blocks and content are checked.
 * The blocks given out are valid until the next one.
 */
export async function* lz4Blocks(cursor: BlockCursor): AsyncGenerator<Uint8Array> {
  let begun = false;
  while (await cursor.hasMore()) {
    const start = cursor.position;
    const magic = await cursor.u32();
    if (isSkippable(magic)) await cursor.skip(await cursor.u32());
    else if (magic === MAGIC) yield* frame(cursor);
    else throw cursor.damage("not a frame", start);
    begun = true;
  }
  if (!begun) throw cursor.damage("the file is empty");
}

async function* frame(cursor: BlockCursor): AsyncGenerator<Uint8Array> {
  const { blockBytesMax, independent, blockChecksums, contentChecksum } = await frameHeader(cursor);
  const history = new Uint8Array(HISTORY_BYTES + blockBytesMax);
  const checksum = new Xxh32();
  let have = 0;
  for (;;) {
    const start = cursor.position;
    const word = await cursor.u32();
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (size > blockBytesMax) throw cursor.damage("a block is too long", start);
    const data = await cursor.take(size);
    const blockChecksum = blockChecksums ? new Xxh32().update(data).digest() : 0;
    if (independent) have = 0;
    else if (have > HISTORY_BYTES) {
      history.copyWithin(0, have - HISTORY_BYTES, have);
      have = HISTORY_BYTES;
    }
    const end = word >>> 31 === 1 ? store(data, history, have) : decodeLz4(data, history, have);
    if (end < 0) throw cursor.damage("a block is damaged", start);
    if (blockChecksums && (await cursor.u32()) !== blockChecksum) {
      throw cursor.damage("a block's checksum is wrong", start);
    }
    const block = history.subarray(have, end);
    have = end;
    if (contentChecksum) checksum.update(block);
    yield block;
  }
  if (contentChecksum && (await cursor.u32()) !== checksum.digest()) throw cursor.damage("the checksum is wrong");
}

interface FrameHeader {
  readonly blockBytesMax: number;
  readonly independent: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
}

async function frameHeader(cursor: BlockCursor): Promise<FrameHeader> {
  const start = cursor.position;
  const head = (await cursor.take(2)).slice();
  const flags = head[0]!;
  if (flags >> 6 !== 1) throw cursor.damage("a frame of an unknown version", start);
  const rest = (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  const more = (await cursor.take(rest)).slice();
  const [check] = await cursor.take(1);
  if (check !== ((new Xxh32().update(head).update(more).digest() >>> 8) & 255)) {
    throw cursor.damage("the frame header's checksum is wrong", start);
  }
  if (flags & 1) throw cursor.damage("the frame needs a dictionary", start);
  const blockBytesMax = BLOCK_BYTES_MAX[(head[1]! >> 4) & 7]!;
  if (blockBytesMax === 0) throw cursor.damage("a frame with an unknown block size", start);
  return {
    blockBytesMax,
    independent: (flags & 0x20) !== 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
  };
}

function store(data: Uint8Array, out: Uint8Array, to: number): number {
  if (to + data.length > out.length) return -1;
  out.set(data, to);
  return to + data.length;
}

/** Decodes a block behind out[0, from), its history; gives the new end, or -1 where it is damaged. */
function decodeLz4(input: Uint8Array, out: Uint8Array, from: number): number {
  let at = 0;
  let to = from;
  while (at < input.length) {
    const token = input[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (at >= input.length) return -1;
        byte = input[at++]!;
        literals += byte;
      } while (byte === 255);
    }
    if (at + literals > input.length || to + literals > out.length) return -1;
    out.set(input.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === input.length) return to;
    if (at + 2 > input.length) return -1;
    const offset = input[at]! | (input[at + 1]! << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let byte: number;
      do {
        if (at >= input.length) return -1;
        byte = input[at++]!;
        length += byte;
      } while (byte === 255);
    }
    if (offset === 0 || offset > to || to + length > out.length) return -1;
    copyMatch(out, to, offset, length);
    to += length;
  }
  return -1;
}
