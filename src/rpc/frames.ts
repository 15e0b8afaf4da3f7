/** HTTP/2 frames (RFC 9113 §4, §6): their numbers, and how they are written. Reading is in `frame-reader.ts`. */

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const H2Code = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

const CODE_NAMES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

export function h2CodeName(code: number): string {
  return CODE_NAMES[code] ?? `error 0x${code.toString(16)}`;
}

/** What every HTTP/2 client sends first (RFC 9113 §3.4). */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const FRAME_HEAD_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE before the peer says otherwise; no peer may set less. */
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
export const LARGEST_MAX_FRAME_BYTES = 16_777_215;

/**
 * The peer broke RFC 9113. `streamId` 0: the whole connection must end with GOAWAY `h2Code`; otherwise only that stream, with
 * RST_STREAM.
 */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly h2Code: number;
  readonly streamId: number;

  constructor(h2Code: number, message: string, streamId = 0) {
    super(message);
    this.h2Code = h2Code;
    this.streamId = streamId;
  }
}

/** Writes the nine bytes of a frame head to `out` at `at`. */
export function putFrameHead(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  putUint32(out, at + 5, streamId);
}

function putUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  putFrameHead(out, 0, payload.length, type, flags, streamId);
  out.set(payload, FRAME_HEAD_BYTES);
  return out;
}

function numberFrame(type: number, streamId: number, value: number): Uint8Array {
  const payload = new Uint8Array(4);
  putUint32(payload, 0, value);
  return frame(type, 0, streamId, payload);
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new Uint8Array(6 * settings.length);
  settings.forEach(([id, value], i) => {
    payload[6 * i] = id >>> 8;
    payload[6 * i + 1] = id;
    putUint32(payload, 6 * i + 2, value);
  });
  return frame(FrameType.settings, 0, 0, payload);
}

export function settingsAckFrame(): Uint8Array {
  return frame(FrameType.settings, Flag.ack, 0, new Uint8Array(0));
}

export function windowUpdateFrame(streamId: number, increment: number): Uint8Array {
  return numberFrame(FrameType.windowUpdate, streamId, increment);
}

export function rstStreamFrame(streamId: number, h2Code: number): Uint8Array {
  return numberFrame(FrameType.rstStream, streamId, h2Code);
}

export function pingFrame(opaque: Uint8Array, ack: boolean): Uint8Array {
  return frame(FrameType.ping, ack ? Flag.ack : 0, 0, opaque);
}

export function goAwayFrame(lastStreamId: number, h2Code: number, debug = ""): Uint8Array {
  const text = new TextEncoder().encode(debug);
  const payload = new Uint8Array(8 + text.length);
  putUint32(payload, 0, lastStreamId);
  putUint32(payload, 4, h2Code);
  payload.set(text, 8);
  return frame(FrameType.goAway, 0, 0, payload);
}

/** A header block as one HEADERS frame and as many CONTINUATION frames as the peer's frame size asks for, in one buffer. */
export function headersFrames(
  streamId: number,
  block: Uint8Array,
  endStream: boolean,
  maxFrameBytes: number,
): Uint8Array {
  const frames = Math.max(1, Math.ceil(block.length / maxFrameBytes));
  const out = new Uint8Array(block.length + frames * FRAME_HEAD_BYTES);
  let at = 0;
  for (let i = 0; i < frames; i++) {
    const piece = block.subarray(i * maxFrameBytes, (i + 1) * maxFrameBytes);
    const flags = (i === frames - 1 ? Flag.endHeaders : 0) | (i === 0 && endStream ? Flag.endStream : 0);
    putFrameHead(out, at, piece.length, i === 0 ? FrameType.headers : FrameType.continuation, flags, streamId);
    out.set(piece, at + FRAME_HEAD_BYTES);
    at += FRAME_HEAD_BYTES + piece.length;
  }
  return out;
}
