import { type Clock, compareBytes, LevinError, type Random, toHex } from "../base/mod.ts";
import { Backoff } from "./backoff.ts";
import { compareEnds, type KeyRange } from "./keys.ts";
import type { Region } from "./nouns.ts";
import type { PdClient } from "./pd-client.ts";

interface RegionScanOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly signal?: AbortSignal | undefined;
}

/** Regions asked for at a time (as BR and Lightning). */
const pageMax = 128;
/** How often holes and missing leaders are asked for again: about 20 s, more than a split or an election takes. */
const triesMax = 24;

/**
 * The regions that cover a range, without holes, each with a leader, in key order. Right after a split or an election PD knows
 * less than the stores; then it is asked again for a while. Throws `Levin:Cluster:ErrRegions` when that does not end.
 */
export async function scanRegions(range: KeyRange, options: RegionScanOptions): Promise<Region[]> {
  const backoff = new Backoff({ clock: options.clock, random: options.random, firstMs: 50, maxMs: 1_000 });
  const found: Region[] = [];
  let start = range.start;
  let complaint = "";
  for (let tries = 0; tries < triesMax; ) {
    const page = await options.pd.scanRegions({ start, end: range.end }, pageMax, options.signal);
    const usable = usablePrefix(page, start);
    for (const region of usable) found.push(region);
    const last = usable.at(-1);
    if (last !== undefined) {
      if (compareEnds(last.end, range.end) >= 0) return found;
      start = last.end;
      tries = 0;
    }
    if (usable.length === page.length && page.length > 0) continue;
    complaint = whatIsWrong(page[usable.length], start);
    tries++;
    await backoff.wait(options.signal);
  }
  throw new LevinError("Levin:Cluster:ErrRegions", `Cannot find the regions of a key range: ${complaint}`, {
    fields: { start: toHex(range.start), end: toHex(range.end) },
  });
}

/** How many regions from the front join without a hole from `start` on and have leaders. */
function usablePrefix(page: readonly Region[], start: Uint8Array): Region[] {
  const usable: Region[] = [];
  let next = start;
  for (const region of page) {
    const joins = usable.length === 0 ? compareBytes(region.start, next) <= 0 : compareBytes(region.start, next) === 0;
    const reaches = region.end.length === 0 || compareBytes(region.end, next) > 0;
    if (!joins || !reaches || region.leader === undefined) break;
    usable.push(region);
    next = region.end;
    if (next.length === 0) break;
  }
  return usable;
}

function whatIsWrong(region: Region | undefined, start: Uint8Array): string {
  if (region === undefined) return `PD names no region at key ${toHex(start)}`;
  if (region.leader === undefined) return `region ${region.id} has no leader`;
  return `no region at key ${toHex(start)}, the next one is ${region.id}`;
}
