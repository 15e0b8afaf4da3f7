import { compareBytes } from "../base/mod.ts";
import type { BackupRange } from "./shapes.ts";

const EMPTY = new Uint8Array(0);

/** How far one range of a backup is. */
export interface RangeProgress {
  startKey: Uint8Array;
  /** Empty: up to the end of all keys. */
  endKey: Uint8Array;
  parts: number;
  files: number;
  totalKvs: bigint;
  totalBytes: bigint;
  /** What no recorded part covers, in order. */
  holes: { startKey: Uint8Array; endKey: Uint8Array }[];
}

/** Order of end keys, an empty one last. */
function compareEnds(a: Uint8Array, b: Uint8Array): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : a.length === 0 ? 1 : -1;
  return compareBytes(a, b);
}

/** Whether a key lies before an end. */
const isBefore = (key: Uint8Array, end: Uint8Array): boolean => end.length === 0 || compareBytes(key, end) < 0;

/** Collects the recorded parts of a backup and tells what is missing of its ranges. Parts may overlap and come twice. */
export class Coverage {
  private readonly ranges: RangeProgress[];
  private readonly parts: { start: Uint8Array; end: Uint8Array }[][];
  /** Parts that lie in no range of the backup. */
  outside = 0;

  constructor(ranges: Iterable<BackupRange>) {
    this.ranges = [...ranges]
      .map((range) => ({
        startKey: range.startKey ?? EMPTY,
        endKey: range.endKey ?? EMPTY,
        parts: 0,
        files: 0,
        totalKvs: 0n,
        totalBytes: 0n,
        holes: [],
      }))
      .sort((a, b) => compareBytes(a.startKey, b.startKey));
    this.parts = this.ranges.map(() => []);
  }

  add(part: BackupRange): void {
    const start = part.startKey ?? EMPTY;
    const at = this.lastFrom(start);
    const range = this.ranges[at];
    if (range === undefined || !isBefore(start, range.endKey)) {
      this.outside++;
      return;
    }
    this.parts[at]!.push({ start, end: part.endKey ?? EMPTY });
    range.parts++;
    for (const file of part.files ?? []) {
      if (file === null) continue;
      range.files++;
      range.totalKvs += file.totalKvs;
      range.totalBytes += file.totalBytes;
    }
  }

  /** Index of the last range that begins at or before the key, -1 for none. */
  private lastFrom(key: Uint8Array): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.ranges[middle]!.startKey, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The ranges in order of their keys, with their holes. */
  result(): RangeProgress[] {
    return this.ranges.map((range, i) => {
      const parts = this.parts[i]!.sort((a, b) => compareBytes(a.start, b.start));
      const holes: RangeProgress["holes"] = [];
      let at = range.startKey;
      let done = false;
      for (const { start, end } of parts) {
        if (compareBytes(start, at) > 0) holes.push({ startKey: at, endKey: start });
        if (compareEnds(end, range.endKey) >= 0) {
          done = true;
          break;
        }
        if (compareBytes(end, at) > 0) at = end;
      }
      if (!done && isBefore(at, range.endKey)) holes.push({ startKey: at, endKey: range.endKey });
      return { ...range, holes };
    });
  }
}
