/**
 * Sorts entries of packed pairs by key, without moving them: the result is an array of offsets.
 *
 * Keys of one table share most of their bytes: table id, `_r` or `_i`, index id, the upper bytes of numbers. So for a group of keys it
 * is first found in which bits they differ; the first of these make two words a key, in the order of the keys (key-words.ts). Records of
 * (word, word, offset) are then distributed to about as many buckets as there are records, by the bits behind those that are the same in
 * all of them; large buckets again in the same way, small ones are finished with an insertion sort. Groups whose words are equal go on
 * with what follows in the keys, and so do those that are told apart better by other bytes than the larger group that the words were made
 * for: the entries of one index among those of others.
 *
 * Equal keys keep the order of their offsets, that is, of their arrival.
 */
import { assert } from "../base/mod.ts";
import { KeyWords, SURVEY_WORDS, WORD_BYTES } from "./key-words.ts";
import { compareEntryKeys, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Measured: between 16 and 32 makes no difference. */
const INSERTION_MAX = 24;
/** A group is surveyed again when its words can tell it into fewer than this many groups for each of its records. */
const SPREAD_MIN = 4;
/** Buckets at a time: so many places are written to at once. Many records go to fewer buckets first, for the cache's sake. */
const BUCKET_BITS = 12;
const BUCKET_BITS_LARGE = 10;
const LARGE = 1 << 17;
/** With the sign bit flipped, unsigned words compare as the signed numbers that typed arrays hold without conversion. */
export const SIGN = 1 << 31;
/** Numbers a record has: two words and the offset. */
export const STRIDE = 3;

export class EntrySorter {
  #records: Int32Array;
  #twin: Int32Array;
  /** Ends of buckets, for each level of buckets in buckets. */
  readonly #levels: Uint32Array[] = [];
  readonly #counts = new Uint32Array(256);
  readonly #survey = new Int32Array(SURVEY_WORDS);
  readonly #base = new Int32Array(SURVEY_WORDS);
  readonly #words = new KeyWords();
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
    this.#take(bytes);
    const records = this.#records;
    for (let i = 0; i < count; i++) records[STRIDE * i + 2] = starts[i]!;
    this.#sortGroup(0, count, 0, 0);
    const order = this.#twin;
    for (let i = 0; i < count; i++) order[i] = records[STRIDE * i + 2]!;
    return order.subarray(0, count);
  }

  /**
   * Sorts the first `count` records, whose words are those that `words` says. Words change where they do not decide, but entries of
   * equal keys have equal words afterwards.
   */
  sortLoaded(bytes: Uint8Array, count: number, { depth, resume, decided }: KeyWords): void {
    this.#take(bytes);
    this.#sortByWords(0, count, { depth, resume, decided, shortest: resume, size: count }, 0);
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Sorts records [first, behind), whose keys are equal in their first `depth` bytes and at least that long. */
  #sortGroup(first: number, behind: number, depth: number, level: number): void {
    if (behind - first < 2) return;
    if (behind - first <= INSERTION_MAX) {
      this.#loadBytes(first, behind, depth);
      this.#insertionSort(first, behind, depth);
      return;
    }
    const group = this.#surveyGroup(first, behind, depth);
    this.#loadWords(first, behind);
    this.#sortByWords(first, behind, group, level);
  }

  /** Finds the bits from byte `depth` on in which keys of the group differ, and makes the words of them. */
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
      if ((i & 255) === 0) words = enoughWords(survey, words);
      const entry = records[STRIDE * i + 2]!;
      const usual = bytes[entry + 1]! < 0x80;
      const length = usual ? bytes[entry + 3]! : keyLengthOf(bytes, entry);
      if (length < shortest) {
        shortest = length;
        words = Math.min(words, (shortest - depth) >> 2);
      } else if (length > longest) longest = length;
      const key = (usual ? entry + 4 : keyStartOf(bytes, entry)) + depth;
      for (let w = 0; w < words; w++) survey[w]! |= view.getInt32(key + 4 * w) ^ base[w]!;
    }
    this.#words.choose(survey, depth, shortest, longest);
    const { resume, decided } = this.#words;
    return { depth: this.#words.depth, resume, decided, shortest, size: behind - first };
  }

  /** Loads the words that were chosen last. */
  #loadWords(first: number, behind: number): void {
    const bytes = this.#bytes;
    const records = this.#records;
    const { places: p, masks: m, shifts: s } = this.#words;
    const [p0, m0, s0] = [p[0]!, m[0]!, s[0]!];
    const [p1, m1, s1] = [p[1]!, m[1]!, s[1]!];
    const [p2, m2, s2] = [p[2]!, m[2]!, s[2]!];
    const [p3, m3, s3] = [p[3]!, m[3]!, s[3]!];
    const [p4, m4, s4] = [p[4]!, m[4]!, s[4]!];
    const [p5, m5, s5] = [p[5]!, m[5]!, s[5]!];
    const [p6, m6, s6] = [p[6]!, m[6]!, s[6]!];
    const [p7, m7, s7] = [p[7]!, m[7]!, s[7]!];
    for (let at = STRIDE * first; at < STRIDE * behind; at += STRIDE) {
      const entry = records[at + 2]!;
      const key = bytes[entry + 1]! < 0x80 ? entry + 4 : keyStartOf(bytes, entry);
      records[at] =
        ((bytes[key + p0]! & m0) << s0) |
        ((bytes[key + p1]! & m1) << s1) |
        ((bytes[key + p2]! & m2) << s2) |
        ((bytes[key + p3]! & m3) << s3);
      records[at + 1] =
        ((bytes[key + p4]! & m4) << s4) |
        ((bytes[key + p5]! & m5) << s5) |
        ((bytes[key + p6]! & m6) << s6) |
        ((bytes[key + p7]! & m7) << s7);
    }
  }

  /** Loads the eight bytes from `depth` on; those that a key does not have are zero. */
  #loadBytes(first: number, behind: number, depth: number): void {
    const bytes = this.#bytes;
    const records = this.#records;
    for (let at = STRIDE * first; at < STRIDE * behind; at += STRIDE) {
      const entry = records[at + 2]!;
      const key = keyStartOf(bytes, entry) + depth;
      const length = Math.min(8, keyLengthOf(bytes, entry) - depth);
      let high = 0;
      let low = 0;
      for (let d = 0; d < length; d++) {
        if (d < 4) high |= bytes[key + d]! << (24 - 8 * d);
        else low |= bytes[key + d]! << (56 - 8 * d);
      }
      records[at] = high;
      records[at + 1] = low;
    }
  }

  /** Sorts records by their words, then by what follows in their keys. */
  #sortByWords(first: number, behind: number, group: Group, level: number): void {
    const total = behind - first;
    const depth = group.decided ? -1 : group.depth;
    if (total <= INSERTION_MAX) {
      this.#insertionSort(first, behind, depth);
      return;
    }
    const span = spanOf(this.#records, first, behind);
    if (span.bits === 0) {
      if (!group.decided) this.#sortDeeper(first, behind, group, level);
      return;
    }
    // What differs was found for a larger group: where that leaves little to tell these apart by, other bytes may do better.
    if (2 * total <= group.size && 2 ** span.bits < SPREAD_MIN * total) {
      this.#sortGroup(first, behind, group.depth, level);
      return;
    }
    const bits = Math.min(total > LARGE ? BUCKET_BITS_LARGE : BUCKET_BITS, 32 - Math.clz32(total));
    if (this.#levels.length === level) this.#levels.push(new Uint32Array(1 << BUCKET_BITS));
    const ends = this.#levels[level]!;
    const largest = this.#spread(first, behind, bits, span, ends);
    if (largest <= INSERTION_MAX) {
      this.#insertionSort(first, behind, depth);
      return;
    }
    let from = first;
    let bucketAt = first;
    for (let bucket = 0; bucket < 1 << bits; bucket++) {
      const end = ends[bucket]! / STRIDE;
      if (end - bucketAt > INSERTION_MAX) {
        this.#insertionSort(from, bucketAt, depth);
        this.#sortByWords(bucketAt, end, group, level + 1);
        from = end;
      }
      bucketAt = end;
    }
    this.#insertionSort(from, behind, depth);
  }

  /** Distributes records to buckets by the first bits of their words that differ; returns the size of the largest bucket. */
  #spread(first: number, behind: number, bits: number, span: Span, buckets: Uint32Array): number {
    const source = this.#records;
    const target = this.#twin;
    const shift = 32 - bits;
    const start = STRIDE * first;
    const end = STRIDE * behind;
    buckets.fill(0, 0, 1 << bits);
    for (let at = start; at < end; at += STRIDE) buckets[normal(source, at, span) >>> shift]!++;
    let largest = 0;
    let next = start;
    for (let bucket = 0; bucket < 1 << bits; bucket++) {
      const size = buckets[bucket]!;
      if (size > largest) largest = size;
      buckets[bucket] = next;
      next += STRIDE * size;
    }
    for (let at = start; at < end; at += STRIDE) {
      const bucket = normal(source, at, span) >>> shift;
      const to = buckets[bucket]!;
      buckets[bucket] = to + STRIDE;
      target[to] = source[at]!;
      target[to + 1] = source[at + 1]!;
      target[to + 2] = source[at + 2]!;
    }
    source.set(target.subarray(start, end), start);
    return largest;
  }

  /**
   * Sorts records whose keys are equal in all that was looked at, where missing bytes count as zero. Keys that end there come first,
   * the shorter before the longer: the others have zeros there, and go on.
   */
  #sortDeeper(first: number, behind: number, { depth, resume, shortest }: Group, level: number): void {
    const goingOn = shortest > resume ? behind - first : this.#partitionEnded(first, behind, depth, resume);
    this.#sortGroup(behind - goingOn, behind, resume, level);
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
  /** Keys of equal words are equal in this many first bytes. */
  resume: number;
  /** Keys of equal words are equal. */
  decided: boolean;
  /** Length of the shortest key, or less. */
  shortest: number;
  /** Records that the words were chosen for. */
  size: number;
}

