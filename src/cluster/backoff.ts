import type { Clock, Random } from "../base/mod.ts";
import { backoffMs } from "../rpc/mod.ts";

export interface BackoffOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Longest first wait. */
  readonly firstMs: number;
  /** No wait is longer, unless the server suggested one. */
  readonly maxMs: number;
}

/** Waits between the tries of one thing, doubling up to a ceiling, with a share of chance. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next wait; at least `suggestedMs` when the server named one. */
  nextMs(suggestedMs = 0): number {
    const { firstMs: baseMs, maxMs, random } = this.#options;
    // Doubling further would change nothing, and must not overflow.
    this.#attempt = Math.min(this.#attempt + 1, 50);
    const wait = backoffMs({ baseMs, maxMs, attempts: Number.POSITIVE_INFINITY }, this.#attempt, random);
    return Math.max(wait, suggestedMs);
  }

  async wait(signal?: AbortSignal, suggestedMs = 0): Promise<void> {
    await this.#options.clock.sleep(this.nextMs(suggestedMs), signal);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
