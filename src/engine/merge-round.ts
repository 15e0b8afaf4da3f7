/**
 * Puts what the sources of a merge have up to the bound in order: not by a comparison after the other, as a tournament does, but like
 * an arena, by a radix sort of records (word, word, offset). A tournament among `n` sources takes log2(n) comparisons a pair, and the
 * processor cannot foresee any; where keys share their first bytes and differ in a few behind them, most are comparisons of whole keys.
 *
 * The words hold those bytes in which keys differ at all. To find them, a block's keys are looked at once, when it is first merged with
 * others; what the blocks tell is put together for each round.
 */
import { EntrySorter, SIGN, STRIDE } from "./entry-sorter.ts";
import { KeyWords, SURVEY_WORDS } from "./key-words.ts";
import type { MergeSources } from "./merge-sources.ts";
import { commonWords, entryEndOf, keyLengthOf, keyStartOf } from "./packed-pairs.ts";

/** Entries that are put in order at a time, unless more have one key: about what the processor's second cache holds. */
const ENTRIES_MAX = 16 * 1024;
/** What a round holds; more when one key is in more entries than that. */
export const ROUND_BYTES = 2 * ENTRIES_MAX * EntrySorter.BYTES_PER_ENTRY;

export class MergeRound {
  readonly #sources: MergeSources;
  /** By source: bits in which its block's keys differ from its first one, and the lengths of its shortest and longest key. */
  readonly #surveys: Int32Array;
  readonly #shortest: Uint32Array;
  readonly #longest: Uint32Array;
  /** 1: its block has been surveyed. */
  readonly #surveyed: Uint8Array;
  /** Where it goes on after the round. */
  readonly #next: Uint32Array;
  readonly #mask = new Int32Array(SURVEY_WORDS);
  readonly #words = new KeyWords();
  /** Grows by what is needed: a range of a small table has some dozens of entries, and each range has a merge of its own. */
  readonly #sorter = new EntrySorter(64);
  /** Entries of the round: `count` records (word, word, offset); entries of equal keys have equal words. */
  records = this.#sorter.records;
  count = 0;

  constructor(sources: MergeSources) {
    this.#sources = sources;
    const { count } = sources;
    this.#surveys = new Int32Array(SURVEY_WORDS * count);
    this.#shortest = new Uint32Array(count);
    this.#longest = new Uint32Array(count);
    this.#surveyed = new Uint8Array(count);
    this.#next = new Uint32Array(count);
  }

  /** The source has got another block. */
  renew(index: number): void {
    this.#surveyed[index] = 0;
  }

  /** Takes the next entries of the only source that has some up to the bound. */
  takeInOrder(index: number, equalKeys: boolean): void {
    const { bytes, at, end } = this.#sources;
    const behind = end[index]!;
    let next = at[index]!;
    let i = 0;
    for (; i < ENTRIES_MAX && next < behind; i++) {
      if (STRIDE * i === this.records.length) this.#grow();
      this.records[STRIDE * i] = equalKeys ? 0 : i;
      this.records[STRIDE * i + 1] = 0;
      this.records[STRIDE * i + 2] = next;
      next = entryEndOf(bytes, next);
    }
    this.count = i;
    this.#sources.moveTo(index, next);
  }

