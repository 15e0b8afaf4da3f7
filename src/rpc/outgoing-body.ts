import { assert } from "../base/mod.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { SendWindow } from "./flow.ts";

/** One `write`: pieces of a message that go out one after another. */
interface SendOp {
  readonly parts: readonly Uint8Array[];
  part: number;
  offset: number;
  left: number;
  readonly done: Deferred<void>;
}

/** Where `takeInto` puts bytes: slices of the caller's buffers, and what to call when they are with the operating system. */
export interface SendBatch {
  put(bytes: Uint8Array): void;
  onSettled(settle: () => void): void;
}

/** When a write resolves: its bytes wait no longer, or they are with the operating system and the caller's again. */
export type WriteEnd = "taken" | "settled";

/** Writes that may wait on one stream; callers await theirs, so more is a bug. */
const MAX_WAITING_WRITES = 64;

/** The sending half of a stream: what waits for credit and for the socket. The connection pulls the bytes out of it. */
export class OutgoingBody {
  readonly id: number;
  readonly window: SendWindow;
  /** True while it stands in the connection's round of senders. */
  queued = false;
  readonly #writeEnd: WriteEnd;
  readonly #wantsToSend: (body: OutgoingBody) => void;
  readonly #ops: SendOp[] = [];
  readonly #unsettled = new Set<SendOp>();
  #pendingBytes = 0;
  #acceptedBytes = 0;
  #endAsked = false;
  #ended = false;
  #closedBy: (() => Error) | undefined;

  /** `wantsToSend` is called when there are bytes or an end to send, and credit for it. */
  constructor(streamId: number, credit: number, writeEnd: WriteEnd, wantsToSend: (body: OutgoingBody) => void) {
    this.id = streamId;
    this.window = new SendWindow(credit, streamId);
    this.#writeEnd = writeEnd;
    this.#wantsToSend = wantsToSend;
  }

  /** Bytes of `write` calls that are still waiting for credit or for the socket. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Bytes that left for the socket, within flow control. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Some `write` has not resolved yet. */
  get waiting(): boolean {
    return this.#unsettled.size > 0;
  }

  /** END_STREAM is on its way. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when bytes wait and there is credit, or when only the end is left, which costs none. */
  get canSend(): boolean {
    if (this.#closedBy !== undefined) return false;
    return this.#pendingBytes > 0 ? this.window.credit > 0 : this.#endAsked && !this.#ended;
  }

  /** Sends the pieces without copying them. Rejects with the reason of `close`. */
  write(parts: readonly Uint8Array[]): Promise<void> {
    assert(!this.#endAsked, "no write after end");
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy());
    let left = 0;
    for (const part of parts) left += part.length;
    if (left === 0) return Promise.resolve();
    assert(this.#ops.length < MAX_WAITING_WRITES, "writes of a stream are awaited");
    const op: SendOp = { parts, part: 0, offset: 0, left, done: deferred() };
    this.#ops.push(op);
    this.#unsettled.add(op);
    this.#pendingBytes += left;
    this.offer();
    return op.done.promise;
  }

  /** No more writes: END_STREAM goes out after the waiting ones. */
  end(): void {
    if (this.#endAsked) return;
    this.#endAsked = true;
    this.offer();
  }

  /** Nothing more is sent: everybody who waits gets the reason, which is made only if somebody does. */
  close(reason: () => Error): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = reason;
    this.#ops.length = 0;
    this.#pendingBytes = 0;
    for (const op of this.#unsettled) op.done.reject(reason());
    this.#unsettled.clear();
  }

  // ---- called by the connection ----

  /** Credit may have come in. */
  offer(): void {
    if (this.canSend) this.#wantsToSend(this);
  }

  /** Moves up to `max` bytes into the batch. */
  takeInto(batch: SendBatch, max: number): void {
    assert(max <= this.#pendingBytes, "no more is taken than waits");
    this.window.take(max);
    this.#pendingBytes -= max;
    this.#acceptedBytes += max;
    let need = max;
    while (need > 0) {
      const op = this.#ops[0]!;
      const part = op.parts[op.part]!;
      const n = Math.min(need, part.length - op.offset);
      if (n > 0) batch.put(n === part.length ? part : part.subarray(op.offset, op.offset + n));
      op.offset += n;
      op.left -= n;
      need -= n;
      if (op.offset === part.length) {
        op.part++;
        op.offset = 0;
      }
      if (op.left > 0) continue;
      this.#ops.shift();
      if (this.#writeEnd === "taken") this.#settle(op);
      else batch.onSettled(() => this.#settle(op));
    }
  }

  /** True when a frame of the next `bytes` is the last one: it must carry END_STREAM. */
  takeEnd(bytes: number): boolean {
    if (!this.#endAsked || this.#pendingBytes > bytes) return false;
    this.#ended = true;
    return true;
  }

  #settle(op: SendOp): void {
    this.#unsettled.delete(op);
    op.done.resolve();
  }
}
