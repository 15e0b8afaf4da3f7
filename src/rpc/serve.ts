import type { Socket } from "node:net";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { type Clock, systemClock } from "../base/mod.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { mountRoutes } from "./mount-routes.ts";
import { serveUnary } from "./serve-unary.ts";
import { ServerSession } from "./server-session.ts";
import type { ServerStream } from "./server-stream.ts";

/** Serves a connection that speaks HTTP/2; `first` is what was read of it before. */
export type ServeConnection = (socket: Socket, first: Uint8Array) => void;

/** What a server says to paths that it does not know: one HEADERS frame that ends the stream, which is what grpc-go takes for trailers. */
const UNKNOWN: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
  ["grpc-status", String(Code.Unimplemented)],
  ["grpc-message", "unknown service or method"],
];

/**
 * gRPC over HTTP/2 connections of our own making: the services that `routes` mounts. Connect serves what is left by `mountRoutes` and
 * `serveUnary`.
 */
export function grpcServer(routes: (router: ConnectRouter) => void, clock: Clock = systemClock): ServeConnection {
  const { handlers, unary } = mountRoutes(routes);
  return (socket, first) => {
    new ServerSession(socket, first, clock, async (stream, headers) => {
      const method = unary.get(plainPath(headers) ?? "");
      const pieces = method === undefined ? [] : await serveUnary(method, stream, headers);
      if (pieces !== undefined) await serve(handlers, stream, headers, pieces);
    });
  };
}

/** gRPC over HTTP/2, "Timeout". */
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

/** The path of a request that asks for nothing but an answer in protobuf, perhaps within some time. */
function plainPath(list: HeaderList): string | undefined {
  let path: string | undefined;
  let type: string | undefined;
  for (const [name, value] of list) {
    if (name === ":path") path = value;
    else if (name === "content-type") type = value;
    else if (name === "grpc-timeout" && !TIMEOUT.test(value)) return undefined;
    else if (name === "grpc-encoding" && value !== "identity") return undefined;
    else if (name === ":method" && value !== "POST") return undefined;
  }
  return type === "application/grpc" || type === "application/grpc+proto" ? path : undefined;
}

/** `before`: what was read of the request already. */
async function serve(
  byPath: ReadonlyMap<string, UniversalHandlerFn>,
  stream: ServerStream,
  list: HeaderList,
  before: readonly Uint8Array[],
): Promise<void> {
  const pseudo = new Map(list.filter(([name]) => name.startsWith(":")));
  const path = pseudo.get(":path") ?? "";
  const handler = byPath.get(path.split("?")[0]!);
  if (handler === undefined) return stream.respond(UNKNOWN, true);
  try {
    const header = new Headers();
    for (const [name, value] of list) if (!name.startsWith(":")) header.append(name, value);
    const answer = await handler({
      httpVersion: "2.0",
      method: pseudo.get(":method") ?? "",
      url: `${pseudo.get(":scheme") ?? "http"}://${pseudo.get(":authority") ?? "localhost"}${path}`,
      header,
      body: bodyOf(stream, before),
      signal: stream.signal,
    });
    await send(stream, answer);
  } catch (thrown) {
    const error = ConnectError.from(thrown, Code.Internal);
    stream.breakOff([...UNKNOWN.slice(0, 2), ["grpc-status", String(error.code)]]);
  }
}

function bodyOf(stream: ServerStream, before: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  const waiting = before.values();
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const value = waiting.next().value ?? (await stream.read());
    return value === undefined ? { done: true, value } : { done: false, value };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/**
 * The headers go with the first piece of the body: until then the implementation may add to them. Rejects when the client is gone, and
 * when the body fails.
 */
async function send(stream: ServerStream, answer: UniversalServerResponse): Promise<void> {
  const head: HeaderList = [[":status", String(answer.status)], ...(answer.header ?? [])];
  if (answer.body === undefined) return stream.respond(head, true);
  const pieces = answer.body[Symbol.asyncIterator]();
  try {
    let piece = await pieces.next();
    stream.respond(head, false);
    for (; !piece.done; piece = await pieces.next()) await stream.write(piece.value);
    stream.end([...(answer.trailer ?? [])]);
  } catch (thrown) {
    // The implementation is told.
    pieces.throw?.(thrown).catch(() => {});
    throw thrown;
  } finally {
    pieces.return?.().catch(() => {});
  }
}
