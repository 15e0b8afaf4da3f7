import { compareBytes, toHex } from "../../../base/mod.ts";
import type { FrontStorage } from "../session/front.ts";
import type { KeyLocks, LockOwner } from "./key-locks.ts";

/** One changed key; without a value it is deleted. */
export interface Change {
  key: Uint8Array;
  value: Uint8Array | undefined;
}

export interface Pair {
  key: Uint8Array;
  value: Uint8Array;
}

/** Pairs as one statement sees them. Keys are raw. */
export interface ReadView {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  scan(start: Uint8Array, end: Uint8Array): AsyncIterable<Pair[]>;
}

/** The newest committed versions. */
const NEWEST = 0xffffffffffffffffn;

/** Keys read side by side. */
const READS_AHEAD = 256;

export function viewAt(storage: FrontStorage, ts: bigint): ReadView {
  return { get: (key) => storage.get(key, ts), scan: (start, end) => storage.scan(start, end, ts) };
}

/**
 * A pessimistic transaction: changes wait in memory until the commit; keys that are written are locked first. Reads of SELECT see the
 * snapshot of the start, statements that write see what is committed last, both with the transaction's own changes on top.
 */
export class Transaction implements LockOwner {
  readonly id: number;
  /** Begun by BEGIN or with autocommit off: ends with COMMIT or ROLLBACK only. */
  readonly explicit: boolean;
  readonly startTs: bigint;
  readonly #storage: FrontStorage;
  readonly #locks: KeyLocks;
  readonly #locked = new Set<string>();
  #changes = new Map<string, Change>();
  /** What there was to commit at each SAVEPOINT, by name in lower case, the oldest first. */
  readonly #savepoints = new Map<string, Map<string, Change>>();
  /** Changes of the statement that runs. */
  #statement = new Map<string, Change>();
  /** Newest values of locked keys, read ahead for the statement that runs. */
  readonly #ahead = new Map<string, Uint8Array | undefined>();

  constructor(storage: FrontStorage, locks: KeyLocks, start: { id: number; ts: bigint; explicit: boolean }) {
    this.#storage = storage;
    this.#locks = locks;
    this.id = start.id;
    this.startTs = start.ts;
    this.explicit = start.explicit;
  }

  /** What SELECT reads. */
  get snapshot(): ReadView {
    return this.#view(this.startTs);
  }

  /** What statements that write read. */
  get current(): ReadView {
    return this.#view(NEWEST);
  }

  #own(name: string): Change | undefined {
    return this.#statement.get(name) ?? this.#changes.get(name);
  }

  #view(ts: bigint): ReadView {
    return {
      get: async (key) => {
        const name = toHex(key);
        const own = this.#own(name);
        if (own !== undefined) return own.value;
        if (ts === NEWEST && this.#ahead.has(name)) return this.#ahead.get(name);
        return this.#storage.get(key, ts);
      },
      scan: (start, end) => this.#scan(start, end, ts),
    };
  }

  async *#scan(start: Uint8Array, end: Uint8Array, ts: bigint): AsyncGenerator<Pair[]> {
    const own = this.#between(start, end);
    let at = 0;
    for await (const batch of this.#storage.scan(start, end, ts)) {
      if (own.length === 0) {
        yield batch;
        continue;
      }
      const merged: Pair[] = [];
      for (const pair of batch) {
        let order = -1;
        for (; at < own.length; at++) {
          order = compareBytes(own[at]!.key, pair.key);
          if (order > 0) break;
          const { key, value } = own[at]!;
          if (value !== undefined) merged.push({ key, value });
          if (order === 0) {
            at++;
            break;
          }
        }
        if (order !== 0) merged.push(pair);
      }
      yield merged;
    }
    const rest = own.slice(at).flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }]));
    if (rest.length > 0) yield rest;
  }

  /** Own changes in [start, end), by key. */
  #between(start: Uint8Array, end: Uint8Array): Change[] {
    const out: Change[] = [];
    for (const changes of [this.#changes, this.#statement]) {
      for (const [name, change] of changes) {
        if (changes === this.#changes && this.#statement.has(name)) continue;
        if (compareBytes(change.key, start) >= 0 && compareBytes(change.key, end) < 0) out.push(change);
      }
    }
    return out.sort((a, b) => compareBytes(a.key, b.key));
  }

  /** Locks keys before they are looked at for writing; true where it had to wait for another transaction. */
  async lock(keys: readonly Uint8Array[], timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    for (const key of keys) this.#locked.add(toHex(key));
    return this.#locks.take(this, keys, timeoutMs, signal);
  }

  /** Reads locked keys side by side, so that the statement does not wait for each of them. */
  async readAhead(keys: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < keys.length; i += READS_AHEAD) {
      const values = keys.slice(i, i + READS_AHEAD).map(async (key) => {
        this.#ahead.set(toHex(key), await this.#storage.get(key, NEWEST));
      });
      await Promise.all(values);
    }
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#statement.set(toHex(key), { key, value });
  }

  delete(key: Uint8Array): void {
    this.#statement.set(toHex(key), { key, value: undefined });
  }

  /** The statement took effect. */
  keepStatement(): void {
    for (const [name, change] of this.#statement) this.#changes.set(name, change);
    this.#statement = new Map();
    this.#ahead.clear();
  }

  /** The statement failed: nothing of it stays. */
  dropStatement(): void {
    this.#statement = new Map();
    this.#ahead.clear();
  }

  /** SAVEPOINT; one of the same name goes. */
  savepoint(name: string): void {
    this.#savepoints.delete(name.toLowerCase());
    this.#savepoints.set(name.toLowerCase(), new Map(this.#changes));
  }

  /** ROLLBACK TO SAVEPOINT: what was changed since is not, later savepoints are gone, locks stay. False: there is no such one. */
  rollbackTo(name: string): boolean {
    const changes = this.#savepoints.get(name.toLowerCase());
    if (changes === undefined) return false;
    this.#changes = new Map(changes);
    this.#forgetBehind(name);
    return true;
  }

  /** RELEASE SAVEPOINT: it is gone, and those behind it. False: there is no such one. */
  releaseSavepoint(name: string): boolean {
    if (!this.#savepoints.has(name.toLowerCase())) return false;
    this.#forgetBehind(name);
    this.#savepoints.delete(name.toLowerCase());
    return true;
  }

  #forgetBehind(name: string): void {
    const names = [...this.#savepoints.keys()];
    for (const one of names.slice(names.indexOf(name.toLowerCase()) + 1)) this.#savepoints.delete(one);
  }

  async commit(): Promise<void> {
    try {
      if (this.#changes.size > 0) await this.#storage.commit([...this.#changes.values()], this.startTs);
    } finally {
      this.rollback();
    }
  }

  rollback(): void {
    this.#changes.clear();
    this.#statement.clear();
    this.#savepoints.clear();
    this.#locks.release(this, this.#locked);
    this.#locked.clear();
  }
}
