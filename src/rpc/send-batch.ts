import { FRAME_HEAD_BYTES, putFrameHead } from "./frames.ts";
import type { SendBatch } from "./outgoing-body.ts";

/** Pieces up to this size are copied together, which is cheaper than a turn of the socket for each. */
const COPY_BYTES = 32 << 10;
const STAGING_BYTES = 256 << 10;
const SPARE_STAGINGS = 8;

/** Staging buffers between two uses; as many as are ever in flight, at most SPARE_STAGINGS. */
export class StagingPool {
  readonly #spare: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(STAGING_BYTES);
  }

  giveBack(staging: Uint8Array): void {
    if (this.#spare.length < SPARE_STAGINGS) this.#spare.push(staging);
  }
}

/**
 * What goes to the socket in one go. Small pieces (frame heads, message heads, control frames) are copied one behind the other into a
 * staging buffer; large ones are passed on as they are.
 */
export class Batch implements SendBatch {
  bytes = 0;
  readonly pieces: Uint8Array[] = [];
  readonly #pool: StagingPool;
  readonly #stagings: Uint8Array[] = [];
  readonly #onSettled: (() => void)[] = [];
  #staging: Uint8Array | undefined;
  #start = 0;
  #fill = 0;

  constructor(pool: StagingPool) {
    this.#pool = pool;
  }

  put(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (bytes.length > COPY_BYTES) {
      this.#cut();
      this.pieces.push(bytes);
      return;
    }
    const staging = this.#room(bytes.length);
    staging.set(bytes, this.#fill);
    this.#fill += bytes.length;
  }

  putFrameHead(length: number, type: number, flags: number, streamId: number): void {
    this.bytes += FRAME_HEAD_BYTES;
    putFrameHead(this.#room(FRAME_HEAD_BYTES), this.#fill, length, type, flags, streamId);
    this.#fill += FRAME_HEAD_BYTES;
  }

  onSettled(settle: () => void): void {
    this.#onSettled.push(settle);
  }

  /** No more pieces. */
  seal(): void {
    this.#cut();
  }

  /** The operating system has taken everything: buffers are free again. */
  settle(): void {
    for (const staging of this.#stagings) this.#pool.giveBack(staging);
    for (const settle of this.#onSettled) settle();
  }

  #room(bytes: number): Uint8Array {
    if (this.#staging === undefined || this.#fill + bytes > this.#staging.length) {
      this.#cut();
      this.#staging = this.#pool.take();
      this.#stagings.push(this.#staging);
      this.#start = 0;
      this.#fill = 0;
    }
    return this.#staging;
  }

  #cut(): void {
    if (this.#staging === undefined || this.#fill === this.#start) return;
    this.pieces.push(this.#staging.subarray(this.#start, this.#fill));
    this.#start = this.#fill;
  }
}
