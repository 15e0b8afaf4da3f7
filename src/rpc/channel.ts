import { type DialOptions, dial } from "./dial.ts";
import { H2Code } from "./frames.ts";
import type { HeaderList } from "./hpack-decoder.ts";
import type { Session } from "./session.ts";
import type { ClientStream } from "./stream.ts";
import { WireError } from "./wire-error.ts";

/** How often a call that was not sent yet may move on to another connection. */
const MOVES = 5;
const LONGEST_PING_INTERVAL_MS = 120_000;

/**
 * The connections to one authority. There is at most one that takes new streams; it is opened by the first call and again by the
 * first call after it ended. Others are being drained. Nothing is repeated here that a server may have seen.
 */
export class Channel {
  readonly #options: DialOptions;
  readonly #live = new Set<Session>();
  #current: Session | undefined;
  #dialing: Promise<Session> | undefined;
  #pingIntervalMs: number;
  #closed = false;

  constructor(options: DialOptions) {
    this.#options = options;
    this.#pingIntervalMs = options.pingIntervalMs;
  }

  /** Opens a stream and sends its headers. Rejects with a WireError or with the signal's reason. */
  async open(headers: HeaderList, signal?: AbortSignal): Promise<ClientStream> {
    for (let move = 0; move < MOVES; move++) {
      signal?.throwIfAborted();
      const session = await unlessAborted(this.#session(), signal);
      const stream = await session.open(headers, signal);
      if (stream !== undefined) return stream;
    }
    throw new WireError("unprocessed", "the server closes every connection before a call can be made");
  }

  /** Ends all connections; calls in flight fail with kind `closed`. */
  close(): void {
    this.#closed = true;
    for (const session of [...this.#live]) session.close(new WireError("closed", "the transport was closed"));
  }

  #session(): Promise<Session> {
    if (this.#closed) return Promise.reject(new WireError("closed", "the transport is closed"));
    if (this.#current?.usable) return Promise.resolve(this.#current);
    this.#dialing ??= this.#dial().finally(() => {
      this.#dialing = undefined;
    });
    return this.#dialing;
  }

  async #dial(): Promise<Session> {
    const session = await dial({ ...this.#options, pingIntervalMs: this.#pingIntervalMs });
    if (this.#closed) session.close(new WireError("closed", "the transport was closed"));
    this.#live.add(session);
    this.#current = session;
    session.closed.then((reason) => {
      this.#live.delete(session);
      if (this.#current === session) this.#current = undefined;
      if (reason.h2Code === H2Code.enhanceYourCalm) this.#calmDown();
    });
    return session;
  }

  /** The server found our pings too frequent: gRPC's rule is to double the interval. */
  #calmDown(): void {
    this.#pingIntervalMs = Math.min(2 * this.#pingIntervalMs, LONGEST_PING_INTERVAL_MS);
  }
}

/** Waits for the promise, but not beyond the signal. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
