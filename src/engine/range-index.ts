/**
 * The range index of a run: where its bytes and keys lie, coarsely, as TiKV's and Lightning's table property `tikv.range_index`.
 *
 *   encoded := (u32 BE key length, key, u64 BE bytes, u64 BE keys)*
 *
 * A point stands at the first key, whenever `POINT_BYTES` or `POINT_KEYS` have come since the last point, and at the last key. Its
 * figures are cumulative over the run, the point's own pair included; bytes are those of keys and values.
 */
import { assert, compareBytes } from "../base/mod.ts";

export const POINT_BYTES = 4 * 1024 * 1024;
export const POINT_KEYS = 40 * 1024;

/** About what a region holds: ranges are cut where either is reached (Lightning's `region-split-size` and 2/3 of `region-split-keys`). */
const RANGE_BYTES = 96 * 1024 * 1024;
export const RANGE_KEYS = 960_000;

export interface RangePoint {
  key: Uint8Array;
  /** Cumulative bytes of keys and values. */
  bytes: number;
  /** Cumulative pairs. */
  pairs: number;
}

export function encodeRangeIndex(points: readonly RangePoint[]): Uint8Array {
  let size = 0;
  for (const { key } of points) size += 20 + key.length;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { key, bytes, pairs } of points) {
    view.setUint32(at, key.length);
    out.set(key, at + 4);
    at += 4 + key.length;
    view.setBigUint64(at, BigInt(bytes));
    view.setBigUint64(at + 8, BigInt(pairs));
    at += 16;
  }
  return out;
}

/** The points' keys lie in `encoded`. Throws RangeError where the bytes are not a range index. */
export function decodeRangeIndex(encoded: Uint8Array): RangePoint[] {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const points: RangePoint[] = [];
  for (let at = 0; at < encoded.length; ) {
    const length = view.getUint32(at);
    const key = encoded.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    points.push({ key, bytes: Number(view.getBigUint64(at)), pairs: Number(view.getBigUint64(at + 8)) });
    at += 16;
  }
  return points;
}

/** Keys `[start, end)` and about what they hold. */
export interface KeyRange {
  start: Uint8Array;
  end: Uint8Array;
  bytes: number;
  pairs: number;
}

export interface PlanOptions {
  rangeBytes?: number;
  rangeKeys?: number;
}

/**
 * Cuts the union of runs into ranges of about `rangeBytes` or `rangeKeys`, whichever is reached first. Together they cover every key
 * of every run once; `end` is the exclusive end of the last. A range is off by at most one point's distance per run, so ranges are
 * about right for many runs and exact for the whole. As Lightning's `splitRangeBySizeProps`: a cut is at a point's key, which is
 * counted to the range before and lies in the range behind.
 */
export function planRanges(
  runs: readonly (readonly RangePoint[])[],
  end: Uint8Array,
  { rangeBytes = RANGE_BYTES, rangeKeys = RANGE_KEYS }: PlanOptions = {},
): KeyRange[] {
  assert(rangeBytes > 0 && rangeKeys > 0, "a range has room for something");
  const steps = stepsOf(runs);
  const first = steps[0];
  if (first === undefined) return [];
  assert(compareBytes(steps[steps.length - 1]!.key, end) < 0, "the end of all ranges lies behind the last key");
  const ranges: KeyRange[] = [];
  let current: KeyRange = { start: first.key, end, bytes: 0, pairs: 0 };
  for (const { key, bytes, pairs } of steps) {
    current.bytes += bytes;
    current.pairs += pairs;
    if (current.bytes < rangeBytes && current.pairs < rangeKeys) continue;
    if (compareBytes(key, current.start) === 0) continue;
    current.end = key;
    ranges.push(current);
    current = { start: key, end, bytes: 0, pairs: 0 };
  }
  // What is left may be the last key alone, already counted: it still needs a range, but not one of its own.
  if (current.pairs > 0 || ranges.length === 0) ranges.push(current);
  else ranges[ranges.length - 1]!.end = end;
  return ranges;
}

/** The points of all runs in key order, each with what came since the point before it in its own run. */
function stepsOf(runs: readonly (readonly RangePoint[])[]): RangePoint[] {
  const steps: RangePoint[] = [];
  for (const points of runs) {
    let bytes = 0;
    let pairs = 0;
    for (const point of points) {
      steps.push({ key: point.key, bytes: point.bytes - bytes, pairs: point.pairs - pairs });
      ({ bytes, pairs } = point);
    }
  }
  return steps.sort((a, b) => compareBytes(a.key, b.key));
}
