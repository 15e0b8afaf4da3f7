import { Code, ConnectError } from "@connectrpc/connect";
import type { Halves } from "./connection.ts";
import { H2Code } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { OutgoingBody } from "./outgoing-body.ts";

/** What a stream asks of its connection. */
export interface ServerStreamOwner {
  sendHeaders(stream: ServerStream, list: HeaderList, endStream: boolean): void;
  /** The answer is complete, or broken off for the reason `h2Code`; the rest of the request is of no interest. */
  answered(stream: ServerStream, h2Code?: number): void;
}

/** One request and its answer, on the side that answers. */
export class ServerStream implements Halves {
  readonly id: number;
  readonly incoming: IncomingBody;
  readonly outgoing: OutgoingBody;
  readonly #owner: ServerStreamOwner;
  readonly #over = new AbortController();
  #responded = false;
  #finished = false;

  constructor(halves: Halves, owner: ServerStreamOwner) {
    this.id = halves.id;
    this.incoming = halves.incoming;
    this.outgoing = halves.outgoing;
    this.#owner = owner;
  }

  /** Fires when the stream is over: answered, reset by the client, or lost with the connection. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Next piece of the request; undefined behind its end, and once it is answered. One reader at a time. Rejects with ConnectError. */
  read(): Promise<Uint8Array | undefined> {
    return this.incoming.read();
  }

  /** Status and headers; `endStream`: there is nothing else. */
  respond(list: HeaderList, endStream: boolean): void {
    if (this.#finished) return;
    this.#responded = true;
    this.#owner.sendHeaders(this, list, endStream);
    if (endStream) this.#answered();
  }

  /** Sends a piece of the body, which belongs to the stream from here on; resolves when the connection has taken it. */
  write(bytes: Uint8Array): Promise<void> {
    return this.outgoing.write([bytes]);
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

  #answered(h2Code?: number): void {
    this.#finished = true;
    this.incoming.close();
    this.outgoing.close(() => new ConnectError("the answer is over", Code.Internal));
    this.#owner.answered(this, h2Code);
    this.#over.abort();
  }

  /** The client gave the call up, or the connection is gone. */
  fail(code: Code, message: string): void {
    if (this.#finished) return;
    this.#finished = true;
    const failure = new ConnectError(message, code);
    this.incoming.fail(failure);
    this.outgoing.close(() => failure);
    this.#over.abort(failure);
  }
}
