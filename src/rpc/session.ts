import type { Socket } from "node:net";
import { type Clock, textOf } from "../base/mod.ts";
import { Connection, type ConnectionEvents, type ConnectionOptions } from "./connection.ts";
import { deferred } from "./deferred.ts";
import { H2Code, PeerError, pingFrame, rstStreamFrame, Setting } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { goAwayText, OUR_MAX_FRAME_BYTES } from "./inbound.ts";
import { Keepalive, type KeepaliveOptions } from "./keepalive.ts";
import { ClientStream, type StreamOwner } from "./stream.ts";
import { StreamGate } from "./stream-gate.ts";
import { WireError } from "./wire-error.ts";

export interface SessionOptions extends KeepaliveOptions {
  readonly clock: Clock;
  /** Answer bytes that a stream may hold unread. */
  readonly streamWindowBytes: number;
  /** The same over all streams of the connection, on the wire. */
  readonly connectionWindowBytes: number;
  /** Largest list of answer headers or trailers. */
  readonly maxHeaderListBytes: number;
  /** Calls that may wait while the server allows no more streams. */
  readonly maxWaitingCalls: number;
}

const LAST_STREAM_ID = 0x7fffffff;
/** Answers to pings and settings that a server which does not read them may pile up. */
const ANSWER_BYTES = 256 << 10;
/** Ids of answers that ended a moment ago, to tell a peer that goes on sending from one whose frames crossed our reset. */
const REMEMBERED_ENDS = 128;
const FIRST_BYTES = 32;

/**
 * One HTTP/2 connection as a client (RFC 9113). Its life: *opening* until the server's SETTINGS, *open*, *draining* after GOAWAY (no
 * new streams, the open ones go on), *closed*. `ready` and `closed` tell of the first and the last step.
 */
export class Session {
  /** Resolves with the server's first SETTINGS; rejects when the connection ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the connection is over. */
  readonly closed: Promise<WireError>;

  readonly #connection: Connection<ClientStream>;
  readonly #keepalive: Keepalive;
  readonly #gate: StreamGate;
  readonly #ended: number[] = [];
  readonly #ready = deferred<void>();
  readonly #closed = deferred<WireError>();
  readonly #owner: StreamOwner;
  #state: "opening" | "open" | "draining" | "closed" = "opening";
  #goAway: WireError | undefined;
  #firstBytes = new Uint8Array(0);

