import type { Socket } from "node:net";
import { Code } from "@connectrpc/connect";
import { type Clock, compareBytes } from "../base/mod.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { H2Code, PeerError, PREFACE, rstStreamFrame, Setting } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { ServerStream, type ServerStreamOwner } from "./server-stream.ts";

/** Request bytes that a stream may hold unread, as TiKV lets it. */
const STREAM_WINDOW_BYTES = 4 << 20;
/** The same over all streams of the connection, on the wire. */
const CONNECTION_WINDOW_BYTES = 32 << 20;
/** Larger frames are fewer events. */
const MAX_FRAME_BYTES = 1 << 20;
const MAX_HEADER_LIST_BYTES = 64 << 10;
/** TiKV's `grpc-concurrent-stream`. */
const MAX_STREAMS = 1024;
/** Handlers that run, those of streams that the client has reset included: they may take their time to end. */
const MAX_HANDLERS = 2 * MAX_STREAMS;
/** Frames other than DATA that a client may make us queue without reading them: 1 KiB for every stream. */
const MAX_ANSWER_BYTES = 1 << 20;

const OPTIONS = {
  role: "server",
  streamWindowBytes: STREAM_WINDOW_BYTES,
  connectionWindowBytes: CONNECTION_WINDOW_BYTES,
  maxFrameBytes: MAX_FRAME_BYTES,
  maxHeaderListBytes: MAX_HEADER_LIST_BYTES,
  maxAnswerBytes: MAX_ANSWER_BYTES,
  splitData: true,
  settings: [[Setting.maxConcurrentStreams, MAX_STREAMS]],
  writeEnd: "taken",
} as const;

/** Takes a request's headers and answers through the stream. Resolves when nothing of it runs any more; must not reject. */
export type StreamHandler = (stream: ServerStream, headers: HeaderList) => Promise<void>;

/** One HTTP/2 connection as its server (RFC 9113). Ends with its socket. */
export class ServerSession {
  readonly #connection: Connection<ServerStream>;
  readonly #handler: StreamHandler;
  readonly #owner: ServerStreamOwner;
  #preface = new Uint8Array(0);
  #sawPreface = false;
  #handlers = 0;
  #closed = false;

  /** `first`: what was read of the socket before. */
  constructor(socket: Socket, first: Uint8Array, clock: Clock, handler: StreamHandler) {
    this.#handler = handler;
    this.#connection = new Connection(socket, { ...OPTIONS, clock }, this.#events());
    this.#owner = {
      sendHeaders: ({ id }, list, endStream) =>
        this.#connection.answer(this.#connection.headersFrames(id, list, endStream)),
      answered: (stream, h2Code) => this.#onAnswered(stream, h2Code),
    };
    socket.on("data", (chunk: Uint8Array) => this.#onBytes(chunk));
    socket.on("close", () => this.#end());
    this.#onBytes(first);
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#closed) return;
    try {
      const rest = this.#sawPreface ? chunk : this.#takePreface(chunk);
      if (rest.length > 0) this.#connection.push(rest);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#end(error);
    }
  }

  #takePreface(chunk: Uint8Array): Uint8Array {
    const seen = new Uint8Array(this.#preface.length + chunk.length);
    seen.set(this.#preface);
    seen.set(chunk, this.#preface.length);
    const size = Math.min(seen.length, PREFACE.length);
    if (compareBytes(seen.subarray(0, size), PREFACE.subarray(0, size)) !== 0) {
      throw new PeerError(H2Code.protocolError, "no HTTP/2 preface");
    }
    this.#preface = seen;
    this.#sawPreface = size === PREFACE.length;
    return seen.subarray(PREFACE.length);
  }

  /** Open streams fail; `error`: the client is told. */
  #end(error?: PeerError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close(error?.h2Code, error?.message);
    const open = [...this.#connection.streams.values()];
    this.#connection.streams.clear();
    for (const stream of open) stream.fail(Code.Aborted, "the connection was closed");
  }

  #onAnswered(stream: ServerStream, h2Code: number | undefined): void {
    this.#connection.streams.delete(stream.id);
    const reset = h2Code ?? (stream.incoming.ended ? undefined : H2Code.noError);
    if (reset !== undefined) this.#connection.answer(rstStreamFrame(stream.id, reset));
  }

  // ---- frames of the peer ----

  #events(): ConnectionEvents {
    return {
      settings: () => undefined,
      goAway: () => undefined,
      reset: (id, h2Code) => this.#onReset(id, h2Code),
      headers: (id, list, end) => this.#onHeaders(id, list, end),
      data: (id, data, flowBytes, end) => this.#onData(id, data, flowBytes, end),
      streamError: (error) => this.#refuse(error.streamId, error.h2Code),
    };
  }

  #refuse(id: number, h2Code: number): void {
    this.#connection.answer(rstStreamFrame(id, h2Code));
    const stream = this.#connection.streams.get(id);
    this.#connection.streams.delete(id);
    stream?.fail(Code.Internal, "the client broke the protocol");
  }

  #onHeaders(id: number, list: HeaderList | undefined, endStream: boolean): void {
    if (id <= this.#connection.lastId) {
      // Trailers of a request; those of a stream that is over have crossed its end.
      const stream = this.#connection.find(id);
      if (stream !== undefined && !endStream) {
        throw new PeerError(H2Code.protocolError, "trailers without END_STREAM", id);
      }
      stream?.incoming.onEnd();
      return;
    }
    if (id % 2 === 0) throw new PeerError(H2Code.protocolError, `a client opened stream ${id}`);
    if (this.#handlers >= MAX_HANDLERS)
      throw new PeerError(H2Code.enhanceYourCalm, "too many requests that were reset");
    this.#connection.lastId = id;
    if (list === undefined || this.#connection.streams.size >= MAX_STREAMS) {
      this.#refuse(id, list === undefined ? H2Code.enhanceYourCalm : H2Code.refusedStream);
      return;
    }
    const stream = new ServerStream(this.#connection.halves(id), this.#owner);
    this.#connection.streams.set(id, stream);
    if (endStream) stream.incoming.onEnd();
    this.#handlers++;
    void this.#handler(stream, list).finally(() => this.#handlers--);
  }

  #onData(id: number, data: Uint8Array, flowBytes: number, endStream: boolean): void {
    const stream = this.#connection.find(id);
    if (stream?.incoming.ended) throw new PeerError(H2Code.streamClosed, `stream ${id} goes on after its end`);
    stream?.incoming.onData(data, flowBytes);
    if (endStream) stream?.incoming.onEnd();
  }

  #onReset(id: number, h2Code: number): void {
    const stream = this.#connection.find(id);
    this.#connection.streams.delete(id);
    stream?.fail(Code.Canceled, `the client reset the stream (code ${h2Code})`);
  }
}
