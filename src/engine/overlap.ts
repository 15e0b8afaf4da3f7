/** How runs lie across each other: what decides how many of them a merge must read at once. */
import { compareBytes } from "../base/mod.ts";
import type { KeyBounds } from "./block-store.ts";

/** First and last key, both inclusive. */
export interface Span {
  firstKey: Uint8Array;
  lastKey: Uint8Array;
}

/** How many spans hold one key at most, and such a key; undefined when there is no span. */
export function deepestOverlap(spans: readonly Span[]): { depth: number; at: Uint8Array } | undefined {
  const { firsts, lasts } = ordered(spans);
  let deepest: { depth: number; at: Uint8Array } | undefined;
  let ended = 0;
  for (const [i, first] of firsts.entries()) {
    while (compareBytes(lasts[ended]!, first) < 0) ended++;
    const depth = i + 1 - ended;
    if (depth > (deepest?.depth ?? 0)) deepest = { depth, at: first };
  }
  return deepest;
}

/** Into how many spans one of the ranges reaches at most. */
export function widestReach(spans: readonly Span[], ranges: readonly KeyBounds[]): number {
  const { firsts, lasts } = ordered(spans);
  let widest = 0;
  for (const { start, end } of ranges) {
    const begun = end === undefined ? spans.length : countBelow(firsts, end);
    const over = start === undefined ? 0 : countBelow(lasts, start);
    widest = Math.max(widest, begun - over);
  }
  return widest;
}

function ordered(spans: readonly Span[]): { firsts: Uint8Array[]; lasts: Uint8Array[] } {
  return {
    firsts: spans.map((span) => span.firstKey).sort(compareBytes),
    lasts: spans.map((span) => span.lastKey).sort(compareBytes),
  };
}

/** How many of the ascending keys are below `key`. */
function countBelow(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
