import { WireError } from "./wire-error.ts";

interface Waiter {
  admitted: boolean;
  wake(): void;
}

/** Counts the streams of a connection against the server's SETTINGS_MAX_CONCURRENT_STREAMS; who finds it full waits in line. */
export class StreamGate {
  readonly #maxWaiting: number;
  readonly #waiters = new Set<Waiter>();
  #limit = Number.POSITIVE_INFINITY;
  #inside = 0;
  #closed = false;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /**
   * True: the caller is inside and must `leave` later. False: closed. Rejects with the signal's reason, or with kind `overload` when
   * too many wait already.
   */
  async enter(signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#closed) return false;
    if (this.#inside < this.#limit) {
      this.#inside++;
      return true;
    }
    if (this.#waiters.size >= this.#maxWaiting) {
      throw new WireError("overload", `${this.#waiters.size} calls wait for a free stream`);
    }
    const admitted = await this.#turn(signal);
    if (signal?.aborted) {
      if (admitted) this.leave();
      throw signal.reason;
    }
    return admitted;
  }

  leave(): void {
    this.#inside--;
    this.#admit();
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Nobody enters any more. */
  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) waiter.wake();
  }

  #turn(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", wake);
        resolve(waiter.admitted);
      };
      const waiter: Waiter = { admitted: false, wake };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", wake);
    });
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      if (this.#closed || this.#inside >= this.#limit) return;
      this.#inside++;
      waiter.admitted = true;
      waiter.wake();
    }
  }
}
