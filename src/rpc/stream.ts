import { assert } from "../base/mod.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { ReceiveWindow, SendWindow } from "./flow.ts";
import { H2Code, h2CodeName, PeerError } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { appendTrailers, parseResponseHead, type ResponseHead, takeEarlyStatus } from "./response-head.ts";
import { WireError } from "./wire-error.ts";

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** The stream has bytes or an end to send and credit for it. */
  wantsToSend(stream: ClientStream): void;
  sendReset(stream: ClientStream, h2Code: number): void;
  sendWindowUpdate(streamId: number, increment: number): void;
  /** Called once: no frame of this stream will be sent or expected any more. */
  finished(stream: ClientStream): void;
}

/** One `write`: pieces of a message that go out one after another. */
export interface SendOp {
  readonly parts: readonly Uint8Array[];
  part: number;
  offset: number;
  left: number;
  readonly done: Deferred<void>;
}

/** Where `takeInto` puts bytes: slices of the caller's buffers, and the writes that are complete with them. */
export interface SendBatch {
  put(bytes: Uint8Array): void;
  complete(stream: DataSender, op: SendOp): void;
}

/** The sending side of a stream, as its connection sees it. */
export interface DataSender {
  readonly id: number;
  readonly sendWindow: SendWindow;
  /** True while it stands in the connection's round of senders. */
  queued: boolean;
  readonly pendingBytes: number;
  /** True when bytes wait and there is credit, or when only the end is left, which costs none. */
  readonly canSend: boolean;
  /** Moves up to `max` bytes into the batch. */
  takeInto(batch: SendBatch, max: number): void;
  /** True when a frame of the next `bytes` is the last one: it must carry END_STREAM. */
  takeEnd(bytes: number): boolean;
  settle(op: SendOp): void;
}

/** Writes that may wait on one stream; callers await theirs, so more is a bug. */
const MAX_WAITING_WRITES = 64;

/**
 * One request and its answer on a connection (RFC 9113 §5.1). It knows the state of both directions and the credit of both; the
 * connection (`session.ts`) feeds it frames and pulls bytes out of it.
 */
export class ClientStream implements DataSender {
  readonly id: number;
  readonly sendWindow: SendWindow;
  readonly trailers = new Headers();
  /** True while it stands in the connection's round of senders. */
  queued = false;

  readonly #owner: StreamOwner;
  readonly #receiveWindow: ReceiveWindow;
  readonly #head = deferred<ResponseHead>();
  readonly #over = deferred<void>();
  readonly #ops: SendOp[] = [];
  readonly #unsettled = new Set<SendOp>();
  #pendingBytes = 0;
  #acceptedBytes = 0;
  #endAsked = false;
  #localEnded = false;
  #headSeen = false;
  /** A status in the headers, until body or trailers make it void. */
  #earlyStatus: HeaderList = [];
  #remoteEnded = false;
  #finished = false;
  #failure: Error | undefined;
  readonly #pieces: Uint8Array[] = [];
  #reader: Deferred<Uint8Array | undefined> | undefined;

  constructor(id: number, owner: StreamOwner, sendCredit: number, receiveBytes: number) {
    this.id = id;
    this.#owner = owner;
    this.sendWindow = new SendWindow(sendCredit, id);
    this.#receiveWindow = new ReceiveWindow(receiveBytes, id);
  }

  /** Status and headers of the answer. */
  get head(): Promise<ResponseHead> {
    return this.#head.promise;
  }

  /** Resolves when the stream is finished, well or not. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Bytes that left for the socket, within flow control. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Bytes of `write` calls that are still waiting for credit or for the socket. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Some `write` has not resolved yet. */
  get waiting(): boolean {
    return this.#unsettled.size > 0;
  }

  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  get hasSomethingToSend(): boolean {
    return !this.#finished && (this.#pendingBytes > 0 || (this.#endAsked && !this.#localEnded));
  }

