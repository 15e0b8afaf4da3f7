import { LevinError } from "../base/mod.ts";

/** A damaged compressed file; `byte` counts the compressed file. */
export function corrupt(file: string, detail: string, byte: number, cause?: unknown): LevinError {
  return new LevinError("Levin:Source:ErrCorrupt", `Cannot decompress "${file}": ${detail} (byte ${byte})`, {
    cause,
    fields: { file, byte },
  });
}

/** Takes exact numbers of bytes off a stream of blocks; the end of the stream inside such a number is damage. */
export class BlockCursor {
  /** Bytes taken so far. */
  position = 0;
  private readonly file: string;
  private readonly format: string;
  private readonly blocks: AsyncGenerator<Uint8Array>;
  private block: Uint8Array = new Uint8Array(0);
  private at = 0;

  constructor(blocks: AsyncGenerator<Uint8Array>, file: string, format: string) {
    this.blocks = blocks;
    this.file = file;
    this.format = format;
  }

  /** Whether bytes are left. */
  async hasMore(): Promise<boolean> {
    while (this.at >= this.block.length) {
      const next = await this.blocks.next();
      if (next.done === true) return false;
      this.block = next.value;
      this.at = 0;
    }
    return true;
  }

  /** Up to `size` bytes, at least one; valid until the next call. */
  async piece(size: number): Promise<Uint8Array> {
    if (!(await this.hasMore())) throw this.damage("the data ends too early");
    const piece = this.block.subarray(this.at, Math.min(this.block.length, this.at + size));
    this.at += piece.length;
    this.position += piece.length;
    return piece;
  }

  /** Exactly `size` bytes. */
  async take(size: number): Promise<Uint8Array> {
    if (size > 0 && this.at + size <= this.block.length) return this.piece(size);
    const out = new Uint8Array(size);
    let have = 0;
    while (have < size) {
      const piece = await this.piece(size - have);
      out.set(piece, have);
      have += piece.length;
    }
    return out;
  }

  async skip(size: number): Promise<void> {
    let left = size;
    while (left > 0) left -= (await this.piece(left)).length;
  }

  async u32(): Promise<number> {
    return read32(await this.take(4), 0);
  }

  damage(detail: string, byte = this.position): LevinError {
    return corrupt(this.file, `${this.format}: ${detail}`, byte);
  }
}

/** A little-endian number of four bytes. */
export function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
