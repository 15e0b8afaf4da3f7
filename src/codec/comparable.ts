/**
 * Number and byte-string forms of TiDB's `pkg/util/codec` (number.go, float.go, bytes.go): the comparable forms sort bytewise as
 * their values do, the compact forms do not.
 */
import { type ByteReader, corrupt } from "./byte-reader.ts";
import { type ByteWriter, copyBytes } from "./byte-writer.ts";

const SIGN = 1n << 63n;
const MASK = (1n << 64n) - 1n;

/** Comparable signed 64-bit: big-endian with the sign bit turned. */
export function encodeInt(out: ByteWriter, value: bigint): void {
  out.u64be(value ^ SIGN);
}

export function decodeInt(input: ByteReader): bigint {
  return BigInt.asIntN(64, input.u64be() ^ SIGN);
}

/** Comparable unsigned 64-bit: big-endian. */
export function encodeUint(out: ByteWriter, value: bigint): void {
  out.u64be(value);
}

export function decodeUint(input: ByteReader): bigint {
  return input.u64be();
}

const FLOAT = new Float64Array(1);
const HALVES = new Uint32Array(FLOAT.buffer);

/**
 * Comparable double. As in TiDB the test is `value >= 0`, not the sign bit: -0.0 takes the bytes of +0.0, and NaN those of a
 * negative number.
 */
export function encodeFloat(out: ByteWriter, value: number): void {
  out.reserve(8);
  putFloat(out.bytes, out.length, value);
  out.length += 8;
}

/** `encodeFloat` straight into `target[at, at + 8)`. */
export function putFloat(target: Uint8Array, at: number, value: number): void {
  FLOAT[0] = value;
  let high = HALVES[1]!;
  let low = HALVES[0]!;
  // Go's NaN, which is what TiDB writes; JavaScript does not promise one bit pattern.
  if (Number.isNaN(value)) {
    high = 0x7ff80000;
    low = 1;
  }
  if (value >= 0) high = (high | 0x80000000) >>> 0;
  else {
    high = ~high;
    low = ~low;
  }
  target[at] = high >>> 24;
  target[at + 1] = high >>> 16;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = low >>> 24;
  target[at + 5] = low >>> 16;
  target[at + 6] = low >>> 8;
  target[at + 7] = low;
}

export function decodeFloat(input: ByteReader): number {
  let high = input.u32be();
  let low = input.u32be();
  if (high >= 0x80000000) high -= 0x80000000;
  else {
    high = ~high >>> 0;
    low = ~low >>> 0;
  }
  HALVES[1] = high;
  HALVES[0] = low;
  return FLOAT[0]!;
}

const GROUP = 8;

/** Length of the comparable form of `size` bytes. */
export function encodedBytesLength(size: number): number {
  return (Math.floor(size / GROUP) + 1) * (GROUP + 1);
}

/** Comparable byte string: groups of eight, each followed by a mark; shorter strings sort before their extensions. */
export function encodeBytes(out: ByteWriter, source: Uint8Array, start = 0, end = source.length): void {
  out.reserve(encodedBytesLength(end - start));
  out.length = putBytes(out.bytes, out.length, source, start, end);
}

/** `encodeBytes` straight into `target` at `at`, which must have room; returns the offset behind. */
export function putBytes(target: Uint8Array, at: number, source: Uint8Array, start: number, end: number): number {
  let from = start;
  let to = at;
  while (end - from >= GROUP) {
    for (let i = 0; i < GROUP; i++) target[to + i] = source[from + i]!;
    target[to + GROUP] = 0xff;
    from += GROUP;
    to += GROUP + 1;
  }
  const rest = end - from;
  for (let i = 0; i < rest; i++) target[to + i] = source[from + i]!;
  for (let i = rest; i < GROUP; i++) target[to + i] = 0;
  target[to + GROUP] = 0xff - (GROUP - rest);
  return to + GROUP + 1;
}

/** Descending form: every bit of the ascending one turned. */
export function encodeBytesDesc(out: ByteWriter, source: Uint8Array): void {
  const from = out.length;
  encodeBytes(out, source);
  for (let i = from; i < out.length; i++) out.bytes[i] = ~out.bytes[i]!;
}

