/**
 * Weight tables of the collations that need one. A table is a list of ranges over U+0000..U+10FFFF:
 *
 *     "CWT1", unit (1 = a weight below 256 takes one byte), varint count, then per range: varint length, op, data
 *     op 0  n, n weights: the same for the whole range      op 1  base: one weight, base + i
 *     op 2  base: implicit pair of CJK and unassigned        op 3  Hangul syllables: 19 L, 21 V, 28 T weights
 *     op 4  a length byte for each, all high bytes, all low bytes
 *
 * Decoded when first used; code points are then expanded in pages of 256.
 */
import { brotliDecompressSync } from "node:zlib";
import { assert } from "../base/mod.ts";

interface Range {
  readonly start: number;
  readonly length: number;
  readonly op: number;
  /** Weights: op 0 all, op 1 and 2 the base, op 3 L V T, op 4 all in order. */
  readonly weights: Uint16Array;
  /** Op 4: index of each code point's first weight; one more at the end. */
  readonly offsets: Uint32Array | undefined;
}

const PAGE = 256;
const PAGES = 0x110000 / PAGE;

export class WeightTable {
  /** True where a weight below 256 gives one byte. */
  readonly shortUnits: boolean;
  /** Per page one entry a code point: number of weights << 24 | weight itself if one, else index into `pool`. */
  readonly pages: (Uint32Array | undefined)[] = new Array(PAGES).fill(undefined);
  /** Weights of code points that have more than one. */
  pool = new Uint16Array(1024);
  private poolSize = 0;
  private readonly ranges: Range[];

  /** Surrogates, which only invalid UTF-8 can hold, have no weight (else what the ranges say). */
  private readonly ignoreSurrogates: boolean;

  private constructor(shortUnits: boolean, ignoreSurrogates: boolean, ranges: Range[]) {
    this.shortUnits = shortUnits;
    this.ignoreSurrogates = ignoreSurrogates;
    this.ranges = ranges;
  }

  static decode(base64: string, ignoreSurrogates: boolean): WeightTable {
    const bytes = brotliDecompressSync(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    assert(bytes[0] === 0x43 && bytes[3] === 0x31, "an embedded weight table begins with CWT1");
    return new WeightTable(bytes[4] === 1, ignoreSurrogates, readRanges(bytes));
  }

  /** Entry of a code point (see `pages`). */
  entry(codePoint: number): number {
    const page = this.pages[codePoint >>> 8] ?? this.expand(codePoint >>> 8);
    return page[codePoint & 0xff]!;
  }

  private expand(page: number): Uint32Array {
    const entries = new Uint32Array(PAGE);
    for (let i = 0; i < PAGE; i++) entries[i] = this.makeEntry(page * PAGE + i);
    this.pages[page] = entries;
    return entries;
  }

  private makeEntry(codePoint: number): number {
    const weights = this.weightsOf(codePoint);
    if (weights.length === 1) return (1 << 24) | weights[0]!;
    if (this.poolSize + weights.length > this.pool.length) {
      const grown = new Uint16Array(this.pool.length * 2);
      grown.set(this.pool);
      this.pool = grown;
    }
    const at = this.poolSize;
    for (const w of weights) this.pool[this.poolSize++] = w;
    return ((weights.length << 24) | at) >>> 0;
  }

  private weightsOf(codePoint: number): readonly number[] | Uint16Array {
    if (this.ignoreSurrogates && codePoint >= 0xd800 && codePoint <= 0xdfff) return [];
    const r = this.find(codePoint);
    const i = codePoint - r.start;
    const w = r.weights;
    switch (r.op) {
      case 0:
        return w;
      case 1:
        return [w[0]! + i];
      case 2:
        return [w[0]! + (codePoint >> 15), (codePoint & 0x7fff) | 0x8000];
      case 3: {
        const lv = [w[Math.floor(i / 588)]!, w[19 + (Math.floor(i / 28) % 21)]!];
        return i % 28 === 0 ? lv : [...lv, w[40 + (i % 28)]!];
      }
      default:
        return w.subarray(r.offsets![i]!, r.offsets![i + 1]!);
    }
  }

  private find(codePoint: number): Range {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (this.ranges[mid]!.start <= codePoint) low = mid;
      else high = mid - 1;
    }
    return this.ranges[low]!;
  }
}

function readRanges(bytes: Uint8Array): Range[] {
  let at = 5;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = bytes[at++]!;
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return value;
    }
  };
  const words = (count: number): Uint16Array => {
    const out = new Uint16Array(count);
    for (let i = 0; i < count; i++, at += 2) out[i] = (bytes[at]! << 8) | bytes[at + 1]!;
    return out;
  };
  const ranges: Range[] = [];
  let start = 0;
  for (let left = varint(); left > 0; left--) {
    const length = varint();
    const op = bytes[at++]!;
    let offsets: Uint32Array | undefined;
    let weights: Uint16Array;
    if (op === 0) {
      const count = bytes[at++]!;
      weights = words(count);
    } else if (op === 1 || op === 2) weights = words(1);
    else if (op === 3) weights = words(19 + 21 + 28);
    else {
      offsets = new Uint32Array(length + 1);
      for (let i = 0; i < length; i++) offsets[i + 1] = offsets[i]! + bytes[at++]!;
      const count = offsets[length]!;
      weights = new Uint16Array(count);
      for (let i = 0; i < count; i++) weights[i] = (bytes[at + i]! << 8) | bytes[at + count + i]!;
      at += 2 * count;
    }
    ranges.push({ start, length, op, weights, offsets });
    start += length;
  }
  assert(start === 0x110000 && at === bytes.length, "an embedded weight table covers all code points");
  return ranges;
}
