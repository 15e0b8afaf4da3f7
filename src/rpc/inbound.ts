import { joinBytes } from "../base/mod.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { Flag, FrameType, H2Code, h2CodeName, PeerError, readUint32 } from "./frames.ts";
import { type HeaderList, HpackDecoder } from "./hpack-decoder.ts";

/** What a connection does about the frames of its peer. All may throw PeerError. */
export interface InboundEvents {
  settings(pairs: readonly (readonly [id: number, value: number])[]): void;
  ping(opaque: Uint8Array): void;
  goAway(lastStreamId: number, h2Code: number, debug: string): void;
  /** Stream 0 is the connection. */
  windowUpdate(streamId: number, increment: number): void;
  reset(streamId: number, h2Code: number): void;
  /** `list` is undefined when it is larger than allowed. */
  headers(streamId: number, list: HeaderList | undefined, endStream: boolean): void;
  /** `flowBytes` counts padding as well. */
  data(streamId: number, data: Uint8Array, flowBytes: number, endStream: boolean): void;
  /** A fault that ends one stream only. */
  streamError(error: PeerError): void;
}

/** Longest frame that we allow a peer (our SETTINGS_MAX_FRAME_SIZE). */
export const OUR_MAX_FRAME_BYTES = 64 << 10;
/** Compressed size of a header block over all its frames. */
const HEADER_BLOCK_BYTES = 256 << 10;
/** Frames without any effect (PRIORITY, unknown types, empty CONTINUATION or DATA) that a peer may send between two useful ones. */
const USELESS_FRAMES = 1000;

interface OpenBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly parts: Uint8Array[];
  bytes: number;
}

/**
 * The receiving half of a connection: checks the form of each frame (RFC 9113 §6), puts header blocks together and decodes them.
 * What the frames mean for streams is up to the events.
 */
export class Inbound {
  readonly #events: InboundEvents;
  readonly #reader: FrameReader;
  readonly #hpack: HpackDecoder;
  #sawSettings = false;
  #block: OpenBlock | undefined;
  #useless = 0;

  /** `splitData`: DATA is told of as it comes, a frame in several pieces. */
  constructor(
    events: InboundEvents,
    maxHeaderListBytes: number,
    maxFrameBytes: number = OUR_MAX_FRAME_BYTES,
    splitData = false,
  ) {
    this.#events = events;
    this.#hpack = new HpackDecoder(maxHeaderListBytes);
    const onFrame: FrameHandler = (type, flags, id, payload) => {
      try {
        this.#onFrame(type, flags, id, payload);
      } catch (error) {
        if (!(error instanceof PeerError) || error.streamId === 0) throw error;
        this.#events.streamError(error);
      }
    };
    this.#reader = new FrameReader(maxFrameBytes, onFrame, splitData);
  }

