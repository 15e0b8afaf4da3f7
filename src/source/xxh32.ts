const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

/** xxHash, 32 bits, seed 0, of a stream: LZ4's checksum. */
export class Xxh32 {
  private readonly lanes = Int32Array.of(P1 + P2, P2, 0, -P1);
  private readonly tail = new Uint8Array(16);
  private tailLength = 0;
  private total = 0;

  update(bytes: Uint8Array): this {
    this.total += bytes.length;
    let at = 0;
    if (this.tailLength > 0) {
      at = Math.min(16 - this.tailLength, bytes.length);
      this.tail.set(bytes.subarray(0, at), this.tailLength);
      this.tailLength += at;
      if (this.tailLength < 16) return this;
      this.stripes(this.tail, 0, 16);
      this.tailLength = 0;
    }
    const end = at + ((bytes.length - at) & ~15);
    this.stripes(bytes, at, end);
    this.tail.set(bytes.subarray(end), 0);
    this.tailLength = bytes.length - end;
    return this;
  }

  /** The hash of what was given so far. */
  digest(): number {
    const [a, b, c, d] = this.lanes as unknown as [number, number, number, number];
    let hash = this.total >= 16 ? (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0 : P5 | 0;
    hash = (hash + this.total) | 0;
    let at = 0;
    for (; at + 4 <= this.tailLength; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(word(this.tail, at), P3)) | 0, 17), P4);
    }
    for (; at < this.tailLength; at++) {
      hash = Math.imul(rotate((hash + Math.imul(this.tail[at]!, P5)) | 0, 11), P1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  private stripes(bytes: Uint8Array, from: number, to: number): void {
    let [a, b, c, d] = this.lanes as unknown as [number, number, number, number];
    for (let at = from; at < to; at += 16) {
      a = Math.imul(rotate((a + Math.imul(word(bytes, at), P2)) | 0, 13), P1);
      b = Math.imul(rotate((b + Math.imul(word(bytes, at + 4), P2)) | 0, 13), P1);
      c = Math.imul(rotate((c + Math.imul(word(bytes, at + 8), P2)) | 0, 13), P1);
      d = Math.imul(rotate((d + Math.imul(word(bytes, at + 12), P2)) | 0, 13), P1);
    }
    this.lanes.set([a, b, c, d]);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
