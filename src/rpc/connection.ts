import type { Socket } from "node:net";
import type { Clock } from "../base/mod.ts";
import { DEFAULT_WINDOW, ReceiveWindow } from "./flow.ts";
import {
  goAwayFrame,
  H2Code,
  headersFrames,
  PeerError,
  PREFACE,
  pingFrame,
  Setting,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from "./frames.ts";
import { destroySoon } from "./goodbye.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { hpackEncode, NO_DYNAMIC_TABLE } from "./hpack-encoder.ts";
import { Inbound, type InboundEvents } from "./inbound.ts";
import { IncomingBody } from "./incoming-body.ts";
import { Outbox } from "./outbox.ts";
import { OutgoingBody, type WriteEnd } from "./outgoing-body.ts";
import { PeerSettings } from "./peer-settings.ts";

export interface ConnectionOptions {
  /** What we are. */
  readonly role: "client" | "server";
  readonly clock: Clock;
  /** Bytes that a stream may hold unread. */
  readonly streamWindowBytes: number;
  /** The same over all streams, on the wire. */
  readonly connectionWindowBytes: number;
  /** Longest frame that the peer may send. */
  readonly maxFrameBytes: number;
  /** Largest list of headers or trailers. */
  readonly maxHeaderListBytes: number;
  /** Frames other than DATA that the peer may make us queue without reading them. */
  readonly maxAnswerBytes: number;
  /** DATA is told of as it comes, a frame in several pieces. */
  readonly splitData: boolean;
  /** Of ours, besides those that are above. */
  readonly settings: readonly (readonly [id: number, value: number])[];
  readonly writeEnd: WriteEnd;
}

/** The two halves of a stream. */
export interface Halves {
  readonly id: number;
  readonly incoming: IncomingBody;
  readonly outgoing: OutgoingBody;
}

/** What the two ends of a connection do each in its own way. All may throw PeerError. */
export interface ConnectionEvents extends Pick<InboundEvents, "goAway" | "reset" | "headers" | "data" | "streamError"> {
  /** The peer's settings hold from here on. */
  settings(): void;
}

/**
 * What both ends of an HTTP/2 connection do (RFC 9113): frames in and out, flow control of the connection, settings, pings, and the
 * table of open streams. `Session` is a client on it, `ServerSession` a server.
 */
export class Connection<S extends Halves> {
  readonly peer: PeerSettings;
  /** Those that are not over. */
  readonly streams = new Map<number, S>();
  /** The highest number that the client has used; -1 before. */
  lastId = -1;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  /** What the other end is. */
  readonly #peerRole: "client" | "server";
  readonly #outbox: Outbox;
  readonly #inbound: Inbound;
  readonly #receiveWindow: ReceiveWindow;

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#peerRole = options.role === "client" ? "server" : "client";
    this.peer = new PeerSettings(this.#peerRole);
    this.#outbox = new Outbox(socket, options.maxAnswerBytes);
    this.#inbound = new Inbound(
      {
        settings: (pairs) => this.#onSettings(pairs),
        ping: (opaque) => this.answer(pingFrame(opaque, true)),
        goAway: (last, h2Code, debug) => events.goAway(last, h2Code, debug),
        windowUpdate: (id, increment) => this.#onWindowUpdate(id, increment),
        reset: (id, h2Code) => events.reset(id, h2Code),
        headers: (id, list, end) => events.headers(id, list, end),
        data: (id, data, flowBytes, end) => this.#onData(id, data, flowBytes, end),
        streamError: (error) => events.streamError(error),
      },
      options.maxHeaderListBytes,
      options.maxFrameBytes,
      options.splitData,
    );
    this.#receiveWindow = new ReceiveWindow(options.connectionWindowBytes, 0);
    this.#greet();
  }

  #greet(): void {
    const { role, settings, streamWindowBytes, connectionWindowBytes, maxFrameBytes, maxHeaderListBytes } =
      this.#options;
    if (role === "client") this.control(PREFACE);
    this.control(
      settingsFrame([
        ...settings,
        [Setting.initialWindowSize, streamWindowBytes],
        [Setting.maxFrameSize, maxFrameBytes],
        [Setting.maxHeaderListSize, maxHeaderListBytes],
      ]),
    );
    const more = connectionWindowBytes - DEFAULT_WINDOW;
    if (more > 0) this.control(windowUpdateFrame(0, more));
  }

  /** Takes bytes of the peer. Throws PeerError, always one of the connection; what is left then is to close it. */
  push(chunk: Uint8Array): void {
    this.#inbound.push(chunk);
    if (!this.#outbox.flooded) return;
    throw new PeerError(H2Code.enhanceYourCalm, `the ${this.#peerRole} asks for more answers than it reads`);
  }

  /** The stream, undefined when it is over. One that was never opened is a fault of the peer. */
  find(id: number): S | undefined {
    if (id % 2 === 0 || id > this.lastId) throw new PeerError(H2Code.protocolError, `frame on idle stream ${id}`);
    return this.streams.get(id);
  }

  /** Of a new stream. */
  halves(id: number): Halves {
    const { streamWindowBytes, writeEnd } = this.#options;
    return {
      id,
      incoming: new IncomingBody(id, streamWindowBytes, (increment) => this.answer(windowUpdateFrame(id, increment))),
      outgoing: new OutgoingBody(id, this.peer.initialWindowBytes, writeEnd, (body) => this.#outbox.enqueue(body)),
    };
  }

  /** Queues whole frames. */
  control(frames: Uint8Array): void {
    this.#outbox.control(frames);
  }

  /** Queues frames that the peer made us send. */
  answer(frames: Uint8Array): void {
    this.#outbox.answer(frames);
  }

  /** HEADERS, and as many CONTINUATION as the peer's frame size asks for. */
  headersFrames(id: number, list: HeaderList, endStream: boolean): Uint8Array {
    const block = hpackEncode(list);
    const whole = this.peer.tableShrunk ? Uint8Array.from([NO_DYNAMIC_TABLE, ...block]) : block;
    this.peer.tableShrunk = false;
    return headersFrames(id, whole, endStream, this.peer.maxFrameBytes);
  }

  /** Ends the connection, with a GOAWAY if there is an `h2Code`. What is queued of other frames than DATA is still sent. */
  close(h2Code?: number, debug = ""): void {
    if (h2Code !== undefined) {
      const last = this.#options.role === "server" ? Math.max(this.lastId, 0) : 0;
      this.control(goAwayFrame(last, h2Code, debug));
    }
    this.#outbox.close();
    if (h2Code === undefined) this.#socket.destroy();
    else destroySoon(this.#socket, this.#options.clock);
  }

  // ---- frames of the peer ----

  #onData(id: number, data: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#receiveWindow.receive(flowBytes);
    const increment = this.#receiveWindow.release(flowBytes);
    if (increment > 0) this.answer(windowUpdateFrame(0, increment));
    this.#events.data(id, data, flowBytes, endStream);
  }

  #onWindowUpdate(id: number, increment: number): void {
    if (id === 0) {
      this.#outbox.window.grant(increment);
      this.#outbox.wake();
      return;
    }
    const stream = this.find(id);
    stream?.outgoing.window.grant(increment);
    stream?.outgoing.offer();
  }

  #onSettings(pairs: readonly (readonly [id: number, value: number])[]): void {
    for (const [id, value] of pairs) {
      const before = this.peer.initialWindowBytes;
      this.peer.apply(id, value);
      this.#shiftWindows(this.peer.initialWindowBytes - before);
    }
    this.#outbox.maxFrameBytes = this.peer.maxFrameBytes;
    this.answer(settingsAckFrame());
    this.#events.settings();
  }

  /** All open streams move by the difference, on top of what WINDOW_UPDATEs have given them (RFC 9113 §6.9.2). */
  #shiftWindows(delta: number): void {
    if (delta === 0) return;
    for (const { outgoing } of this.streams.values()) {
      outgoing.window.shift(delta);
      outgoing.offer();
    }
  }
}
