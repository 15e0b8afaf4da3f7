import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { type ConnectRouter, grpcServer } from "../grpc.ts";

/** PEM texts. With `ca` clients must show a certificate that it signed. */
export interface ServerTls {
  cert: string;
  key: string;
  ca?: string;
}

export interface PortOptions {
  host: string;
  /** 0 = any free one. */
  port: number;
  tls?: ServerTls;
  /** Services of the port. */
  routes: (router: ConnectRouter) => void;
  /** HTTP/1.1 on the same port; without it such requests are answered 404. */
  http?: RequestListener;
}

/** How the HTTP/2 preface begins; no HTTP/1.1 method does. */
const PREFACE = Buffer.from("PRI");

/** A port that speaks gRPC and HTTP/1.1, told apart by the first bytes of a connection. */
export class Port {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #http1: HttpServer;

  private constructor(server: Server, sockets: Set<Socket>, http1: HttpServer, host: string) {
    this.#server = server;
    this.#sockets = sockets;
    this.#http1 = http1;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
  }

  get address(): string {
    return this.host.includes(":") ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  static async open(options: PortOptions): Promise<Port> {
    const http1 = createHttpServer(options.http ?? notFound);
    const serveGrpc = grpcServer(options.routes);
    http1.on("clientError", (_, socket) => socket.destroy());
    const sockets = new Set<Socket>();
    const accept = (socket: Socket): void => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      let first: Buffer = Buffer.alloc(0);
      const onData = (piece: Buffer): void => {
        first = first.length === 0 ? piece : Buffer.concat([first, piece]);
        if (first.length < PREFACE.length && PREFACE.subarray(0, first.length).equals(first)) return;
        socket.off("data", onData);
        if (first.subarray(0, PREFACE.length).equals(PREFACE)) {
          serveGrpc(socket, first);
          return;
        }
        socket.pause();
        socket.unshift(first);
        http1.emit("connection", socket);
        socket.resume();
      };
      socket.on("data", onData);
    };
    const server = options.tls === undefined ? createServer(accept) : tlsServer(options.tls, accept);
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new Port(server, sockets, http1, options.host);
  }

  /** Cuts all connections and frees the port. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#http1.close();
    await closed;
  }
}

function tlsServer(tls: ServerTls, accept: (socket: TLSSocket) => void): Server {
  return createTlsServer(
    {
      cert: tls.cert,
      key: tls.key,
      ca: tls.ca,
      requestCert: tls.ca !== undefined,
      rejectUnauthorized: tls.ca !== undefined,
      ALPNProtocols: ["h2", "http/1.1"],
    },
    accept,
  );
}

const notFound: RequestListener = (_, response) => {
  response.statusCode = 404;
  response.end("404 page not found\n");
};
