/** Room for a block and the pair that fills it, if that is not a large one. */
export const BUFFER_BYTES = 256 * 1024 + 4096;
/** Buffers that are kept between two uses. */
const SPARE_BUFFERS = 48;

/** Buffers of blocks that are used again: fresh memory costs more than what is done with it. */
export class BlockBuffers {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  /** Takes a buffer of this class back, or a view of one; others are left alone. Nobody may use it any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer.byteLength !== BUFFER_BYTES || this.#spare.length >= SPARE_BUFFERS) return;
    this.#spare.push(new Uint8Array(buffer as ArrayBuffer));
  }
}
