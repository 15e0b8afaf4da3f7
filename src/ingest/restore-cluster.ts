import type { Store, TikvClient } from "../cluster/mod.ts";
import { switchStores } from "./import-mode.ts";
import { foundPause, type PauseApi, pauseRulePrefix, undoPause } from "./scheduler-pause.ts";

interface RestoreOptions {
  readonly pd: PauseApi;
  readonly tikv: Pick<TikvClient, "switchMode" | "stores">;
  /** Rules whose id begins so are removed: `levin-<job>`, or all of levin's. */
  readonly rulePrefix?: string;
  readonly onTrouble?: (thrown: unknown, store: Store | undefined) => void;
  readonly signal?: AbortSignal;
}

export interface Restored {
  /** Label rules that were there and are removed. */
  readonly rules: readonly string[];
  /** Schedulers that were told to run again. */
  readonly schedulers: readonly string[];
}

/**
 * Undoes what a killed run left: all stores to normal mode, label rules removed, paused schedulers resumed. All of it would end by
 * itself after its time limit; this is for those who do not want to wait.
 */
export async function restoreCluster(options: RestoreOptions): Promise<Restored> {
  const { pd, signal } = options;
  await switchStores(options, "normal", signal);
  const prefix = options.rulePrefix ?? pauseRulePrefix;
  const rules = (await ruleIds(options)).filter((id) => id.startsWith(prefix));
  for (const ruleId of rules) await undoPause({ kind: "rule", ruleId }, pd, signal);
  const found = await foundPause(pd, signal);
  if (found !== undefined) await undoPause(found, pd, signal);
  return { rules, schedulers: found?.names ?? [] };
}

/** A PD without label rules has none to remove. */
async function ruleIds(options: RestoreOptions): Promise<string[]> {
  try {
    return await options.pd.labelRuleIds(options.signal);
  } catch (thrown) {
    options.signal?.throwIfAborted();
    options.onTrouble?.(thrown, undefined);
    return [];
  }
}
