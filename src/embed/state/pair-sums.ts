import { type Kernel, startKernel } from "../../kernel/mod.ts";
import { Crc64 } from "./crc64.ts";
import type { PairVisitor } from "./reader.ts";

/** Pairs with fewer bytes of key and value than this are summed by their size. */
const SIZES = 1024;
const STRIDE = SIZES + 8;
/** Where things lie in the kernel's memory. */
const RESULTS = 0;
const TABLES = 1024;
const COUNTS = TABLES + 8 * 256 * 8;
const SUMS = COUNTS + 4 * SIZES;
const BLOCK = SUMS + SIZES * STRIDE;
/** Larger blocks (a pair of that size) are summed pair by pair. */
const BLOCK_BYTES = 512 * 1024;
const PAGES = Math.ceil((BLOCK + BLOCK_BYTES + 8) / 65536);

const at = (slice: number): number => TABLES + slice * 2048;

/** Code that reads a protobuf varint at `p` into a new variable; `p` is then at its last byte. */
const varint = (name: string): string => `let ${name} = load8(p);
    if (${name} >= 128) {
      ${name} &= 127;
      let shift = 7;
      while (shift > 0) {
        p += 1;
        let more = load8(p);
        ${name} |= (more & 127) << shift;
        shift = select(shift + 7, 0, more >= 128);
      }
    }`;

const SOURCE = `
global total: i64; global pairs: i64; global bytes: i64;

export fn begin() {
  let b = 0;
  while (b < 256) {
    let c = i64(b);
    let bit = 0;
    while (bit < 8) {
      c = (c >>> 1L) ^ select(0xc96c5795d7870f42L, 0L, i32(c) & 1);
      bit += 1;
    }
    store64(${TABLES} + (b << 3), c);
    b += 1;
  }
  let entry = ${TABLES};
  while (entry < ${at(7)}) {
    let c = load64(entry);
    store64(entry, (c >>> 8L) ^ load64((i32(c) & 255) << 3, ${TABLES}), 2048);
    entry += 8;
  }
}

fn digest(before: i64, from: i32, end: i32): i64 {
  let c = before;
  let p = from;
  while (p + 8 <= end) {
    c ^= load64(p);
    let low = i32(c);
    let high = i32(c >>> 32L);
    c = load64((low & 255) << 3, ${at(7)}) ^ load64((low >>> 5) & 2040, ${at(6)})
      ^ load64((low >>> 13) & 2040, ${at(5)}) ^ load64((low >>> 24) << 3, ${at(4)})
      ^ load64((high & 255) << 3, ${at(3)}) ^ load64((high >>> 5) & 2040, ${at(2)})
      ^ load64((high >>> 13) & 2040, ${at(1)}) ^ load64((high >>> 24) << 3, ${at(0)});
    p += 8;
  }
  while (p < end) {
    c = (c >>> 8L) ^ load64(((i32(c) ^ load8(p)) & 255) << 3, ${TABLES});
    p += 1;
  }
  return c;
}

// Xors size bytes into a sum.
fn mix(sum: i32, from: i32, size: i32) {
  let to = sum;
  let p = from;
  let end = from + size;
  while (p + 8 <= end) {
    store64(to, load64(to) ^ load64(p));
    to += 8;
    p += 8;
  }
  if (p < end) { store64(to, load64(to) ^ (load64(p) & ((1L << i64((end - p) << 3)) - 1L))); }
}

// Elements 12 len 0a klen key 12 vlen value, as BlockCutter has checked them.
export fn add(size: i32) {
  let p = ${BLOCK};
  let end = p + size;
  while (p < end) {
    p += 1;
    while (load8(p) >= 128) { p += 1; }
    p += 2;
    ${varint("keySize")}
    p += 1;
    let key = p;
    p += keySize + 1;
    ${varint("valueSize")}
    p += 1;
    let value = p;
    p += valueSize;
    let whole = keySize + valueSize;
    pairs += 1L;
    bytes += i64(whole);
    if (whole < ${SIZES}) {
      let sum = ${SUMS} + whole * ${STRIDE};
      mix(sum, key, keySize);
      mix(sum + keySize, value, valueSize);
      let count = ${COUNTS} + (whole << 2);
      store32(count, load32(count) + 1);
    } else {
      total ^= ~digest(digest(-1L, key, key + keySize), value, p);
    }
  }
}

// The sums through CRC-64; then everything begins anew.
export fn drain() {
  let size = 0;
  while (size < ${SIZES}) {
    let count = load32(${COUNTS} + (size << 2));
    if (count != 0) {
      let sum = ${SUMS} + size * ${STRIDE};
      total ^= ~digest(-1L, sum, sum + size);
      let i = 0;
      while (i < size) {
        store64(sum + i, 0L);
        i += 8;
      }
      if ((count & 1) == 0) { total ^= ~digest(-1L, sum, sum + size); }
      store32(${COUNTS} + (size << 2), 0);
    }
    size += 1;
  }
  store64(${RESULTS}, total);
  store64(${RESULTS + 8}, pairs);
  store64(${RESULTS + 16}, bytes);
  total = 0L;
  pairs = 0L;
  bytes = 0L;
}
`;

