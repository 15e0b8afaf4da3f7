/**
 * The values of one row without objects. A slot is a column, or a form of one that an index needs; it has a null mark and a slice with
 * the bytes that a row of format 2 holds. All arrays are made once a table.
 */
import { ByteWriter, type ColumnForm, type Datum, encodeRowDatum } from "../../codec/mod.ts";

/** What a slot holds. */
export const SlotKind = {
  /** Signed, 1, 2, 4 or 8 bytes, little-endian. */
  int: 0,
  /** Unsigned, the same: also dates, ENUM, SET and BIT. */
  uint: 1,
  /** Text or bytes; in a key through its collation. */
  bytes: 2,
  /** Eight bytes, comparable. */
  float: 3,
  /** Precision, scale, binary form. */
  decimal: 4,
  /** Signed nanoseconds. */
  duration: 5,
  /** What no key holds (JSON, vectors). */
  opaque: 6,
} as const;

/** Which buffer a slice lies in. */
export const Source = {
  /** The row being written. */
  row: 0,
  /** Written beside the row, for this row. */
  side: 1,
  /** Constants. */
  fixed: 2,
} as const;

/** Bytes that every value but a string fits into. */
export const VALUE_MAX = 48;

export class Slots {
  readonly kind: Uint8Array;
  readonly isNull: Uint8Array;
  readonly source: Uint8Array;
  /** Slices; those of the row count from where its values began when they were written (`written`). */
  readonly start: Int32Array;
  readonly end: Int32Array;
  row: Uint8Array;
  /** Where the row's values begin now, behind its header; and where they began when they were written. */
  rowBase = 0;
  written = 0;
  /** The row's header, left by the row before, is a small one without NULLs. */
  fullHeader = false;
  /** NULLs among the columns put last. */
  nulls = 0;
  side: Uint8Array;
  sideLength = 0;
  readonly fixed = new ByteWriter(256);
  /** What the columns behind a string may still write. */
  readonly slack: number;
  private readonly cast = new ByteWriter(256);

  constructor(kinds: ArrayLike<number>) {
    const size = kinds.length;
    this.kind = Uint8Array.from(kinds);
    this.isNull = new Uint8Array(size);
    this.source = new Uint8Array(size);
    this.start = new Int32Array(size);
    this.end = new Int32Array(size);
    this.slack = (size + 1) * VALUE_MAX;
    this.row = new Uint8Array(8 * size + this.slack + 1024);
    this.side = new Uint8Array(this.slack + 256);
  }

  /** The buffer that a slot's slice lies in. */
  bufferOf(slot: number): Uint8Array {
    const source = this.source[slot];
    return source === Source.row ? this.row : source === Source.side ? this.side : this.fixed.bytes;
  }

  /** The row or the side buffer. */
  target(source: number): Uint8Array {
    return source === Source.row ? this.row : this.side;
  }

  /** Offset of the slice in its buffer. */
  startOf(slot: number): number {
    const start = this.start[slot]!;
    return this.source[slot] === Source.row ? start + this.rowBase - this.written : start;
  }

  /** Makes room for `size` bytes at `at` of the row or the side buffer, and the slack behind them. */
  grow(source: number, at: number, size: number): Uint8Array {
    const old = this.target(source);
    const need = at + size + this.slack;
    if (need <= old.length) return old;
    const grown = new Uint8Array(Math.max(need, old.length * 2));
    grown.set(old);
    if (source === Source.row) this.row = grown;
    else this.side = grown;
    return grown;
  }

  /** Writes a value of the plain path at `at` of the row or the side buffer; returns the offset behind it. */
  putDatum(slot: number, d: Datum, form: ColumnForm, source: number, at: number): number {
    this.isNull[slot] = d.kind === "null" ? 1 : 0;
    if (d.kind === "null") return at;
    const { cast } = this;
    cast.clear();
    encodeRowDatum(cast, d, form);
    return this.putBytes(slot, cast.bytes, cast.length, source, at);
  }

