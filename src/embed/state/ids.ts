import { assert } from "../../base/mod.ts";
import type { Facts } from "./facts.ts";

/** Ids reserved on disk at a time (PD: `allocStep` 1000). */
const STEP = 1000n;

/** PD's ids for stores, regions, peers; the sandbox takes its file ids from here as well. */
export class IdAllocator {
  readonly #facts: Facts;
  #next: bigint;
  #bound: bigint;
  #reserving: Promise<void> = Promise.resolve();

  /** `bound` is the highest id reserved on disk; 0 = a new cluster. */
  constructor(facts: Facts, bound: bigint) {
    this.#facts = facts;
    this.#next = bound + 1n;
    this.#bound = bound;
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
      this.#reserving = this.#facts.set("ids", String(this.#bound));
      this.#reserving.catch(() => {});
    }
    return this.#next - 1n;
  }

  /** Resolves when all ids given out are reserved on disk. */
  reserved(): Promise<void> {
    return this.#reserving;
  }
}
