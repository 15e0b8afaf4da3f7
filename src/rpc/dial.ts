import * as net from "node:net";
import * as tls from "node:tls";
import type { Clock } from "../base/mod.ts";
import { deferred } from "./deferred.ts";
import { Session, type SessionOptions } from "./session.ts";
import { closedInHandshake, isTlsFault, loadMaterial, type TlsOptions, tlsFailure } from "./tls.ts";
import { WireError } from "./wire-error.ts";

export interface DialOptions extends SessionOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP (h2c with prior knowledge). */
  readonly tls: TlsOptions | undefined;
  /** For the TCP connection, the TLS handshake and the server's first SETTINGS together. */
  readonly connectTimeoutMs: number;
}

/** Opens a connection and waits until the server has shown that it speaks HTTP/2. Rejects with a WireError. */
export async function dial(options: DialOptions): Promise<Session> {
  const stop = new AbortController();
  const timeout = timeoutOf(options.clock, options.connectTimeoutMs, stop.signal);
  let socket: net.Socket | undefined;
  let connected = false;
  try {
    const opening = options.tls === undefined ? openPlain(options) : await openTls(options, options.tls);
    socket = opening.socket;
    await Promise.race([opening.connected, timeout]);
    connected = true;
    const session = new Session(socket, options);
    await Promise.race([session.ready, timeout]);
    return session;
  } catch (error) {
    socket?.destroy();
    if (options.tls !== undefined) throw asTlsFault(error);
    throw connected ? asPlainFault(error) : error;
  } finally {
    stop.abort();
  }
}

interface Opening {
  readonly socket: net.Socket;
  readonly connected: Promise<void>;
}

async function timeoutOf(clock: Clock, ms: number, signal: AbortSignal): Promise<never> {
  await clock.sleep(ms, signal).catch(() => new Promise<void>(() => {}));
  throw new WireError("unreachable", `no connection within ${ms} ms`);
}

function openPlain(options: DialOptions): Opening {
  const socket = net.connect({ host: options.host, port: options.port });
  return { socket, connected: whenConnected(socket, "connect") };
}

async function openTls(options: DialOptions, tlsOptions: TlsOptions): Promise<Opening> {
  const material = await loadMaterial(tlsOptions);
  const name = tlsOptions.serverName ?? options.host;
  let socket: tls.TLSSocket;
  try {
    socket = tls.connect({
      host: options.host,
      port: options.port,
      ...material,
      ALPNProtocols: ["h2"],
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_host, certificate) => checkIdentity(name, certificate, tlsOptions),
    });
  } catch (error) {
    throw tlsFailure(error);
  }
  const connected = whenConnected(socket, "secureConnect").then(() => {
    const protocol = socket.alpnProtocol;
    if (typeof protocol === "string" && protocol !== "h2") {
      throw new WireError("protocol", `the server chose "${protocol}" and not HTTP/2 in the TLS handshake`);
    }
  });
  return { socket, connected };
}

function checkIdentity(name: string, certificate: tls.PeerCertificate, options: TlsOptions): Error | undefined {
  const wrongName = tls.checkServerIdentity(name, certificate);
  if (wrongName !== undefined) return wrongName;
  const refusal = options.checkPeer?.(certificate);
  return refusal === undefined ? undefined : new WireError("tls", `the server's certificate is refused: ${refusal}`);
}

function whenConnected(socket: net.Socket, event: "connect" | "secureConnect"): Promise<void> {
  const end = deferred<void>();
  const onError = (error: Error) => end.reject(event === "connect" ? connectFault(error) : error);
  const onClose = () => end.reject(new WireError("lost", "the connection was closed"));
  socket.on("error", onError);
  // Somebody must always listen, also between this and the session.
  socket.on("error", () => {});
  socket.on("close", onClose);
  socket.on("end", onClose);
  socket.once(event, () => {
    socket.off("error", onError);
    socket.off("close", onClose);
    socket.off("end", onClose);
    // Before the connection stands, or as an option of it, Deno ignores it: 1,000 instead of 3,300 round trips a second.
    socket.setNoDelay(true);
    end.resolve();
  });
  return end.promise;
}

/** What a server that wants TLS does when it is spoken to without. */
function asPlainFault(error: unknown): unknown {
  if (!(error instanceof WireError) || error.kind !== "lost") return error;
  const text = `${error.message} before it spoke HTTP/2: the port may want TLS, or belong to something else`;
  return new WireError("lost", text, { cause: error });
}

/** What went wrong before the first SETTINGS of a TLS connection; a refused client certificate shows only after the handshake. */
function asTlsFault(error: unknown): unknown {
  if (error instanceof WireError && error.kind !== "lost") return error;
  const origin = error instanceof WireError ? error.cause : error;
  if (origin === undefined) return closedInHandshake(error);
  const fault = connectFault(origin);
  return fault.kind === "lost" && isTlsFault(origin) ? tlsFailure(origin) : fault;
}

/** Errors of `connect`, also those of several addresses tried one after another. */
function connectFault(error: unknown): WireError {
  const all = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
  const first = all[0] as NodeJS.ErrnoException;
  const text = first instanceof Error && first.message !== "" ? first.message : String(error);
  switch (first?.code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
    case "EAI_NONAME":
      return new WireError("dns", text, { cause: error });
    case "ECONNREFUSED":
      return new WireError("refused", text, { cause: error });
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "EADDRNOTAVAIL":
      return new WireError("unreachable", text, { cause: error });
    default:
      return new WireError("lost", text, { cause: error });
  }
}
