import type { Clock, Random } from "../base/mod.ts";

export interface BackoffOptions {
  /** Longest first wait. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** No new try after this time. */
  readonly totalMs?: number;
}

export interface RetryContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
  /** Whether the error may go away by itself. */
  readonly retryable: (error: unknown) => boolean;
  /** Told of every failed try that is followed by another. */
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void;
}

/**
 * Wait before try `attempt` + 1, attempts counted from 1: twice as long each time, up to `maxMs`, and between half of that and all of
 * it by chance, so that many callers do not come back at once.
 */
export function backoffMs(options: BackoffOptions, attempt: number, random: Random): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1));
  return full * (0.5 + 0.5 * random.next());
}

/** Runs `work` until it succeeds, fails for good, or the bounds are reached; then throws its last error. */
export async function retry<T>(
  options: BackoffOptions,
  context: RetryContext,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const startMs = context.clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const waitMs = backoffMs(options, attempt, context.random);
      const elapsedMs = context.clock.monotonicMs() - startMs;
      const over = attempt >= options.attempts || elapsedMs + waitMs > (options.totalMs ?? Number.POSITIVE_INFINITY);
      if (over || context.signal?.aborted || !context.retryable(error)) throw error;
      context.onRetry?.(error, attempt, waitMs);
      await context.clock.sleep(waitMs, context.signal);
    }
  }
}
