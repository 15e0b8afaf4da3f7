import { assert } from "../base/mod.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { ReceiveWindow } from "./flow.ts";

/** The receiving half of a stream: what the peer sends, until it is read. Credit goes back to the peer as it is read. */
export class IncomingBody {
  readonly #window: ReceiveWindow;
  readonly #giveBack: (increment: number) => void;
  readonly #pieces: Uint8Array[] = [];
  #reader: Deferred<Uint8Array | undefined> | undefined;
  #ended = false;
  #closed = false;
  #failure: Error | undefined;

  /** The peer may have `windowBytes` unread; `giveBack` tells it that there is room for more. */
  constructor(streamId: number, windowBytes: number, giveBack: (increment: number) => void) {
    this.#window = new ReceiveWindow(windowBytes, streamId);
    this.#giveBack = giveBack;
  }

  /** The peer has sent its last piece. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Next piece; undefined behind the last one, and when it is closed. One reader at a time. Rejects with what `fail` was given. */
  read(): Promise<Uint8Array | undefined> {
    assert(this.#reader === undefined, "one reader at a time");
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#release(piece.length);
      return Promise.resolve(piece);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended || this.#closed) return Promise.resolve(undefined);
    this.#reader = deferred();
    return this.#reader.promise;
  }

  /** `flowBytes` is what counts for flow control: data and padding. Throws PeerError when that is more than the window. */
  onData(data: Uint8Array, flowBytes: number): void {
    this.#window.receive(flowBytes);
    this.#release(flowBytes - data.length);
    if (data.length === 0) return;
    if (this.#reader === undefined) {
      this.#pieces.push(data);
      return;
    }
    this.#release(data.length);
    this.#reader.resolve(data);
    this.#reader = undefined;
  }

  onEnd(): void {
    this.#ended = true;
    this.#endReader();
  }

  /** Nobody wants the rest. */
  close(): void {
    this.#closed = true;
    this.#pieces.length = 0;
    this.#endReader();
  }

  /** No more will come. What has come can still be read only if it is complete. */
  fail(reason: Error): void {
    if (this.#ended || this.#closed) return;
    this.#closed = true;
    this.#failure = reason;
    this.#pieces.length = 0;
    this.#reader?.reject(reason);
    this.#reader = undefined;
  }

  #endReader(): void {
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
  }

  #release(bytes: number): void {
    const increment = this.#window.release(bytes);
    if (increment > 0 && !this.#ended && !this.#closed) this.#giveBack(increment);
  }
}
