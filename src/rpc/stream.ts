import type { Halves } from "./connection.ts";
import { deferred } from "./deferred.ts";
import { H2Code, h2CodeName, PeerError } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import { appendTrailers, parseResponseHead, type ResponseHead, takeEarlyStatus } from "./response-head.ts";
import { WireError } from "./wire-error.ts";

/** What a stream asks of its connection. */
export interface StreamOwner {
  sendReset(stream: ClientStream, h2Code: number): void;
  /** Called once: no frame of this stream will be sent or expected any more. */
  finished(stream: ClientStream): void;
}

/**
 * One request and its answer on a connection (RFC 9113 §5.1). It knows the state of both directions and the credit of both; the
 * connection (`session.ts`) feeds it frames and pulls bytes out of it.
 */
export class ClientStream implements Halves {
  readonly id: number;
  readonly incoming: IncomingBody;
  readonly outgoing: OutgoingBody;
  readonly trailers = new Headers();

  readonly #owner: StreamOwner;
  readonly #head = deferred<ResponseHead>();
  readonly #over = deferred<void>();
  #headSeen = false;
  /** A status in the headers, until body or trailers make it void. */
  #earlyStatus: HeaderList = [];
  #finished = false;

  constructor(halves: Halves, owner: StreamOwner) {
    this.id = halves.id;
    this.incoming = halves.incoming;
    this.outgoing = halves.outgoing;
    this.#owner = owner;
  }

  /** Status and headers of the answer. */
  get head(): Promise<ResponseHead> {
    return this.#head.promise;
  }

  /** Resolves when the stream is finished, well or not. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Bytes that left for the socket, within flow control. */
  get acceptedBytes(): number {
    return this.outgoing.acceptedBytes;
  }

  /** Some `write` has not resolved yet. */
  get waiting(): boolean {
    return this.outgoing.waiting;
  }

  // ---- request ----

  /**
   * Sends the pieces without copying them. Resolves when they are with the operating system: from then on the caller may reuse the
   * buffers. Rejects with the reason when the stream ends first (kind `ended` when the server answered early); the socket may then
   * still hold slices of the buffers for a moment, which go out as data of a stream that has been given up.
   */
  write(parts: readonly Uint8Array[]): Promise<void> {
    return this.outgoing.write(parts);
  }

  /** No more writes: END_STREAM goes out after the waiting ones. */
  end(): void {
    this.outgoing.end();
  }

  /** Gives the stream up: RST_STREAM to the peer, `reason` to everybody who waits. Does nothing after the end. */
  abort(h2Code: number, reason: Error): void {
    if (this.#finished) return;
    this.#owner.sendReset(this, h2Code);
    this.fail(reason);
  }

  // ---- called by the connection ----

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
    if (data.length > 0) this.#earlyStatus = [];
    this.incoming.onData(data, flowBytes);
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
    this.#head.reject(reason);
    this.incoming.fail(reason);
    this.#finish(() => reason);
  }

  /** Next piece of the answer's body; undefined after the last one, when `trailers` are complete. One reader at a time. */
  read(): Promise<Uint8Array | undefined> {
    return this.incoming.read();
  }

  #onRemoteEnd(): void {
    appendTrailers(this.trailers, this.#earlyStatus, this.id);
    this.incoming.onEnd();
    if (!this.outgoing.ended) this.#owner.sendReset(this, H2Code.noError);
    this.#finish(endedEarly);
  }

  #finish(reason: () => Error): void {
    this.#finished = true;
    this.outgoing.close(reason);
    this.#over.resolve();
    this.#owner.finished(this);
  }
}

function endedEarly(): WireError {
  return new WireError("ended", "the server answered before the request was complete");
}
