import { assert } from "../../base/mod.ts";
import type { Facts } from "./facts.ts";

/** Ids reserved on disk at a time (PD: `allocStep` 1000). */
const STEP = 1000n;

/** Growing numbers: PD's ids for stores, regions and peers; and, apart from them, the numbers of files. */
export class IdAllocator {
  readonly #facts: Facts;
  readonly #name: string;
  #next: bigint;
  #bound: bigint;
  #reserving: Promise<void> = Promise.resolve();

  private constructor(facts: Facts, name: string, bound: bigint) {
    this.#facts = facts;
    this.#name = name;
    this.#next = bound + 1n;
    this.#bound = bound;
  }

  /** Goes on behind what is reserved on disk under that name. */
  static async open(facts: Facts, name: string): Promise<IdAllocator> {
    return new IdAllocator(facts, name, BigInt((await facts.get<string>(name)) ?? "0"));
  }

  /** The next id. What it is used for must be written to the journal later than this call. */
  take(): bigint {
    return this.takeMany(1);
  }

  /** The last of `count` consecutive ids. */
  takeMany(count: number): bigint {
    assert(count > 0, "ids are taken in positive numbers");
    this.#next += BigInt(count);
    if (this.#next > this.#bound) {
      this.#bound = this.#next + STEP;
      this.#reserving = this.#facts.set(this.#name, String(this.#bound));
      this.#reserving.catch(() => {});
    }
    return this.#next - 1n;
  }

  /** Resolves when all ids given out are reserved on disk. */
  reserved(): Promise<void> {
    return this.#reserving;
  }
}