/** Where the words of some records lie: `lowest` is the least of all first words or, when they are equal, of all second ones. */
interface Span {
  lowest: number;
  /** How far to the left the difference to it goes until its first bit stands at the end; 32 or more: the second word does. */
  zeros: number;
  /** Bits in which the words differ. */
  bits: number;
}

function spanOf(records: Int32Array, first: number, behind: number): Span {
  const start = STRIDE * first;
  const end = STRIDE * behind;
  const firstHigh = records[start]!;
  const firstLow = records[start + 1]!;
  let high = 0;
  let low = 0;
  let lowest = firstHigh ^ SIGN;
  let highest = lowest;
  for (let at = start; at < end; at += STRIDE) {
    const word = records[at]!;
    high |= word ^ firstHigh;
    low |= records[at + 1]! ^ firstLow;
    const flipped = word ^ SIGN;
    if (flipped < lowest) lowest = flipped;
    if (flipped > highest) highest = flipped;
  }
  const bits = bitCount(high) + bitCount(low);
  if (high !== 0) return { lowest: lowest ^ SIGN, zeros: Math.clz32((highest - lowest) | 0), bits };
  // Second words need not be measured so closely: the bits before the first that differs are left out.
  return { lowest: 0, zeros: 32 + Math.clz32(low), bits };
}

/** The 32 bits of a record's words, less `lowest`, from the first one on that differs. */
function normal(records: Int32Array, at: number, { lowest, zeros }: Span): number {
  const low = records[at + 1]!;
  if (zeros >= 32) return low << (zeros - 32);
  const high = records[at]! - lowest;
  return zeros === 0 ? high : (high << zeros) | (low >>> (32 - zeros));
}

/** How many of the survey's words have all the bytes that words are made of: what comes behind need not be looked at. */
function enoughWords(survey: Int32Array, words: number): number {
  let bytes = 0;
  for (let w = 0; w < words; w++) {
    const bits = survey[w]!;
    for (let shift = 24; shift >= 0; shift -= 8) if (((bits >>> shift) & 255) !== 0) bytes++;
    if (bytes >= WORD_BYTES) return w + 1;
  }
  return words;
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
