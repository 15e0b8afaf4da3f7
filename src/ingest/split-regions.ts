import { type Clock, compareBytes, inParallel, LevinError, type Random } from "../base/mod.ts";
import {
  Backoff,
  type KeyRange,
  type PdClient,
  type Region,
  regionText,
  scanRegions,
  successorKey,
  type TikvClient,
} from "../cluster/mod.ts";
import { hintedRegion } from "./job.ts";
import { callTroubleOf, type Trouble, troubleOf } from "./region-errors.ts";
import { nextSplitKeys, planSplits, splitKeysMax } from "./split-plan.ts";

export interface SplitOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scanRegions">;
  readonly tikv: Pick<TikvClient, "splitRegion">;
  readonly signal?: AbortSignal;
  readonly onTrouble?: (trouble: Trouble, region: Region | undefined) => void;
  readonly limits?: Partial<SplitLimits>;
}

interface SplitLimits {
  /** Keys of one request. */
  readonly keysMax: number;
  /** Split requests under way at a time. */
  readonly concurrency: number;
  /** Rounds without a single new region before giving up; waits between them grow to `backoffMaxMs`. */
  readonly idleRoundsMax: number;
  readonly backoffMaxMs: number;
  /** How long PD may take to show new regions; what it does not show by then is found when it is needed. */
  readonly shownWithinMs: number;
}

const defaultSplitLimits: SplitLimits = {
  keysMax: splitKeysMax,
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
  let { keysMax } = limits;
  let last: { readonly region: Region; readonly trouble: Trouble } | undefined;
  let regions = await scanRegions(range, options);
  for (let idleRounds = 0; idleRounds < limits.idleRoundsMax; ) {
    const splits = planSplits(keys, regions);
    if (splits.length === 0) return [...made.values()];
    const cut: Uint8Array[] = [];
    let suggestedMs = 0;
    await inParallel(splits, limits.concurrency, async (split) => {
      const chosen = nextSplitKeys(split.keys, keysMax);
      const outcome = await splitOne(split.region, chosen, options);
      if (outcome.ok) {
        cut.push(...chosen);
        for (const part of outcome.parts) made.set(part.id, part);
        return;
      }
      const { trouble } = outcome;
      last = { region: split.region, trouble };
      options.onTrouble?.(trouble, split.region);
      if (trouble.request === "fatal") throw splitFailure(split.region, trouble);
      if (trouble.request === "split-finer") keysMax = Math.max(1, chosen.length >> 1);
      suggestedMs = Math.max(suggestedMs, trouble.suggestedMs);
    });
    if (cut.length > 0) {
      idleRounds = 0;
      backoff.reset();
      regions = await scanUntilShown(cut.sort(compareBytes), range, options, limits);
    } else {
      idleRounds++;
      await backoff.wait(signal, suggestedMs);
      regions = await scanRegions(range, options);
    }
  }
  throw splitFailure(last?.region, last?.trouble);
}

type SplitOutcome = { readonly ok: true; readonly parts: Region[] } | { readonly ok: false; readonly trouble: Trouble };

/** One request, and a second one to the leader that the first store named. */
async function splitOne(region: Region, keys: Uint8Array[], options: SplitOptions): Promise<SplitOutcome> {
  const outcome = await send(region, keys, options);
  if (outcome.ok || outcome.trouble.ask !== "hint") return outcome;
  const hinted = hintedRegion(region, region, outcome.trouble);
  return hinted === undefined ? outcome : await send(hinted, keys, options);
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

/** The regions once PD shows the keys as borders, which it learns from heartbeats, 10 to 80 ms after the answer (tikv.md 2). */
async function scanUntilShown(
  keys: readonly Uint8Array[],
  range: KeyRange,
  options: SplitOptions,
  limits: SplitLimits,
): Promise<Region[]> {
  const { clock, random, signal } = options;
  const giveUpAt = clock.monotonicMs() + limits.shownWithinMs;
  const backoff = new Backoff({ clock, random, firstMs: 20, maxMs: 500 });
  for (;;) {
    const regions = await scanRegions(range, options);
    if (planSplits(keys, regions).length === 0 || clock.monotonicMs() >= giveUpAt) return regions;
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
