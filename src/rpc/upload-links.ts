import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { concatBytes } from "../base/mod.ts";
import { deferred } from "./deferred.ts";
import { H2Code } from "./frames.ts";
import { assertProtobuf } from "./response-head.ts";
import type { ClientStream } from "./stream.ts";
import type { UploadAnswer, UploadLink } from "./upload.ts";
import { WireError } from "./wire-error.ts";

/** A link over a connection: nothing is copied on its way from the caller to the socket. */
export function streamLink(stream: ClientStream, readMaxBytes: number): UploadLink {
  return {
    write: (parts) => stream.write(parts),
    end: () => stream.end(),
    abort: (reason) => stream.abort(H2Code.cancel, reason),
    answer: readAnswer(stream, readMaxBytes),
  };
}

async function readAnswer(stream: ClientStream, readMaxBytes: number): Promise<UploadAnswer> {
  const head = await stream.head;
  assertProtobuf(head);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const piece = await stream.read();
    if (piece === undefined) break;
    bytes += piece.length;
    if (bytes > readMaxBytes) {
      const error = new WireError("protocol", `the answer is larger than ${readMaxBytes} bytes`);
      stream.abort(H2Code.cancel, error);
      throw error;
    }
    parts.push(piece);
  }
  return { ...head, body: concatBytes(...parts), trailers: stream.trailers };
}

/** A link to a handler in this process. Each message is copied, so that buffers may be reused as over a connection. */
export function memoryLink(
  client: UniversalClientFn,
  request: { url: string; header: Headers; signal: AbortSignal },
): UploadLink {
  const stop = new AbortController();
  const { signal } = stop;
  const onAbort = (): void => stop.abort(request.signal.reason);
  if (request.signal.aborted) onAbort();
  else request.signal.addEventListener("abort", onAbort, { once: true });
  let ended = false;
  let answered = false;
  /** Resolves when the handler wants the next message. */
  let asked = deferred<void>();
  let offered = deferred<Uint8Array | undefined>();

  const over = () => {
    answered = true;
    request.signal.removeEventListener("abort", onAbort);
    asked.resolve();
  };
  signal.addEventListener("abort", over, { once: true });

  const body: AsyncIterable<Uint8Array> = {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        asked.resolve();
        const message = await offered.promise;
        if (message === undefined) return;
        offered = deferred();
        yield message;
      }
    },
  };

  const run = async (): Promise<UploadAnswer> => {
    const answer = await client({ ...request, method: "POST", body, signal });
    const parts: Uint8Array[] = [];
    for await (const piece of answer.body) parts.push(piece);
    return { status: answer.status, headers: answer.header, body: concatBytes(...parts), trailers: answer.trailer };
  };

  const offer = async (message: Uint8Array | undefined): Promise<void> => {
    await asked.promise;
    if (signal.aborted) throw signal.reason;
    if (answered) throw new WireError("ended", "the server answered before the request was complete");
    asked = deferred();
    offered.resolve(message);
  };
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (message: Uint8Array | undefined): Promise<void> => {
    const done = turn.then(() => offer(message));
    turn = done.catch(() => {});
    return done;
  };

  return {
    write: (parts) => inTurn(concatBytes(...parts)),
    end() {
      if (!ended) void inTurn(undefined).catch(() => {});
      ended = true;
    },
    abort: (reason) => stop.abort(reason),
    answer: run().finally(over),
  };
}