  /** Writes `bytes[0, size)` as a slot's value. */
  putBytes(slot: number, bytes: Uint8Array, size: number, source: number, at: number): number {
    this.grow(source, at, size).set(bytes.subarray(0, size), at);
    this.source[slot] = source;
    this.start[slot] = at;
    this.end[slot] = at + size;
    return at + size;
  }

  /** Keeps a constant for all rows. */
  setConstant(slot: number, d: Datum, form: ColumnForm): void {
    this.isNull[slot] = d.kind === "null" ? 1 : 0;
    if (d.kind === "null") return;
    this.source[slot] = Source.fixed;
    this.start[slot] = this.fixed.length;
    encodeRowDatum(this.fixed, d, form);
    this.end[slot] = this.fixed.length;
  }
}

/** The slot kind of a column's values. */
export function slotKindOf(form: ColumnForm): number {
  switch (form.kind) {
    case "int":
      return SlotKind.int;
    case "uint":
    case "enum":
    case "set":
    case "bit":
    case "time":
      return SlotKind.uint;
    case "duration":
      return SlotKind.duration;
    case "float":
      return SlotKind.float;
    case "decimal":
      return SlotKind.decimal;
    case "bytes":
      return SlotKind.bytes;
    case "json":
    case "vector":
      return SlotKind.opaque;
  }
}

function putEight(out: Uint8Array, at: number, high: number, low: number): number {
  out[at] = low;
  out[at + 1] = low >>> 8;
  out[at + 2] = low >>> 16;
  out[at + 3] = low >>> 24;
  out[at + 4] = high;
  out[at + 5] = high >>> 8;
  out[at + 6] = high >>> 16;
  out[at + 7] = high >>> 24;
  return at + 8;
}

/** Writes the shortest signed form of 32 bits; returns the offset behind it. */
export function putSigned32(out: Uint8Array, at: number, value: number): number {
  out[at] = value;
  if (value === (value << 24) >> 24) return at + 1;
  out[at + 1] = value >>> 8;
  if (value === (value << 16) >> 16) return at + 2;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
  return at + 4;
}

/** The same of 64 bits; `high` and `low` are 32-bit integers. */
export function putSigned(out: Uint8Array, at: number, high: number, low: number): number {
  return high === low >> 31 ? putSigned32(out, at, low) : putEight(out, at, high, low);
}

/** Writes the shortest unsigned form of 64 bits. */
export function putUnsigned(out: Uint8Array, at: number, high: number, low: number): number {
  if (high !== 0) return putEight(out, at, high, low);
  const small = low >>> 0;
  out[at] = small;
  if (small < 0x100) return at + 1;
  out[at + 1] = small >>> 8;
  if (small < 0x10000) return at + 2;
  out[at + 2] = small >>> 16;
  out[at + 3] = small >>> 24;
  return at + 4;
}

/** Lower half of a stored number of `size` bytes. */
export function lowHalf(b: Uint8Array, at: number, size: number, signed: boolean): number {
  if (size === 1) return signed ? (b[at]! << 24) >> 24 : b[at]!;
  const two = b[at]! | (b[at + 1]! << 8);
  if (size === 2) return signed ? (two << 16) >> 16 : two;
  return two | (b[at + 2]! << 16) | (b[at + 3]! << 24);
}

/** Upper half; `low` is its lower half. */
export function highHalf(b: Uint8Array, at: number, size: number, signed: boolean, low: number): number {
  if (size === 8) return b[at + 4]! | (b[at + 5]! << 8) | (b[at + 6]! << 16) | (b[at + 7]! << 24);
  return signed ? low >> 31 : 0;
}

/** Splits a 64-bit number. */
export function halvesOf(value: bigint, into: { high: number; low: number }): void {
  into.high = Number(BigInt.asIntN(32, value >> 32n));
  into.low = Number(BigInt.asIntN(32, value));
}
