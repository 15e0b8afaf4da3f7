import type { Clock } from "../../src/base/mod.ts";

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Turns of the event loop without a new timer after which everything is taken to wait. */
const idleTurns = 4;

/** A clock whose time jumps to the next timer as soon as nothing else happens. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];
  #isRunning = false;
  #isStopped = false;

  nowMs(): number {
    return 1_700_000_000_000 + this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      const timer: Timer = {
        due: this.#now + Math.max(0, ms),
        order: this.#order++,
        fire: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#timers.push(timer);
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Timers that are left never fire. */
  stop(): void {
    this.#isStopped = true;
    this.#timers = [];
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#timers.length > 0 && !this.#isStopped) {
      let seen = this.#order;
      for (let idle = 0; idle < idleTurns; idle++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#order !== seen) idle = -1;
        seen = this.#order;
      }
      const next = this.#timers.reduce<Timer | undefined>(
        (a, b) => (a === undefined || before(b, a) ? b : a),
        undefined,
      );
      if (next === undefined) continue;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.due);
      next.fire();
    }
    this.#isRunning = false;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
