/** Calls of service implementations without gRPC's frames and headers; messages of streams are encoded and decoded. Fast. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type Transport } from "@connectrpc/connect";
import type { Clock } from "../../src/base/mod.ts";
import type { RpcTransport } from "../../src/rpc/mod.ts";
import { withPolicy } from "../../src/rpc/transport.ts";
import { memoryLink } from "../../src/rpc/upload-links.ts";

// biome-ignore lint/suspicious/noExplicitAny: implementations of all methods alike
type Handler = (request: any, context: object) => any;

/** Method → what serves it, by `typeName/Name`. */
export type Handlers = ReadonlyMap<string, { method: DescMethod; handler: Handler }>;

const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

/** What the routes would mount. */
export function handlersOf(routes: (router: ConnectRouter) => void): Handlers {
  const out = new Map<string, { method: DescMethod; handler: Handler }>();
  const router = {
    service(service: DescService, implementation: Record<string, Handler>) {
      for (const method of service.methods) {
        const handler = implementation[method.localName];
        if (handler !== undefined) out.set(nameOf(method), { method, handler: handler.bind(implementation) });
      }
      return router;
    },
    rpc(method: DescMethod, handler: Handler) {
      out.set(nameOf(method), { method, handler });
      return router;
    },
  };
  routes(router as unknown as ConnectRouter);
  return out;
}

const ORIGIN = "http://sim";
const NO_HEADERS = new Headers();
const ANSWER_HEADERS = new Headers({ "content-type": "application/grpc+proto" });
const OK_TRAILERS = new Headers({ "grpc-status": "0" });
const PREFIX_BYTES = 5;

/** `gone` aborts when the process and its connections end. The same deadlines, cancellation and errors as over the network (the policy is the production one). */
export function directTransport(
  handlers: Handlers,
  options: { target: string; clock: Clock; gone: AbortSignal },
): RpcTransport {
  const find = (name: string) => {
    const found = handlers.get(name);
    if (found === undefined) throw wired(new ConnectError(`unknown service or method ${name}`, Code.Unimplemented));
    return found;
  };
  const inner: Transport = {
    async unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      _: number | undefined,
      header: HeadersInit | undefined,
      input: MessageInitShape<I>,
    ) {
      const { handler } = find(nameOf(method));
      // Neither side changes a message, and neither keeps bytes of the other's: encoding them would show nothing.
      const request = create(method.input, input);
      const given = signal === undefined ? options.gone : AbortSignal.any([signal, options.gone]);
      const answer = await served<MessageInitShape<O>>(signal, () => handler(request, contextOf(given, header)));
      const message = create(method.output, answer);
      return { stream: false, service: method.parent, method, header: NO_HEADERS, trailer: NO_HEADERS, message };
    },
    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      _: number | undefined,
      header: HeadersInit | undefined,
      input: AsyncIterable<MessageInitShape<I>>,
    ) {
      const { handler } = find(nameOf(method));
      const context = contextOf(signal, header);
      const requests = copies(method.input, input);
      const answers: AsyncIterable<MessageInitShape<O>> =
        method.methodKind === "server_streaming"
          ? handler((await requests.next()).value, context)
          : handler(requests, context);
      const message = answersOf(method.output, answers, signal);
      return { stream: true, service: method.parent, method, header: NO_HEADERS, trailer: NO_HEADERS, message };
    },
  };
  const openLink = async (request: { url: string; header: Headers; signal: AbortSignal }) =>
    memoryLink(async ({ url, body, signal }) => {
      const { method, handler } = find(new URL(url).pathname.slice(1));
      const answer = await served<object>(signal, () =>
        handler(messagesOf(method.input, body!), contextOf(signal, undefined)),
      );
      return {
        status: 200,
        header: ANSWER_HEADERS,
        body: framed(toBinary(method.output, create(method.output, answer as Record<string, unknown>))),
        trailer: OK_TRAILERS,
      };
    }, request);
  return withPolicy(
    { inner, openLink, close: () => undefined },
    { ...options, origin: ORIGIN, unaryTimeoutMs: 0, compress: undefined, readMaxBytes: 0xffffffff },
  );
}

function contextOf(signal: AbortSignal | undefined, header: HeadersInit | undefined): object {
  return { signal, requestHeader: header === undefined ? NO_HEADERS : new Headers(header) };
}

function copyOf<D extends DescMessage>(schema: D, message: MessageInitShape<D>): MessageShape<D> {
  return fromBinary(schema, toBinary(schema, create(schema, message)));
}

async function* copies<D extends DescMessage>(
  schema: D,
  messages: AsyncIterable<MessageInitShape<D>>,
): AsyncGenerator<MessageShape<D>> {
  for await (const message of messages) yield copyOf(schema, message);
}

async function* messagesOf(schema: DescMessage, frames: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  for await (const frame of frames) yield fromBinary(schema, frame.subarray(PREFIX_BYTES));
}

async function* framed(message: Uint8Array): AsyncGenerator<Uint8Array> {
  const out = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(out.buffer).setUint32(1, message.length);
  out.set(message, PREFIX_BYTES);
  yield out;
}

function answersOf<D extends DescMessage>(
  schema: D,
  answers: AsyncIterable<MessageInitShape<D>>,
  signal: AbortSignal | undefined,
): AsyncIterable<MessageShape<D>> {
  const iterator = answers[Symbol.asyncIterator]();
  signal?.addEventListener("abort", () => void iterator.return?.().catch(() => undefined), { once: true });
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = await served(signal, () => iterator.next());
        return next.done === true ? next : { done: false, value: copyOf(schema, next.value) };
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** What a handler throws, as it looks when it came over the wire; at an abort nobody waits for the handler. */
function served<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const over = () => signal?.removeEventListener("abort", onAbort);
    run().then(
      (value) => {
        over();
        resolve(value);
      },
      (error) => {
        over();
        reject(wired(error));
      },
    );
  });
}

function wired(error: unknown): unknown {
  const known = error instanceof ConnectError;
  const out = new ConnectError(known ? error.rawMessage : "internal error", known ? error.code : Code.Internal);
  out.isWireError = true;
  return out;
}
