import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { requestHeaderWithCompression } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import type { Clock } from "../base/mod.ts";
import { Call } from "./call.ts";
import type { CallPlace } from "./errors.ts";
import type { ClientStream } from "./stream.ts";
import { unaryOver } from "./unary.ts";
import { type Upload, type UploadLink, type UploadOptions, uploadOver } from "./upload.ts";
import type { WatchdogOptions } from "./watchdog.ts";

/** A transport with an end. Typed clients are made of it with `createClient`; what they throw is always a LevinError. */
export interface RpcTransport extends Transport {
  /** `host:port`. */
  readonly target: string;
  openUpload<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    options?: UploadOptions,
  ): Promise<Upload<I, O>>;
  /** Ends its connections; calls in flight fail. */
  close(): void;
}

/** What lies under the policy. */
export interface Wire {
  readonly inner: Transport;
  openLink(request: LinkRequest, watchdog?: WatchdogOptions): Promise<UploadLink>;
  /** Where it is given, small unary calls go past `inner`. */
  readonly openStream?: (request: LinkRequest) => Promise<ClientStream>;
  close(): void;
}

/** What a request begins with. */
export interface LinkRequest {
  readonly url: string;
  readonly header: Headers;
  readonly signal: AbortSignal;
}

/** Larger messages are watched on their way. */
const SMALL_BYTES = 64 << 10;

export interface CallPolicy {
  readonly clock: Clock;
  /** `host:port` for messages. */
  readonly target: string;
  /** Deadline of unary calls that name none; 0 for none. */
  readonly unaryTimeoutMs: number;
  /** `http://host:port`. */
  readonly origin: string;
  readonly compress: "gzip" | undefined;
  readonly readMaxBytes: number;
}

export function placeOf(target: string, method: DescMethod): CallPlace {
  return { target, method: `${method.parent.typeName}/${method.name}` };
}

/** Header that tells the server our deadline; at most eight digits (gRPC over HTTP/2, "Timeout"). */
export function timeoutHeader(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return ms < 100_000_000 ? `${ms}m` : `${Math.min(99_999_999, Math.ceil(ms / 1000))}S`;
}

/** Puts deadlines by our own clock, cancellation and LevinErrors around a transport of Connect's. */
export function withPolicy(wire: Wire, policy: CallPolicy): RpcTransport {
  const { inner } = wire;
  const startCall = (method: DescMethod, signal: AbortSignal | undefined, timeoutMs: number | undefined): Call =>
    new Call({ clock: policy.clock, place: placeOf(policy.target, method), signal, timeoutMs });

  return {
    target: policy.target,
    close: () => wire.close(),

    async unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      const limitMs = timeoutMs ?? policy.unaryTimeoutMs;
      const call = startCall(method, signal, limitMs);
      try {
        const headers = withTimeout(header, limitMs);
        const answer =
          (await smallUnary(wire, policy, { method, header: headers, signal: call.signal }, input)) ??
          (await inner.unary(method, call.signal, undefined, headers, input));
        call.done();
        return answer;
      } catch (error) {
        throw call.fail(error);
      }
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const call = startCall(method, signal, timeoutMs);
      try {
        const headers = withTimeout(header, timeoutMs ?? 0);
        const answer = await inner.stream(method, call.signal, undefined, headers, watched(input, call));
        return { ...answer, message: guarded(answer.message, call) };
      } catch (error) {
        throw call.fail(error);
      }
    },

    async openUpload<I extends DescMessage, O extends DescMessage>(
      method: DescMethodClientStreaming<I, O>,
      options: UploadOptions = {},
    ): Promise<Upload<I, O>> {
      const call = startCall(method, options.signal, options.timeoutMs);
      const header = uploadHeader(options, policy.compress);
      const url = createMethodUrl(policy.origin, method);
      try {
        call.signal.throwIfAborted();
        const link = await wire.openLink({ url, header, signal: call.signal }, options.watchdog);
        return uploadOver(link, method, {
          call,
          options,
          compress: policy.compress,
          readMaxBytes: policy.readMaxBytes,
        });
      } catch (error) {
        throw call.fail(error);
      }
    },
  };
}

/** A unary call without Connect's transport; undefined: it is for that. */
async function smallUnary<I extends DescMessage, O extends DescMessage>(
  { openStream }: Wire,
  { origin, compress, readMaxBytes }: CallPolicy,
  { method, header, signal }: { method: DescMethodUnary<I, O>; header: Headers; signal: AbortSignal },
  input: MessageInitShape<I>,
): Promise<UnaryResponse<I, O> | undefined> {
  if (openStream === undefined || compress !== undefined) return undefined;
  const request = toBinary(method.input, create(method.input, input));
  if (request.length > SMALL_BYTES) return undefined;
  signal.throwIfAborted();
  const headers = requestHeaderWithCompression(true, undefined, header, [compressionGzip], null);
  const stream = await openStream({ url: createMethodUrl(origin, method), header: headers, signal });
  const answer = await unaryOver(stream, method.output, request, readMaxBytes);
  return { stream: false, service: method.parent, method, ...answer };
}

function uploadHeader(options: UploadOptions, compress: "gzip" | undefined): Headers {
  const headers = withTimeout(undefined, options.timeoutMs ?? 0);
  return requestHeaderWithCompression(true, undefined, headers, [compressionGzip], compress ? compressionGzip : null);
}

function withTimeout(header: HeadersInit | undefined, timeoutMs: number): Headers {
  const out = new Headers(header);
  if (timeoutMs > 0) out.set("grpc-timeout", timeoutHeader(timeoutMs));
  return out;
}

/** The requests of a stream. What their generator throws is remembered, because on its way through a server it would lose its face. */
function watched<T>(requests: AsyncIterable<T>, call: Call): AsyncIterable<T> {
  const inner = requests[Symbol.asyncIterator]();
  const iterator: AsyncIterator<T> = {
    async next() {
      try {
        return await inner.next();
      } catch (error) {
        call.blame(error);
        throw error;
      }
    },
    return: async (value) => (await inner.return?.(value)) ?? { done: true, value },
    throw: async (error) => {
      if (inner.throw !== undefined) return await inner.throw(error);
      await inner.return?.();
      throw error;
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** The answers of a stream; leaving the loop early cancels the call. */
function guarded<T>(messages: AsyncIterable<T>, call: Call): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const inner = messages[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const next = await inner.next();
            if (next.done === true) call.done();
            return next;
          } catch (error) {
            throw call.fail(error);
          }
        },
        async return() {
          call.cancel();
          return { done: true, value: undefined };
        },
        async throw(error) {
          call.cancel();
          throw error;
        },
      };
    },
  };
}
