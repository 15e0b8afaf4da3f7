import { createHash, timingSafeEqual } from "node:crypto";
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { LevinError, systemWords } from "../base/mod.ts";
import { type Answer, answer, type ServerState } from "./routes.ts";

export interface ListenOptions {
  /** `host:port`, `:port` or `port`; without a host, every interface. */
  address: string;
  /** Callers must send it as `Authorization: Bearer …`; empty: none. */
  token: string;
  /** PEM texts; with `ca`, callers must show a certificate of it. */
  tls?: { ca?: string; cert: string; key: string };
}

export interface StatusServer {
  /** `http://host:port` or https. */
  readonly url: string;
  /** Where it was told to listen everywhere and listens on loopback only, for want of a token and certificates. */
  readonly onlyLoopback: boolean;
  close(): Promise<void>;
}

/** A task's TOML may be so long. */
const BODY_MAX_BYTES = 1 << 20;
const REQUEST_TIMEOUT_MS = 30_000;
/** Shorter answers are not worth compressing. */
const GZIP_MIN_BYTES = 1024;

/**
 * Starts the HTTP API. Who can reach it can cancel imports and name files to read, so without a token or client certificates it listens
 * on loopback only, whatever the address says. Throws `Levin:Server:ErrListen`.
 */
export async function listen(state: ServerState, options: ListenOptions): Promise<StatusServer> {
  const { host, port } = parseAddress(options.address);
  const { tls, token } = options;
  const isGuarded = token !== "" || tls?.ca !== undefined;
  const isLoopback = /^(localhost|127(\.\d+){3}|::1)$/.test(host);
  const bindTo = isGuarded || isLoopback ? host : "127.0.0.1";
  const handler: RequestListener = (request, response) => {
    handle(state, token, request).then(
      (result) => send(request, response, result),
      (error: unknown) => send(request, response, { status: 500, body: { error: LevinError.from(error).message } }),
    );
  };
  const server =
    tls === undefined ? createHttp(handler) : createHttps({ ...tls, requestCert: tls.ca !== undefined }, handler);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new LevinError("Levin:Server:ErrListen", `Cannot listen on "${options.address}": ${systemWords(cause)}`, {
          cause,
        }),
      ),
    );
    server.listen(port, bindTo === "" ? undefined : bindTo, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shown = bindTo === "" ? "0.0.0.0" : bindTo.includes(":") ? `[${bindTo}]` : bindTo;
  return {
    url: `${tls === undefined ? "http" : "https"}://${shown}:${bound.port}`,
    onlyLoopback: bindTo !== host,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parseAddress(address: string): { host: string; port: number } {
  const found = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(address);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535)
    throw new LevinError("Levin:Server:ErrListen", `Cannot listen on "${address}": it must be HOST:PORT`);
  return { host: found[1] ?? found[2] ?? "", port };
}

async function handle(state: ServerState, token: string, request: IncomingMessage): Promise<Answer> {
  if (token !== "" && !sameSecret(request.headers.authorization ?? "", `Bearer ${token}`))
    return { status: 401, headers: { "www-authenticate": "Bearer" }, body: { error: "a token is needed" } };
  // A page of another site that somebody has open must not steer imports through their browser.
  const { origin, host } = request.headers;
  if (request.method !== "GET" && origin !== undefined && origin.replace(/^https?:\/\//, "") !== host)
    return { status: 403, body: { error: "requests of other origins are refused" } };
  const url = new URL(request.url ?? "/", "http://levin");
  const text = (): Promise<string> => readBody(request);
  try {
    return await answer(state, { method: request.method ?? "GET", path: url.pathname, query: url.searchParams, text });
  } catch (error) {
    if (!(error instanceof LevinError) || error.code !== "Levin:Server:ErrRequest") throw error;
    return { status: 413, body: { error: error.message } };
  }
}

function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_MAX_BYTES)
      throw new LevinError("Levin:Server:ErrRequest", `The body is longer than ${BODY_MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const isText = typeof body === "string" && status === 200;
  let bytes = Buffer.from(isText ? body : `${JSON.stringify(body)}\n`);
  const sent: Record<string, string> = {
    "content-type": isText ? "text/plain; charset=utf-8" : "application/json",
    ...headers,
  };
  if (bytes.length >= GZIP_MIN_BYTES && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) {
    bytes = gzipSync(bytes);
    sent["content-encoding"] = "gzip";
  }
  response.writeHead(status, { ...sent, "content-length": String(bytes.length) });
  response.end(request.method === "HEAD" ? undefined : bytes);
}
