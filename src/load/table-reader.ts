import { LevinError } from "../base/mod.ts";

export type Table = Readonly<Record<string, unknown>>;

/** Reads typed values out of one table of a parsed document; errors are `Levin:Config:ErrInvalid` and name document and key. */
export class TableReader {
  readonly #table: Table;
  readonly #where: string;
  readonly #path: string;

  constructor(table: Table, where: string, path = "") {
    this.#table = table;
    this.#where = where;
    this.#path = path;
  }

  get keys(): string[] {
    return Object.keys(this.#table);
  }

  error(key: string, what: string): LevinError {
    return new LevinError("Levin:Config:ErrInvalid", `Cannot use ${this.#name(key)} (${this.#where}): ${what}`, {
      fields: { path: this.#name(key) },
    });
  }

  value(key: string): unknown {
    const value = this.#table[key];
    return value === null ? undefined : value;
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** Numbers and booleans that a document writes without quotes are taken as their text; absent: empty. */
  text(key: string): string {
    const value = this.value(key);
    if (value === undefined) return "";
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
    throw this.error(key, "it must be a string");
  }

  /** Absent: 0. */
  integer(key: string): number {
    const value = this.value(key) ?? 0;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.error(key, "it must be a whole number");
  }

  /** Absent: `fallback`. */
  port(key: string, fallback: number): number {
    const port = this.integer(key) || fallback;
    if (port >= 1 && port <= 65_535) return port;
    throw this.error(key, "it must be from 1 to 65535");
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.error(key, "it must be true or false");
  }

  texts(key: string): string[] {
    const value = this.value(key) ?? [];
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
    throw this.error(key, "it must be a list of strings");
  }

  /** Absent: an empty table. */
  table(key: string): TableReader {
    const value = this.value(key) ?? {};
    if (!isTable(value)) throw this.error(key, "it must be a table");
    return new TableReader(value, this.#where, this.#name(key));
  }

  tables(key: string): TableReader[] {
    const value = this.value(key) ?? [];
    if (!Array.isArray(value) || !value.every(isTable)) throw this.error(key, "it must be a list of tables");
    return value.map((one, i) => new TableReader(one, this.#where, `${this.#name(key)}[${i}]`));
  }

  #name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
