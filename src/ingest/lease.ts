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

/**
 * Something in the cluster that holds for a limited time: renewed while it is open, taken back when it is closed, ended by the cluster
 * itself when this process dies.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #stopped = new AbortController();
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
        await renew(signal);
      } catch (thrown) {
        if (!signal.aborted) onTrouble(thrown);
      }
    }
  }

  /** Idempotent; never throws: what cannot be taken back ends by itself, and is reported. */
  async close(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error("the lease is closed"));
    await this.#loop;
    const { clock, undo, undoWithinMs, onTrouble } = this.#options;
    const limit = new AbortController();
    const done = new AbortController();
    clock.sleep(undoWithinMs, done.signal).then(
      () => limit.abort(new Error(`not undone within ${undoWithinMs} ms`)),
      () => undefined,
    );
    try {
      await undo(limit.signal);
    } catch (thrown) {
      onTrouble(thrown);
    } finally {
      done.abort();
    }
  }
}
