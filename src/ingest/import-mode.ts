import { type Clock, inParallel } from "../base/mod.ts";
import type { KeyRange, Store, TikvClient } from "../cluster/mod.ts";
import { Lease } from "./lease.ts";

interface ImportModeOptions {
  readonly clock: Clock;
  readonly tikv: Pick<TikvClient, "switchMode" | "stores">;
  /** After this time a store leaves import mode by itself (`import.import-mode-timeout`, 10 minutes); renewed at a third of it. */
  readonly timeoutMs?: number;
  /** Renewed this often where that is sooner: stores may be configured with a shorter time. */
  readonly renewMs?: number;
  /** Read by the partitioned engine only. */
  readonly ranges?: readonly KeyRange[];
  readonly onTrouble?: (thrown: unknown, store: Store | undefined) => void;
  readonly signal?: AbortSignal;
}

const timeoutMsDefault = 10 * 60_000;
const undoWithinMs = 15_000;
const storesAtATime = 8;

/**
 * Import mode on all stores while it is open: their level 0 takes any number of files. A store that refuses is reported, as an import
 * works without it, if more slowly. `await using`.
 */
export class ImportModeKeeper {
  readonly #lease: Lease;

  private constructor(lease: Lease) {
    this.#lease = lease;
  }

  static async open(options: ImportModeOptions): Promise<ImportModeKeeper> {
    const lease = new Lease({
      clock: options.clock,
      everyMs: Math.min((options.timeoutMs ?? timeoutMsDefault) / 3, options.renewMs ?? Number.POSITIVE_INFINITY),
      renew: (signal) => switchStores(options, "import", signal),
      undo: (signal) => switchStores(options, "normal", signal),
      undoWithinMs,
      onTrouble: (thrown) => options.onTrouble?.(thrown, undefined),
    });
    try {
      await switchStores(options, "import", options.signal);
    } catch (thrown) {
      // Some stores may be in import mode already.
      await lease.close();
      throw thrown;
    }
    return new ImportModeKeeper(lease);
  }

  /** Back to normal mode. Never throws. */
  close(): Promise<void> {
    return this.#lease.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Says it to every store that lives; the list is fresh, so a store that came later is included. */
export async function switchStores(
  options: Pick<ImportModeOptions, "tikv" | "ranges" | "onTrouble">,
  mode: "import" | "normal",
  signal: AbortSignal | undefined,
): Promise<void> {
  const stores = await options.tikv.stores.all(signal);
  await inParallel(stores, storesAtATime, async (store) => {
    try {
      await options.tikv.switchMode(store, mode, options.ranges ?? [], signal);
    } catch (thrown) {
      signal?.throwIfAborted();
      options.onTrouble?.(thrown, store);
    }
  });
}
