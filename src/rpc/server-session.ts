import type { Socket } from "node:net";
import { Code } from "@connectrpc/connect";
import { type Clock, compareBytes } from "../base/mod.ts";
import { DEFAULT_WINDOW, ReceiveWindow } from "./flow.ts";
import {
  goAwayFrame,
  H2Code,
  headersFrames,
  PeerError,
  PREFACE,
  pingFrame,
  rstStreamFrame,
  Setting,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from "./frames.ts";
import { destroySoon } from "./goodbye.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { hpackEncode, NO_DYNAMIC_TABLE } from "./hpack-encoder.ts";
import { Inbound, type InboundEvents } from "./inbound.ts";
import { Outbox } from "./outbox.ts";
import { PeerSettings } from "./peer-settings.ts";
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

/** Takes a request's headers and answers through the stream. Resolves when nothing of it runs any more; must not reject. */
export type StreamHandler = (stream: ServerStream, headers: HeaderList) => Promise<void>;

/** One HTTP/2 connection as its server (RFC 9113). Ends with its socket. */
export class ServerSession {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #handler: StreamHandler;
  readonly #outbox: Outbox;
  readonly #inbound: Inbound;
  readonly #owner: ServerStreamOwner;
  readonly #peer = new PeerSettings("client");
  readonly #streams = new Map<number, ServerStream>();
  readonly #receiveWindow = new ReceiveWindow(CONNECTION_WINDOW_BYTES, 0);
  #preface = new Uint8Array(0);
  #sawPreface = false;
  #lastId = 0;
  #handlers = 0;
  #closed = false;

  /** `first`: what was read of the socket before. */
  constructor(socket: Socket, first: Uint8Array, clock: Clock, handler: StreamHandler) {
    this.#socket = socket;
    this.#clock = clock;
    this.#handler = handler;
    this.#outbox = new Outbox(socket, MAX_ANSWER_BYTES);
    this.#inbound = new Inbound(this.#events(), MAX_HEADER_LIST_BYTES, MAX_FRAME_BYTES, true);
    this.#owner = {
      wantsToSend: (stream) => this.#outbox.enqueue(stream),
      sendHeaders: (stream, list, endStream) => this.#sendHeaders(stream, list, endStream),
      sendWindowUpdate: (id, increment) => this.#outbox.answer(windowUpdateFrame(id, increment)),
      answered: (stream, h2Code) => this.#onAnswered(stream, h2Code),
    };
    this.#outbox.control(
      settingsFrame([
        [Setting.maxConcurrentStreams, MAX_STREAMS],
        [Setting.initialWindowSize, STREAM_WINDOW_BYTES],
        [Setting.maxFrameSize, MAX_FRAME_BYTES],
        [Setting.maxHeaderListSize, MAX_HEADER_LIST_BYTES],
      ]),
    );
    this.#outbox.control(windowUpdateFrame(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW));
    socket.on("data", (chunk: Uint8Array) => this.#onBytes(chunk));
    socket.on("close", () => this.#end());
    this.#onBytes(first);
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#closed) return;
    try {
      const rest = this.#sawPreface ? chunk : this.#takePreface(chunk);
      if (rest.length > 0) this.#inbound.push(rest);
      if (this.#outbox.flooded) throw new PeerError(H2Code.enhanceYourCalm, "more answers asked for than read");
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#outbox.control(goAwayFrame(this.#lastId, error.h2Code, error.message));
      this.#end();
      destroySoon(this.#socket, this.#clock);
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

  /** Hands over what is queued; open streams fail. */
  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.close();
    const open = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of open) stream.fail(Code.Aborted, "the connection was closed");
  }

  #sendHeaders(stream: ServerStream, list: HeaderList, endStream: boolean): void {
    const block = hpackEncode(list);
    const whole = this.#peer.tableShrunk ? Uint8Array.from([NO_DYNAMIC_TABLE, ...block]) : block;
    this.#peer.tableShrunk = false;
    this.#outbox.answer(headersFrames(stream.id, whole, endStream, this.#outbox.maxFrameBytes));
  }

  #onAnswered(stream: ServerStream, h2Code: number | undefined): void {
    this.#streams.delete(stream.id);
    const reset = h2Code ?? (stream.remoteEnded ? undefined : H2Code.noError);
    if (reset !== undefined) this.#outbox.answer(rstStreamFrame(stream.id, reset));
  }

  // ---- frames of the peer ----

  #events(): InboundEvents {
    return {
      settings: (pairs) => this.#onSettings(pairs),
      ping: (opaque) => this.#outbox.answer(pingFrame(opaque, true)),
      goAway: () => undefined,
      windowUpdate: (id, increment) => this.#onWindowUpdate(id, increment),
      reset: (id, h2Code) => this.#onReset(id, h2Code),
      headers: (id, list, end) => this.#onHeaders(id, list, end),
      data: (id, data, flowBytes, end) => this.#onData(id, data, flowBytes, end),
      streamError: (error) => this.#refuse(error.streamId, error.h2Code),
    };
  }

  /** Undefined when it is over. A stream that was never opened is a fault of the peer. */
  #find(id: number): ServerStream | undefined {
    if (id % 2 === 0 || id > this.#lastId) throw new PeerError(H2Code.protocolError, `frame on idle stream ${id}`);
    return this.#streams.get(id);
  }

  #refuse(id: number, h2Code: number): void {
    this.#outbox.answer(rstStreamFrame(id, h2Code));
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.fail(Code.Internal, "the client broke the protocol");
  }

  #onHeaders(id: number, list: HeaderList | undefined, endStream: boolean): void {
    if (id <= this.#lastId) {
      // Trailers of a request; those of a stream that is over have crossed its end.
      const stream = this.#find(id);
      if (stream !== undefined && !endStream) {
        throw new PeerError(H2Code.protocolError, "trailers without END_STREAM", id);
      }
      stream?.onEnd();
      return;
    }
    if (id % 2 === 0) throw new PeerError(H2Code.protocolError, `a client opened stream ${id}`);
    if (this.#handlers >= MAX_HANDLERS)
      throw new PeerError(H2Code.enhanceYourCalm, "too many requests that were reset");
    this.#lastId = id;
    if (list === undefined || this.#streams.size >= MAX_STREAMS) {
      this.#refuse(id, list === undefined ? H2Code.enhanceYourCalm : H2Code.refusedStream);
      return;
    }
    const stream = new ServerStream(id, this.#owner, this.#peer.initialWindowBytes, STREAM_WINDOW_BYTES);
    this.#streams.set(id, stream);
    if (endStream) stream.onEnd();
    this.#handlers++;
    void this.#handler(stream, list).finally(() => this.#handlers--);
  }

  #onData(id: number, data: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#receiveWindow.receive(flowBytes);
    const increment = this.#receiveWindow.release(flowBytes);
    if (increment > 0) this.#outbox.answer(windowUpdateFrame(0, increment));
    const stream = this.#find(id);
    if (stream?.remoteEnded) throw new PeerError(H2Code.streamClosed, `stream ${id} goes on after its end`);
    stream?.onData(data, flowBytes, endStream);
  }

  #onReset(id: number, h2Code: number): void {
    const stream = this.#find(id);
    this.#streams.delete(id);
    stream?.fail(Code.Canceled, `the client reset the stream (code ${h2Code})`);
  }

  #onWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      this.#outbox.window.grant(increment);
      this.#outbox.wake();
      return;
    }
    const stream = this.#find(id);
    if (stream === undefined) return;
    stream.sendWindow.grant(increment);
    if (stream.canSend) this.#outbox.enqueue(stream);
  }

  #onSettings(pairs: readonly (readonly [id: number, value: number])[]): void {
    for (const [id, value] of pairs) {
      const before = this.#peer.initialWindowBytes;
      this.#peer.apply(id, value);
      const delta = this.#peer.initialWindowBytes - before;
      if (delta === 0) continue;
      for (const stream of this.#streams.values()) {
        stream.sendWindow.shift(delta);
        if (stream.canSend) this.#outbox.enqueue(stream);
      }
    }
    this.#outbox.maxFrameBytes = this.#peer.maxFrameBytes;
    this.#outbox.answer(settingsAckFrame());
  }
}
