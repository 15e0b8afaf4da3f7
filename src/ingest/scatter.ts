import { type Clock, inParallel, type Random } from "../base/mod.ts";
import { Backoff, type PdClient } from "../cluster/mod.ts";

interface ScatterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pd: Pick<PdClient, "scatterRegions" | "getOperator">;
  /** PD balances the regions of one group against each other: one group a table. */
  readonly group: string;
  readonly signal?: AbortSignal;
  /** The whole wait; Lightning gives 3 minutes. */
  readonly withinMs?: number;
  readonly concurrency?: number;
}

interface ScatterOutcome {
  /** Regions that PD spread, or found in place. */
  readonly done: number;
  /** Regions that PD refused or was not ready with in time. */
  readonly left: number;
  /** Why, when PD did not answer. */
  readonly trouble?: unknown;
}

const idsPerRequest = 256;
const withinMsDefault = 3 * 60_000;
const scatterName = "scatter-region";

/** Spreads regions over the stores. Best effort by design: whatever goes wrong, an import goes on; only an abort is thrown. */
export async function scatterRegions(ids: readonly bigint[], options: ScatterOptions): Promise<ScatterOutcome> {
  const { clock, signal } = options;
  const giveUpAt = clock.monotonicMs() + (options.withinMs ?? withinMsDefault);
  let done = 0;
  try {
    const waiting: bigint[] = [];
    for (let at = 0; at < ids.length && clock.monotonicMs() < giveUpAt; at += idsPerRequest) {
      const some = ids.slice(at, at + idsPerRequest);
      const failed = new Set(await options.pd.scatterRegions(some, options.group, signal));
      for (const id of some) if (!failed.has(id)) waiting.push(id);
    }
    await inParallel(waiting, options.concurrency ?? 16, async (id) => {
      if (await hasSettled(id, options, giveUpAt)) done++;
    });
    return { done, left: ids.length - done };
  } catch (trouble) {
    signal?.throwIfAborted();
    return { done, left: ids.length - done, trouble };
  }
}

/** Done is: no operator, another operator, or one that is no longer running; SUCCESS stays visible for a while. */
async function hasSettled(id: bigint, options: ScatterOptions, giveUpAt: number): Promise<boolean> {
  const { clock, random, pd, signal } = options;
  const backoff = new Backoff({ clock, random, firstMs: 50, maxMs: 1_000 });
  for (;;) {
    const operator = await pd.getOperator(id, signal);
    if (operator === undefined || operator.description !== scatterName || !operator.isRunning) return true;
    if (clock.monotonicMs() >= giveUpAt) return false;
    await backoff.wait(signal);
  }
}
