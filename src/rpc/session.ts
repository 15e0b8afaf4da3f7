import type { Socket } from "node:net";
import { type Clock, textOf } from "../base/mod.ts";
import { deferred } from "./deferred.ts";
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
import { goAwayText, Inbound, type InboundEvents, OUR_MAX_FRAME_BYTES } from "./inbound.ts";
import { Keepalive, type KeepaliveOptions } from "./keepalive.ts";
import { Outbox } from "./outbox.ts";
import { PeerSettings } from "./peer-settings.ts";
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

  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #inbound: Inbound;
  readonly #keepalive: Keepalive;
  readonly #gate: StreamGate;
  readonly #peer = new PeerSettings("server");
  readonly #streams = new Map<number, ClientStream>();
  readonly #ended: number[] = [];
  readonly #receiveWindow: ReceiveWindow;
  readonly #ready = deferred<void>();
  readonly #closed = deferred<WireError>();
  readonly #owner: StreamOwner;
  #state: "opening" | "open" | "draining" | "closed" = "opening";
  #nextId = 1;
  #goAway: WireError | undefined;
  #firstBytes = new Uint8Array(0);

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.ready = this.#ready.promise;
    this.closed = this.#closed.promise;
    this.#outbox = new Outbox(socket);
    this.#gate = new StreamGate(options.maxWaitingCalls);
    this.#inbound = new Inbound(this.#events(), options.maxHeaderListBytes);
    this.#receiveWindow = new ReceiveWindow(options.connectionWindowBytes, 0);
    this.#keepalive = new Keepalive(options.clock, options, {
      hasStreams: () => this.#streams.size > 0,
      sendPing: () => this.#control(pingFrame(new Uint8Array(8), false)),
      onSilence: () =>
        this.#end(
          new WireError("lost", `no sign of life for ${options.pingTimeoutMs} ms after a ping`),
          H2Code.noError,
        ),
    });
    this.#owner = {
      wantsToSend: (stream) => this.#outbox.enqueue(stream),
      sendReset: (stream, h2Code) => this.#control(rstStreamFrame(stream.id, h2Code)),
      sendWindowUpdate: (id, increment) => this.#control(windowUpdateFrame(id, increment)),
      finished: (stream) => this.#onFinished(stream),
    };
    this.#start();
  }

  /** New streams can be opened. */
  get usable(): boolean {
    return this.#state === "open";
  }

  get streamCount(): number {
    return this.#streams.size;
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

  #start(): void {
    const options = this.#options;
    this.#control(PREFACE);
    this.#control(
      settingsFrame([
        [Setting.enablePush, 0],
        [Setting.initialWindowSize, options.streamWindowBytes],
        [Setting.maxFrameSize, OUR_MAX_FRAME_BYTES],
        [Setting.maxHeaderListSize, options.maxHeaderListBytes],
      ]),
    );
    const more = options.connectionWindowBytes - DEFAULT_WINDOW;
    if (more > 0) this.#control(windowUpdateFrame(0, more));
    this.#socket.on("data", (chunk: Uint8Array) => this.#onBytes(chunk));
    this.#socket.on("error", (error: Error) => this.#end(lostBy(error)));
    this.#socket.on("end", () => this.#end(new WireError("lost", "the server closed the connection")));
    this.#socket.on("close", () => this.#end(new WireError("lost", "the connection was closed")));
    if (this.#socket.destroyed) this.#end(new WireError("lost", "the connection was closed"));
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#keepalive.signOfLife();
    if (this.#state === "opening" && this.#firstBytes.length < FIRST_BYTES) {
      this.#firstBytes = Uint8Array.from([...this.#firstBytes, ...chunk.subarray(0, FIRST_BYTES)]);
    }
    try {
      this.#inbound.push(chunk);
      if (this.#outbox.flooded) {
        throw new PeerError(H2Code.enhanceYourCalm, "the server asks for more answers than it reads");
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#end(this.#protocolFault(error), error.h2Code);
    }
  }

  #protocolFault(error: PeerError): WireError {
    const what = this.#state === "opening" ? notHttp2(this.#firstBytes, error) : error.message;
    return new WireError("protocol", what, { cause: error, h2Code: error.h2Code });
  }

  #control(frames: Uint8Array): void {
    this.#outbox.control(frames);
  }

  // ---- opening streams ----

  #openNow(headers: HeaderList): ClientStream {
    let listBytes = 0;
    for (const [name, value] of headers) listBytes += name.length + value.length + 32;
    if (listBytes > this.#peer.maxHeaderListBytes) {
      throw new WireError(
        "protocol",
        `headers of ${listBytes} bytes, the server takes ${this.#peer.maxHeaderListBytes}`,
      );
    }
    const stream = new ClientStream(
      this.#nextId,
      this.#owner,
      this.#peer.initialWindowBytes,
      this.#options.streamWindowBytes,
    );
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    const block = hpackEncode(headers);
    const whole = this.#peer.tableShrunk ? Uint8Array.from([NO_DYNAMIC_TABLE, ...block]) : block;
    this.#peer.tableShrunk = false;
    this.#control(headersFrames(stream.id, whole, false, this.#outbox.maxFrameBytes));
    this.#keepalive.wake();
    if (this.#nextId > LAST_STREAM_ID) this.#drain();
    return stream;
  }

  #onFinished(stream: ClientStream): void {
    this.#streams.delete(stream.id);
    this.#gate.leave();
    if (stream.remoteEnded) {
      this.#ended.push(stream.id);
      if (this.#ended.length > REMEMBERED_ENDS) this.#ended.shift();
    }
    if (this.#state === "draining" && this.#streams.size === 0) {
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
    if (h2Code !== undefined) this.#control(goAwayFrame(0, h2Code));
    this.#outbox.close();
    for (const stream of [...this.#streams.values()]) stream.fail(why);
    this.#gate.close();
    this.#ready.reject(why);
    this.#closed.resolve(why);
    if (h2Code === undefined) this.#socket.destroy();
    else destroySoon(this.#socket, this.#options.clock);
  }

  // ---- frames of the peer ----

  #events(): InboundEvents {
    return {
      settings: (pairs) => this.#onSettings(pairs),
      ping: (opaque) => this.#outbox.answer(pingFrame(opaque, true)),
      goAway: (last, h2Code, debug) => this.#onGoAway(last, h2Code, debug),
      windowUpdate: (id, increment) => this.#onWindowUpdate(id, increment),
      reset: (id, h2Code) => this.#find(id)?.onReset(h2Code),
      headers: (id, list, end) => this.#findForAnswer(id)?.onHeaders(list, end),
      data: (id, data, flowBytes, end) => this.#onData(id, data, flowBytes, end),
      streamError: (error) => this.#onStreamError(error),
    };
  }

  /** The stream, undefined when it is over. A stream that we never opened is a fault of the peer. */
  #find(id: number): ClientStream | undefined {
    if (id % 2 === 0 || id >= this.#nextId) throw new PeerError(H2Code.protocolError, `frame on idle stream ${id}`);
    return this.#streams.get(id);
  }

  #findForAnswer(id: number): ClientStream | undefined {
    const stream = this.#find(id);
    if (stream === undefined && this.#ended.includes(id)) {
      throw new PeerError(H2Code.streamClosed, `stream ${id} goes on after its end`);
    }
    return stream;
  }

  #onData(id: number, data: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#receiveWindow.receive(flowBytes);
    const increment = this.#receiveWindow.release(flowBytes);
    if (increment > 0) this.#control(windowUpdateFrame(0, increment));
    this.#findForAnswer(id)?.onData(data, flowBytes, endStream);
  }

  #onStreamError(error: PeerError): void {
    const reason = new WireError("protocol", error.message, { cause: error, h2Code: error.h2Code });
    this.#streams.get(error.streamId)?.abort(error.h2Code, reason);
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
      this.#shiftWindows(this.#peer.initialWindowBytes - before);
    }
    this.#outbox.maxFrameBytes = this.#peer.maxFrameBytes;
    this.#outbox.answer(settingsAckFrame());
    this.#gate.setLimit(this.#peer.maxStreams);
    if (this.#state === "opening") {
      this.#state = "open";
      this.#ready.resolve();
    }
  }

  /** All open streams move by the difference, on top of what WINDOW_UPDATEs have given them (RFC 9113 §6.9.2). */
  #shiftWindows(delta: number): void {
    if (delta === 0) return;
    for (const stream of this.#streams.values()) {
      stream.sendWindow.shift(delta);
      if (stream.canSend) this.#outbox.enqueue(stream);
    }
  }

  #onGoAway(lastStreamId: number, h2Code: number, debug: string): void {
    const graceful = h2Code === H2Code.noError;
    this.#goAway = new WireError("lost", goAwayText(h2Code, debug), { h2Code });
    this.#drain();
    for (const stream of [...this.#streams.values()]) {
      if (stream.id <= lastStreamId) continue;
      const text = graceful ? "the server is shutting down" : goAwayText(h2Code, debug);
      stream.fail(new WireError("unprocessed", text, { h2Code }));
    }
    if (this.#streams.size === 0) this.#end(this.#goAway, H2Code.noError);
  }
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
