import { type Clock, textOf, utf8 } from "../../base/mod.ts";
import type { Journal } from "./journal.ts";
import { tableKey } from "./tables.ts";

/** Bits of the logical part of a timestamp. */
export const LOGICAL_BITS = 18n;
/** Largest number of timestamps in one request (PD: a request for more fails after a second). */
export const MAX_TSO_COUNT = 262143;
/** Timestamps up to so far ahead are reserved on disk, so that a restart never gives one out twice. */
const WINDOW_MS = 3000;

const BOUND = tableKey("c", utf8("tso"));

export interface Grant {
  physical: bigint;
  /** The last of the granted logical numbers. */
  logical: bigint;
}

/** PD's timestamp oracle: strictly growing over restarts, never behind the clock. */
export class TimestampOracle {
  readonly #clock: Clock;
  readonly #journal: Journal;
  #physical: number;
  #logical = 0;
  #bound: number;

  /** `bound` is the reserved millisecond found on disk; 0 = a new cluster. */
  constructor(clock: Clock, journal: Journal, bound: number) {
    this.#clock = clock;
    this.#journal = journal;
    this.#bound = bound;
    this.#physical = Math.max(bound, Math.floor(clock.nowMs()));
  }

  static boundOf(value: Uint8Array | undefined): number {
    return value === undefined ? 0 : Number(textOf(value));
  }

  static readonly boundKey: Uint8Array = BOUND;

  /** `count` consecutive timestamps, 1 … MAX_TSO_COUNT. */
  async grant(count: number): Promise<Grant> {
    const now = Math.floor(this.#clock.nowMs());
    if (now > this.#physical) {
      this.#physical = now;
      this.#logical = 0;
    }
    if (this.#logical + count > MAX_TSO_COUNT) {
      this.#physical++;
      this.#logical = 0;
    }
    this.#logical += count;
    const grant = { physical: BigInt(this.#physical), logical: BigInt(this.#logical) };
    if (this.#physical >= this.#bound) {
      this.#bound = this.#physical + WINDOW_MS;
      await this.#journal.write([{ key: BOUND, value: utf8(String(this.#bound)) }]);
    }
    return grant;
  }

  /** One timestamp as a number. */
  async next(): Promise<bigint> {
    return composeTs(await this.grant(1));
  }

  /** The newest timestamp given out, or that of now if the clock is ahead. */
  latest(): bigint {
    const now = BigInt(Math.floor(this.#clock.nowMs())) << LOGICAL_BITS;
    const last = composeTs({ physical: BigInt(this.#physical), logical: BigInt(this.#logical) });
    return last > now ? last : now;
  }

  /** The newest timestamp given out. */
  lastGranted(): bigint {
    return composeTs({ physical: BigInt(this.#physical), logical: BigInt(this.#logical) });
  }
}

export function composeTs(grant: Grant): bigint {
  return (grant.physical << LOGICAL_BITS) + grant.logical;
}
