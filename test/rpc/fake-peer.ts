import * as net from "node:net";
import { deferred } from "../../src/rpc/deferred.ts";

/** The bytes of HTTP/2, written down here once more so that the tests do not share the client's mistakes. */
export const T = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frameBytes(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    out.writeUInt32BE(value, 4 * i);
  });
  return out;
}

export function settingsPayload(pairs: Record<number, number>): Buffer {
  const parts = Object.entries(pairs).map(([id, value]) => {
    const out = Buffer.alloc(6);
    out.writeUInt16BE(Number(id), 0);
    out.writeUInt32BE(value, 2);
    return out;
  });
  return Buffer.concat(parts);
}

/** Literal headers without indexing, names and values shorter than 127 bytes. */
export function headerBlock(headers: Record<string, string>): Buffer {
  const parts = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]),
  );
  return Buffer.concat(parts);
}

export const OK_HEADERS = { ":status": "200", "content-type": "application/grpc+proto" };

const BARRIER = Buffer.from("barrier!");

/** The server's end of one connection, played by hand. */
export class FakePeer {
  readonly socket: net.Socket;
  readonly closed: Promise<void>;
  #buffer = Buffer.alloc(0);
  #prefaceSeen = false;
  readonly #frames: Frame[] = [];
  #waiting: { matches: (frame: Frame) => boolean; resolve: (frame: Frame) => void } | undefined;
  /** Frames that are answered or counted instead of queued. */
  onFrame: (frame: Frame) => boolean = () => false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    const closed = deferred<void>();
    this.closed = closed.promise;
    socket.on("data", (chunk: Uint8Array) => this.#onData(chunk));
    socket.on("error", () => {});
    socket.on("close", () => closed.resolve());
  }

  send(type: number, flags: number, id: number, payload?: Uint8Array): void {
    this.socket.write(frameBytes(type, flags, id, payload));
  }

  settings(pairs: Record<number, number> = {}): void {
    this.send(T.SETTINGS, 0, 0, settingsPayload(pairs));
  }

  windowUpdate(id: number, increment: number): void {
    this.send(T.WINDOW_UPDATE, 0, id, uint32(increment));
  }

  headers(id: number, headers: Record<string, string>, endStream = false): void {
    this.send(T.HEADERS, END_HEADERS | (endStream ? END_STREAM : 0), id, headerBlock(headers));
  }

  /** A complete gRPC answer of one message. */
  answer(id: number, message: Uint8Array = Buffer.alloc(0)): void {
    this.headers(id, OK_HEADERS);
    this.send(T.DATA, 0, id, Buffer.concat([Buffer.from([0]), uint32(message.length), message]));
    this.headers(id, { "grpc-status": "0" }, true);
  }

  /** Next frame of the type, skipping others. */
  next(type: number, id?: number): Promise<Frame> {
    const matches = (frame: Frame) => frame.type === type && (id === undefined || frame.id === id);
    for (;;) {
      const frame = this.#frames.shift();
      if (frame === undefined) break;
      if (matches(frame)) return Promise.resolve(frame);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no frame of type ${type} within 20 s`)), 20_000);
      this.#waiting = {
        matches,
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
      };
    });
  }

  /**
   * Bytes of DATA on the stream until the client has nothing more to send: until it has answered several pings in a row without any
   * DATA in between.
   */
  async dataUntilQuiet(id: number): Promise<number> {
    let bytes = 0;
    let quiet = 0;
    let answered = () => {};
    const previous = this.onFrame;
    const mine = (frame: Frame): boolean => {
      if (frame.type === T.DATA) quiet = 0;
      if (frame.type === T.PING && (frame.flags & ACK) !== 0 && frame.payload.equals(BARRIER)) {
        answered();
        return true;
      }
      if (frame.type !== T.DATA || frame.id !== id) return previous(frame);
      bytes += frame.payload.length;
      return true;
    };
    this.onFrame = mine;
    for (const frame of this.#frames.splice(0)) if (!mine(frame)) this.#frames.push(frame);
    for (; quiet < 4; quiet++) {
      await new Promise<void>((resolve) => {
        answered = resolve;
        this.send(T.PING, 0, 0, BARRIER);
      });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.onFrame = previous;
    return bytes;
  }

  #onData(chunk: Uint8Array): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (!this.#prefaceSeen) {
      if (this.#buffer.length < 24) return;
      if (this.#buffer.toString("latin1", 0, 24) !== "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") throw new Error("no preface");
      this.#buffer = this.#buffer.subarray(24);
      this.#prefaceSeen = true;
    }
    for (;;) {
      if (this.#buffer.length < 9) return;
      const length = this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < 9 + length) return;
      const frame = {
        type: this.#buffer[3]!,
        flags: this.#buffer[4]!,
        id: this.#buffer.readUInt32BE(5),
        payload: this.#buffer.subarray(9, 9 + length),
      };
      this.#buffer = this.#buffer.subarray(9 + length);
      this.#take(frame);
    }
  }

  #take(frame: Frame): void {
    if (this.onFrame(frame)) return;
    if (this.#waiting?.matches(frame)) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(frame);
    } else if (this.#waiting === undefined) {
      this.#frames.push(frame);
    }
  }
}

export interface FakeServer {
  readonly port: number;
  /** The next connection. */
  accept(): Promise<FakePeer>;
  close(): void;
}

export async function startFakeServer(): Promise<FakeServer> {
  const arrived: FakePeer[] = [];
  const waiting: ((peer: FakePeer) => void)[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    const peer = new FakePeer(socket);
    const next = waiting.shift();
    if (next === undefined) arrived.push(peer);
    else next(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    accept: () => {
      const peer = arrived.shift();
      return peer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(peer);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
