import type { Clock } from "../../src/base/mod.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #ms = 0;
  #sleepers: { dueMs: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { dueMs: this.#ms + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Wakes sleepers one after another in the order of their times, each with room for what it does. */
  async advance(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (;;) {
      const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#ms = Math.max(this.#ms, due.dueMs);
      this.#sleepers = this.#sleepers.filter((other) => other !== due);
      due.wake();
      await settle();
    }
    this.#ms = end;
    await settle();
  }

  /** The whole time passes before anybody wakes up, as after a blocked event loop. */
  async jump(ms: number): Promise<void> {
    this.#ms += ms;
    await this.advance(0);
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
