/**
 * Sorts entries of packed pairs by key, without moving them: the result is an array of offsets.
 *
 * Keys of one table share most of their bytes: table id, `_r` or `_i`, index id, the upper bytes of numbers. So for a group of keys it
 * is first found which bytes differ at all; the first eight of these make two words a key, in the order of the keys. Records of
 * (word, word, offset) are then sorted by a radix sort over one to three bytes at a time, least significant first; groups that are
 * still equal by the next bytes, then by what follows in the keys. Groups of up to `INSERTION_MAX` records are finished with an
 * insertion sort. Records are kept together in one array, for a radix pass writes to 256 places at a time, which should fit the
 * processor's first cache.
 *
 * Equal keys keep the order of their offsets, that is, of their arrival.
 */
import { assert } from "../base/mod.ts";
import { compareEntryKeys, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Measured: between 16 and 32 makes no difference; the radix passes pay from about 40 records on. */
const INSERTION_MAX = 24;
/** A group is surveyed again when its words can tell it into fewer than this many groups for each of its records. */
const SPREAD_MIN = 4;
/** Bytes of a key that are looked at for differences; later ones are taken as different. */
const SURVEY_WORDS = 16;
/** Buckets of `sortLoaded`. */
const BUCKET_BITS = 12;
/** Bytes of the two words. */
export const WORD_BYTES = 8;
/** With the sign bit flipped, unsigned words compare as the signed numbers that typed arrays hold without conversion. */
export const SIGN = 1 << 31;
/** Numbers a record has: two words and the offset. */
export const STRIDE = 3;

export class EntrySorter {
  #records: Int32Array;
  #twin: Int32Array;
  readonly #counts = new Uint32Array(256);
  readonly #buckets = new Uint32Array(1 << BUCKET_BITS);
  readonly #survey = new Int32Array(SURVEY_WORDS);
  readonly #base = new Int32Array(SURVEY_WORDS);
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);

  constructor(capacity: number) {
    this.#records = new Int32Array(STRIDE * capacity);
    this.#twin = new Int32Array(STRIDE * capacity);
  }

  /** Records (word, word, offset), for `sortLoaded`. */
  get records(): Int32Array {
    return this.#records;
  }

  /** Makes room for so many records; those that there are stay. */
  reserve(capacity: number): Int32Array {
    const records = new Int32Array(STRIDE * capacity);
    records.set(this.#records);
    this.#records = records;
    this.#twin = new Int32Array(STRIDE * capacity);
    return records;
  }

  /** Bytes held per entry of capacity. */
  static readonly BYTES_PER_ENTRY = 2 * 4 * STRIDE;

  /**
   * The `count` offsets of `starts` in key order. `starts` ascends (entries in order of arrival). The result is valid until the next
   * call.
   */
  sort(bytes: Uint8Array, starts: Uint32Array, count: number): Int32Array {
    assert(STRIDE * count <= this.#records.length, "a sorter has room for all entries");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const records = this.#records;
    for (let i = 0; i < count; i++) records[STRIDE * i + 2] = starts[i]!;
    this.#sortGroup(0, count, 0);
    const sorted = this.#records;
    const order = this.#twin;
    for (let i = 0; i < count; i++) order[i] = sorted[STRIDE * i + 2]!;
    return order.subarray(0, count);
  }

  /**
   * Sorts the first `count` records by words that were put in, the first of which lie in [lowest, highest], then, unless `depth` is
   * negative, by what the keys have from there on. Most of it is one pass into about as many buckets as there are records. Words change
   * where they do not decide, but entries of equal keys have equal words afterwards.
   */
  sortLoaded(bytes: Uint8Array, count: number, depth: number, lowest: number, highest: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (count <= INSERTION_MAX) {
      this.#insertionSort(0, count, depth);
      return;
    }
    const bits = Math.min(BUCKET_BITS, 33 - Math.clz32(count));
    const largest = this.#spread(count, bits, lowest, (highest - lowest) | 0);
    if (largest <= INSERTION_MAX) {
      this.#insertionSort(0, count, depth);
      return;
    }
    const ends = this.#buckets;
    let from = 0;
    let bucketAt = 0;
    for (let bucket = 0; bucket < 1 << bits; bucket++) {
      const end = ends[bucket]! / STRIDE;
      if (end - bucketAt > INSERTION_MAX) {
        this.#insertionSort(from, bucketAt, depth);
        this.#sortGroup(bucketAt, end, Math.max(0, depth));
        from = end;
      }
      bucketAt = end;
    }
    this.#insertionSort(from, count, depth);
  }

  /** Distributes records to buckets by the first bits of their words, less `lowest`; returns the size of the largest one. */
  #spread(count: number, bits: number, lowest: number, range: number): number {
    const source = this.#records;
    const target = this.#twin;
    const buckets = this.#buckets.fill(0, 0, 1 << bits);
    // Words less `lowest`, without the bits that are zero in all of them.
    const zeros = Math.clz32(range);
    const shift = 32 - bits;
    const behind = STRIDE * count;
    if (zeros === 0) for (let at = 0; at < behind; at += STRIDE) buckets[(source[at]! - lowest) >>> shift]!++;
    else for (let at = 0; at < behind; at += STRIDE) buckets[normal(source, at, lowest, zeros) >>> shift]!++;
    let largest = 0;
    let next = 0;
    for (let bucket = 0; bucket < 1 << bits; bucket++) {
      const size = buckets[bucket]!;
      if (size > largest) largest = size;
      buckets[bucket] = next;
      next += STRIDE * size;
    }
    for (let at = 0; at < behind; at += STRIDE) {
      const bucket = (zeros === 0 ? source[at]! - lowest : normal(source, at, lowest, zeros)) >>> shift;
      const to = buckets[bucket]!;
      buckets[bucket] = to + STRIDE;
      target[to] = source[at]!;
      target[to + 1] = source[at + 1]!;
      target[to + 2] = source[at + 2]!;
    }
    this.#records = target;
    this.#twin = source;
    return largest;
  }

  /** Sorts records [first, behind), whose keys are equal in their first `depth` bytes and at least that long. */
  #sortGroup(first: number, behind: number, depth: number): void {
    if (behind - first < 2) return;
    if (behind - first <= INSERTION_MAX) {
      this.#loadWords(first, behind, nextPositions(depth));
      this.#insertionSort(first, behind, depth);
      return;
    }
    const group = this.#surveyGroup(first, behind, depth);
    this.#loadWords(first, behind, group.positions);
    this.#sortByDigits(first, behind, 0, group);
  }

  /** Finds the bytes from `depth` on in which keys of the group differ. */
  #surveyGroup(first: number, behind: number, depth: number): Group {
    const view = this.#view;
    const bytes = this.#bytes;
    const records = this.#records;
    const survey = this.#survey.fill(0);
    const base = this.#base;
    const firstEntry = records[STRIDE * first + 2]!;
    let shortest = keyLengthOf(bytes, firstEntry);
    let longest = shortest;
    let words = Math.min(SURVEY_WORDS, (shortest - depth) >> 2);
    const firstKey = keyStartOf(bytes, firstEntry) + depth;
    for (let w = 0; w < words; w++) base[w] = view.getInt32(firstKey + 4 * w);
    for (let i = first + 1; i < behind; i++) {
      const entry = records[STRIDE * i + 2]!;
      const length = keyLengthOf(bytes, entry);
      if (length < shortest) {
        shortest = length;
        words = Math.min(words, (shortest - depth) >> 2);
      } else if (length > longest) longest = length;
      const key = keyStartOf(bytes, entry) + depth;
      for (let w = 0; w < words; w++) survey[w]! |= view.getInt32(key + 4 * w) ^ base[w]!;
    }
    const positions: number[] = [];
    let at = depth;
    for (; at < longest && positions.length < WORD_BYTES; at++) {
      const word = (at - depth) >> 2;
      if (word < words && ((survey[word]! >>> (24 - 8 * ((at - depth) & 3))) & 255) === 0) continue;
      positions.push(at);
    }
    return { depth, shortest, positions, resume: at, decided: at === longest && shortest === longest };
  }

  /** Puts the bytes at `positions` of each key into its record's words; bytes that a key does not have are zero. */
  #loadWords(first: number, behind: number, positions: readonly number[]): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const records = this.#records;
    const count = positions.length;
    const start = positions[0] ?? 0;
    const adjacent = count === WORD_BYTES && positions[WORD_BYTES - 1] === start + WORD_BYTES - 1;
    for (let i = first; i < behind; i++) {
      const entry = records[STRIDE * i + 2]!;
      const key = keyStartOf(bytes, entry);
      const length = keyLengthOf(bytes, entry);
      if (adjacent && length >= start + WORD_BYTES) {
        records[STRIDE * i] = view.getInt32(key + start);
        records[STRIDE * i + 1] = view.getInt32(key + start + 4);
        continue;
      }
      let high = 0;
      let low = 0;
      for (let d = 0; d < count; d++) {
        const position = positions[d]!;
        if (position >= length) break;
        if (d < 4) high |= bytes[key + position]! << (24 - 8 * d);
        else low |= bytes[key + position]! << (56 - 8 * d);
      }
      records[STRIDE * i] = high;
      records[STRIDE * i + 1] = low;
    }
  }

  /** Sorts records that are equal in their first `digit` bytes of words. */
  #sortByDigits(first: number, behind: number, digit: number, group: Group): void {
    const total = behind - first;
    if (total <= INSERTION_MAX) {
      this.#insertionSort(first, behind, group.decided ? -1 : group.depth);
      return;
    }
    const [high, low] = differences(this.#records, first, behind);
    let from = digit;
    while (from < WORD_BYTES && ((from < 4 ? high >>> (24 - 8 * from) : low >>> (56 - 8 * from)) & 255) === 0) from++;
    if (from === WORD_BYTES) {
      if (!group.decided) this.#sortDeeper(first, behind, group);
      return;
    }
    if (digit > 0 && 2 ** (bitCount(high) + bitCount(low)) < SPREAD_MIN * total) {
      // Which bytes differ was found for a larger group; the rest of them tells few of these records apart, others may do better.
      this.#sortDeeper(first, behind, { ...group, resume: group.positions[digit - 1]! + 1 });
      return;
    }
    // As many bytes as tell the records apart when they are spread evenly.
    let to = from;
    for (let groups = 1; groups < total && to < WORD_BYTES; to++) {
      groups *= 2 ** bitCount((to < 4 ? high >>> (24 - 8 * to) : low >>> (56 - 8 * to)) & 255);
    }
    this.#radixSort(first, behind, from, to, high, low);
    const records = this.#records;
    for (let i = first; i < behind; ) {
      let j = i + 1;
      while (j < behind && sameDigits(records, i, j, to)) j++;
      if (j - i > 1) this.#sortByDigits(i, j, to, group);
      i = j;
    }
  }

  /** Radix sort by the bytes `from` to before `to` of the words; bytes without differences (`high`, `low`) cost nothing. */
  #radixSort(first: number, behind: number, from: number, to: number, high: number, low: number): void {
    const start = STRIDE * first;
    const end = STRIDE * behind;
    let source = this.#records;
    let target = this.#twin;
    for (let digit = to - 1; digit >= from; digit--) {
      const word = digit < 4 ? 0 : 1;
      const shift = 24 - 8 * (digit & 3);
      if ((((word === 0 ? high : low) >>> shift) & 255) === 0) continue;
      const counts = this.#counts.fill(0);
      for (let at = start + word; at < end; at += STRIDE) counts[(source[at]! >>> shift) & 255]!++;
      let next = start;
      for (let value = 0; value < 256; value++) {
        const size = STRIDE * counts[value]!;
        counts[value] = next;
        next += size;
      }
      scatter(source, target, start, end, word, shift, counts);
      [source, target] = [target, source];
    }
    if (source !== this.#records) this.#records.set(source.subarray(start, end), start);
  }

  /**
   * Sorts records whose keys are equal in all that was looked at, where missing bytes count as zero. Keys that end there come first,
   * the shorter before the longer: the others have zeros there, and go on.
   */
  #sortDeeper(first: number, behind: number, { depth, shortest, resume }: Group): void {
    const goingOn = shortest > resume ? behind - first : this.#partitionEnded(first, behind, depth, resume);
    this.#sortGroup(behind - goingOn, behind, resume);
  }

  /** Brings keys of at most `resume` bytes to the front, the shorter before the longer; returns how many are longer. */
  #partitionEnded(first: number, behind: number, depth: number, resume: number): number {
    const bytes = this.#bytes;
    const records = this.#records;
    const twin = this.#twin;
    const slots = resume - depth + 2;
    assert(slots <= this.#counts.length, "a group's survey is short");
    const counts = this.#counts.fill(0);
    for (let i = first; i < behind; i++) {
      // The words are done with: the first holds the key's slot meanwhile.
      const slot = Math.min(keyLengthOf(bytes, records[STRIDE * i + 2]!), resume + 1) - depth;
      records[STRIDE * i] = slot;
      counts[slot]!++;
    }
    const goingOn = counts[slots - 1]!;
    if (goingOn === behind - first) return goingOn;
    for (let slot = 0, next = first; slot < slots; slot++) {
      const size = counts[slot]!;
      counts[slot] = next;
      next += size;
    }
    for (let i = first; i < behind; i++) {
      const slot = records[STRIDE * i]!;
      const to = STRIDE * counts[slot]!++;
      twin[to] = slot;
      twin[to + 1] = 0;
      twin[to + 2] = records[STRIDE * i + 2]!;
    }
    records.set(twin.subarray(STRIDE * first, STRIDE * behind), STRIDE * first);
    return goingOn;
  }

  /** Sorts by the words, then, unless `depth` is negative, by what the keys have from there on. */
  #insertionSort(first: number, behind: number, depth: number): void {
    const bytes = this.#bytes;
    const records = this.#records;
    const start = STRIDE * first;
    for (let at = start + STRIDE; at < STRIDE * behind; at += STRIDE) {
      const high = records[at]!;
      const low = records[at + 1]!;
      const entry = records[at + 2]!;
      let to = at;
      for (; to > start; to -= STRIDE) {
        const otherHigh = records[to - 3]!;
        const otherLow = records[to - 2]!;
        const other = records[to - 1]!;
        if (high !== otherHigh) {
          if ((high ^ SIGN) > (otherHigh ^ SIGN)) break;
        } else if (low !== otherLow) {
          if ((low ^ SIGN) > (otherLow ^ SIGN)) break;
        } else if (depth < 0 || compareEntryKeys(bytes, entry, bytes, other, depth) >= 0) break;
        records[to] = otherHigh;
        records[to + 1] = otherLow;
        records[to + 2] = other;
      }
      records[to] = high;
      records[to + 1] = low;
      records[to + 2] = entry;
    }
  }
}

