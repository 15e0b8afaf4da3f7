import type { Clock, Random } from "../base/mod.ts";

export interface BackoffOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** First wait. */
  readonly firstMs: number;
  /** No wait is longer, unless the server suggested one. */
  readonly maxMs: number;
}

/**
 * Waits that double up to a ceiling, each between half and the whole of its value, so that clients which failed together do not
 * come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** The next wait; at least `suggestedMs` when the server named one. */
  nextMs(suggestedMs = 0): number {
    const wait = this.#nextMs * (0.5 + 0.5 * this.#options.random.next());
    this.#nextMs = Math.min(this.#nextMs * 2, this.#options.maxMs);
    return Math.max(wait, suggestedMs);
  }

  async wait(signal?: AbortSignal, suggestedMs = 0): Promise<void> {
    await this.#options.clock.sleep(this.nextMs(suggestedMs), signal);
  }

  reset(): void {
    this.#nextMs = this.#options.firstMs;
  }
}
