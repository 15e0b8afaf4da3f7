import { type Clock, LevinError } from "../base/mod.ts";
import { type CallPlace, rpcError } from "./errors.ts";
import { H2Code } from "./frames.ts";
import { startTimer } from "./timer.ts";
import { WireError } from "./wire-error.ts";

export interface CallOptions {
  readonly clock: Clock;
  readonly place: CallPlace;
  readonly signal: AbortSignal | undefined;
  /** Undefined or 0: none. */
  readonly timeoutMs: number | undefined;
}

/** A server that counts the same deadline may reset the stream this much before our own timer. */
const EARLY_MS = 100;

/**
 * One call under its deadline and its caller's signal. Both end in `signal`; `fail` says which of them, or which fault, ended the
 * call. Our own timer decides about the deadline: a reset by the server at that moment is not taken for a lost connection.
 */
export class Call {
  readonly #options: CallOptions;
  readonly #abort = new AbortController();
  readonly #dueMs: number;
  #stopTimer: (() => void) | undefined;
  #blamed: { readonly error: unknown } | undefined;

  constructor(options: CallOptions) {
    this.#options = options;
    const { signal, timeoutMs = 0 } = options;
    this.#dueMs = timeoutMs > 0 ? options.clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY;
    if (timeoutMs > 0) {
      this.#stopTimer = startTimer(options.clock, timeoutMs, () => this.#abort.abort(this.#deadline()));
    }
    if (signal?.aborted) this.#onCancel();
    else signal?.addEventListener("abort", this.#onCancel, { once: true });
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Stops timer and listener; call it once the call is over. */
  done(): void {
    this.#stopTimer?.();
    this.#options.signal?.removeEventListener("abort", this.#onCancel);
  }

  /** The caller wants no more of the call. */
  cancel(reason?: unknown): void {
    this.done();
    this.#abort.abort(new WireError("canceled", "the call is not wanted any more", { cause: reason }));
  }

  /** The caller's own requests failed: whatever comes of it, this is the cause. */
  blame(error: unknown): void {
    if (!this.#abort.signal.aborted) this.#blamed ??= { error };
  }

  /** The error to throw for what was caught. */
  fail(thrown: unknown): LevinError {
    this.done();
    if (this.#blamed !== undefined) return LevinError.from(this.#blamed.error);
    if (this.#abort.signal.aborted) return rpcError(this.#options.place, this.#abort.signal.reason);
    const mapped = rpcError(this.#options.place, thrown);
    const late = this.#options.clock.monotonicMs() >= this.#dueMs - EARLY_MS;
    return late && mapped.fields["h2Code"] === H2Code.cancel ? rpcError(this.#options.place, this.#deadline()) : mapped;
  }

  #deadline(): WireError {
    return new WireError("deadline", `no answer within ${this.#options.timeoutMs} ms`);
  }

  readonly #onCancel = (): void => {
    const reason: unknown = this.#options.signal?.reason;
    this.#abort.abort(new WireError("canceled", "canceled by the caller", { cause: reason }));
  };
}
