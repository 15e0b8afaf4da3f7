/**
 * Sorts entries of packed pairs by key, without moving them: the result is an array of offsets.
 *
 * Keys of one table share long prefixes (table id, `_r` or `_i`, index id), and the bytes that differ first hold most of the order.
 * So a group of keys is sorted in steps: skip the bytes that all keys of the group share, load the next eight bytes of each key as two
 * 32-bit words, sort by the first word with a byte-wise radix sort (least significant byte first, bytes that do not vary are
 * skipped), then each group of equal first words by the second, then each group that is still equal by its next bytes. Groups of
 * up to `INSERTION_MAX` entries are finished with an insertion sort on full keys.
 *
 * Equal keys keep the order of their offsets, that is, of their arrival.
 */
import { assert } from "../base/mod.ts";
import { compareEntryKeys, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Measured: between 16 and 32 makes no difference on 100-byte pairs; the radix passes pay from about 40 entries on. */
const INSERTION_MAX = 24;

export class EntrySorter {
  /** Offsets, and the two words of each key; the second of each is where a radix pass writes to. */
  #order: Uint32Array;
  #orderTo: Uint32Array;
  #high: Uint32Array;
  #highTo: Uint32Array;
  #low: Uint32Array;
  #lowTo: Uint32Array;
  readonly #counts = new Uint32Array(4 * 256);
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(capacity: number) {
    this.#order = new Uint32Array(capacity);
    this.#orderTo = new Uint32Array(capacity);
    this.#high = new Uint32Array(capacity);
    this.#highTo = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#lowTo = new Uint32Array(capacity);
  }

  /** Bytes held per entry of capacity. */
  static readonly BYTES_PER_ENTRY = 24;

  /**
   * The `count` offsets of `starts` in key order. `starts` ascends (entries in order of arrival). The result is valid until the next
   * call.
   */
  sort(bytes: Uint8Array, starts: Uint32Array, count: number): Uint32Array {
    assert(count <= this.#order.length, "a sorter has room for all entries");
    this.#bytes = bytes;
    this.#order.set(starts.subarray(0, count));
    this.#sortGroup(0, count, 0);
    this.#bytes = new Uint8Array(0);
    return this.#order.subarray(0, count);
  }

  /** Sorts entries [first, behind), whose keys are equal in their first `depth` bytes and at least that long. */
  #sortGroup(first: number, behind: number, depth: number): void {
    if (behind - first <= INSERTION_MAX) {
      this.#insertionSort(first, behind, depth, false);
      return;
    }
    const from = this.#commonPrefix(first, behind, depth);
    this.#loadWords(first, behind, from);
    this.#radixSort(first, behind, true);
    const high = this.#high;
    for (let i = first; i < behind; ) {
      const word = high[i]!;
      let j = i + 1;
      while (j < behind && high[j] === word) j++;
      if (j - i > 1) this.#sortBySecondWord(i, j, from);
      i = j;
    }
  }

  /** Sorts entries whose first words are equal. */
  #sortBySecondWord(first: number, behind: number, depth: number): void {
    if (behind - first <= INSERTION_MAX) {
      this.#insertionSort(first, behind, depth, true);
      return;
    }
    this.#radixSort(first, behind, false);
    const low = this.#low;
    for (let i = first; i < behind; ) {
      const word = low[i]!;
      let j = i + 1;
      while (j < behind && low[j] === word) j++;
      if (j - i > 1) this.#sortDeeper(i, j, depth);
      i = j;
    }
  }

  /**
   * Sorts entries whose eight bytes from `depth` on are equal when missing bytes count as zero. Keys that end inside these eight
   * bytes come first: the others have zeros there and go on.
   */
  #sortDeeper(first: number, behind: number, depth: number): void {
    if (behind - first <= INSERTION_MAX) {
      this.#insertionSort(first, behind, depth, false);
      return;
    }
    const bytes = this.#bytes;
    const order = this.#order;
    const to = this.#orderTo;
    let at = first;
    for (let length = depth; length <= depth + 8; length++) {
      for (let i = first; i < behind; i++) {
        if (keyLengthOf(bytes, order[i]!) === length) to[at++] = order[i]!;
      }
    }
    const ended = at;
    for (let i = first; i < behind; i++) {
      if (keyLengthOf(bytes, order[i]!) > depth + 8) to[at++] = order[i]!;
    }
    for (let i = first; i < behind; i++) order[i] = to[i]!;
    if (behind - ended > 1) this.#sortGroup(ended, behind, depth + 8);
  }

  /** How many bytes all keys of the group share, at least `depth`. */
  #commonPrefix(first: number, behind: number, depth: number): number {
    const bytes = this.#bytes;
    const order = this.#order;
    const key = keyStartOf(bytes, order[first]!);
    let common = keyLengthOf(bytes, order[first]!);
    for (let i = first + 1; i < behind && common > depth; i++) {
      const entry = order[i]!;
      const length = keyLengthOf(bytes, entry);
      if (length < common) common = length;
      const other = keyStartOf(bytes, entry);
      let n = depth;
      while (n < common && bytes[other + n] === bytes[key + n]) n++;
      common = n;
    }
    return common;
  }

  /** Loads the eight bytes from `depth` on of each key as two big-endian words; missing bytes are zero. */
  #loadWords(first: number, behind: number, depth: number): void {
    const bytes = this.#bytes;
    const order = this.#order;
    const high = this.#high;
    const low = this.#low;
    for (let i = first; i < behind; i++) {
      const entry = order[i]!;
      const rest = keyLengthOf(bytes, entry) - depth;
      const p = keyStartOf(bytes, entry) + depth;
      if (rest >= 8) {
        high[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
        low[i] = (bytes[p + 4]! << 24) | (bytes[p + 5]! << 16) | (bytes[p + 6]! << 8) | bytes[p + 7]!;
        continue;
      }
      let a = 0;
      let b = 0;
      for (let k = 0; k < 4; k++) {
        a = (a << 8) | (k < rest ? bytes[p + k]! : 0);
        b = (b << 8) | (k + 4 < rest ? bytes[p + k + 4]! : 0);
      }
      high[i] = a;
      low[i] = b;
    }
  }

  /** Stable radix sort of the entries [first, behind) by their first (`byHigh`) or second word. */
  #radixSort(first: number, behind: number, byHigh: boolean): void {
    const counts = this.#counts.fill(0);
    const words = byHigh ? this.#high : this.#low;
    for (let i = first; i < behind; i++) {
      const word = words[i]!;
      counts[word & 255]!++;
      counts[256 + ((word >>> 8) & 255)]!++;
      counts[512 + ((word >>> 16) & 255)]!++;
      counts[768 + (word >>> 24)]!++;
    }
    const total = behind - first;
    let swapped = false;
    for (let pass = 0; pass < 4; pass++) {
      const base = pass * 256;
      const shift = pass * 8;
      const sample = ((byHigh ? this.#high : this.#low)[first]! >>> shift) & 255;
      if (counts[base + sample] === total) continue;
      let at = first;
      for (let digit = base; digit < base + 256; digit++) {
        const n = counts[digit]!;
        counts[digit] = at;
        at += n;
      }
      this.#scatter(first, behind, base, shift, byHigh);
      swapped = !swapped;
    }
    if (swapped) this.#restore(first, behind);
  }

  /** One radix pass from the arrays to their twins, which then change places. */
  #scatter(first: number, behind: number, base: number, shift: number, byHigh: boolean): void {
    const counts = this.#counts;
    const order = this.#order;
    const orderTo = this.#orderTo;
    const key = byHigh ? this.#high : this.#low;
    const keyTo = byHigh ? this.#highTo : this.#lowTo;
    const other = byHigh ? this.#low : this.#high;
    const otherTo = byHigh ? this.#lowTo : this.#highTo;
    for (let i = first; i < behind; i++) {
      const word = key[i]!;
      const to = counts[base + ((word >>> shift) & 255)]!++;
      orderTo[to] = order[i]!;
      keyTo[to] = word;
      otherTo[to] = other[i]!;
    }
    this.#swap();
  }

  /** After an odd number of passes the group lies in the twins: brings it back, so that its neighbours are not disturbed. */
  #restore(first: number, behind: number): void {
    this.#orderTo.set(this.#order.subarray(first, behind), first);
    this.#highTo.set(this.#high.subarray(first, behind), first);
    this.#lowTo.set(this.#low.subarray(first, behind), first);
    this.#swap();
  }

  #swap(): void {
    [this.#order, this.#orderTo] = [this.#orderTo, this.#order];
    [this.#high, this.#highTo] = [this.#highTo, this.#high];
    [this.#low, this.#lowTo] = [this.#lowTo, this.#low];
  }

  /** Sorts by full keys from `depth` on; with `words`, the first words are equal and the second are compared first. */
  #insertionSort(first: number, behind: number, depth: number, words: boolean): void {
    const bytes = this.#bytes;
    const order = this.#order;
    const low = this.#low;
    for (let i = first + 1; i < behind; i++) {
      const entry = order[i]!;
      const word = low[i]!;
      let j = i - 1;
      for (; j >= first; j--) {
        const other = low[j]!;
        if (words && word !== other) {
          if (word > other) break;
        } else if (compareEntryKeys(bytes, entry, bytes, order[j]!, depth) >= 0) break;
        order[j + 1] = order[j]!;
        low[j + 1] = other;
      }
      order[j + 1] = entry;
      low[j + 1] = word;
    }
  }
}
