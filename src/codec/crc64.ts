/**
 * CRC-64 with the reflected ECMA polynomial (initial and final value all ones), as `ADMIN CHECKSUM TABLE` uses it: per pair over key
 * then value, all pairs xored. Eight tables over two 32-bit halves; no BigInt per byte.
 */
const POLY_HIGH = 0xc96c5795;
const POLY_LOW = 0xd7870f42;

/** `TABLE[k * 256 + b]`: effect of byte `b` that is followed by `k` zero bytes. */
const HIGH = new Int32Array(8 * 256);
const LOW = new Int32Array(8 * 256);

for (let b = 0; b < 256; b++) {
  let high = 0;
  let low = b;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd !== 0) {
      low ^= POLY_LOW;
      high ^= POLY_HIGH;
    }
  }
  HIGH[b] = high;
  LOW[b] = low;
}
for (let k = 1; k < 8; k++) {
  for (let b = 0; b < 256; b++) {
    const i = (k - 1) * 256 + b;
    const high = HIGH[i]!;
    const low = LOW[i]!;
    const at = low & 0xff;
    HIGH[k * 256 + b] = HIGH[at]! ^ (high >>> 8);
    LOW[k * 256 + b] = LOW[at]! ^ ((low >>> 8) | (high << 24));
  }
}

/** Sums over key-value pairs: what `ADMIN CHECKSUM TABLE` shows. Order does not matter. */
export interface KvSums {
  /** xor of the pairs' CRC-64. */
  readonly crc64xor: bigint;
  readonly kvs: bigint;
  /** Key and value bytes. */
  readonly bytes: bigint;
}

/** Running state of one CRC; kept in module variables so that the loop returns nothing. */
let crcHigh = 0;
let crcLow = 0;

function update(bytes: Uint8Array, start: number, end: number): void {
  let high = crcHigh;
  let low = crcLow;
  let i = start;
  for (; end - i >= 8; i += 8) {
    low ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    high ^= bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24);
    const a = 1792 + (low & 0xff);
    const b = 1536 + ((low >>> 8) & 0xff);
    const c = 1280 + ((low >>> 16) & 0xff);
    const d = 1024 + (low >>> 24);
    const e = 768 + (high & 0xff);
    const f = 512 + ((high >>> 8) & 0xff);
    const g = 256 + ((high >>> 16) & 0xff);
    const h = high >>> 24;
    low = LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]! ^ LOW[e]! ^ LOW[f]! ^ LOW[g]! ^ LOW[h]!;
    high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]! ^ HIGH[e]! ^ HIGH[f]! ^ HIGH[g]! ^ HIGH[h]!;
  }
  for (; i < end; i++) {
    const at = (low ^ bytes[i]!) & 0xff;
    low = LOW[at]! ^ ((low >>> 8) | (high << 24));
    high = HIGH[at]! ^ (high >>> 8);
  }
  crcHigh = high;
  crcLow = low;
}

function toBig(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** CRC-64/XZ of the slice. */
export function crc64(bytes: Uint8Array, start = 0, end = bytes.length): bigint {
  crcHigh = -1;
  crcLow = -1;
  update(bytes, start, end);
  return toBig(~crcHigh, ~crcLow);
}

/** Accumulates `KvSums` without allocation. */
export class KvChecksum {
  private high = 0;
  private low = 0;
  private kvs = 0;
  /** Bytes in units of 2^32 and the rest, so that sums beyond 2^53 stay exact. */
  private bytesHigh = 0;
  private bytesLow = 0;
  /** Bytes before each key that TiKV would see and hash (a keyspace's prefix); empty with API V1. */
  private readonly prefix: Uint8Array;

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
    crcHigh = -1;
    crcLow = -1;
    const prefix = this.prefix;
    if (prefix.length > 0) update(prefix, 0, prefix.length);
    update(key, keyStart, keyEnd);
    update(value, valueStart, valueEnd);
    this.high ^= ~crcHigh;
    this.low ^= ~crcLow;
    this.kvs++;
    this.bytesLow += prefix.length + keyEnd - keyStart + valueEnd - valueStart;
    if (this.bytesLow >= 0x100000000) {
      this.bytesLow -= 0x100000000;
      this.bytesHigh++;
    }
  }

  merge(other: KvSums): void {
    this.high ^= Number((other.crc64xor >> 32n) & 0xffffffffn);
    this.low ^= Number(other.crc64xor & 0xffffffffn);
    this.kvs += Number(other.kvs);
    const low = this.bytesLow + Number(other.bytes & 0xffffffffn);
    this.bytesHigh += Number(other.bytes >> 32n) + Math.floor(low / 0x100000000);
    this.bytesLow = low % 0x100000000;
  }

  result(): KvSums {
    return {
      crc64xor: toBig(this.high, this.low),
      kvs: BigInt(this.kvs),
      bytes: (BigInt(this.bytesHigh) << 32n) | BigInt(this.bytesLow),
    };
  }

  clear(): void {
    this.high = 0;
    this.low = 0;
    this.kvs = 0;
    this.bytesHigh = 0;
    this.bytesLow = 0;
  }
}
