/**
 * A growing byte buffer. `bytes[0, length)` is what was written; callers on hot paths may `reserve` and then write into `bytes`
 * themselves, moving `length`.
 */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const need = this.length + extra;
    if (need <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u16be(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  u16le(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
  }

  u32be(value: number): void {
    this.reserve(4);
    this.bytes[this.length++] = value >>> 24;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  u32le(value: number): void {
    this.reserve(4);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 24;
  }

  /** The low 64 bits of `value` (two's complement), big-endian. */
  u64be(value: bigint): void {
    this.u32be(Number((value >> 32n) & 0xffffffffn));
    this.u32be(Number(value & 0xffffffffn));
  }

  /** The low 64 bits of `value` (two's complement), little-endian. */
  u64le(value: bigint): void {
    this.u32le(Number(value & 0xffffffffn));
    this.u32le(Number((value >> 32n) & 0xffffffffn));
  }

  /** IEEE-754 bits, little-endian. */
  f64le(value: number): void {
    FLOAT[0] = value;
    this.u32le(FLOAT_HALVES[0]!);
    this.u32le(FLOAT_HALVES[1]!);
  }

  slice(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    copyBytes(source, start, end, this.bytes, this.length);
    this.length += size;
  }

  append(source: Uint8Array): void {
    this.slice(source, 0, source.length);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

const FLOAT = new Float64Array(1);
/** Low half, high half: every platform that Bun and Deno run on is little-endian. */
const FLOAT_HALVES = new Uint32Array(FLOAT.buffer);

/** Copies without making a view where the slice is short, which is the common case of a field. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > 64) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let i = start, j = at; i < end; i++, j++) target[j] = source[i]!;
}