  /** True when bytes wait and there is credit, or when only the end is left, which costs none. */
  get canSend(): boolean {
    return this.hasSomethingToSend && (this.#pendingBytes === 0 || this.sendWindow.credit > 0);
  }

  // ---- request ----

  /**
   * Sends the pieces without copying them. Resolves when they are with the operating system: from then on the caller may reuse the
   * buffers. Rejects with the reason when the stream ends first (kind `ended` when the server answered early); the socket may then
   * still hold slices of the buffers for a moment, which go out as data of a stream that has been given up.
   */
  write(parts: readonly Uint8Array[]): Promise<void> {
    assert(!this.#endAsked, "no write after end");
    if (this.#finished || this.#remoteEnded) return Promise.reject(this.#failure ?? endedEarly());
    let left = 0;
    for (const part of parts) left += part.length;
    if (left === 0) return Promise.resolve();
    assert(this.#ops.length < MAX_WAITING_WRITES, "writes of a stream are awaited");
    const op: SendOp = { parts, part: 0, offset: 0, left, done: deferred() };
    this.#ops.push(op);
    this.#unsettled.add(op);
    this.#pendingBytes += left;
    if (this.canSend) this.#owner.wantsToSend(this);
    return op.done.promise;
  }

  /** No more writes: END_STREAM goes out after the waiting ones. */
  end(): void {
    if (this.#endAsked) return;
    this.#endAsked = true;
    if (this.canSend) this.#owner.wantsToSend(this);
  }

  /** Gives the stream up: RST_STREAM to the peer, `reason` to everybody who waits. Does nothing after the end. */
  abort(h2Code: number, reason: Error): void {
    if (this.#finished) return;
    this.#owner.sendReset(this, h2Code);
    this.fail(reason);
  }

  // ---- called by the connection ----

  /** Moves up to `max` bytes into the batch. */
  takeInto(batch: SendBatch, max: number): void {
    assert(max <= this.#pendingBytes, "no more is taken than waits");
    this.sendWindow.take(max);
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
      if (op.left === 0) {
        this.#ops.shift();
        batch.complete(this, op);
      }
    }
  }

  /** True when a frame of the next `bytes` is the last one: it must carry END_STREAM. */
  takeEnd(bytes: number): boolean {
    if (!this.#endAsked || this.#pendingBytes > bytes) return false;
    this.#localEnded = true;
    return true;
  }

  settle(op: SendOp): void {
    this.#unsettled.delete(op);
    op.done.resolve();
  }

  onHeaders(list: HeaderList | undefined, endStream: boolean): void {
    if (list === undefined) {
      throw new PeerError(H2Code.enhanceYourCalm, "the headers of the answer are larger than allowed", this.id);
    }
    if (!this.#headSeen) {
      const head = parseResponseHead(list, this.id);
      if (head.status < 200) {
        if (endStream || head.status === 101)
          throw new PeerError(H2Code.protocolError, `status ${head.status}`, this.id);
        return;
      }
      this.#headSeen = true;
      if (!endStream) this.#earlyStatus = takeEarlyStatus(head.headers);
      this.#head.resolve(head);
    } else {
      if (!endStream) throw new PeerError(H2Code.protocolError, "trailers without END_STREAM", this.id);
      this.#earlyStatus = [];
      appendTrailers(this.trailers, list, this.id);
    }
    if (endStream) this.#onRemoteEnd();
  }

  /** `flowBytes` is what counts for flow control: data and padding. */
  onData(data: Uint8Array, flowBytes: number, endStream: boolean): void {
    if (!this.#headSeen) throw new PeerError(H2Code.protocolError, "DATA before HEADERS", this.id);
    this.#receiveWindow.receive(flowBytes);
    this.#release(flowBytes - data.length);
    if (data.length > 0) {
      this.#earlyStatus = [];
      this.#deliver(data);
    }
    if (endStream) this.#onRemoteEnd();
  }

  onReset(h2Code: number): void {
    const refused = h2Code === H2Code.refusedStream;
    const text = refused ? "the server refused the stream" : `the server reset the stream: ${h2CodeName(h2Code)}`;
    this.fail(new WireError(refused ? "unprocessed" : "reset", text, { h2Code }));
  }

  /** Everybody who waits gets the reason; what has already arrived can still be read only if the answer was complete. */
  fail(reason: Error): void {
    if (this.#finished) return;
    this.#failure = reason;
    this.#head.reject(reason);
    if (!this.#remoteEnded) {
      this.#pieces.length = 0;
      this.#reader?.reject(reason);
      this.#reader = undefined;
    }
    this.#finish();
  }

  // ---- answer ----

  /** Next piece of the body; undefined after the last one, when `trailers` are complete. One reader at a time. */
  read(): Promise<Uint8Array | undefined> {
    assert(this.#reader === undefined, "one reader at a time");
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#release(piece.length);
      return Promise.resolve(piece);
    }
    if (this.#remoteEnded) return Promise.resolve(undefined);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#reader = deferred();
    return this.#reader.promise;
  }

  #deliver(data: Uint8Array): void {
    if (this.#reader === undefined) {
      this.#pieces.push(data);
      return;
    }
    this.#release(data.length);
    this.#reader.resolve(data);
    this.#reader = undefined;
  }

  #release(bytes: number): void {
    const increment = this.#receiveWindow.release(bytes);
    if (increment > 0 && !this.#remoteEnded && !this.#finished) this.#owner.sendWindowUpdate(this.id, increment);
  }

  #onRemoteEnd(): void {
    this.#remoteEnded = true;
    appendTrailers(this.trailers, this.#earlyStatus, this.id);
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    if (!this.#localEnded) this.#owner.sendReset(this, H2Code.noError);
    this.#finish();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#ops.length = 0;
    this.#pendingBytes = 0;
    for (const op of this.#unsettled) op.done.reject(this.#failure ?? endedEarly());
    this.#unsettled.clear();
    this.#over.resolve();
    this.#owner.finished(this);
  }
}

function endedEarly(): WireError {
  return new WireError("ended", "the server answered before the request was complete");
}
