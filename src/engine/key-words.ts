/** Bytes of a key that are looked at for differences, in words of four; later ones are taken as different. */
export const SURVEY_WORDS = 16;
/** Bytes of a key that the two words hold at most. */
export const WORD_BYTES = 8;

/**
 * What two words of 32 bits say of a key among others: the first bytes in which those keys differ, without their upper bits that are the
 * same in all of them. So few bits tell many keys apart: four of each digit, none of a table's id. Words order keys as the keys do.
 */
export class KeyWords {
  /** Of each byte of the two words: where it is in the key, which of its bits count, and where they are in the word. */
  readonly places = new Int32Array(WORD_BYTES);
  readonly masks = new Int32Array(WORD_BYTES);
  readonly shifts = new Int32Array(WORD_BYTES);
  /** Keys are equal in this many first bytes. */
  depth = 0;
  /** Keys of equal words are equal in this many first bytes, and at least so long. */
  resume = 0;
  /** Keys of equal words are equal. */
  decided = false;
  readonly #widths = new Int32Array(WORD_BYTES);

  /**
   * Chooses the bytes: keys are equal in their first `depth` bytes; `differing` has the bits in which they differ behind that, four bytes
   * a number, as many as the shortest key fills.
   */
  choose(differing: Int32Array, depth: number, shortest: number, longest: number): void {
    const words = Math.min(SURVEY_WORDS, (shortest - depth) >> 2);
    const widths = this.#widths.fill(0);
    let at = depth;
    let chosen = 0;
    for (; at < shortest && chosen < WORD_BYTES; at++) {
      const word = (at - depth) >> 2;
      const bits = word < words ? (differing[word]! >>> (24 - 8 * ((at - depth) & 3))) & 255 : 255;
      if (bits === 0) continue;
      widths[chosen] = 32 - Math.clz32(bits);
      this.places[chosen++] = at;
    }
    // The bits of the first word stand at its right end, those of the second one at its left end: one sequence without gaps.
    let right = 0;
    for (let d = WORD_BYTES / 2 - 1; d >= 0; d--) {
      this.shifts[d] = right;
      right += widths[d]!;
    }
    let left = 32;
    for (let d = WORD_BYTES / 2; d < WORD_BYTES; d++) {
      left -= widths[d]!;
      this.shifts[d] = left;
    }
    for (let d = 0; d < WORD_BYTES; d++) {
      this.masks[d] = (1 << widths[d]!) - 1;
      if (d >= chosen) this.places[d] = this.shifts[d] = 0;
    }
    this.depth = chosen > 0 ? this.places[0]! : at;
    this.resume = at;
    this.decided = at === shortest && shortest === longest;
  }

  /** One of the words of the key at `keyAt`: that of the four bytes from `d` on. */
  wordOf(bytes: Uint8Array, keyAt: number, d: 0 | 4): number {
    let word = 0;
    for (let i = d; i < d + 4; i++) word |= (bytes[keyAt + this.places[i]!]! & this.masks[i]!) << this.shifts[i]!;
    return word;
  }
}
