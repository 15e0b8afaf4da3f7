import type { KvChange, KvDb } from "../../kvdb/mod.ts";

/**
 * Small changes in the order they were made. Those that come while a batch is being written go together into the next one, so
 * the order on disk is the order in memory and many callers share one write. After a failed write every later one fails too.
 */
export class Journal {
  readonly #db: KvDb;
  #pending: KvChange[] = [];
  #running: Promise<void> | undefined;
  #made = 0;
  #done = 0;
  #failure: unknown;

  constructor(db: KvDb) {
    this.#db = db;
  }

  /** Resolves when these changes, and all before them, are in the database. */
  write(changes: readonly KvChange[]): Promise<void> {
    for (const change of changes) this.#pending.push(change);
    this.#made++;
    return this.settled();
  }

  /** Resolves when everything handed over so far is in the database. */
  async settled(): Promise<void> {
    const want = this.#made;
    while (this.#done < want) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#running ??= this.#flush();
      await this.#running;
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#pending;
    const upTo = this.#made;
    this.#pending = [];
    try {
      if (batch.length > 0) await this.#db.batch(batch);
      this.#done = upTo;
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }
}