  constructor(socket: Socket, options: SessionOptions) {
    this.ready = this.#ready.promise;
    this.closed = this.#closed.promise;
    this.#gate = new StreamGate(options.maxWaitingCalls);
    this.#connection = new Connection(socket, connectionOptions(options), this.#events());
    this.#keepalive = new Keepalive(options.clock, options, {
      hasStreams: () => this.streamCount > 0,
      sendPing: () => this.#connection.control(pingFrame(new Uint8Array(8), false)),
      onSilence: () =>
        this.#end(
          new WireError("lost", `no sign of life for ${options.pingTimeoutMs} ms after a ping`),
          H2Code.noError,
        ),
    });
    this.#owner = {
      sendReset: (stream, h2Code) => this.#connection.control(rstStreamFrame(stream.id, h2Code)),
      finished: (stream) => this.#onFinished(stream),
    };
    this.#listen(socket);
  }

  /** New streams can be opened. */
  get usable(): boolean {
    return this.#state === "open";
  }

  get streamCount(): number {
    return this.#connection.streams.size;
  }

  /**
   * Sends the headers and returns the stream; waits while the server allows no more. Undefined: this connection takes no new streams
   * and nothing was sent. Rejects with the signal's reason, or with a WireError.
   */
  async open(headers: HeaderList, signal?: AbortSignal): Promise<ClientStream | undefined> {
    if (!(await this.#gate.enter(signal))) return undefined;
    try {
      if (this.#state === "open") return this.#openNow(headers);
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
    this.#gate.leave();
    return undefined;
  }

  /** Ends the connection now: open streams fail with `reason`. */
  close(reason: WireError): void {
    this.#end(reason, H2Code.noError);
  }

  #listen(socket: Socket): void {
    socket.on("data", (chunk: Uint8Array) => this.#onBytes(chunk));
    socket.on("error", (error: Error) => this.#end(lostBy(error)));
    socket.on("end", () => this.#end(new WireError("lost", "the server closed the connection")));
    socket.on("close", () => this.#end(new WireError("lost", "the connection was closed")));
    if (socket.destroyed) this.#end(new WireError("lost", "the connection was closed"));
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#keepalive.signOfLife();
    if (this.#state === "opening" && this.#firstBytes.length < FIRST_BYTES) {
      this.#firstBytes = Uint8Array.from([...this.#firstBytes, ...chunk.subarray(0, FIRST_BYTES)]);
    }
    try {
      this.#connection.push(chunk);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#end(this.#protocolFault(error), error.h2Code);
    }
  }

  #protocolFault(error: PeerError): WireError {
    const what = this.#state === "opening" ? notHttp2(this.#firstBytes, error) : error.message;
    return new WireError("protocol", what, { cause: error, h2Code: error.h2Code });
  }

  // ---- opening streams ----

  #openNow(headers: HeaderList): ClientStream {
    let listBytes = 0;
    for (const [name, value] of headers) listBytes += name.length + value.length + 32;
    const { peer, lastId, streams } = this.#connection;
    if (listBytes > peer.maxHeaderListBytes) {
      throw new WireError("protocol", `headers of ${listBytes} bytes, the server takes ${peer.maxHeaderListBytes}`);
    }
    const stream = new ClientStream(this.#connection.halves(lastId + 2), this.#owner);
    this.#connection.lastId = stream.id;
    streams.set(stream.id, stream);
    this.#connection.control(this.#connection.headersFrames(stream.id, headers, false));
    this.#keepalive.wake();
    if (stream.id === LAST_STREAM_ID) this.#drain();
    return stream;
  }

  #onFinished(stream: ClientStream): void {
    this.#connection.streams.delete(stream.id);
    this.#gate.leave();
    if (stream.incoming.ended) {
      this.#ended.push(stream.id);
      if (this.#ended.length > REMEMBERED_ENDS) this.#ended.shift();
    }
    if (this.#state === "draining" && this.streamCount === 0) {
      this.#end(
        this.#goAway ?? new WireError("closed", "the connection has used up its stream numbers"),
        H2Code.noError,
      );
    }
  }

  // ---- ending ----

  #drain(): void {
    if (this.#state !== "open" && this.#state !== "opening") return;
    this.#state = "draining";
    this.#gate.close();
  }

  #end(reason: WireError, h2Code?: number): void {
    if (this.#state === "closed") return;
    const why = reason.kind === "lost" && this.#goAway !== undefined ? this.#goAway : reason;
    this.#state = "closed";
    this.#keepalive.stop();
    this.#connection.close(h2Code);
    for (const stream of [...this.#connection.streams.values()]) stream.fail(why);
    this.#gate.close();
    this.#ready.reject(why);
    this.#closed.resolve(why);
  }

  // ---- frames of the peer ----

  #events(): ConnectionEvents {
    return {
      settings: () => this.#onSettings(),
      goAway: (last, h2Code, debug) => this.#onGoAway(last, h2Code, debug),
      reset: (id, h2Code) => this.#connection.find(id)?.onReset(h2Code),
      headers: (id, list, end) => this.#findForAnswer(id)?.onHeaders(list, end),
      data: (id, data, flowBytes, end) => this.#findForAnswer(id)?.onData(data, flowBytes, end),
      streamError: (error) => this.#onStreamError(error),
    };
  }

  #findForAnswer(id: number): ClientStream | undefined {
    const stream = this.#connection.find(id);
    if (stream === undefined && this.#ended.includes(id)) {
      throw new PeerError(H2Code.streamClosed, `stream ${id} goes on after its end`);
    }
    return stream;
  }

  #onStreamError(error: PeerError): void {
    const reason = new WireError("protocol", error.message, { cause: error, h2Code: error.h2Code });
    this.#connection.streams.get(error.streamId)?.abort(error.h2Code, reason);
  }

  #onSettings(): void {
    this.#gate.setLimit(this.#connection.peer.maxStreams);
    if (this.#state === "opening") {
      this.#state = "open";
      this.#ready.resolve();
    }
  }

  #onGoAway(lastStreamId: number, h2Code: number, debug: string): void {
    const graceful = h2Code === H2Code.noError;
    this.#goAway = new WireError("lost", goAwayText(h2Code, debug), { h2Code });
    this.#drain();
    for (const stream of [...this.#connection.streams.values()]) {
      if (stream.id <= lastStreamId) continue;
      const text = graceful ? "the server is shutting down" : goAwayText(h2Code, debug);
      stream.fail(new WireError("unprocessed", text, { h2Code }));
    }
    if (this.streamCount === 0) this.#end(this.#goAway, H2Code.noError);
  }
}

function connectionOptions(options: SessionOptions): ConnectionOptions {
  const { clock, streamWindowBytes, connectionWindowBytes, maxHeaderListBytes } = options;
  return {
    role: "client",
    clock,
    streamWindowBytes,
    connectionWindowBytes,
    maxFrameBytes: OUR_MAX_FRAME_BYTES,
    maxHeaderListBytes,
    maxAnswerBytes: ANSWER_BYTES,
    splitData: false,
    settings: [[Setting.enablePush, 0]],
    writeEnd: "settled",
  };
}

function lostBy(error: Error): WireError {
  return new WireError("lost", error.message, { cause: error });
}

/** Says what the other side seems to speak, from the first bytes it sent. */
function notHttp2(first: Uint8Array, error: PeerError): string {
  const text = textOf(first);
  if (first[0] === 0x15 && first[1] === 0x03) return "the port speaks TLS: use https, or give the certificates";
  if (text.startsWith("HTTP/1")) return "the port speaks HTTP/1 and not gRPC, or it wants TLS";
  return `the port does not speak HTTP/2: ${error.message}`;
}
