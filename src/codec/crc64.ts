/**
 * CRC-64 with the reflected ECMA polynomial (initial and final value all ones). Eight tables over two 32-bit halves; no BigInt per
 * byte.
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

/** Halves of a CRC; for callers that sum many up without a BigInt each. */
export interface Crc64Halves {
  high: number;
  low: number;
}

/** Xors the CRC-64 of `bytes[0, end)` into `into`. */
export function xorCrc64(into: Crc64Halves, bytes: Uint8Array, end: number): void {
  crcHigh = -1;
  crcLow = -1;
  update(bytes, 0, end);
  into.high ^= ~crcHigh;
  into.low ^= ~crcLow;
}

/** Both halves as one unsigned number. */
export function joinHalves(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** CRC-64/XZ of bytes that come in pieces. */
export class Crc64 {
  #high = -1;
  #low = -1;

  add(bytes: Uint8Array): void {
    crcHigh = this.#high;
    crcLow = this.#low;
    update(bytes, 0, bytes.length);
    this.#high = crcHigh;
    this.#low = crcLow;
  }

  get value(): bigint {
    return joinHalves(~this.#high, ~this.#low);
  }
}

/** CRC-64/XZ of the slice. */
export function crc64(bytes: Uint8Array, start = 0, end = bytes.length): bigint {
  crcHigh = -1;
  crcLow = -1;
  update(bytes, start, end);
  return joinHalves(~crcHigh, ~crcLow);
}
