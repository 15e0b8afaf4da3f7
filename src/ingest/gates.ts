/** The ceilings of an import: jobs at work, bytes in memory, streams and bytes a second to one store. First come, first served. */
import { assert, type Clock } from "../base/mod.ts";

interface Waiter {
  readonly fits: () => boolean;
  readonly enter: () => void;
}

/** Waiters in order; the first that does not fit holds back those behind it, so that none starves. */
class Queue {
  readonly #waiters: Waiter[] = [];

  async wait(fits: () => boolean, take: () => void, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiters.length === 0 && fits()) return take();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(signal?.reason);
        this.admit();
      };
      const waiter: Waiter = {
        fits,
        enter: () => {
          signal?.removeEventListener("abort", leave);
          take();
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  admit(): void {
    while (this.#waiters[0]?.fits()) this.#waiters.shift()!.enter();
  }
}

/** Bytes of messages that exist at a time. One larger than the whole budget passes alone. */
export class ByteBudget {
  readonly #bytesMax: number;
  readonly #queue = new Queue();
  #used = 0;
  #peak = 0;

  constructor(bytesMax: number) {
    assert(bytesMax > 0, "a byte budget is positive");
    this.#bytesMax = bytesMax;
  }

  get used(): number {
    return this.#used;
  }

  get peak(): number {
    return this.#peak;
  }

  async acquire(bytes: number, signal?: AbortSignal): Promise<void> {
    const fits = (): boolean => this.#used === 0 || this.#used + bytes <= this.#bytesMax;
    const take = (): void => {
      this.#used += bytes;
      this.#peak = Math.max(this.#peak, this.#used);
    };
    await this.#queue.wait(fits, take, signal);
  }

  release(bytes: number): void {
    this.#used -= bytes;
    assert(this.#used >= 0, "no more bytes are released than were acquired");
    this.#queue.admit();
  }
}

/** Jobs that work at a time; one that waits for its next try does not count. */
export class WorkerSlots {
  readonly #count: number;
  readonly #queue = new Queue();
  #used = 0;

  constructor(count: number) {
    assert(count >= 1, "there is at least one worker");
    this.#count = count;
  }

  async use<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#queue.wait(
      () => this.#used < this.#count,
      () => void this.#used++,
      signal,
    );
    try {
      return await run();
    } finally {
      this.#used--;
      this.#queue.admit();
    }
  }
}

/** Streams to each store; a job takes all that it needs at once or waits, so jobs cannot lock each other out. */
export class StoreSlots {
  readonly #perStore: number;
  readonly #queue = new Queue();
  readonly #used = new Map<bigint, number>();

  constructor(perStore: number) {
    assert(perStore >= 1, "each store takes at least one stream");
    this.#perStore = perStore;
  }

  /** `storeIds` are different stores: a region has one peer on a store. */
  async use<T>(storeIds: readonly bigint[], run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const fits = (): boolean => storeIds.every((id) => (this.#used.get(id) ?? 0) < this.#perStore);
    const take = (): void => {
      for (const id of storeIds) this.#used.set(id, (this.#used.get(id) ?? 0) + 1);
    };
    await this.#queue.wait(fits, take, signal);
    try {
      return await run();
    } finally {
      for (const id of storeIds) this.#used.set(id, this.#used.get(id)! - 1);
      this.#queue.admit();
    }
  }
}

/** Bytes a second to each store, with a burst of a fifth of a second (as Lightning's `store-write-bwlimit`). */
export class StoreRate {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** When all that was let through so far will have been due. */
  readonly #paidUntilMs = new Map<bigint, number>();

  /** 0 = no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  async take(storeId: bigint, bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond <= 0) return;
    const now = this.#clock.monotonicMs();
    const paidUntil = Math.max(this.#paidUntilMs.get(storeId) ?? 0, now - burstMs);
    this.#paidUntilMs.set(storeId, paidUntil + (bytes / this.#bytesPerSecond) * 1000);
    if (paidUntil > now) await this.#clock.sleep(paidUntil - now, signal);
  }
}

const burstMs = 200;