/** Started with the first block; null = this runtime has none. */
let kernel: Kernel | null | undefined;
/** Whose pairs lie in the kernel. */
let owner: PairSums | undefined;

/**
 * The coprocessor's sums over pairs: xor of CRC-64 over key and value, number of pairs, bytes of both.
 *
 * A CRC is linear: the xor of the CRCs of messages of one size is the CRC of their xor (and, for an even number of them, that of as many
 * zeros). So whole blocks are summed by size, eight bytes a step, every byte of every pair, and only the sums go through CRC-64.
 */
export class PairSums {
  #xor = 0n;
  #kvs = 0;
  #bytes = 0;
  readonly #crc = new Crc64();
  /** Of pairs that came one by one. */
  #high = 0;
  #low = 0;

  /** Takes pairs one by one; `prefix` stands for the first `cut` bytes of each key. */
  visitor(prefix: Uint8Array, cut: number): PairVisitor {
    const crc = this.#crc;
    return (key, keyStart, keyEnd, value, valueStart, valueEnd) => {
      crc.reset();
      if (prefix.length > 0) crc.update(prefix, 0, prefix.length);
      crc.update(key, keyStart + cut, keyEnd);
      crc.update(value, valueStart, valueEnd);
      this.#high ^= ~crc.high;
      this.#low ^= ~crc.low;
      this.#kvs++;
      this.#bytes += prefix.length + keyEnd - keyStart - cut + valueEnd - valueStart;
      return false;
    };
  }

  /** Takes a block's elements from an element on; false = it has to be taken pair by pair. */
  addElements(block: Uint8Array, from: number): boolean {
    if (block.length - from > BLOCK_BYTES) return false;
    if (kernel === undefined) kernel = started();
    if (kernel === null) return false;
    if (owner !== this) {
      if (owner !== undefined) owner.#drain();
      owner = this;
    }
    kernel.bytes.set(from === 0 ? block : block.subarray(from), BLOCK);
    kernel.functions["add"]!(block.length - from);
    return true;
  }

  /** All so far. */
  result(): { crc64Xor: bigint; kvs: bigint; bytes: bigint } {
    if (owner === this) {
      this.#drain();
      owner = undefined;
    }
    const single = (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
    return { crc64Xor: this.#xor ^ single, kvs: BigInt(this.#kvs), bytes: BigInt(this.#bytes) };
  }

  #drain(): void {
    const { bytes, functions } = kernel!;
    functions["drain"]!();
    const view = new DataView(bytes.buffer, RESULTS);
    this.#xor ^= view.getBigUint64(0, true);
    this.#kvs += Number(view.getBigUint64(8, true));
    this.#bytes += Number(view.getBigUint64(16, true));
  }
}

function started(): Kernel | null {
  const made = startKernel(SOURCE, PAGES);
  if (made === undefined) return null;
  made.functions["begin"]!();
  return made;
}
