import type { Clock } from "../../../base/mod.ts";
import { Flag, type TableInfo } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";

/** A table's counters (`pkg/meta/autoid`): row ids and AUTO_INCREMENT share the first one unless AUTO_ID_CACHE is 1. */
export type AllocatorKind = "rowid" | "increment" | "random";

const STEP_MIN = 30_000n;
const STEP_MAX = 2_000_000n;
/** A server aims to use a batch up in this time. */
const BATCH_MS = 10_000;
const INT_MAX = 0x7fffffffffffffffn;

/** Ids that the server has taken from a counter and not given out yet: (base, end]. */
interface Batch {
  base: bigint;
  end: bigint;
  step: bigint;
  takenMs: number;
}

export interface AutoIdStore {
  load(): Promise<Record<string, string> | undefined>;
  save(counters: Record<string, string>): Promise<void>;
}

/** Gives out automatic ids as one TiDB server does: in batches, so that the stored counters run ahead of the rows. */
export class AutoIds {
  readonly #store: AutoIdStore;
  readonly #clock: Clock;
  /** `kind:table id` → largest id taken. */
  readonly #counters: Map<string, bigint>;
  readonly #batches = new Map<string, Batch>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(store: AutoIdStore, clock: Clock, counters: Record<string, string>) {
    this.#store = store;
    this.#clock = clock;
    this.#counters = new Map(Object.entries(counters).map(([name, value]) => [name, BigInt(value)]));
  }

  static async open(store: AutoIdStore, clock: Clock): Promise<AutoIds> {
    return new AutoIds(store, clock, (await store.load()) ?? {});
  }

  /** The counter behind a table's automatic column or row ids. */
  static kindOf(table: TableInfo, use: "rowid" | "increment" | "random"): AllocatorKind {
    if (use !== "increment") return use;
    return BigInt(table.auto_id_cache) === 1n ? "increment" : "rowid";
  }

  #counter(table: TableInfo, kind: AllocatorKind): bigint {
    const known = this.#counters.get(`${kind}:${table.id}`);
    if (known !== undefined) return known;
    const created = BigInt(kind === "random" ? table.auto_rand_id : table.auto_inc_id);
    const own = kind !== "rowid" || BigInt(table.auto_id_cache) !== 1n || !hasIncrement(table);
    return created > 0n && own ? created - 1n : 0n;
  }

  #setCounter(table: TableInfo, kind: AllocatorKind, value: bigint): void {
    this.#counters.set(`${kind}:${table.id}`, value);
    this.#saving = this.#saving.then(() => this.#store.save(this.#asRecord()));
  }

  #asRecord(): Record<string, string> {
    return Object.fromEntries([...this.#counters].map(([name, value]) => [name, String(value)]));
  }

  /** Resolves when all counters are kept. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** What NEXT_GLOBAL_ROW_ID shows. */
  nextGlobal(table: TableInfo, kind: AllocatorKind): bigint {
    const taken = this.#counter(table, kind);
    return taken >= INT_MAX ? INT_MAX : taken + 1n;
  }

  /** The first of `count` ids in a row. Throws 1467 where there are no more. */
  take(table: TableInfo, kind: AllocatorKind, count: bigint): bigint {
    const single = kind === "increment";
    const name = `${kind}:${table.id}`;
    let batch = this.#batches.get(name);
    if (batch === undefined || batch.base + count > batch.end) {
      const step = single ? count : this.#nextStep(table, batch);
      const size = step > count ? step : count;
      const base = this.#counter(table, kind);
      const end = base + size > INT_MAX ? INT_MAX : base + size;
      if (end - base < count) throw new SqlError(1467, "Failed to read auto-increment value from storage engine");
      batch = { base, end, step, takenMs: this.#clock.monotonicMs() };
      this.#batches.set(name, batch);
      this.#setCounter(table, kind, end);
    }
    const first = batch.base + 1n;
    batch.base += count;
    return first;
  }

  #nextStep(table: TableInfo, used: Batch | undefined): bigint {
    const cache = BigInt(table.auto_id_cache);
    if (cache > 1n) return cache;
    if (used === undefined) return STEP_MIN;
    const tookMs = Math.max(1, this.#clock.monotonicMs() - used.takenMs);
    const step = BigInt(Math.floor((Number(used.step) * BATCH_MS) / tookMs));
    return step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
  }

  /** A row gave the id itself: later ones are above it. */
  raise(table: TableInfo, kind: AllocatorKind, used: bigint): void {
    const name = `${kind}:${table.id}`;
    const batch = this.#batches.get(name);
    if (used <= (batch?.base ?? 0n)) return;
    if (batch !== undefined && used <= batch.end) {
      batch.base = used;
      return;
    }
    const counter = this.#counter(table, kind);
    if (kind === "increment") {
      if (used > counter) this.#setCounter(table, kind, used);
      this.#batches.delete(name);
      return;
    }
    const step = this.#nextStep(table, undefined);
    const base = used > counter ? used : counter;
    const end = base + step > INT_MAX ? INT_MAX : base + step;
    this.#batches.set(name, { base, end, step, takenMs: this.#clock.monotonicMs() });
    this.#setCounter(table, kind, end);
  }

  /** ALTER TABLE … AUTO_INCREMENT = next: without `forced` never to a smaller value; what it became comes back. */
  rebase(table: TableInfo, kind: AllocatorKind, next: bigint, forced: boolean): bigint {
    const known = this.nextGlobal(table, kind);
    const wanted = next > INT_MAX ? INT_MAX : next;
    const value = forced || wanted > known ? wanted : known;
    this.#batches.delete(`${kind}:${table.id}`);
    this.#setCounter(table, kind, value > 0n ? value - 1n : 0n);
    return value;
  }

  /** Last value of a sequence; undefined before the first. */
  sequence(id: number): bigint | undefined {
    return this.#counters.get(`sequence:${id}`);
  }

  setSequence(id: number, value: bigint): void {
    this.#counters.set(`sequence:${id}`, value);
    this.#saving = this.#saving.then(() => this.#store.save(this.#asRecord()));
  }

  /** Forgets the counters of a table that is gone. */
  forget(tableId: number): void {
    for (const kind of ["rowid", "increment", "random", "sequence"]) {
      this.#counters.delete(`${kind}:${tableId}`);
      this.#batches.delete(`${kind}:${tableId}`);
    }
  }

  /** Counters of a table that goes on under a new id. */
  rename(from: number, to: number): void {
    for (const kind of ["rowid", "increment", "random"]) {
      const value = this.#counters.get(`${kind}:${from}`);
      if (value !== undefined) this.#counters.set(`${kind}:${to}`, value);
    }
    this.forget(from);
  }
}

export const hasIncrement = (table: TableInfo): boolean =>
  table.cols.some(({ type }) => (type.Flag & Flag.autoIncrement) !== 0);
