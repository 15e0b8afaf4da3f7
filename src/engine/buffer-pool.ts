/**
 * Buffers that are used again. A runtime collects large buffers late: reading an engine with fresh ones kept two hundred megabytes of
 * dead blocks and messages in memory, beside the few tens that were in use (Bun 1.4).
 */

/** Sizes are rounded up by at most an eighth, so that buffers for about the same amount are the same. */
const STEPS_LOG = 3;

export class BufferPool {
  readonly #keptBytesMax: number;
  readonly #free = new Map<number, Uint8Array[]>();
  #keptBytes = 0;

  /** `keptBytesMax`: what lies idle at most; more is left to the collector. */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Bytes that lie idle. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** At least so many bytes, of any content; the buffer begins with its first byte. */
  take(bytes: number): Uint8Array {
    const size = roundUp(bytes);
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return new Uint8Array(size);
    this.#keptBytes -= size;
    return buffer;
  }

  /** `part` lies in a buffer of `take` that nobody uses any more. Other buffers are not kept. */
  give(part: Uint8Array): void {
    const size = part.buffer.byteLength;
    if (size !== roundUp(size) || this.#keptBytes + size > this.#keptBytesMax) return;
    let list = this.#free.get(size);
    if (list === undefined) {
      list = [];
      this.#free.set(size, list);
    }
    list.push(new Uint8Array(part.buffer));
    this.#keptBytes += size;
  }
}

function roundUp(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes))) - STEPS_LOG);
  return Math.max(1, Math.ceil(bytes / step)) * step;
}
