import type { Clock } from "../base/mod.ts";

export interface LeaseOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Says again what ends by itself; a failure is reported and tried again at the next turn. */
  readonly renew: (signal: AbortSignal) => Promise<void>;
  /** Takes it back; must not take longer than `undoWithinMs`, whatever peers do. */
  readonly undo: (signal: AbortSignal) => Promise<void>;
  readonly undoWithinMs: number;
  readonly onTrouble: (thrown: unknown) => void;
}

const settleWithinMs = 5_000;

/**
 * Something in the cluster that holds for a limited time: renewed while it is open, taken back when it is closed, ended by the cluster
 * itself when this process dies.
 */
export class Lease {
  readonly #options: LeaseOptions;
  /** Nothing is renewed any more. */
  readonly #stopped = new AbortController();
  /** Ends a renewal that is under way. */
  readonly #cut = new AbortController();
  readonly #loop: Promise<void>;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#loop = this.#renew();
  }

  async #renew(): Promise<void> {
    const { clock, everyMs, renew, onTrouble } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await clock.sleep(everyMs, signal);
        await renew(this.#cut.signal);
      } catch (thrown) {
        if (!signal.aborted) onTrouble(thrown);
      }
    }
  }

  /**
   * Idempotent; never throws: what cannot be taken back ends by itself, and is reported. A renewal that is under way gets some time
   * to be answered: a peer might carry out what was cut off after it was taken back.
   */
  async close(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { undo, undoWithinMs, onTrouble } = this.#options;
    const closed = new Error("the lease is closed");
    this.#stopped.abort(closed);
    await this.#within(settleWithinMs, this.#cut, closed, () => this.#loop);
    const late = new Error(`not undone within ${undoWithinMs} ms`);
    const limit = new AbortController();
    await this.#within(undoWithinMs, limit, late, () => undo(limit.signal)).catch(onTrouble);
  }

  async #within(ms: number, limit: AbortController, reason: Error, run: () => Promise<void>): Promise<void> {
    const done = new AbortController();
    this.#options.clock.sleep(ms, done.signal).then(
      () => limit.abort(reason),
      () => undefined,
    );
    try {
      await run();
    } finally {
      done.abort();
    }
  }
}
