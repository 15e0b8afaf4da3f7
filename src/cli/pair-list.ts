import type { PairSink } from "../codec/mod.ts";

/** A key and its value, both the owner's. */
export interface Pair {
  key: Uint8Array;
  value: Uint8Array;
}

/** Keeps copies of the pairs that an encoder gives; for a row at a time. */
export class PairList implements PairSink {
  pairs: Pair[] = [];

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.pairs.push({ key: key.slice(0, keyLength), value: value.slice(0, valueLength) });
  }
}
