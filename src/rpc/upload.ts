import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  create,
  type DescMessage,
  type DescMethodClientStreaming,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import { concatBytes } from "../base/mod.ts";
import type { Call } from "./call.ts";
import { deferred } from "./deferred.ts";
import { readUint32 } from "./frames.ts";
import { startTimer } from "./timer.ts";
import type { WatchdogOptions } from "./watchdog.ts";
import { WireError } from "./wire-error.ts";

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** For the whole upload, from opening to the answer; 0 or undefined for none. */
  readonly timeoutMs?: number;
  /** For the answer, after the last message has been sent; 0 or undefined for none. */
  readonly answerTimeoutMs?: number;
  /** Replaces the transport's own. */
  readonly watchdog?: WatchdogOptions;
}

/** A client stream that is fed by calls and not by a generator. Everything throws LevinErrors. */
export interface Upload<I extends DescMessage, O extends DescMessage> {
  send(message: MessageInitShape<I>): Promise<void>;
  /**
   * Sends one message that is already encoded, as pieces that go out one behind the other. They are not copied: when the promise
   * resolves they may be reused. A few sends may be under way at the same time; they keep their order.
   */
  sendEncoded(parts: readonly Uint8Array[]): Promise<void>;
  /** Ends the messages and waits for the answer. */
  finish(): Promise<MessageShape<O>>;
  /** Gives the upload up; the server is told. */
  abort(reason?: unknown): void;
}

export interface UploadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly trailers: Headers;
}

/** One open request that carries gRPC messages; over a connection or in memory. */
export interface UploadLink {
  /** Resolves when the buffers are free again. Rejects with kind `ended` when the server has answered already. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  end(): void;
  abort(reason: Error): void;
  /** The whole answer, whenever it comes. */
  readonly answer: Promise<UploadAnswer>;
}

export interface UploadContext {
  readonly call: Call;
  readonly options: UploadOptions;
  readonly compress: "gzip" | undefined;
  readonly readMaxBytes: number;
}

const PREFIX_BYTES = 5;
const gzipAsync = promisify(gzip);

/** gRPC over a link: frames messages, and turns the answer into the method's message or an error. */
export function uploadOver<I extends DescMessage, O extends DescMessage>(
  link: UploadLink,
  method: DescMethodClientStreaming<I, O>,
  context: UploadContext,
): Upload<I, O> {
  const { call, options } = context;
  const result = deferred<MessageShape<O>>();
  link.answer
    .then((answer) => parseAnswer(answer, context.readMaxBytes))
    .then((body) => fromBinary(method.output, body))
    .then(
      (message) => {
        call.done();
        result.resolve(message);
      },
      (error: unknown) => result.reject(call.fail(error)),
    );

  const write = async (framed: readonly Uint8Array[]): Promise<void> => {
    try {
      await link.write(framed);
    } catch (error) {
      // The answer explains it: an error of the server, or what ended the stream.
      await result.promise;
      throw call.fail(error);
    }
  };
  // Compression finishes in any order; messages must not.
  let turn: Promise<void> = Promise.resolve();
  const writeCompressed = (parts: readonly Uint8Array[]): Promise<void> => {
    const framed = compressed(parts);
    const written = turn.then(async () => write(await framed));
    turn = written.catch(() => {});
    return written;
  };
  const sendEncoded = (parts: readonly Uint8Array[]): Promise<void> =>
    context.compress === "gzip" ? writeCompressed(parts) : write(withPrefix(parts, 0));

  return {
    send: (message: MessageInitShape<I>) => sendEncoded([toBinary(method.input, create(method.input, message))]),
    sendEncoded,
    async finish() {
      link.end();
      const { answerTimeoutMs = 0 } = options;
      if (answerTimeoutMs === 0) return await result.promise;
      const stopTimer = startTimer(call.clock, answerTimeoutMs, () =>
        link.abort(new WireError("deadline", `no answer within ${answerTimeoutMs} ms after the end of the upload`)),
      );
      return await result.promise.finally(stopTimer);
    },
    abort: (reason) => call.cancel(reason),
  };
}

/** Length-prefixed message (gRPC over HTTP/2): a flag for compression, four bytes of length, the message. */
function withPrefix(parts: readonly Uint8Array[], flag: 0 | 1): Uint8Array[] {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const prefix = Uint8Array.of(flag, bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes);
  return [prefix, ...parts];
}

async function compressed(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  return withPrefix([await gzipAsync(parts.length === 1 ? parts[0]! : concatBytes(...parts), { level: 1 })], 1);
}

async function parseAnswer(answer: UploadAnswer, readMaxBytes: number): Promise<Uint8Array> {
  const { compression, headerError } = validateResponseWithCompression(
    [compressionGzip],
    answer.status,
    answer.headers,
  );
  validateTrailer(answer.trailers, answer.headers);
  if (headerError !== undefined) throw headerError;
  const { body } = answer;
  if (body.length < PREFIX_BYTES || body.length !== PREFIX_BYTES + readUint32(body, 1)) {
    throw new ConnectError("protocol error: the answer is not one message", Code.Unimplemented);
  }
  const message = body.subarray(PREFIX_BYTES);
  if ((body[0]! & 1) === 0) return message;
  if (compression === undefined) throw new ConnectError("protocol error: compressed answer", Code.Internal);
  return compression.decompress(message, readMaxBytes);
}
