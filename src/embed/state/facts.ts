import { textOf, utf8 } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import type { Journal } from "./journal.ts";
import { tableKey } from "./tables.ts";

/** Named values of the cluster (`c` entries) as JSON. */
export class Facts {
  readonly #db: KvDb;
  readonly #journal: Journal;

  constructor(db: KvDb, journal: Journal) {
    this.#db = db;
    this.#journal = journal;
  }

  async get<T>(name: string): Promise<T | undefined> {
    const value = await this.#db.get(tableKey("c", utf8(name)));
    return value === undefined ? undefined : (JSON.parse(textOf(value)) as T);
  }

  set(name: string, value: unknown): Promise<void> {
    return this.#journal.write([{ key: tableKey("c", utf8(name)), value: utf8(JSON.stringify(value)) }]);
  }
}
