import { Code, ConnectError, type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import type { UniversalClientFn, UniversalHandler } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { type Clock, systemClock } from "../base/mod.ts";
import { type RpcTransport, type Wire, withPolicy } from "./transport.ts";
import { memoryLink } from "./upload-links.ts";

interface InProcessOptions {
  /** Name of the server in messages. */
  readonly target: string;
  readonly clock?: Clock;
  readonly unaryTimeoutMs?: number;
  /** See and change calls on their way, for instance to inject faults. */
  readonly interceptors?: Interceptor[];
}

const ORIGIN = "http://in-process";
const LONGEST_MESSAGE = 0xffffffff;

/**
 * Calls service implementations in this process, without sockets, through the same gRPC encoding, deadlines and errors as over the
 * network. For simulation and tests.
 */
export function createInProcessTransport(
  routes: (router: ConnectRouter) => void,
  options: InProcessOptions,
): RpcTransport {
  const router = createConnectRouter({ grpc: true, connect: false, grpcWeb: false });
  routes(router);
  const httpClient = handlerClient(router.handlers);
  const inner = createTransport({
    baseUrl: ORIGIN,
    httpClient,
    useBinaryFormat: true,
    interceptors: options.interceptors ?? [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: LONGEST_MESSAGE,
    writeMaxBytes: LONGEST_MESSAGE,
  });
  const wire: Wire = { inner, openLink: async (request) => memoryLink(httpClient, request), close: () => {} };
  return withPolicy(wire, {
    clock: options.clock ?? systemClock,
    target: options.target,
    origin: ORIGIN,
    unaryTimeoutMs: options.unaryTimeoutMs ?? 0,
    compress: undefined,
    readMaxBytes: LONGEST_MESSAGE,
  });
}

/** Hands requests to their handlers. The trailers stay the handler's own object, which it fills at the end of a stream. */
function handlerClient(handlers: readonly UniversalHandler[]): UniversalClientFn {
  const byPath = new Map(handlers.map((handler) => [handler.requestPath, handler]));
  return async (request) => {
    const handler = byPath.get(new URL(request.url).pathname);
    if (handler === undefined) throw notImplemented(request.url);
    const signal = request.signal ?? new AbortController().signal;
    const answer = await unlessAborted(signal, () =>
      handler({ ...request, httpVersion: "2.0", body: request.body ?? nothing(), signal }),
    );
    return {
      status: answer.status,
      header: new Headers(answer.header),
      body: abortable(answer.body ?? nothing(), signal),
      trailer: answer.trailer ?? new Headers(),
    };
  };
}

function notImplemented(url: string): ConnectError {
  const error = new ConnectError(`unknown service or method ${new URL(url).pathname}`, Code.Unimplemented);
  error.isWireError = true;
  return error;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The answer of a handler; when the signal fires, the handler's generator is ended. */
function abortable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  const onAbort = () => void pieces.return?.().catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => unlessAborted(signal, () => pieces.next()),
      return: () => pieces.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      throw: (error) => pieces.throw?.(error) ?? Promise.reject(error),
    }),
  };
}

function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
