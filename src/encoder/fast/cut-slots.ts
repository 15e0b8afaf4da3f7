/** Slots that are made from other slots: prefixes of strings, and numbers of trailing blanks. */
import { textOf, utf8 } from "../../base/mod.ts";
import { countRunes, isValidUtf8, skipRunes, trimBlanks } from "../../codec/mod.ts";
import type { IndexPart } from "../layout.ts";
import { putSigned32, putUnsigned, SlotKind, type Slots, Source } from "./slots.ts";

/** How a made slot comes about. */
interface Cut {
  readonly from: number;
  readonly to: number;
  /** Prefix length, -1 = whole. */
  readonly length: number;
  readonly inBytes: boolean;
  /** The number of blanks at the end instead of the string. */
  readonly count: boolean;
}

/** Collects the made slots of a table while it is compiled; equal ones are shared. */
export class CutPlan {
  readonly cuts: Cut[] = [];
  private readonly kinds: number[];

  /** `kinds` of the columns' slots; those of made slots are added to it. */
  constructor(kinds: number[]) {
    this.kinds = kinds;
  }

  /** The slot of a string's prefix; the column's own where nothing is cut. */
  prefix(part: IndexPart, length = part.length): number {
    const from = part.column.offset;
    if (length === -1 || this.kinds[from] !== SlotKind.bytes) return from;
    return this.add({ from, to: -1, length, inBytes: part.prefixInBytes, count: false }, SlotKind.bytes);
  }

  /** The slot that holds the number of blanks at the end of a prefix: `signed` for columns of the clustered key. */
  blanks(part: IndexPart, signed: boolean, length = part.length): number {
    const from = this.prefix(part, length);
    return this.add({ from, to: -1, length: -1, inBytes: true, count: true }, signed ? SlotKind.int : SlotKind.uint);
  }

  private add(cut: Cut, kind: number): number {
    const same = this.cuts.find(
      (c) =>
        c.from === cut.from &&
        c.length === cut.length &&
        c.inBytes === cut.inBytes &&
        c.count === cut.count &&
        this.kinds[c.to] === kind,
    );
    if (same !== undefined) return same.to;
    const to = this.kinds.length;
    this.kinds.push(kind);
    this.cuts.push({ ...cut, to });
    return to;
  }
}

/** Fills the made slots of one row, in the order of the plan. */
export function makeCuts(v: Slots, cuts: readonly Cut[]): void {
  for (let i = 0; i < cuts.length; i++) {
    const { from, to, length, inBytes, count } = cuts[i]!;
    const nothing = v.isNull[from] === 1;
    const size = nothing ? 0 : v.end[from]! - v.start[from]!;
    const start = v.startOf(from);
    if (count) {
      const blanks = start + size - trimBlanks(v.bufferOf(from), start, start + size);
      v.isNull[to] = 0;
      const at = v.sideLength;
      const side = v.grow(Source.side, at, 0);
      v.sideLength = v.kind[to] === SlotKind.int ? putSigned32(side, at, blanks) : putUnsigned(side, at, 0, blanks);
      v.source[to] = Source.side;
      v.start[to] = at;
      v.end[to] = v.sideLength;
      continue;
    }
    v.isNull[to] = v.isNull[from]!;
    if (nothing) continue;
    v.source[to] = v.source[from]!;
    v.start[to] = v.start[from]!;
    v.end[to] = v.end[from]!;
    if (size <= length) continue;
    if (inBytes) v.end[to] = v.start[to]! + length;
    else cutRunes(v, to, start, start + size, length);
  }
}

function cutRunes(v: Slots, slot: number, start: number, end: number, length: number): void {
  const source = v.bufferOf(slot);
  let any = 0;
  for (let i = start; i < start + length; i++) any |= source[i]!;
  if (any < 0x80) {
    v.end[slot] = v.start[slot]! + length;
    return;
  }
  if (countRunes(source, start, end) <= length) return;
  const stop = skipRunes(source, start, end, length);
  if (isValidUtf8(source, start, stop)) {
    v.end[slot] = v.start[slot]! + stop - start;
    return;
  }
  // Go rebuilds a prefix from its code points, so that invalid bytes turn into U+FFFD.
  const repaired = utf8(textOf(source.subarray(start, stop)));
  v.sideLength = v.putBytes(slot, repaired, repaired.length, Source.side, v.sideLength);
}
