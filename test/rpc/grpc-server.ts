import * as http2 from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ImportSST } from "../../gen/import_sstpb_pb.ts";
import { PD } from "../../gen/pdpb_pb.ts";
import { type ConnectRouter, grpcServer, type ServiceImpl } from "../../src/rpc/mod.ts";

export type ImportSstImpl = Partial<ServiceImpl<typeof ImportSST>>;
export type PdImpl = Partial<ServiceImpl<typeof PD>>;

export interface RunningServer {
  readonly url: string;
  /** Ends every connection at once. */
  cut(): void;
  /** GOAWAY on every connection. */
  goAway(): void;
  close(): Promise<void>;
}

export function routesOf(importSst: ImportSstImpl, pd: PdImpl = {}): (router: ConnectRouter) => void {
  return (router) => {
    router.service(ImportSST, importSst);
    router.service(PD, pd);
  };
}

/** A gRPC server on HTTP/2 of our own, as the sandbox uses it. */
export async function startOwnServer(
  routes: (router: ConnectRouter) => void,
): Promise<Pick<RunningServer, "url" | "cut" | "close"> & { port: number; connections(): number }> {
  const serve = grpcServer(routes);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket, new Uint8Array(0));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    cut,
    connections: () => sockets.size,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A gRPC server on `node:http2`. */
export async function startServer(
  routes: (router: ConnectRouter) => void,
  secure?: http2.SecureServerOptions,
): Promise<RunningServer> {
  const handler = connectNodeAdapter({ routes });
  const server = secure === undefined ? http2.createServer(handler) : http2.createSecureServer(secure, handler);
  const sessions = new Set<http2.ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("session", (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${secure === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    goAway: () => {
      for (const session of sessions) session.goaway(0);
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
