import type { DescMethodStreaming, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import {
  type AnyClient,
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient as connectClient,
  makeAnyClient,
} from "@connectrpc/connect";
import { rpcError } from "./errors.ts";
import { placeOf, type RpcTransport } from "./transport.ts";

export type { Client };

/**
 * A typed client of a service out of gen/. `typeName` replaces the name that the service has in its own file, for twins of a service
 * such as the packed ImportSST. What its methods throw is always a LevinError. Leaving a `for await` over answers cancels the call.
 */
export function createClient<S extends DescService>(service: S, transport: RpcTransport, typeName?: string): Client<S> {
  const named = typeName === undefined ? service : renamed(service, typeName);
  const plain = connectClient(named, transport) as AnyClient;
  return makeAnyClient(named, (method) => {
    if (method.methodKind === "unary") return plain[method.localName] ?? null;
    if (method.methodKind === "client_streaming") {
      return (requests: AsyncIterable<never>, options?: CallOptions) => one(transport, method, requests, options);
    }
    if (method.methodKind === "server_streaming") {
      return (request: never, options?: CallOptions) => many(transport, method, once(request), options);
    }
    return (requests: AsyncIterable<never>, options?: CallOptions) => many(transport, method, requests, options);
  }) as Client<S>;
}

/** The same service under another name: paths are made of `method.parent.typeName`. */
export function renamed<S extends DescService>(service: S, typeName: string): S {
  const out = Object.create(service, { typeName: { value: typeName } }) as S;
  const methods = service.methods.map((method) => Object.create(method, { parent: { value: out } }));
  const method = Object.fromEntries(methods.map((m: DescMethodUnary) => [m.localName, m]));
  return Object.defineProperties(out, { methods: { value: methods }, method: { value: method } }) as S;
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function* many(
  transport: RpcTransport,
  method: DescMethodStreaming,
  requests: AsyncIterable<never>,
  options: CallOptions = {},
): AsyncGenerator<unknown> {
  const answer = await transport.stream(method, options.signal, options.timeoutMs, options.headers, requests);
  options.onHeader?.(answer.header);
  yield* answer.message;
  options.onTrailer?.(answer.trailer);
}

/** The one answer to a stream of requests. */
async function one(
  transport: RpcTransport,
  method: DescMethodStreaming,
  requests: AsyncIterable<never>,
  options?: CallOptions,
): Promise<unknown> {
  let message: unknown;
  let count = 0;
  for await (const answer of many(transport, method, requests, options)) {
    message = answer;
    count++;
  }
  if (count === 1) return message;
  const text = `protocol error: ${count} answers to a client stream, expected 1`;
  throw rpcError(placeOf(transport.target, method), new ConnectError(text, Code.Unimplemented));
}