  /** Throws PeerError, always one of the connection: errors of a single stream are given to `streamError`. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    if (!this.#sawSettings) {
      if (type !== FrameType.settings || (flags & Flag.ack) !== 0) protocol("the first frame is not SETTINGS");
      this.#sawSettings = true;
    }
    if (this.#block !== undefined && (type !== FrameType.continuation || streamId !== this.#block.streamId)) {
      protocol("a header block is not continued");
    }
    this.#countUseless(type, flags, payload);
    switch (type) {
      case FrameType.data:
        this.#onData(flags, streamId, payload);
        break;
      case FrameType.headers:
        this.#onHeaders(flags, streamId, payload);
        break;
      case FrameType.continuation:
        this.#onContinuation(flags, payload);
        break;
      case FrameType.rstStream:
        size(payload.length === 4, "RST_STREAM");
        onStream(streamId, "RST_STREAM");
        this.#events.reset(streamId, readUint32(payload, 0));
        break;
      case FrameType.priority:
        onStream(streamId, "PRIORITY");
        if (payload.length !== 5) throw new PeerError(H2Code.frameSizeError, "PRIORITY of a wrong size", streamId);
        break;
      case FrameType.windowUpdate:
        size(payload.length === 4, "WINDOW_UPDATE");
        this.#events.windowUpdate(streamId, readUint32(payload, 0) & 0x7fffffff);
        break;
      default:
        this.#onConnectionFrame(type, flags, streamId, payload);
    }
  }

  #onConnectionFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    switch (type) {
      case FrameType.settings:
        onConnection(streamId, "SETTINGS");
        this.#onSettings(flags, payload);
        break;
      case FrameType.ping:
        onConnection(streamId, "PING");
        size(payload.length === 8, "PING");
        if ((flags & Flag.ack) === 0) this.#events.ping(payload);
        break;
      case FrameType.goAway:
        onConnection(streamId, "GOAWAY");
        this.#onGoAway(payload);
        break;
      case FrameType.pushPromise:
        protocol("PUSH_PROMISE, which is not allowed");
        break;
      default:
      // Unknown types are ignored (RFC 9113 §5.5).
    }
  }

  #countUseless(type: number, flags: number, payload: Uint8Array): void {
    const empty = payload.length === 0 && (flags & (Flag.endStream | Flag.endHeaders)) === 0;
    const useless =
      type > FrameType.continuation ||
      type === FrameType.priority ||
      (empty && (type === FrameType.data || type === FrameType.continuation));
    this.#useless = useless ? this.#useless + 1 : 0;
    if (this.#useless > USELESS_FRAMES) throw new PeerError(H2Code.enhanceYourCalm, "too many frames without content");
  }

  #onData(flags: number, streamId: number, payload: Uint8Array): void {
    onStream(streamId, "DATA");
    const data = withoutPadding(flags, payload, 0);
    this.#events.data(streamId, data, payload.length, (flags & Flag.endStream) !== 0);
  }

  #onHeaders(flags: number, streamId: number, payload: Uint8Array): void {
    onStream(streamId, "HEADERS");
    const fragment = withoutPadding(flags, payload, (flags & Flag.priority) !== 0 ? 5 : 0);
    this.#block = { streamId, endStream: (flags & Flag.endStream) !== 0, parts: [], bytes: 0 };
    this.#addToBlock(this.#block, flags, fragment);
  }

  #onContinuation(flags: number, payload: Uint8Array): void {
    if (this.#block === undefined) protocol("CONTINUATION without HEADERS");
    this.#addToBlock(this.#block, flags, payload);
  }

  #addToBlock(block: OpenBlock, flags: number, fragment: Uint8Array): void {
    block.parts.push(fragment);
    block.bytes += fragment.length;
    if (block.bytes > HEADER_BLOCK_BYTES) throw new PeerError(H2Code.enhanceYourCalm, "a header block is too long");
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    const bytes = block.parts.length === 1 ? fragment : joinBytes(block.parts);
    this.#events.headers(block.streamId, this.#hpack.decode(bytes), block.endStream);
  }

  #onSettings(flags: number, payload: Uint8Array): void {
    if ((flags & Flag.ack) !== 0) {
      size(payload.length === 0, "SETTINGS ack");
      return;
    }
    size(payload.length % 6 === 0, "SETTINGS");
    const pairs: [number, number][] = [];
    for (let at = 0; at < payload.length; at += 6) {
      pairs.push([(payload[at]! << 8) | payload[at + 1]!, readUint32(payload, at + 2)]);
    }
    this.#events.settings(pairs);
  }

  #onGoAway(payload: Uint8Array): void {
    size(payload.length >= 8, "GOAWAY");
    const debug = new TextDecoder().decode(payload.subarray(8, 8 + 256));
    this.#events.goAway(readUint32(payload, 0) & 0x7fffffff, readUint32(payload, 4), debug);
  }
}

function withoutPadding(flags: number, payload: Uint8Array, skip: number): Uint8Array {
  const padded = (flags & Flag.padded) !== 0;
  const start = (padded ? 1 : 0) + skip;
  const end = payload.length - (padded ? (payload[0] ?? 0) : 0);
  if (start > payload.length) size(false, "padded or prioritized frame");
  if (end < start) protocol("padding longer than its frame");
  return payload.subarray(start, end);
}

function size(right: boolean, what: string): void {
  if (!right) throw new PeerError(H2Code.frameSizeError, `${what} of a wrong size`);
}

function onStream(streamId: number, what: string): void {
  if (streamId === 0) protocol(`${what} on stream 0`);
}

function onConnection(streamId: number, what: string): void {
  if (streamId !== 0) protocol(`${what} on stream ${streamId}`);
}

function protocol(message: string): never {
  throw new PeerError(H2Code.protocolError, message);
}

export function goAwayText(h2Code: number, debug: string): string {
  const detail = debug === "" ? "" : `, "${debug}"`;
  return `the server closed the connection: GOAWAY ${h2CodeName(h2Code)}${detail}`;
}