/** What is known of the keys of a group. */
interface Group {
  /** Bytes in which all keys are equal. */
  depth: number;
  /** Length of the shortest key. */
  shortest: number;
  /** The first bytes in which they differ, or may differ: those in the words. */
  positions: number[];
  /** All bytes before this one are equal or in the words. */
  resume: number;
  /** Keys of equal words are equal. */
  decided: boolean;
}

/** The eight bytes from `depth` on. */
function nextPositions(depth: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => depth + i);
}

/** Whether two records are equal in the first `digits` bytes of their words. */
function sameDigits(records: Int32Array, i: number, j: number, digits: number): boolean {
  const high = records[STRIDE * i]! ^ records[STRIDE * j]!;
  if (digits <= 4) return high >>> (32 - 8 * digits) === 0;
  return high === 0 && (records[STRIDE * i + 1]! ^ records[STRIDE * j + 1]!) >>> (64 - 8 * digits) === 0;
}

/** Bits in which the words of some records differ. */
function differences(records: Int32Array, first: number, behind: number): [high: number, low: number] {
  const start = STRIDE * first;
  const end = STRIDE * behind;
  const firstHigh = records[start]!;
  const firstLow = records[start + 1]!;
  let high = 0;
  let low = 0;
  for (let at = start + STRIDE; at < end; at += STRIDE) {
    high |= records[at]! ^ firstHigh;
    low |= records[at + 1]! ^ firstLow;
  }
  return [high, low];
}

/** The 32 bits behind the first `zeros`, above 0, of a record's words less `lowest`. */
function normal(records: Int32Array, at: number, lowest: number, zeros: number): number {
  return zeros === 32 ? records[at + 1]! : ((records[at]! - lowest) << zeros) | (records[at + 1]! >>> (32 - zeros));
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function scatter(
  source: Int32Array,
  target: Int32Array,
  start: number,
  end: number,
  word: number,
  shift: number,
  counts: Uint32Array,
): void {
  for (let at = start; at < end; at += STRIDE) {
    const value = (source[at + word]! >>> shift) & 255;
    const to = counts[value]!;
    counts[value] = to + STRIDE;
    target[to] = source[at]!;
    target[to + 1] = source[at + 1]!;
    target[to + 2] = source[at + 2]!;
  }
}
