import { Code, ConnectError } from "@connectrpc/connect";

/** Largest message that a server takes (gRPC's length field allows 4 GiB). */
export const LARGEST_MESSAGE_BYTES = 256 << 20;
const HEAD_BYTES = 5;
/** What a message in several pieces is gathered in at first; it doubles as they come, whatever the head promises. */
const FIRST_BYTES = 64 << 10;

/**
 * The gRPC messages of a request as bytes. Each is valid until the next one is asked for: one that lies in a single piece of the stream
 * is a view of it, others are gathered in a buffer that is used again.
 */
export class ServerMessages implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #buffer = new Uint8Array(0);

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const head = await this.#take(HEAD_BYTES);
      if (head === undefined) return;
      if (head[0] !== 0) throw new ConnectError("a compressed message, without a compression", Code.Internal);
      const size = ((head[1]! << 24) | (head[2]! << 16) | (head[3]! << 8) | head[4]!) >>> 0;
      if (size > LARGEST_MESSAGE_BYTES) throw new ConnectError(`a message of ${size} bytes`, Code.ResourceExhausted);
      const message = await this.#take(size);
      if (message === undefined) throw incomplete();
      yield message;
    }
  }

  /** The next `size` bytes, in `#buffer` where they come in several pieces; undefined = the request is at its end. */
  async #take(size: number): Promise<Uint8Array | undefined> {
    if (this.#piece.length - this.#at >= size) {
      this.#at += size;
      return this.#piece.subarray(this.#at - size, this.#at);
    }
    for (let fill = 0; ; ) {
      const end = Math.min(this.#piece.length, this.#at + size - fill);
      this.#reserve(fill, fill + end - this.#at, size);
      this.#buffer.set(this.#piece.subarray(this.#at, end), fill);
      fill += end - this.#at;
      this.#at = end;
      if (fill === size) return this.#buffer.subarray(0, size);
      const { done, value: piece } = await this.#pieces.next();
      if (done) {
        if (fill === 0) return undefined;
        throw incomplete();
      }
      // Not a Buffer, whose `slice` does not copy.
      this.#piece = new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
      this.#at = 0;
    }
  }

  /** Room for `need` bytes of the `size` that the message shall have; the first `fill` are kept. */
  #reserve(fill: number, need: number, size: number): void {
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(size, Math.max(need, 2 * this.#buffer.length, FIRST_BYTES)));
    grown.set(this.#buffer.subarray(0, fill));
    this.#buffer = grown;
  }
}

function incomplete(): ConnectError {
  return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
}
