import { Flag, FRAME_HEAD_BYTES, FrameType, H2Code, PeerError, readUint32 } from "./frames.ts";

/** Takes whole frames. `payload` may share memory with the chunk it came in; it is never overwritten later. */
export type FrameHandler = (type: number, flags: number, streamId: number, payload: Uint8Array) => void;

/**
 * Cuts the bytes of a connection into frames. A frame that lies wholly in one chunk is handed on without a copy; one that
 * straddles chunks is gathered, in at most `maxFrameBytes`, or, if it is DATA without padding and `splitData` is set, handed on as
 * several frames, the last of which has END_STREAM.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #handler: FrameHandler;
  readonly #splitData: boolean;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headFill = 0;
  /** Of the frame whose head is complete; undefined between frames. */
  #body: Uint8Array | undefined;
  #bodyFill = 0;
  /** Bytes to come of a frame that is handed on in pieces. */
  #dataLeft = 0;

  constructor(maxFrameBytes: number, handler: FrameHandler, splitData = false) {
    this.#splitData = splitData;
    this.#maxFrameBytes = maxFrameBytes;
    this.#handler = handler;
  }

  /** Throws PeerError when a frame is longer than allowed, and whatever the handler throws; then it must not be used again. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#dataLeft > 0) at = this.#passData(chunk, at);
      else if (this.#body === undefined) {
        if (this.#headFill === 0 && chunk.length - at >= FRAME_HEAD_BYTES) {
          const length = this.#lengthOf(chunk, at);
          const end = at + FRAME_HEAD_BYTES + length;
          if (end <= chunk.length) {
            this.#hand(chunk, at, chunk.subarray(at + FRAME_HEAD_BYTES, end));
            at = end;
            continue;
          }
        }
        at = this.#fillHead(chunk, at);
      } else {
        at = this.#fillBody(this.#body, chunk, at);
      }
    }
  }

  #lengthOf(bytes: Uint8Array, at: number): number {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (length > this.#maxFrameBytes) {
      throw new PeerError(H2Code.frameSizeError, `frame of ${length} bytes, allowed are ${this.#maxFrameBytes}`);
    }
    return length;
  }

  #hand(head: Uint8Array, at: number, payload: Uint8Array): void {
    this.#handler(head[at + 3]!, head[at + 4]!, readUint32(head, at + 5) & 0x7fffffff, payload);
  }

  #fillHead(chunk: Uint8Array, at: number): number {
    const n = Math.min(FRAME_HEAD_BYTES - this.#headFill, chunk.length - at);
    this.#head.set(chunk.subarray(at, at + n), this.#headFill);
    this.#headFill += n;
    if (this.#headFill === FRAME_HEAD_BYTES) {
      const length = this.#lengthOf(this.#head, 0);
      if (this.#splitData && this.#head[3] === FrameType.data && (this.#head[4]! & Flag.padded) === 0 && length > 0) {
        this.#dataLeft = length;
        return at + n;
      }
      this.#body = new Uint8Array(length);
      this.#bodyFill = 0;
      if (this.#body.length === 0) this.#finish(this.#body);
    }
    return at + n;
  }

  #passData(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#dataLeft);
    this.#dataLeft -= end - at;
    const flags = this.#dataLeft === 0 ? this.#head[4]! : this.#head[4]! & ~Flag.endStream;
    if (this.#dataLeft === 0) this.#headFill = 0;
    this.#handler(FrameType.data, flags, readUint32(this.#head, 5) & 0x7fffffff, chunk.subarray(at, end));
    return end;
  }

  #fillBody(body: Uint8Array, chunk: Uint8Array, at: number): number {
    const n = Math.min(body.length - this.#bodyFill, chunk.length - at);
    body.set(chunk.subarray(at, at + n), this.#bodyFill);
    this.#bodyFill += n;
    if (this.#bodyFill === body.length) this.#finish(body);
    return at + n;
  }

  #finish(body: Uint8Array): void {
    this.#body = undefined;
    this.#headFill = 0;
    this.#hand(this.#head, 0, body);
  }
}
