/** Rows of format 2 straight from slots. */
import { type ByteWriter, copyBytes, ROW_V2 } from "../../codec/mod.ts";
import { type Slots, Source } from "./slots.ts";

/** The columns of a kind of row, in the order of their ids. */
export interface CellList {
  readonly slots: Int32Array;
  readonly ids: Int32Array;
  /** 1: NULL is left out instead of listed. */
  readonly dropNull: Uint8Array;
  /** From here on ids need more than a byte. */
  readonly wideFrom: number;
}

export function cellList(cells: readonly { slot: number; id: number; dropNull: boolean }[]): CellList {
  const sorted = [...cells].sort((a, b) => a.id - b.id);
  return {
    slots: Int32Array.from(sorted, (c) => c.slot),
    ids: Int32Array.from(sorted, (c) => c.id),
    dropNull: Uint8Array.from(sorted, (c) => (c.dropNull ? 1 : 0)),
    wideFrom: sorted.filter((c) => c.id <= 255).length,
  };
}

const HEADER = 6;
const SMALL_DATA_MAX = 0xffff;

/** What the header of a row depends on; one object, filled by `measure`. */
const shape = { present: 0, nulls: 0, size: 0, large: false };

function measure(v: Slots, cells: CellList): void {
  const { slots, dropNull } = cells;
  const { isNull, start, end } = v;
  let present = 0;
  let nulls = 0;
  let size = 0;
  let last = -1;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (isNull[slot] === 0) {
      present++;
      last = i;
      size += end[slot]! - start[slot]!;
    } else if (dropNull[i] === 0) {
      nulls++;
      last = i;
    }
  }
  shape.present = present;
  shape.nulls = nulls;
  shape.size = size;
  shape.large = last >= cells.wideFrom || size > SMALL_DATA_MAX;
}

function headerLength(): number {
  const { present, nulls, large } = shape;
  return HEADER + (large ? 8 * present + 4 * nulls : 3 * present + nulls);
}

/** Writes the header of the measured row at `at`. */
function putHeader(b: Uint8Array, at: number, v: Slots, cells: CellList): void {
  const { present, nulls, large } = shape;
  b[at] = ROW_V2;
  b[at + 1] = large ? 1 : 0;
  b[at + 2] = present;
  b[at + 3] = present >>> 8;
  b[at + 4] = nulls;
  b[at + 5] = nulls >>> 8;
  if (large) putLargeLists(b, at + HEADER, v, cells);
  else putSmallLists(b, at + HEADER, v, cells);
}

function putSmallLists(b: Uint8Array, at: number, v: Slots, cells: CellList): void {
  const { slots, ids, dropNull } = cells;
  const { isNull, start, end } = v;
  let idAt = at;
  let nullAt = at + shape.present;
  let endAt = nullAt + shape.nulls;
  let sum = 0;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (isNull[slot] === 1) {
      if (dropNull[i] === 0) b[nullAt++] = ids[i]!;
      continue;
    }
    b[idAt++] = ids[i]!;
    sum += end[slot]! - start[slot]!;
    b[endAt] = sum;
    b[endAt + 1] = sum >>> 8;
    endAt += 2;
  }
}

function putLargeLists(b: Uint8Array, at: number, v: Slots, cells: CellList): void {
  const { slots, ids, dropNull } = cells;
  let idAt = at;
  let nullAt = at + 4 * shape.present;
  let endAt = nullAt + 4 * shape.nulls;
  let sum = 0;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (v.isNull[slot] === 1) {
      if (dropNull[i] === 0) nullAt = putWord(b, nullAt, ids[i]!);
      continue;
    }
    idAt = putWord(b, idAt, ids[i]!);
    sum += v.end[slot]! - v.start[slot]!;
    endAt = putWord(b, endAt, sum);
  }
}

function putWord(b: Uint8Array, at: number, value: number): number {
  b[at] = value;
  b[at + 1] = value >>> 8;
  b[at + 2] = value >>> 16;
  b[at + 3] = value >>> 24;
  return at + 4;
}

/**
 * Puts the header before the values that lie at `v.row[v.rowBase, end)` in the order of the cells; they are moved if the header is not
 * as long as was expected. Returns the row's length; it begins at 0.
 */
export function finishRow(v: Slots, cells: CellList, nulls: number, end: number): number {
  const count = cells.slots.length;
  const full = HEADER + 3 * count;
  const size = end - v.rowBase;
  if (nulls === 0 && v.fullHeader && v.rowBase === full && size <= SMALL_DATA_MAX) {
    // As the row before: header and ids are still there, only the offsets change.
    putOffsets(v, cells, HEADER + count);
    return full + size;
  }
  measure(v, cells);
  const length = headerLength();
  if (length !== v.rowBase) {
    v.grow(Source.row, length, size);
    v.row.copyWithin(length, v.rowBase, end);
    // The next row's values begin here: most rows of a table have the same header.
    v.rowBase = length;
  }
  putHeader(v.row, 0, v, cells);
  v.fullHeader = nulls === 0 && !shape.large;
  return length + size;
}

function putOffsets(v: Slots, cells: CellList, at: number): void {
  const { slots } = cells;
  const { start, end, row } = v;
  let sum = 0;
  let to = at;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    sum += end[slot]! - start[slot]!;
    row[to] = sum;
    row[to + 1] = sum >>> 8;
    to += 2;
  }
}

/** Appends a row whose values lie anywhere. */
export function emitRow(out: ByteWriter, v: Slots, cells: CellList): void {
  measure(v, cells);
  const length = headerLength();
  out.reserve(length + shape.size);
  putHeader(out.bytes, out.length, v, cells);
  let at = out.length + length;
  const { slots } = cells;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (v.isNull[slot] === 1) continue;
    const size = v.end[slot]! - v.start[slot]!;
    const start = v.startOf(slot);
    copyBytes(v.bufferOf(slot), start, start + size, out.bytes, at);
    at += size;
  }
  out.length = at;
}