/** A copy of the decoded bytes; a wrong mark or padding that is not zero throws. */
export function decodeBytes(input: ByteReader): Uint8Array {
  const parts = new Uint8Array(input.left);
  let size = 0;
  for (;;) {
    input.need(GROUP + 1);
    const at = input.at;
    input.at += GROUP + 1;
    const pad = 0xff - input.bytes[at + GROUP]!;
    if (pad > GROUP) throw corrupt(`mark ${0xff - pad} of a byte group at ${at + GROUP}`);
    const real = GROUP - pad;
    for (let i = real; i < GROUP; i++) {
      if (input.bytes[at + i] !== 0) throw corrupt(`padding of a byte group at ${at + i} is not zero`);
    }
    copyBytes(input.bytes, at, at + real, parts, size);
    size += real;
    if (pad !== 0) return parts.slice(0, size);
  }
}

/** Seven bits a byte, low group first. */
export function encodeUvarint(out: ByteWriter, value: bigint): void {
  let v = value & MASK;
  while (v >= 0x80n) {
    out.u8(Number(v & 0x7fn) | 0x80);
    v >>= 7n;
  }
  out.u8(Number(v));
}

export function decodeUvarint(input: ByteReader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const b = input.u8();
    value |= BigInt(b & 0x7f) << shift;
    if (b < 0x80) {
      if (value > MASK) break;
      return value;
    }
  }
  throw corrupt("a varint of more than 64 bits");
}

/** Zigzag, then as `encodeUvarint`. */
export function encodeVarint(out: ByteWriter, value: bigint): void {
  encodeUvarint(out, ((value << 1n) ^ (value >> 63n)) & MASK);
}

export function decodeVarint(input: ByteReader): bigint {
  const raw = decodeUvarint(input);
  return BigInt.asIntN(64, raw & 1n ? ~(raw >> 1n) : raw >> 1n);
}

/** Length as a zigzag varint, then the bytes. */
export function encodeCompactBytes(out: ByteWriter, source: Uint8Array): void {
  encodeVarint(out, BigInt(source.length));
  out.append(source);
}

/** A view. */
export function decodeCompactBytes(input: ByteReader): Uint8Array {
  const size = decodeVarint(input);
  if (size < 0n || size > BigInt(input.left)) throw corrupt(`a string of ${size} bytes where ${input.left} are left`);
  return input.take(Number(size));
}

const NEGATIVE_TAG_END = 8;
const POSITIVE_TAG_START = 0xff - 8;
const ONE_BYTE_MAX = POSITIVE_TAG_START - NEGATIVE_TAG_END;

function byteLength(value: bigint): number {
  let n = 1;
  for (let v = value >> 8n; v > 0n; v >>= 8n) n++;
  return n;
}

function bigEndian(out: ByteWriter, value: bigint, size: number): void {
  for (let i = size - 1; i >= 0; i--) out.u8(Number((value >> BigInt(8 * i)) & 0xffn));
}

/** Comparable and short for small numbers. */
export function encodeComparableUvarint(out: ByteWriter, value: bigint): void {
  if (value <= BigInt(ONE_BYTE_MAX)) {
    out.u8(Number(value) + NEGATIVE_TAG_END);
    return;
  }
  const size = byteLength(value);
  out.u8(POSITIVE_TAG_START + size);
  bigEndian(out, value, size);
}

export function encodeComparableVarint(out: ByteWriter, value: bigint): void {
  if (value >= 0n) {
    encodeComparableUvarint(out, value);
    return;
  }
  const size = byteLength(-value);
  out.u8(NEGATIVE_TAG_END - size);
  bigEndian(out, value & MASK, size);
}

export function decodeComparableUvarint(input: ByteReader): bigint {
  const first = input.u8();
  if (first < NEGATIVE_TAG_END) throw corrupt(`tag ${first} of an unsigned varint`);
  if (first <= POSITIVE_TAG_START) return BigInt(first - NEGATIVE_TAG_END);
  return readBigEndian(input, first - POSITIVE_TAG_START);
}

export function decodeComparableVarint(input: ByteReader): bigint {
  const first = input.u8();
  if (first < NEGATIVE_TAG_END) {
    const size = NEGATIVE_TAG_END - first;
    const value = readBigEndian(input, size) - (1n << BigInt(8 * size));
    if (value < -SIGN) throw corrupt("a signed varint of more than 64 bits");
    return value;
  }
  input.at--;
  const value = decodeComparableUvarint(input);
  if (value >= SIGN) throw corrupt("a signed varint of more than 64 bits");
  return value;
}

function readBigEndian(input: ByteReader, size: number): bigint {
  let value = 0n;
  for (const b of input.take(size)) value = (value << 8n) | BigInt(b);
  return value;
}
