import { connect, type Socket } from "node:net";
import { deferred } from "../../src/rpc/deferred.ts";
import { frameBytes, headerBlock, settingsPayload, T } from "./fake-peer.ts";

/** The client's end of one connection, played by hand. */
export interface Talk {
  socket: Socket;
  /** The next frame of a type. */
  next(type: number): Promise<{ flags: number; id: number; payload: Buffer }>;
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
  return {
    socket,
    async next(type) {
      for (;;) {
        const at = frames.findIndex((frame) => frame.type === type);
        if (at >= 0) return frames.splice(at, 1)[0]!;
        await wake.promise;
      }
    },
  };
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
