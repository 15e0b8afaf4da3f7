import { connect, type Socket } from "node:net";
import { deferred } from "../../src/rpc/deferred.ts";
import { frameBytes, headerBlock, settingsPayload, T } from "./fake-peer.ts";

/** The client's end of one connection, played by hand. */
export interface Talk {
  socket: Socket;
  /** The next frame of a type. */
  next(type: number): Promise<{ flags: number; id: number; payload: Buffer }>;
  /** Bytes of DATA that have come, when the server has answered several pings in a row without any in between. */
  dataUntilQuiet(): Promise<number>;
}

/** Fails when it takes longer than a server may take under load. */
export async function within<V>(promise: Promise<V>, what: string): Promise<V> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within 10 s`)), 10_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function talkTo(port: number): Talk {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const frames: { type: number; flags: number; id: number; payload: Buffer }[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let wake = deferred<void>();
  socket.on("data", (piece: Buffer) => {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      frames.push({ type: rest[3]!, flags: rest[4]!, id: rest.readUInt32BE(5), payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
    wake.resolve();
    wake = deferred();
  });
  const next: Talk["next"] = async (type) => {
    for (;;) {
      const at = frames.findIndex((frame) => frame.type === type);
      if (at >= 0) return frames.splice(at, 1)[0]!;
      await wake.promise;
    }
  };
  const dataUntilQuiet = async () => {
    let bytes = 0;
    for (let quiet = 0; quiet < 4; quiet++) {
      socket.write(frameBytes(T.PING, 0, 0, Buffer.from("barrier!")));
      await next(T.PING);
      await new Promise((resolve) => setTimeout(resolve, 1));
      const data = frames.filter((frame) => frame.type === T.DATA);
      for (const frame of data) bytes += frames.splice(frames.indexOf(frame), 1)[0]!.payload.length;
      if (data.length > 0) quiet = -1;
    }
    return bytes;
  };
  return { socket, next: (type) => within(next(type), `a frame of type ${type}`), dataUntilQuiet };
}

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const requestHead = (path: string) =>
  headerBlock({
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "x",
    "content-type": "application/grpc",
    te: "trailers",
  });
export const SETTINGS = frameBytes(T.SETTINGS, 0, 0, settingsPayload({ 2: 1, 4: 1_000_000 }));
export const TSO = "/pdpb.PD/Tso";
/** A TsoRequest with count 5 in its envelope. */
export const MESSAGE = Buffer.from([0, 0, 0, 0, 2, 0x10, 5]);
