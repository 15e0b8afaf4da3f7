import { type BlockCursor, read32 } from "./block-cursor.ts";

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers from here on begin frames to skip; LZ4 has the same. */
const SKIPPABLE = 0x184d2a50;

/** Whether a magic number begins a frame that is to be skipped. */
export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE;
}

/** Sizes of a frame header's optional parts by their flags (RFC 8878 §3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/**
 * Finds the ends of zstd frames without decoding them: `frame := magic header block* checksum?`, `block := header(3) body`
 * (RFC 8878 §3.1). Truncation is noticed wherever it falls.
 */
export class ZstdFrames {
  private readonly cursor: BlockCursor;
  private head: Uint8Array = new Uint8Array(0);

  constructor(cursor: BlockCursor) {
    this.cursor = cursor;
  }

  /** Steps over frames to skip; true: a frame with data follows, false: the file is at its end. */
  async begin(): Promise<boolean> {
    const { cursor } = this;
    while (await cursor.hasMore()) {
      const start = cursor.position;
      this.head = (await cursor.take(4)).slice();
      const magic = read32(this.head, 0);
      if (magic === MAGIC) return true;
      if (!isSkippable(magic)) throw cursor.damage("not a frame", start);
      await cursor.skip(await cursor.u32());
    }
    return false;
  }

  /** The frame that `begin` found, magic number included, in pieces. */
  async *frame(): AsyncGenerator<Uint8Array> {
    const { cursor } = this;
    yield this.head;
    const descriptor = (await cursor.take(1)).slice();
    yield descriptor;
    const flags = descriptor[0]!;
    const single = (flags & 0x20) !== 0;
    const content = flags >> 6 === 0 && single ? 1 : CONTENT_SIZE_BYTES[flags >> 6]!;
    const rest = (single ? 0 : 1) + DICTIONARY_BYTES[flags & 3]! + content;
    if (rest > 0) yield (await cursor.take(rest)).slice();
    for (;;) {
      const header = (await cursor.take(3)).slice();
      yield header;
      const word = header[0]! | (header[1]! << 8) | (header[2]! << 16);
      const type = (word >> 1) & 3;
      if (type === 3) throw cursor.damage("a block of an unknown type");
      let left = type === 1 ? 1 : word >> 3;
      while (left > 0) {
        const piece = await cursor.piece(left);
        left -= piece.length;
        yield piece;
      }
      if ((word & 1) === 1) break;
    }
    if ((flags & 4) !== 0) yield (await cursor.take(4)).slice();
  }
}
