import type { UniversalClientFn, UniversalClientRequest } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/mod.ts";
import type { Channel } from "./channel.ts";
import { H2Code } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import { assertProtobuf } from "./response-head.ts";
import type { ClientStream } from "./stream.ts";
import { type WatchdogOptions, watchUpload } from "./watchdog.ts";
import { WireError } from "./wire-error.ts";

/** A single message up to this size is no upload, and not worth a watchdog. */
const SMALL_REQUEST_BYTES = 64 << 10;

/** The HTTP client that Connect's gRPC transport runs on. Rejects with WireError or the signal's reason. */
export function createHttpClient(channel: Channel, clock: Clock, watchdog: WatchdogOptions): UniversalClientFn {
  return async (request) => {
    const stream = await channel.open(headerList(request), request.signal);
    abortWith(stream, request.signal);
    void sendBody(request.body, stream, () => watchUpload(clock, stream, watchdog));
    const head = await stream.head;
    assertProtobuf(head);
    return { status: head.status, header: head.headers, body: answerBody(stream), trailer: stream.trailers };
  };
}

/** The pseudo-headers and headers of a gRPC request. */
export function headerList(request: Pick<UniversalClientRequest, "url" | "method" | "header">): HeaderList {
  const url = new URL(request.url);
  const list: HeaderList = [
    [":method", request.method],
    [":scheme", url.protocol.slice(0, -1)],
    [":authority", url.host],
    [":path", url.pathname + url.search],
  ];
  request.header.forEach((value, name) => {
    list.push([name, value]);
  });
  return list;
}

/** Ends the stream with CANCEL when the signal fires. */
export function abortWith(stream: ClientStream, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = () => {
    const { reason } = signal;
    stream.abort(H2Code.cancel, reason instanceof Error ? reason : new WireError("canceled", String(reason)));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
}

/** Pulls the next piece only when the one before is with the operating system: back-pressure reaches the caller's generator. */
async function sendBody(
  body: AsyncIterable<Uint8Array> | undefined,
  stream: ClientStream,
  onUpload: () => void,
): Promise<void> {
  if (body === undefined) return stream.end();
  const pieces = body[Symbol.asyncIterator]();
  let watched = false;
  for (let sent = 0; ; sent++) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await pieces.next();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return stream.abort(H2Code.cancel, new WireError("source", text, { cause: error }));
    }
    if (next.done === true) return stream.end();
    if (!watched && (sent > 0 || next.value.length > SMALL_REQUEST_BYTES)) {
      watched = true;
      onUpload();
    }
    try {
      await stream.write([next.value]);
    } catch {
      // Whoever waits for the answer gets the reason, and Connect ends the caller's generator.
      return;
    }
  }
}

function answerBody(stream: ClientStream): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const value = await stream.read();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      async return() {
        stream.abort(H2Code.cancel, new WireError("canceled", "the answer is not wanted any more"));
        return { done: true, value: undefined };
      },
      async throw(error) {
        stream.abort(H2Code.cancel, new WireError("canceled", "the answer is not wanted any more"));
        throw error;
      },
    }),
  };
}
