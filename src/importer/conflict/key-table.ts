/** Keys as 128-bit digests in one shared buffer: two keys that differ are taken for one with a chance of about 2^-64 in 2^32 keys. */

const FIRST_CAPACITY = 1 << 10;
/** A slot that is not taken has this first word; digests never do. */
const EMPTY = 0;

/**
 * A set of keys that grows, and that other threads look into when it grows no more. Each key has a number, its slot, which stays as long as
 * the set does not grow.
 */
export class KeyTable {
  #words: Int32Array;
  #mask: number;
  /** Keys in the set. */
  count = 0;
  readonly #digest = new Int32Array(4);

  private constructor(words: Int32Array) {
    this.#words = words;
    this.#mask = words.length / 4 - 1;
  }

  static empty(): KeyTable {
    return new KeyTable(new Int32Array(new SharedArrayBuffer(16 * FIRST_CAPACITY)));
  }

  /** The set that another thread has filled. */
  static over(buffer: SharedArrayBuffer): KeyTable {
    return new KeyTable(new Int32Array(buffer));
  }

  /** What other threads are given. */
  get buffer(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** Slots are below it. */
  get capacity(): number {
    return this.#mask + 1;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.#hash(bytes, from, to);
    const slot = this.#seek();
    if (this.#words[4 * slot] !== EMPTY) return;
    this.#words.set(this.#digest, 4 * slot);
    this.count++;
    if (this.count * 2 > this.capacity) this.#grow();
  }

  /** The key's slot, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    this.#hash(bytes, from, to);
    const slot = this.#seek();
    return this.#words[4 * slot] === EMPTY ? -1 : slot;
  }

  /** The digest's slot, or the free one where it would go. */
  #seek(): number {
    const words = this.#words;
    const digest = this.#digest;
    // One by one: taken apart by a pattern, they would go through an iterator, which costs more than the rest of a look.
    const a = digest[0]!;
    const b = digest[1]!;
    const c = digest[2]!;
    const d = digest[3]!;
    let slot = a & this.#mask;
    for (;;) {
      const at = 4 * slot;
      const first = words[at];
      if (first === EMPTY) return slot;
      if (first === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Int32Array(new SharedArrayBuffer(2 * before.byteLength));
    this.#mask = this.#words.length / 4 - 1;
    for (let at = 0; at < before.length; at += 4) {
      if (before[at] === EMPTY) continue;
      this.#digest.set(before.subarray(at, at + 4));
      this.#words.set(this.#digest, 4 * this.#seek());
    }
  }

  /** Four lanes of 32 bits, mixed as in MurmurHash3. */
  #hash(bytes: Uint8Array, from: number, to: number): void {
    let a = 0x239b961b;
    let b = 0xab0e9789 | 0;
    let c = 0x38b34ae5;
    let d = 0xa1e38b93 | 0;
    let at = from;
    let lane = 0;
    for (; at + 4 <= to; at += 4, lane++) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      a = mixIn(a, word, 0x239b961b);
      b = mixIn(b, word ^ lane, 0xab0e9789);
      c = mixIn(c, (word << 13) | (word >>> 19), 0x38b34ae5);
      d = mixIn(d, ~word, 0xa1e38b93);
    }
    let rest = to - from;
    for (let shift = 0; at < to; at++, shift += 8) rest ^= bytes[at]! << (shift + 3);
    a = finish(mixIn(a, rest, 0x239b961b) ^ (to - from));
    b = finish(mixIn(b, rest, 0xab0e9789) + a);
    c = finish(mixIn(c, rest, 0x38b34ae5) + b);
    d = finish(mixIn(d, rest, 0xa1e38b93) + c);
    this.#digest[0] = a === EMPTY ? 1 : a;
    this.#digest[1] = b;
    this.#digest[2] = c;
    this.#digest[3] = d;
  }
}

function mixIn(hash: number, word: number, multiplier: number): number {
  let k = Math.imul(word, multiplier);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
