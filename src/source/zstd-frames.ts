import { LevinError } from "../base/mod.ts";

/** A damaged compressed file; `byte` counts the compressed file. */
export function corrupt(file: string, detail: string, byte: number, cause?: unknown): LevinError {
  return new LevinError("Levin:Source:ErrCorrupt", `Cannot decompress "${file}": ${detail} (byte ${byte})`, {
    cause,
    fields: { file, byte },
  });
}

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers from here on begin frames to skip. */
const SKIPPABLE = 0x184d2a50;

/** Sizes of a frame header's optional parts by their flags (RFC 8878 §3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/**
 * Finds the ends of zstd frames without decoding them: `frame := magic header block* checksum?`, `block := header(3) body`
 * (RFC 8878 §3.1). Truncation is noticed wherever it falls.
 */
export class ZstdFrames {
  /** Compressed bytes consumed so far. */
  position = 0;
  private readonly file: string;
  private readonly blocks: AsyncGenerator<Uint8Array>;
  private block: Uint8Array = new Uint8Array(0);
  private at = 0;
  private head: Uint8Array = new Uint8Array(0);

  constructor(blocks: AsyncGenerator<Uint8Array>, file: string) {
    this.blocks = blocks;
    this.file = file;
  }

  /** Steps over frames to skip; true: a frame with data follows, false: the file is at its end. */
  async begin(): Promise<boolean> {
    for (;;) {
      if (!(await this.fill())) return false;
      const start = this.position;
      this.head = await this.take(4);
      const magic = read32(this.head, 0);
      if (magic === MAGIC) return true;
      if ((magic & 0xfffffff0) >>> 0 !== SKIPPABLE) throw this.damage("not a zstd frame", start);
      let left = read32(await this.take(4), 0);
      while (left > 0) left -= (await this.piece(left)).length;
    }
  }

  /** The frame that `begin` found, magic number included, in pieces. */
  async *frame(): AsyncGenerator<Uint8Array> {
    yield this.head;
    const descriptor = await this.take(1);
    yield descriptor;
    const flags = descriptor[0]!;
    const single = (flags & 0x20) !== 0;
    const content = flags >> 6 === 0 && single ? 1 : CONTENT_SIZE_BYTES[flags >> 6]!;
    const rest = (single ? 0 : 1) + DICTIONARY_BYTES[flags & 3]! + content;
    if (rest > 0) yield await this.take(rest);
    for (;;) {
      const header = await this.take(3);
      yield header;
      const word = header[0]! | (header[1]! << 8) | (header[2]! << 16);
      const type = (word >> 1) & 3;
      if (type === 3) throw this.damage("zstd: a block of an unknown type", this.position - 3);
      let left = type === 1 ? 1 : word >> 3;
      while (left > 0) {
        const piece = await this.piece(left);
        left -= piece.length;
        yield piece;
      }
      if ((word & 1) === 1) break;
    }
    if ((flags & 4) !== 0) yield await this.take(4);
  }

  /** Whether bytes are left. */
  private async fill(): Promise<boolean> {
    while (this.at >= this.block.length) {
      const next = await this.blocks.next();
      if (next.done === true) return false;
      this.block = next.value;
      this.at = 0;
    }
    return true;
  }

  /** Up to `size` bytes, at least one. */
  private async piece(size: number): Promise<Uint8Array> {
    if (!(await this.fill())) throw this.damage("the zstd data ends too early", this.position);
    const piece = this.block.subarray(this.at, Math.min(this.block.length, this.at + size));
    this.at += piece.length;
    this.position += piece.length;
    return piece;
  }

  private async take(size: number): Promise<Uint8Array> {
    const out = new Uint8Array(size);
    let have = 0;
    while (have < size) {
      const piece = await this.piece(size - have);
      out.set(piece, have);
      have += piece.length;
    }
    return out;
  }

  private damage(detail: string, byte: number): LevinError {
    return corrupt(this.file, detail, byte);
  }
}

function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
