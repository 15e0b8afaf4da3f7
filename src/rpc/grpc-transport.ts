import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import { type Clock, LevinError, systemClock } from "../base/mod.ts";
import { Channel } from "./channel.ts";
import { abortWith, createHttpClient, headerList } from "./http-client.ts";
import type { ClientStream } from "./stream.ts";
import type { TlsOptions } from "./tls.ts";
import { type LinkRequest, type RpcTransport, type Wire, withPolicy } from "./transport.ts";
import { streamLink } from "./upload-links.ts";
import { type WatchdogOptions, watchUpload } from "./watchdog.ts";

export interface GrpcTransportOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly baseUrl: string;
  /** For https; without it the runtime's own authorities are trusted and no client certificate is shown. */
  readonly tls?: TlsOptions;
  /** Silence after which an open stream's server is pinged; 0, the default, for never. PD wants at least 5000. */
  readonly pingIntervalMs?: number;
  readonly pingTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Deadline of unary calls that name none; 0 for none. */
  readonly unaryTimeoutMs?: number;
  /** Largest message that is taken from a server. */
  readonly readMaxBytes?: number;
  /** Compresses requests; answers may always be compressed. */
  readonly compress?: "gzip";
  /** For uploads: client streams of generators, and `openUpload`. */
  readonly watchdog?: WatchdogOptions;
  readonly clock?: Clock;
}

const DEFAULTS = {
  pingIntervalMs: 0,
  pingTimeoutMs: 3000,
  connectTimeoutMs: 10_000,
  unaryTimeoutMs: 60_000,
  readMaxBytes: 256 << 20,
};
/** Far below what a store under load takes; an upload whose flow control is stuck stays below it. */
const DEFAULT_WATCHDOG: WatchdogOptions = { intervalMs: 60_000, minBytes: 1 << 20 };
/** Answer bytes that may wait unread on a stream; what gRPC servers of our targets use themselves. */
const STREAM_WINDOW_BYTES = 2 << 20;
const CONNECTION_WINDOW_BYTES = 16 << 20;
const HEADER_LIST_BYTES = 64 << 10;
const WAITING_CALLS = 4096;

/** gRPC over our own HTTP/2 client, which connects on the first call and again after a connection was lost. */
export function createGrpcTransport(options: GrpcTransportOptions): RpcTransport {
  const url = parseBaseUrl(options.baseUrl);
  const clock = options.clock ?? systemClock;
  const readMaxBytes = options.readMaxBytes ?? DEFAULTS.readMaxBytes;
  const watch = options.watchdog ?? DEFAULT_WATCHDOG;
  const channel = new Channel({
    clock,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    tls: url.protocol === "https:" ? (options.tls ?? { material: {} }) : undefined,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
    pingIntervalMs: options.pingIntervalMs ?? DEFAULTS.pingIntervalMs,
    pingTimeoutMs: options.pingTimeoutMs ?? DEFAULTS.pingTimeoutMs,
    streamWindowBytes: STREAM_WINDOW_BYTES,
    connectionWindowBytes: CONNECTION_WINDOW_BYTES,
    maxHeaderListBytes: HEADER_LIST_BYTES,
    maxWaitingCalls: WAITING_CALLS,
  });
  const inner = createTransport({
    baseUrl: url.origin,
    httpClient: createHttpClient(channel, clock, watch),
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [compressionGzip],
    sendCompression: options.compress === "gzip" ? compressionGzip : null,
    compressMinBytes: 1024,
    readMaxBytes,
    writeMaxBytes: 0xffffffff,
  });
  const wire: Wire = {
    inner,
    openStream: (request) => openStream(channel, request),
    async openLink(request, watchdog) {
      const stream = await openStream(channel, request);
      watchUpload(clock, stream, watchdog ?? watch);
      return streamLink(stream, readMaxBytes);
    },
    close: () => channel.close(),
  };
  return withPolicy(wire, {
    clock,
    target: url.host,
    origin: url.origin,
    unaryTimeoutMs: options.unaryTimeoutMs ?? DEFAULTS.unaryTimeoutMs,
    compress: options.compress,
    readMaxBytes,
  });
}

async function openStream(channel: Channel, request: LinkRequest): Promise<ClientStream> {
  const stream = await channel.open(headerList({ ...request, method: "POST" }), request.signal);
  abortWith(stream, request.signal);
  return stream;
}

function parseBaseUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Reported below like a wrong scheme.
  }
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
    throw new LevinError(
      "Levin:Config:ErrInvalid",
      `Cannot use the address "${text}": expected http://host:port or https://host:port`,
    );
  }
  return url;
}
