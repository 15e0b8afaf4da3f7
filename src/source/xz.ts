import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type BlockCursor, read32 } from "./block-cursor.ts";
import { Lzma } from "./lzma.ts";
import { XzCheck } from "./xz-check.ts";

/** Larger dictionaries would not fit the memory that an import plans with. */
const DICTIONARY_BYTES_MAX = 192 * 1024 * 1024;

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
const LZMA2 = 0x21;

/**
 * Decodes the .xz format (xz-file-format.txt 1.2): streams of blocks of LZMA2, each block with its check (CRC-32, CRC-64, SHA-256),
 * an index that must agree with them, padding between streams. Other filters are refused. The pieces given out are valid until
 * the next one.
 */
export async function* xzBlocks(cursor: BlockCursor): AsyncGenerator<Uint8Array> {
  let streams = 0;
  while (await cursor.hasMore()) {
    const start = cursor.position;
    const first = await cursor.take(4);
    if (streams > 0 && read32(first, 0) === 0) continue;
    const rest = await cursor.take(8);
    const head = Uint8Array.of(...first, ...rest);
    if (MAGIC.some((byte, k) => head[k] !== byte)) throw cursor.damage("not a stream", start);
    if (crc32(head.subarray(6, 8)) !== read32(head, 8) || head[6] !== 0)
      throw cursor.damage("its head is damaged", start);
    yield* stream(cursor, head[7]!);
    streams++;
  }
  if (streams === 0) throw cursor.damage("the file is empty");
}

async function* stream(cursor: BlockCursor, checkType: number): AsyncGenerator<Uint8Array> {
  const check = new XzCheck(checkType);
  if (!check.isKnown) throw cursor.damage(`a check of the unknown type ${checkType}`);
  const index = createHash("sha256");
  let blocks = 0;
  for (;;) {
    const start = cursor.position;
    const size = (await cursor.take(1))[0]!;
    if (size === 0) break;
    const dictBytes = await blockHead(cursor, size, start);
    const body = cursor.position;
    let plainBytes = 0;
    check.begin();
    for await (const piece of lzma2(cursor, dictBytes)) {
      check.add(piece);
      plainBytes += piece.length;
      yield piece;
    }
    const packed = cursor.position - body;
    await padding(cursor, packed);
    const wanted = await cursor.take(check.size);
    if (!check.agrees(wanted)) throw cursor.damage("a block's check is wrong", start);
    index.update(`${body - start + packed + check.size},${plainBytes};`);
    blocks++;
  }
  await tail(cursor, blocks, index.digest("hex"), checkType);
}

/** Reads a block's head; gives the size of its dictionary. */
async function blockHead(cursor: BlockCursor, sizeByte: number, start: number): Promise<number> {
  const rest = await cursor.take(sizeByte * 4 + 3);
  const head = Uint8Array.of(sizeByte, ...rest);
  if (crc32(head.subarray(0, head.length - 4)) !== read32(head, head.length - 4))
    throw cursor.damage("a block's head is damaged", start);
  const flags = head[1]!;
  let at = 2;
  const skipNumber = (): void => {
    while (head[at++]! >= 0x80);
  };
  if ((flags & 0x40) !== 0) skipNumber();
  if ((flags & 0x80) !== 0) skipNumber();
  if ((flags & 0x3f) !== 0 || head[at] !== LZMA2 || head[at + 1] !== 1)
    throw cursor.damage("a filter other than LZMA2", start);
  const bits = head[at + 2]!;
  const bytes = (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
  if (bits > 40 || bytes > DICTIONARY_BYTES_MAX)
    throw cursor.damage(`a dictionary of ${bytes} bytes is too large`, start);
  return bytes;
}

/** The chunks of one block. */
async function* lzma2(cursor: BlockCursor, dictBytes: number): AsyncGenerator<Uint8Array> {
  const lzma = new Lzma(dictBytes);
  let ready = false;
  for (;;) {
    const start = cursor.position;
    const control = (await cursor.take(1))[0]!;
    if (control === 0) return;
    const low = await cursor.take(2);
    if (control < 0x80) {
      if (control > 2) throw cursor.damage("a chunk of an unknown type", start);
      if (control === 1) lzma.resetDictionary();
      const size = (low[0]! << 8) + low[1]! + 1;
      lzma.makeRoom(size);
      lzma.store(await cursor.take(size));
      yield lzma.bytes.subarray(lzma.end - size, lzma.end);
      continue;
    }
    const size = ((control & 0x1f) << 16) + (low[0]! << 8) + low[1]! + 1;
    const packed = await cursor.take(2);
    const packedBytes = (packed[0]! << 8) + packed[1]! + 1;
    const reset = (control >> 5) & 3;
    if (reset === 3) lzma.resetDictionary();
    if (reset >= 2 && !lzma.setProperties((await cursor.take(1))[0]!)) throw cursor.damage("a chunk is damaged", start);
    if (reset >= 1) lzma.resetState();
    ready ||= reset >= 2;
    lzma.makeRoom(size);
    if (!ready || !lzma.decode(await cursor.take(packedBytes), size)) throw cursor.damage("a chunk is damaged", start);
    yield lzma.bytes.subarray(lzma.end - size, lzma.end);
  }
}

async function padding(cursor: BlockCursor, size: number): Promise<void> {
  for (let k = size; k % 4 !== 0; k++)
    if ((await cursor.take(1))[0] !== 0) throw cursor.damage("there are bytes where padding should be");
}

/** The index and the stream's foot. */
async function tail(cursor: BlockCursor, blocks: number, digest: string, checkType: number): Promise<void> {
  const start = cursor.position - 1;
  let sum = crc32(Uint8Array.of(0));
  const byte = async (): Promise<number> => {
    const piece = await cursor.take(1);
    sum = crc32(piece, sum);
    return piece[0]!;
  };
  const number = async (): Promise<number> => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const next = await byte();
      value += (next & 127) * scale;
      if (next < 128 || scale > 2 ** 49) return value;
    }
  };
  const damaged = () => cursor.damage("its index does not agree with its blocks", start);
  if ((await number()) !== blocks) throw damaged();
  const index = createHash("sha256");
  for (let k = 0; k < blocks; k++) index.update(`${await number()},${await number()};`);
  if (index.digest("hex") !== digest) throw damaged();
  while ((cursor.position - start) % 4 !== 0) if ((await byte()) !== 0) throw damaged();
  if (read32(await cursor.take(4), 0) !== sum) throw damaged();
  const size = cursor.position - start;
  const foot = await cursor.take(12);
  const agrees =
    crc32(foot.subarray(4, 10)) === read32(foot, 0) &&
    (read32(foot, 4) + 1) * 4 === size &&
    foot[8] === 0 &&
    foot[9] === checkType &&
    foot[10] === 0x59 &&
    foot[11] === 0x5a;
  if (!agrees) throw cursor.damage("its end is damaged");
}
