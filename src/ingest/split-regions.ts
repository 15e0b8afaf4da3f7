import { type Clock, LevinError, type Random } from "../base/mod.ts";
import {
  Backoff,
  type PdClient,
  type Region,
  regionText,
  scanRegions,
  successorKey,
  type TikvClient,
} from "../cluster/mod.ts";
import { hintedRegion } from "./job.ts";
import { callTroubleOf, type Trouble, troubleOf } from "./region-errors.ts";
import { nextSplitKeys, planSplits, type RegionSplit, splitKeysMax } from "./split-plan.ts";

export interface SplitOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions" | "getRegionById">;
  readonly tikv: Pick<TikvClient, "splitRegion">;
  readonly signal?: AbortSignal;
  readonly onTrouble?: (trouble: Trouble, region: Region | undefined) => void;
  readonly limits?: Partial<SplitLimits>;
}

export interface SplitLimits {
  /** Split requests under way at a time. */
  readonly concurrency: number;
  /** Rounds without a single new region before giving up; waits between them grow to `backoffMaxMs`. */
  readonly idleRoundsMax: number;
  readonly backoffMaxMs: number;
  /** How long PD may take to show new regions; what it does not show by then is found when it is needed. */
  readonly shownWithinMs: number;
}

export const defaultSplitLimits: SplitLimits = {
  concurrency: 8,
  idleRoundsMax: 20,
  backoffMaxMs: 10_000,
  shownWithinMs: 10_000,
};

/**
 * Splits regions until every key is a region border. Returns the regions that came of it. Keys are ascending. A round asks PD, sends
 * one request to each region that still holds keys, and waits until PD shows the parts; refusals are met by the next round.
 * Throws `Levin:Ingest:ErrSplit`, `Levin:Ingest:ErrDiskFull`.
 */
export async function splitRegions(keys: readonly Uint8Array[], options: SplitOptions): Promise<Region[]> {
  if (keys.length === 0) return [];
  const limits: SplitLimits = { ...defaultSplitLimits, ...options.limits };
  const { clock, random, signal } = options;
  const backoff = new Backoff({ clock, random, firstMs: 50, maxMs: limits.backoffMaxMs });
  const range = { start: keys[0]!, end: successorKey(keys.at(-1)!) };
  const made = new Map<bigint, Region>();
  let keysMax = splitKeysMax;
  let last: { readonly region: Region; readonly trouble: Trouble } | undefined;
  for (let idleRounds = 0; idleRounds < limits.idleRoundsMax; ) {
    const regions = await scanRegions(range, options);
    const splits = planSplits(keys, regions);
    if (splits.length === 0) return [...made.values()];
    let isNew = false;
    let suggestedMs = 0;
    await inParallel(splits, limits.concurrency, async (split) => {
      const outcome = await splitOne(split, keysMax, options);
      if (outcome.ok) {
        isNew ||= outcome.parts.length > 0;
        for (const part of outcome.parts) made.set(part.id, part);
        return;
      }
      last = { region: split.region, trouble: outcome.trouble };
      options.onTrouble?.(outcome.trouble, split.region);
      if (outcome.trouble.request === "fatal") throw splitFailure(split.region, outcome.trouble);
      if (outcome.trouble.request === "split-finer") keysMax = Math.max(1, keysMax >> 1);
      suggestedMs = Math.max(suggestedMs, outcome.trouble.suggestedMs);
    });
    if (isNew) {
      idleRounds = 0;
      backoff.reset();
      await waitUntilShown([...made.keys()], options, limits);
    } else {
      idleRounds++;
      await backoff.wait(signal, suggestedMs);
    }
  }
  throw splitFailure(last?.region, last?.trouble);
}

type SplitOutcome = { readonly ok: true; readonly parts: Region[] } | { readonly ok: false; readonly trouble: Trouble };

/** One request, and a second one to the leader that the first store named. */
async function splitOne(split: RegionSplit, keysMax: number, options: SplitOptions): Promise<SplitOutcome> {
  const keys = nextSplitKeys(split.keys, keysMax);
  let { region } = split;
  for (let turn = 0; ; turn++) {
    const outcome = await send(region, keys, options);
    if (outcome.ok || outcome.trouble.ask !== "hint" || turn > 0) return outcome;
    const hinted = hintedRegion(region, region, outcome.trouble);
    if (hinted === undefined) return outcome;
    region = hinted;
  }
}

async function send(region: Region, keys: Uint8Array[], options: SplitOptions): Promise<SplitOutcome> {
  const storeId = region.leader?.storeId;
  try {
    const answer = await options.tikv.splitRegion(region, keys, options.signal);
    return answer.ok ? { ok: true, parts: answer.value } : { ok: false, trouble: troubleOf(answer.error, storeId) };
  } catch (thrown) {
    options.signal?.throwIfAborted();
    if (!(thrown instanceof LevinError)) throw thrown;
    return { ok: false, trouble: callTroubleOf(thrown, storeId) };
  }
}

/** PD learns of new regions from their heartbeats, 10 to 80 ms after the answer (tikv.md 2). */
async function waitUntilShown(ids: readonly bigint[], options: SplitOptions, limits: SplitLimits): Promise<void> {
  const { clock, random, signal } = options;
  const giveUpAt = clock.monotonicMs() + limits.shownWithinMs;
  const backoff = new Backoff({ clock, random, firstMs: 20, maxMs: 500 });
  let missing = [...ids];
  for (;;) {
    const still: bigint[] = [];
    await inParallel(missing, limits.concurrency, async (id) => {
      const region = await options.pd.getRegionById(id, signal);
      if (region?.leader === undefined) still.push(id);
    });
    if (still.length === 0 || clock.monotonicMs() >= giveUpAt) return;
    missing = still;
    await backoff.wait(signal);
  }
}

function splitFailure(region: Region | undefined, trouble: Trouble | undefined): LevinError {
  const code = trouble?.kind === "diskFull" ? "Levin:Ingest:ErrDiskFull" : "Levin:Ingest:ErrSplit";
  const where = region === undefined ? "a region" : `region ${regionText(region)}`;
  const store = trouble?.storeId === undefined ? "" : ` on store ${trouble.storeId}`;
  const words = trouble === undefined ? "PD does not show the new regions" : `${trouble.kind}: ${trouble.words}`;
  return new LevinError(code, `Cannot split ${where}${store}: ${words}`, {
    cause: trouble?.cause,
    fields: { region: region?.id, store: trouble?.storeId, kind: trouble?.kind },
  });
}

/** Runs over all items, so many at a time; the first failure ends it after those under way. */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let first: { readonly thrown: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < items.length && first === undefined) {
      const item = items[next++]!;
      try {
        await run(item);
      } catch (thrown) {
        first ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (first !== undefined) throw first.thrown;
}