  /** Takes all entries up to the bound, which is lowered when they are many, and puts them in order. */
  takeSorted(): void {
    const sources = this.#sources;
    let entriesMax = ENTRIES_MAX;
    for (;;) {
      this.#survey();
      const over = this.#load(entriesMax);
      if (over === undefined) {
        for (let t = 0; t < sources.takingCount; t++) {
          const source = sources.taking[t]!;
          sources.moveTo(source, this.#next[source]!);
        }
        this.#sorter.sortLoaded(sources.bytes, this.count, this.#words);
        return;
      }
      // One key that is in very many places can only be taken as a whole.
      if (!sources.lowerBound(over)) entriesMax *= 2;
    }
  }

  /** Finds the bytes in which the keys of the blocks differ. */
  #survey(): void {
    const { view, slot, taking, takingCount, bytes } = this.#sources;
    const mask = this.#mask.fill(0);
    const base = keyStartOf(bytes, slot[taking[0]!]!);
    let shortest = 2 ** 32;
    let longest = 0;
    for (let t = 0; t < takingCount; t++) {
      const source = taking[t]!;
      if (this.#surveyed[source] === 0) this.#surveyBlock(source);
      shortest = Math.min(shortest, this.#shortest[source]!);
      longest = Math.max(longest, this.#longest[source]!);
      const words = Math.min(SURVEY_WORDS, shortest >> 2);
      const key = keyStartOf(bytes, slot[source]!);
      const survey = SURVEY_WORDS * source;
      for (let w = 0; w < words; w++) {
        mask[w]! |= this.#surveys[survey + w]! | (view.getInt32(key + 4 * w) ^ view.getInt32(base + 4 * w));
      }
    }
    this.#words.choose(mask, 0, shortest, longest);
  }

  #surveyBlock(source: number): void {
    const { bytes, view, slot, end, lastAt } = this.#sources;
    const first = slot[source]!;
    const last = lastAt[source]!;
    const behind = end[source]!;
    const base = keyStartOf(bytes, first);
    let shortest = keyLengthOf(bytes, first);
    let longest = shortest;
    const surveys = this.#surveys;
    const survey = SURVEY_WORDS * source;
    surveys.fill(0, survey, survey + SURVEY_WORDS);
    // All keys of the block share what the first and the last one share.
    const from = commonWords(view, base, keyStartOf(bytes, last), Math.min(shortest, keyLengthOf(bytes, last)));
    let words = Math.min(SURVEY_WORDS, shortest >> 2);
    for (let at = first; at < behind; ) {
      const length = bytes[at + 1]!;
      let key = at + 4;
      let keyLength: number;
      if (length < 0x80) {
        keyLength = bytes[at + 3]!;
        at += 2 + length;
      } else {
        key = keyStartOf(bytes, at);
        keyLength = keyLengthOf(bytes, at);
        at = entryEndOf(bytes, at);
      }
      if (keyLength < shortest) {
        shortest = keyLength;
        words = Math.min(words, shortest >> 2);
      } else if (keyLength > longest) longest = keyLength;
      for (let w = from; w < words; w++)
        surveys[survey + w]! |= view.getInt32(key + 4 * w) ^ view.getInt32(base + 4 * w);
    }
    this.#shortest[source] = shortest;
    this.#longest[source] = longest;
    this.#surveyed[source] = 1;
  }

  /** Fills the records; when there are more than `entriesMax`, returns an entry in the middle of those of one source. */
  #load(entriesMax: number): number | undefined {
    const { takingCount } = this.#sources;
    let to = 0;
    let most = 0;
    let middle = 0;
    for (let t = 0; t < takingCount; t++) {
      const from = to;
      to = this.#loadSource(t, from, entriesMax);
      if (to - from > most) {
        most = to - from;
        middle = from + (most >>> 1);
      }
      if (to > entriesMax) return this.records[STRIDE * middle + 2]!;
    }
    this.count = to;
    return undefined;
  }

  /** Fills records from `to` on; returns the index behind the last one. */
  #loadSource(index: number, first: number, entriesMax: number): number {
    const sources = this.#sources;
    const { bytes } = sources;
    const source = sources.taking[index]!;
    const boundAt = sources.boundKeyAt;
    const boundHigh = this.#words.wordOf(bytes, boundAt, 0) ^ SIGN;
    const boundLow = this.#words.wordOf(bytes, boundAt, 4) ^ SIGN;
    const { decided, places: p, masks: m, shifts: s } = this.#words;
    const [p0, m0, s0] = [p[0]!, m[0]!, s[0]!];
    const [p1, m1, s1] = [p[1]!, m[1]!, s[1]!];
    const [p2, m2, s2] = [p[2]!, m[2]!, s[2]!];
    const [p3, m3, s3] = [p[3]!, m[3]!, s[3]!];
    const [p4, m4, s4] = [p[4]!, m[4]!, s[4]!];
    const [p5, m5, s5] = [p[5]!, m[5]!, s[5]!];
    const [p6, m6, s6] = [p[6]!, m[6]!, s[6]!];
    const [p7, m7, s7] = [p[7]!, m[7]!, s[7]!];
    const behind = sources.end[source]!;
    let records = this.records;
    let to = STRIDE * first;
    let at = sources.at[source]!;
    while (at < behind) {
      const length = bytes[at + 1]!;
      const usual = length < 0x80;
      const key = usual ? at + 4 : keyStartOf(bytes, at);
      const high =
        ((bytes[key + p0]! & m0) << s0) |
        ((bytes[key + p1]! & m1) << s1) |
        ((bytes[key + p2]! & m2) << s2) |
        ((bytes[key + p3]! & m3) << s3);
      const low =
        ((bytes[key + p4]! & m4) << s4) |
        ((bytes[key + p5]! & m5) << s5) |
        ((bytes[key + p6]! & m6) << s6) |
        ((bytes[key + p7]! & m7) << s7);
      if ((high ^ SIGN) > boundHigh) break;
      if ((high ^ SIGN) === boundHigh && (low ^ SIGN) >= boundLow) {
        if ((low ^ SIGN) > boundLow) break;
        const order = decided ? 0 : sources.compareWithBound(key, keyLengthOf(bytes, at));
        if (order > 0 || (order === 0 && !sources.takesBound(source))) break;
      }
      if (to === records.length) {
        if (to > STRIDE * entriesMax) break;
        records = this.#grow();
      }
      records[to] = high;
      records[to + 1] = low;
      records[to + 2] = at;
      to += STRIDE;
      at = usual ? at + 2 + length : entryEndOf(bytes, at);
    }
    this.#next[source] = at;
    return to / STRIDE;
  }

  #grow(): Int32Array {
    this.records = this.#sorter.reserve(2 * (this.records.length / STRIDE));
    return this.records;
  }
}
