/** Pure planning of region splits: which keys lie inside which region, and how many go into one request. */
import { compareBytes } from "../base/mod.ts";
import { type KeyRange, type Region, rangeHolds } from "../cluster/mod.ts";

/** Limits of one SplitRegion request: as Lightning, below TiKV's raft entry limit of 8 MiB (tikv.md 6). */
export const splitKeysMax = 4096;
export const splitBytesMax = 6 << 20;
/** More new regions than this come from two rounds, so that the second spreads over many regions. */
export const coarseAbove = 64;

/** The borders between neighbouring ranges, in order, each once. The outer borders are left alone: small tables stay whole. */
export function innerBorders(ranges: readonly KeyRange[]): Uint8Array[] {
  const starts = ranges.map((range) => range.start).sort(compareBytes);
  return starts.filter((key, index) => index > 0 && compareBytes(starts[index - 1]!, key) < 0);
}

export interface RegionSplit {
  readonly region: Region;
  /** Ascending, strictly inside the region. */
  readonly keys: readonly Uint8Array[];
}

/** Assigns ascending keys to ascending regions; keys that are region borders already are left out. */
export function planSplits(keys: readonly Uint8Array[], regions: readonly Region[]): RegionSplit[] {
  const out: RegionSplit[] = [];
  let at = 0;
  for (const region of regions) {
    const inside: Uint8Array[] = [];
    while (at < keys.length && compareBytes(keys[at]!, region.start) <= 0) at++;
    while (at < keys.length && rangeHolds(region, keys[at]!)) inside.push(keys[at++]!);
    if (inside.length > 0) out.push({ region, keys: inside });
  }
  return out;
}

/** The keys of a region's next request: all, or about √n evenly spread ones when there are many; never more than `keysMax`. */
export function nextSplitKeys(keys: readonly Uint8Array[], keysMax: number): Uint8Array[] {
  let stride = 1;
  if (keys.length > coarseAbove) stride = Math.floor(Math.sqrt(keys.length));
  const chosen: Uint8Array[] = [];
  let bytes = 0;
  for (let i = stride - 1; i < keys.length && chosen.length < Math.min(keysMax, splitKeysMax); i += stride) {
    bytes += keys[i]!.length;
    if (chosen.length > 0 && bytes > splitBytesMax) break;
    chosen.push(keys[i]!);
  }
  return chosen;
}
