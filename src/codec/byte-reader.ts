import { LevinError } from "../base/mod.ts";

/** Thrown by every decoder of this folder; the sentence says what was being read. */
export function corrupt(what: string): LevinError {
  return new LevinError("Levin:Codec:ErrCorrupt", `Cannot decode bytes: ${what}`);
}

/** A cursor over bytes for the decoders; reading past the end throws `Levin:Codec:ErrCorrupt`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  need(size: number): void {
    if (size < 0 || this.end - this.at < size)
      throw corrupt(`${size} bytes expected at ${this.at}, found ${this.left}`);
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  u16be(): number {
    this.need(2);
    const v = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!;
    this.at += 2;
    return v;
  }

  u16le(): number {
    this.need(2);
    const v = (this.bytes[this.at + 1]! << 8) | this.bytes[this.at]!;
    this.at += 2;
    return v;
  }

  u32be(): number {
    return this.u16be() * 0x10000 + this.u16be();
  }

  u32le(): number {
    return this.u16le() + this.u16le() * 0x10000;
  }

  /** Unsigned. */
  u64be(): bigint {
    const high = this.u32be();
    return (BigInt(high) << 32n) | BigInt(this.u32be());
  }

  /** Unsigned. */
  u64le(): bigint {
    const low = this.u32le();
    return (BigInt(this.u32le()) << 32n) | BigInt(low);
  }

  f64le(): number {
    this.need(8);
    const v = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return v;
  }

  /** A view, not a copy. */
  take(size: number): Uint8Array {
    this.need(size);
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }
}
