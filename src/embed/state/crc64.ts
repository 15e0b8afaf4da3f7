/** CRC-64/XZ as TiKV's checksum uses it (`crc64fast`): reflected ECMA polynomial, start and end inverted. */
const POLY_HIGH = 0xc96c5795;
const POLY_LOW = 0xd7870f42;

const high: Uint32Array[] = [];
const low: Uint32Array[] = [];

for (let slice = 0; slice < 8; slice++) {
  high.push(new Uint32Array(256));
  low.push(new Uint32Array(256));
}
for (let i = 0; i < 256; i++) {
  let h = 0;
  let l = i;
  for (let bit = 0; bit < 8; bit++) {
    const odd = l & 1;
    l = (l >>> 1) | (h << 31);
    h >>>= 1;
    if (odd !== 0) {
      h ^= POLY_HIGH;
      l ^= POLY_LOW;
    }
  }
  high[0]![i] = h;
  low[0]![i] = l;
}
for (let slice = 1; slice < 8; slice++) {
  for (let i = 0; i < 256; i++) {
    const h = high[slice - 1]![i]!;
    const l = low[slice - 1]![i]!;
    high[slice]![i] = high[0]![l & 0xff]! ^ (h >>> 8);
    low[slice]![i] = low[0]![l & 0xff]! ^ ((l >>> 8) | (h << 24));
  }
}
const [h0, h1, h2, h3, h4, h5, h6, h7] = high as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];
const [l0, l1, l2, l3, l4, l5, l6, l7] = low as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** A running digest in two 32-bit halves; eight bytes a step. */
export class Crc64 {
  /** Upper and lower half of the register (not inverted). */
  high = 0xffffffff | 0;
  low = 0xffffffff | 0;

  reset(): void {
    this.high = 0xffffffff | 0;
    this.low = 0xffffffff | 0;
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    let h = this.high;
    let l = this.low;
    let i = start;
    for (; i + 8 <= end; i += 8) {
      const a = l ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
      const b = h ^ (bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24));
      h =
        h7[a & 255]! ^
        h6[(a >>> 8) & 255]! ^
        h5[(a >>> 16) & 255]! ^
        h4[a >>> 24]! ^
        h3[b & 255]! ^
        h2[(b >>> 8) & 255]! ^
        h1[(b >>> 16) & 255]! ^
        h0[b >>> 24]!;
      l =
        l7[a & 255]! ^
        l6[(a >>> 8) & 255]! ^
        l5[(a >>> 16) & 255]! ^
        l4[a >>> 24]! ^
        l3[b & 255]! ^
        l2[(b >>> 8) & 255]! ^
        l1[(b >>> 16) & 255]! ^
        l0[b >>> 24]!;
    }
    for (; i < end; i++) {
      const index = (l ^ bytes[i]!) & 255;
      l = ((l >>> 8) | (h << 24)) ^ l0[index]!;
      h = (h >>> 8) ^ h0[index]!;
    }
    this.high = h;
    this.low = l;
  }

  /** The finished digest. */
  value(): bigint {
    return (BigInt(~this.high >>> 0) << 32n) | BigInt(~this.low >>> 0);
  }
}
