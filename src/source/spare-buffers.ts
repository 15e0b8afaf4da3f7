import { Window } from "./window.ts";

/**
 * The buffers of a reader that has ended, for the next one; one reader at a time. The runtime collects large buffers by what else is
 * allocated, which is next to nothing while rows are encoded: without this a worker keeps some megabytes for every chunk that it has read.
 */
export class SpareBuffers {
  readonly #bytesMax: number;
  #window: Window | undefined;
  #block: Uint8Array | undefined;

  /** Buffers that have grown beyond `bytesMax` for a large row are not kept. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Empty, with room for so many bytes at least. */
  takeWindow(capacity: number): Window {
    const window = this.#window;
    this.#window = undefined;
    if (window === undefined || window.capacity < capacity) return new Window(capacity);
    window.clear();
    return window;
  }

  takeBlock(size: number): Uint8Array {
    const block = this.#block;
    this.#block = undefined;
    return block === undefined || block.length < size ? new Uint8Array(size) : block;
  }

  give(window: Window, block: Uint8Array): void {
    if (window.capacity <= this.#bytesMax) this.#window = window;
    if (block.length <= this.#bytesMax) this.#block = block;
  }
}
