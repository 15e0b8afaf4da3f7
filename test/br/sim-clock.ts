/** Time that a test moves: sleepers wake in order when it advances, and everything they do runs before the next one wakes. */
import type { Clock } from "../../src/base/mod.ts";

interface Sleeper {
  at: number;
  wake: () => void;
}

export class SimClock implements Clock {
  private now = 0;
  private sleepers: Sleeper[] = [];

  nowMs(): number {
    return 1_736_900_000_000 + this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = { at: this.now + Math.max(0, ms), wake: () => resolve() };
      this.sleepers.push(sleeper);
      signal?.addEventListener(
        "abort",
        () => {
          this.sleepers = this.sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Lets everything that does not wait for time run: promises and, for real files, the event loop. */
  async settle(turns = 20): Promise<void> {
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number, turns = 20): Promise<void> {
    const until = this.now + ms;
    await this.settle(turns);
    for (;;) {
      this.sleepers.sort((a, b) => a.at - b.at);
      const next = this.sleepers[0];
      if (next === undefined || next.at > until) break;
      this.sleepers.shift();
      this.now = Math.max(this.now, next.at);
      next.wake();
      await this.settle(turns);
    }
    this.now = until;
  }

  /** Advances until the promise is settled, at most `limitMs`. */
  async until<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    for (let spent = 0; !done && spent < limitMs; spent += 100) await this.advance(100, 2);
    return promise;
  }
}
