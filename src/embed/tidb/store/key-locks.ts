import { type Clock, toHex } from "../../../base/mod.ts";
import { SqlError } from "../wire/mod.ts";

/** Who holds locks: one transaction. */
export interface LockOwner {
  readonly id: number;
}

interface Held {
  owner: LockOwner;
  /** Resolved when the owner lets go. */
  waiting: (() => void)[];
}

/**
 * Locks of pessimistic transactions on keys, held until commit or rollback. A wait ends with error 1205 after
 * `innodb_lock_wait_timeout`; a circle of waiters is found when it would close, and the last one gets error 1213.
 */
export class KeyLocks {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  /** Whom an owner waits for; an owner waits for one at a time. */
  readonly #waits = new Map<LockOwner, LockOwner>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the locks one by one; true where it had to wait, so that what was read before may be old. */
  async take(owner: LockOwner, keys: readonly Uint8Array[], timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    let waited = false;
    for (const key of keys) {
      const name = toHex(key);
      for (;;) {
        const held = this.#held.get(name);
        if (held === undefined) {
          this.#held.set(name, { owner, waiting: [] });
          break;
        }
        if (held.owner === owner) break;
        waited = true;
        await this.#wait(owner, held, timeoutMs, signal);
      }
    }
    return waited;
  }

  async #wait(owner: LockOwner, held: Held, timeoutMs: number, signal: AbortSignal): Promise<void> {
    for (let next: LockOwner | undefined = held.owner; next !== undefined; next = this.#waits.get(next)) {
      if (next === owner)
        throw new SqlError(1213, "Deadlock found when trying to get lock; try restarting transaction", "40001");
    }
    this.#waits.set(owner, held.owner);
    const freed = new AbortController();
    const free = new Promise<true>((resolve) => held.waiting.push(() => resolve(true)));
    const timeout = this.#clock
      .sleep(timeoutMs, AbortSignal.any([freed.signal, signal]))
      .then(() => false)
      .catch(() => false);
    try {
      if (await Promise.race([free, timeout])) return;
      signal.throwIfAborted();
      throw new SqlError(1205, "Lock wait timeout exceeded; try restarting transaction");
    } finally {
      freed.abort();
      this.#waits.delete(owner);
    }
  }

  ownerOf(key: Uint8Array): LockOwner | undefined {
    return this.#held.get(toHex(key))?.owner;
  }

  /** Lets go of everything that the owner holds. */
  release(owner: LockOwner, keys: Iterable<string>): void {
    for (const name of keys) {
      const held = this.#held.get(name);
      if (held?.owner !== owner) continue;
      this.#held.delete(name);
      for (const wake of held.waiting) wake();
    }
  }
}
