import { type Code, ConnectError } from "@connectrpc/connect";
import { type Deferred, deferred } from "./deferred.ts";
import { ReceiveWindow, SendWindow } from "./flow.ts";
import { H2Code } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import type { DataSender, SendBatch } from "./stream.ts";

/** What a stream asks of its connection. */
export interface ServerStreamOwner {
  wantsToSend(stream: ServerStream): void;
  sendHeaders(stream: ServerStream, list: HeaderList, endStream: boolean): void;
  sendWindowUpdate(streamId: number, increment: number): void;
  /** The answer is complete, or broken off for the reason `h2Code`; the rest of the request is of no interest. */
  answered(stream: ServerStream, h2Code?: number): void;
}

/** One request and its answer, on the side that answers. */
export class ServerStream implements DataSender {
  readonly id: number;
  readonly sendWindow: SendWindow;
  queued = false;
  readonly #owner: ServerStreamOwner;
  readonly #receiveWindow: ReceiveWindow;
  readonly #over = new AbortController();
  /** Of the request, until they are read. */
  readonly #pieces: Uint8Array[] = [];
  #reader: Deferred<Uint8Array | undefined> | undefined;
  #remoteEnded = false;
  /** Of the answer, until the connection takes them. */
  readonly #answer: Uint8Array[] = [];
  #answerAt = 0;
  #pendingBytes = 0;
  #taken: Deferred<void> | undefined;
  #failure: ConnectError | undefined;
  #responded = false;
  #finished = false;

  constructor(id: number, owner: ServerStreamOwner, sendCredit: number, receiveBytes: number) {
    this.id = id;
    this.#owner = owner;
    this.sendWindow = new SendWindow(sendCredit, id);
    this.#receiveWindow = new ReceiveWindow(receiveBytes, id);
  }

  /** Fires when the stream is over: answered, reset by the client, or lost with the connection. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get canSend(): boolean {
    return !this.#finished && this.#pendingBytes > 0 && this.sendWindow.credit > 0;
  }

  // ---- request ----

  /** Next piece of the request; undefined behind its end, and once it is answered. One reader at a time. Rejects with ConnectError. */
  read(): Promise<Uint8Array | undefined> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#release(piece.length);
      return Promise.resolve(piece);
    }
    if (this.#remoteEnded) return Promise.resolve(undefined);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#finished) return Promise.resolve(undefined);
    this.#reader = deferred();
    return this.#reader.promise;
  }

  /** `flowBytes` is what counts for flow control: data and padding. */
  onData(data: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#receiveWindow.receive(flowBytes);
    this.#release(flowBytes - data.length);
    if (data.length > 0) {
      if (this.#reader === undefined) this.#pieces.push(data);
      else {
        this.#release(data.length);
        this.#reader.resolve(data);
        this.#reader = undefined;
      }
    }
    if (endStream) this.onEnd();
  }

  onEnd(): void {
    this.#remoteEnded = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
  }

  #release(bytes: number): void {
    const increment = this.#receiveWindow.release(bytes);
    if (increment > 0 && !this.#remoteEnded && !this.#finished) this.#owner.sendWindowUpdate(this.id, increment);
  }

  // ---- answer ----

  /** Status and headers; `endStream`: there is nothing else. */
  respond(list: HeaderList, endStream: boolean): void {
    if (this.#finished) return;
    this.#responded = true;
    this.#owner.sendHeaders(this, list, endStream);
    if (endStream) this.#answered();
  }

  /** Sends a piece of the body, which belongs to the stream from here on; resolves when the connection has taken it. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (bytes.length === 0) return;
    this.#answer.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#taken ??= deferred();
    if (this.canSend) this.#owner.wantsToSend(this);
    await this.#taken.promise;
  }

  /** The end of the answer, when all of the body was taken. */
  end(trailers: HeaderList): void {
    if (this.#finished) return;
    this.#owner.sendHeaders(this, trailers, true);
    this.#answered();
  }

  /** There is no end: the client gets `instead` as all of the answer, or a reset where the answer has begun. */
  breakOff(instead: HeaderList): void {
    if (!this.#responded) this.respond(instead, true);
    else if (!this.#finished) this.#answered(H2Code.internalError);
  }

  takeInto(batch: SendBatch, max: number): void {
    this.sendWindow.take(max);
    this.#pendingBytes -= max;
    for (let need = max; need > 0; ) {
      const piece = this.#answer[0]!;
      const end = Math.min(piece.length, this.#answerAt + need);
      batch.put(piece.subarray(this.#answerAt, end));
      need -= end - this.#answerAt;
      this.#answerAt = end;
      if (end < piece.length) return;
      this.#answer.shift();
      this.#answerAt = 0;
    }
    if (this.#pendingBytes > 0) return;
    this.#taken?.resolve();
    this.#taken = undefined;
  }

  /** END_STREAM goes with the trailers. */
  takeEnd(): boolean {
    return false;
  }

  settle(): void {}

  // ---- end ----

  #answered(h2Code?: number): void {
    this.#finished = true;
    this.#pieces.length = 0;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    this.#owner.answered(this, h2Code);
    this.#over.abort();
  }

  /** The client gave the call up, or the connection is gone. */
  fail(code: Code, message: string): void {
    if (this.#finished) return;
    this.#finished = true;
    const failure = new ConnectError(message, code);
    this.#failure = failure;
    if (!this.#remoteEnded) {
      this.#pieces.length = 0;
      this.#reader?.reject(failure);
      this.#reader = undefined;
    }
    this.#answer.length = 0;
    this.#pendingBytes = 0;
    this.#taken?.reject(failure);
    this.#over.abort(failure);
  }
}
