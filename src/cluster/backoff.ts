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

export interface PatienceOptions extends BackoffOptions {
  /** From the first failure on. */
  readonly patienceMs: number;
}

/** Tries of one thing within a time that begins with its first failure. */
export class Patience {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #backoff: Backoff;
  #giveUpAt: number | undefined;

  constructor({ patienceMs, ...options }: PatienceOptions) {
    this.#clock = options.clock;
    this.#patienceMs = patienceMs;
    this.#backoff = new Backoff(options);
  }

  /** After a failure: the wait before the next try; undefined when the time is over by then. */
  nextMs(suggestedMs = 0): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    this.#giveUpAt ??= nowMs + this.#patienceMs;
    const waitMs = this.#backoff.nextMs(suggestedMs);
    return nowMs + waitMs > this.#giveUpAt ? undefined : waitMs;
  }

  /** The thing is done; another one begins. */
  reset(): void {
    this.#giveUpAt = undefined;
    this.#backoff.reset();
  }
}
