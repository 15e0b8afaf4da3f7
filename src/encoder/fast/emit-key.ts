/** Key datums straight from slots. */
import {
  appendSortKey,
  ByteWriter,
  type Collation,
  copyBytes,
  DatumFlag,
  encodedBytesLength,
  putBytes,
  trimBlanks,
} from "../../codec/mod.ts";
import { highHalf, lowHalf, SlotKind, type Slots } from "./slots.ts";

const sortKey = new ByteWriter(256);

/** Flag of the comparable form, by slot kind. */
const FLAGS = Uint8Array.of(
  DatumFlag.int,
  DatumFlag.uint,
  DatumFlag.bytes,
  DatumFlag.float,
  DatumFlag.decimal,
  DatumFlag.duration,
);

/** Appends one datum of a key with its flag. `collation` matters for strings. */
export function emitKeyDatum(out: ByteWriter, v: Slots, slot: number, collation: Collation): void {
  if (v.isNull[slot] === 1) {
    out.u8(DatumFlag.null);
    return;
  }
  const kind = v.kind[slot]!;
  switch (kind) {
    case SlotKind.int:
    case SlotKind.duration:
    case SlotKind.uint:
      emitNumber(out, v, slot, kind);
      return;
    case SlotKind.bytes:
      emitText(out, v, slot, collation);
      return;
    default: {
      const start = v.startOf(slot);
      const end = start + v.end[slot]! - v.start[slot]!;
      out.reserve(1 + end - start);
      out.bytes[out.length] = FLAGS[kind]!;
      copyBytes(v.bufferOf(slot), start, end, out.bytes, out.length + 1);
      out.length += 1 + end - start;
    }
  }
}

function emitNumber(out: ByteWriter, v: Slots, slot: number, kind: number): void {
  const b = v.bufferOf(slot);
  const at = v.startOf(slot);
  const size = v.end[slot]! - v.start[slot]!;
  const signed = kind !== SlotKind.uint;
  const low = lowHalf(b, at, size, signed);
  const high = highHalf(b, at, size, signed, low);
  out.reserve(9);
  out.bytes[out.length] = FLAGS[kind]!;
  out.length = writeHalves(out.bytes, out.length + 1, signed ? high ^ 0x80000000 : high, low);
}

/** Eight bytes, big-endian. */
export function putHalves(out: ByteWriter, high: number, low: number): void {
  out.reserve(8);
  out.length = writeHalves(out.bytes, out.length, high, low);
}

function writeHalves(b: Uint8Array, at: number, high: number, low: number): number {
  b[at] = high >>> 24;
  b[at + 1] = high >>> 16;
  b[at + 2] = high >>> 8;
  b[at + 3] = high;
  b[at + 4] = low >>> 24;
  b[at + 5] = low >>> 16;
  b[at + 6] = low >>> 8;
  b[at + 7] = low;
  return at + 8;
}

function emitText(out: ByteWriter, v: Slots, slot: number, collation: Collation): void {
  let source = v.bufferOf(slot);
  let start = v.startOf(slot);
  let end = start + v.end[slot]! - v.start[slot]!;
  if (!collation.bytewise) {
    sortKey.clear();
    appendSortKey(sortKey, collation, source, start, end);
    source = sortKey.bytes;
    start = 0;
    end = sortKey.length;
  } else if (collation.padSpace) end = trimBlanks(source, start, end);
  out.reserve(1 + encodedBytesLength(end - start));
  out.bytes[out.length] = DatumFlag.bytes;
  out.length = putBytes(out.bytes, out.length + 1, source, start, end);
}
