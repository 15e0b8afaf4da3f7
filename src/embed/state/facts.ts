import { textOf, utf8 } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import type { Journal } from "./journal.ts";
import { forEach, tableKey } from "./tables.ts";

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

  /** Texts whose names begin with `prefix`, by the rest of their names. */
  async texts(prefix: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    await forEach(this.#db, "c", (key, value) => {
      const name = textOf(key.subarray(1));
      if (name.startsWith(prefix)) found.set(name.slice(prefix.length), textOf(value));
    });
    return found;
  }

  /** Sets and removes (undefined) texts, all or none. */
  change(texts: ReadonlyMap<string, string | undefined>): Promise<void> {
    return this.#journal.write(
      [...texts].map(([name, text]) => ({
        key: tableKey("c", utf8(name)),
        value: text === undefined ? undefined : utf8(text),
      })),
    );
  }

  set(name: string, value: unknown): Promise<void> {
    return this.#journal.write([{ key: tableKey("c", utf8(name)), value: utf8(JSON.stringify(value)) }]);
  }
}
