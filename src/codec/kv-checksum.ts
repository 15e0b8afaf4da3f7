/**
 * What `ADMIN CHECKSUM TABLE` shows: per pair a CRC-64 over key then value, all pairs xored; the number of pairs; their bytes.
 *
 * CRC is linear: for messages of one length, the xor of their CRCs is the CRC of their xor (for an even number of them, xored with that
 * of as many zeros). So pairs with equal lengths are first xored together, four bytes at a time, which costs less than half of a CRC,
 * and only the sums go through it.
 */
import { assert } from "../base/mod.ts";
import { type Crc64Halves, joinHalves, xorCrc64 } from "./crc64.ts";

/** Sums over key-value pairs. Order does not matter. */
export interface KvSums {
  /** xor of the pairs' CRC-64. */
  readonly crc64xor: bigint;
  readonly kvs: bigint;
  /** Key and value bytes. */
  readonly bytes: bigint;
}

/** Xors that are kept at a time, one for a pair of lengths; a power of two. */
const GROUPS = 256;
/** Words of 32 bits of one xor: larger pairs go through CRC alone. */
const WORDS = 256;
const TAG_STEP = 4096;
const TWO32 = 0x100000000;

export class KvChecksum {
  private readonly total: Crc64Halves = { high: 0, low: 0 };
  private kvs = 0;
  /** Bytes in units of 2^32 and the rest, so that sums beyond 2^53 stay exact. */
  private bytesHigh = 0;
  private bytesLow = 0;
  /** Bytes before each key that TiKV would see and hash (a keyspace's prefix); empty with API V1. */
  private readonly prefix: Uint8Array;
  /** Lengths of a group's keys and values as one number, 0 where there is none. */
  private readonly tags = new Int32Array(GROUPS);
  /** 1 after an odd number of pairs. */
  private readonly odd = new Uint8Array(GROUPS);
  /** Made with the first pair. */
  private sums = new Int32Array(0);
  private message = new Uint8Array(0);
  /** A pair that is too large for a group. */
  private large = new Uint8Array(0);

  constructor(prefix: Uint8Array = new Uint8Array(0)) {
    this.prefix = prefix;
  }

  /** One pair: `key[0, keyLength)` and `value[0, valueLength)`. */
  add(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    this.addAt(key, 0, keyLength, value, 0, valueLength);
  }

  /** One pair at offsets of two buffers (which may be the same). */
  addAt(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    this.kvs++;
    this.bytesLow += this.prefix.length + keyLength + valueLength;
    if (this.bytesLow >= TWO32) {
      this.bytesLow -= TWO32;
      this.bytesHigh++;
    }
    const keyWords = (keyLength + 3) >> 2;
    if (keyWords + ((valueLength + 3) >> 2) > WORDS) {
      this.addLarge(key.subarray(keyStart, keyEnd), value.subarray(valueStart, valueEnd));
      return;
    }
    const group = (valueLength + 37 * keyLength) & (GROUPS - 1);
    const tag = TAG_STEP * (keyLength + 1) + valueLength;
    if (this.tags[group] !== tag) this.open(group, tag);
    const at = group * WORDS;
    xorInto(this.sums, at, key, keyStart, keyEnd);
    xorInto(this.sums, at + keyWords, value, valueStart, valueEnd);
    this.odd[group]! ^= 1;
  }

  /** `count` pairs of one shape by the xor of their bytes: `message` is the key's and the value's, side by side, `size` bytes. */
  addXored(message: Uint8Array, size: number, count: number): void {
    assert(this.prefix.length === 0, "pairs that were xored elsewhere have no prefix");
    xorCrc64(this.total, message, size);
    if (count % 2 === 0) {
      message.fill(0, 0, size);
      xorCrc64(this.total, message, size);
    }
    this.kvs += count;
    const low = this.bytesLow + count * size;
    this.bytesHigh += Math.floor(low / TWO32);
    this.bytesLow = low % TWO32;
  }

  merge(other: KvSums): void {
    this.total.high ^= Number((other.crc64xor >> 32n) & 0xffffffffn);
    this.total.low ^= Number(other.crc64xor & 0xffffffffn);
    this.kvs += Number(other.kvs);
    const low = this.bytesLow + Number(other.bytes & 0xffffffffn);
    this.bytesHigh += Number(other.bytes >> 32n) + Math.floor(low / TWO32);
    this.bytesLow = low % TWO32;
  }

  result(): KvSums {
    for (let group = 0; group < GROUPS; group++) this.close(group);
    return {
      crc64xor: joinHalves(this.total.high, this.total.low),
      kvs: BigInt(this.kvs),
      bytes: (BigInt(this.bytesHigh) << 32n) | BigInt(this.bytesLow),
    };
  }

  clear(): void {
    this.result();
    this.total.high = 0;
    this.total.low = 0;
    this.kvs = 0;
    this.bytesHigh = 0;
    this.bytesLow = 0;
  }

  private open(group: number, tag: number): void {
    if (this.sums.length === 0) {
      this.sums = new Int32Array(GROUPS * WORDS);
      this.message = new Uint8Array(this.prefix.length + 4 * WORDS);
    }
    this.close(group);
    this.tags[group] = tag;
  }

  /** Puts a group's xor through CRC and forgets it. */
  private close(group: number): void {
    const tag = this.tags[group]!;
    if (tag === 0) return;
    const keyLength = Math.floor(tag / TAG_STEP) - 1;
    const valueLength = tag % TAG_STEP;
    const at = group * WORDS;
    const { message, prefix, sums } = this;
    const odd = this.odd[group] === 1;
    // Prefixes cancel out in pairs, too.
    for (let i = 0; i < prefix.length; i++) message[i] = odd ? prefix[i]! : 0;
    const keyWords = (keyLength + 3) >> 2;
    bytesOf(sums, at, message, prefix.length, keyLength);
    bytesOf(sums, at + keyWords, message, prefix.length + keyLength, valueLength);
    const size = prefix.length + keyLength + valueLength;
    xorCrc64(this.total, message, size);
    if (!odd) {
      message.fill(0, 0, size);
      xorCrc64(this.total, message, size);
    }
    sums.fill(0, at, at + WORDS);
    this.tags[group] = 0;
    this.odd[group] = 0;
  }

  private addLarge(key: Uint8Array, value: Uint8Array): void {
    const { prefix } = this;
    const size = prefix.length + key.length + value.length;
    if (this.large.length < size) this.large = new Uint8Array(2 * size);
    this.large.set(prefix);
    this.large.set(key, prefix.length);
    this.large.set(value, prefix.length + key.length);
    xorCrc64(this.total, this.large, size);
  }
}

/** Xors a slice into words from `at` on, the last one filled up with zeros. */
function xorInto(sums: Int32Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  let word = at;
  let i = start;
  for (; end - i >= 4; i += 4, word++) {
    sums[word]! ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
  }
  let rest = 0;
  for (let shift = 0; i < end; i++, shift += 8) rest |= bytes[i]! << shift;
  if (rest !== 0) sums[word]! ^= rest;
}

/** The first `size` bytes of the words from `from` on. */
function bytesOf(sums: Int32Array, from: number, target: Uint8Array, at: number, size: number): void {
  for (let i = 0; i < size; i++) target[at + i] = sums[from + (i >> 2)]! >> (8 * (i & 3));
}
