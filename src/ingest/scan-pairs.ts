import { type Clock, equalBytes, LevinError, type Random } from "../base/mod.ts";
import {
  intersectRanges,
  type KeyRange,
  Patience,
  type PdClient,
  type Region,
  scanRegions,
  successorKey,
  type TikvClient,
} from "../cluster/mod.ts";
import { readFailure, readTroubleOf, type Trouble, troubleOf } from "./region-errors.ts";

interface ScanOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "scan">;
  /** Snapshot to read at, from PD's TSO. */
  readonly snapshot: bigint;
  /** How long a page may be refused before it is given up. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

export interface ScannedPair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Pairs of one request. */
const PAGE_PAIRS = 2048;

/**
 * The pairs of a range at a snapshot in key order, page after page; a region that has moved is looked up again. Throws
 * `Levin:Verify:ErrRead` when a page cannot be read.
 */
export async function* scanPairs(range: KeyRange, options: ScanOptions): AsyncGenerator<ScannedPair[]> {
  const { clock, random, patienceMs, signal } = options;
  const patience = new Patience({ clock, random, firstMs: 50, maxMs: 5_000, patienceMs });
  let region: Region | undefined;
  let { start } = range;
  for (;;) {
    region ??= (await scanRegions({ start, end: successorKey(start) }, options))[0]!;
    const part = intersectRanges({ start, end: range.end }, region)!;
    const answer = await scan(region, part, options);
    if (!answer.ok) {
      const { trouble } = answer;
      const waitMs = patience.nextMs(trouble.suggestedMs);
      if (trouble.request === "fatal" || waitMs === undefined) throw readFailure("pairs", region, trouble);
      await clock.sleep(waitMs, signal);
      region = undefined;
      continue;
    }
    patience.reset();
    const { pairs } = answer;
    yield pairs;
    const next = pairs.length < PAGE_PAIRS ? part.end : successorKey(pairs.at(-1)!.key);
    if (equalBytes(next, range.end)) return;
    if (equalBytes(next, part.end)) region = undefined;
    start = next;
  }
}

type Answer = { readonly ok: true; readonly pairs: ScannedPair[] } | { readonly ok: false; readonly trouble: Trouble };

async function scan(region: Region, part: KeyRange, { tikv, snapshot, signal }: ScanOptions): Promise<Answer> {
  const storeId = region.leader?.storeId;
  try {
    const answer = await tikv.scan(region, part, PAGE_PAIRS, snapshot, signal);
    return answer.ok ? { ok: true, pairs: answer.value } : { ok: false, trouble: troubleOf(answer.error, storeId) };
  } catch (thrown) {
    signal?.throwIfAborted();
    if (!(thrown instanceof LevinError)) throw thrown;
    return { ok: false, trouble: readTroubleOf(thrown, storeId) };
  }
}
