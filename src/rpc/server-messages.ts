import { Code, ConnectError } from "@connectrpc/connect";
import type { ServerStream } from "./server-stream.ts";

/** Largest message that is taken (gRPC's length field allows 4 GiB). */
const LARGEST_BYTES = 256 << 20;
const HEAD_BYTES = 5;

/**
 * The gRPC messages of a request as bytes. Each is valid until the next one is asked for: one that lies in a single piece of the stream
 * is a view of it, others are gathered in a buffer that is used again.
 */
export class ServerMessages implements AsyncIterable<Uint8Array> {
  readonly #stream: ServerStream;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #buffer = new Uint8Array(0);

  constructor(stream: ServerStream) {
    this.#stream = stream;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const head = await this.#take(HEAD_BYTES, this.#head);
      if (head === undefined) return;
      if (head[0] !== 0) throw new ConnectError("a compressed message, without a compression", Code.Internal);
      const size = ((head[1]! << 24) | (head[2]! << 16) | (head[3]! << 8) | head[4]!) >>> 0;
      if (size > LARGEST_BYTES) throw new ConnectError(`a message of ${size} bytes`, Code.ResourceExhausted);
      if (size > this.#piece.length - this.#at && size > this.#buffer.length) this.#buffer = new Uint8Array(size);
      const message = await this.#take(size, this.#buffer);
      if (message === undefined) throw incomplete();
      yield message;
    }
  }

  /** The next `size` bytes, in `into` where they come in several pieces; undefined = the request is at its end. */
  async #take(size: number, into: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#piece.length - this.#at >= size) {
      this.#at += size;
      return this.#piece.subarray(this.#at - size, this.#at);
    }
    for (let fill = 0; ; ) {
      const end = Math.min(this.#piece.length, this.#at + size - fill);
      into.set(this.#piece.subarray(this.#at, end), fill);
      fill += end - this.#at;
      this.#at = end;
      if (fill === size) return into.subarray(0, size);
      const piece = await this.#stream.read();
      if (piece === undefined) {
        if (fill === 0) return undefined;
        throw incomplete();
      }
      // Not a Buffer, whose `slice` does not copy.
      this.#piece = new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
      this.#at = 0;
    }
  }
}

function incomplete(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}
