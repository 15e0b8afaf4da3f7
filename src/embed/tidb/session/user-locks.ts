import { toHex, utf8 } from "../../../base/mod.ts";
import type { KeyLocks } from "../store/mod.ts";
import { SqlError } from "../wire/mod.ts";

/** Errors of a wait for a key. */
const TIMED_OUT = 1205;
const DEADLOCK = 1213;

/** Locks of one session by name (GET_LOCK): taken several times they are let go as many times; case does not tell names apart. */
export class UserLocks {
  readonly #locks: KeyLocks;
  readonly #owner: { id: number };
  readonly #held = new Map<string, number>();

  constructor(locks: KeyLocks, id: number) {
    this.#locks = locks;
    this.#owner = { id };
  }

  /** Does without where another session has it for longer; error 3058 where a circle of waiters would close. */
  async take(name: string, waitMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#locks.take(this.#owner, [keyOf(name)], waitMs, signal);
    } catch (thrown) {
      if (!(thrown instanceof SqlError)) throw thrown;
      if (thrown.errno === TIMED_OUT) return;
      if (thrown.errno === DEADLOCK)
        throw new SqlError(
          3058,
          "Deadlock found when trying to get user-level lock; try rolling back transaction/releasing locks and restarting lock acquisition.",
        );
      throw thrown;
    }
    const held = lowered(name);
    this.#held.set(held, (this.#held.get(held) ?? 0) + 1);
  }

  holds(name: string): boolean {
    return this.#held.has(lowered(name));
  }

  /** What RELEASE_LOCK gives: 1, 0 where it is another's, NULL where it is nobody's. */
  release(name: string): string | null {
    const held = lowered(name);
    const times = this.#held.get(held);
    if (times === undefined) return this.usedBy(name) === null ? null : "0";
    if (times > 1) this.#held.set(held, times - 1);
    else {
      this.#held.delete(held);
      this.#locks.release(this.#owner, [toHex(keyOf(name))]);
    }
    return "1";
  }

  /** How many it let go. */
  releaseAll(): number {
    const count = [...this.#held.values()].reduce((sum, times) => sum + times, 0);
    for (const name of this.#held.keys()) this.#locks.release(this.#owner, [toHex(keyOf(name))]);
    this.#held.clear();
    return count;
  }

  /** Connection that has it. */
  usedBy(name: string): string | null {
    const owner = this.#locks.ownerOf(keyOf(name));
    return owner === undefined ? null : String(owner.id);
  }
}

const lowered = (name: string): string => name.toLowerCase();
const keyOf = (name: string): Uint8Array => utf8(lowered(name));
