import { type Clock, type EventSink, LevinError, type Random } from "../base/mod.ts";
import { Patience } from "../cluster/mod.ts";
import type { Tidb } from "../tidb/mod.ts";

export interface PatienceOptions {
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  emit: EventSink;
  /** From the first failure of one thing on. */
  patienceMs: number;
  /** Asked after each failure: the error to end with where waiting is of no use. */
  hopeless?: (failure: LevinError) => Promise<LevinError | undefined>;
}

/**
 * Tries again while TiDB cannot be reached: it may restart in the middle of an import. Only for what may be done twice, since an answer
 * may have been lost.
 */
export async function patiently<T>(options: PatienceOptions, run: () => Promise<T>): Promise<T> {
  const { clock, random, signal, patienceMs } = options;
  const patience = new Patience({ clock, random, firstMs: 200, maxMs: 10_000, patienceMs });
  for (;;) {
    try {
      return await run();
    } catch (thrown) {
      if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Tidb:ErrUnavailable") throw thrown;
      signal.throwIfAborted();
      const final = await options.hopeless?.(thrown);
      if (final !== undefined) throw final;
      const waitMs = patience.nextMs();
      if (waitMs === undefined) throw thrown;
      options.emit({ kind: "log", level: "warn", message: `${thrown.message} (trying again)` });
      await clock.sleep(waitMs, signal);
    }
  }
}

/**
 * TiDB with patience. Every statement of the importer may be run twice: DDL says that the thing exists, allocators are only raised. A
 * session begins anew as a whole, for its connection's state is gone.
 */
export function patientTidb(tidb: Tidb, options: PatienceOptions): Tidb {
  return {
    address: tidb.address,
    query: (sql, values) => patiently(options, () => tidb.query(sql, values)),
    session: (use) => patiently(options, () => tidb.session(use)),
    close: () => tidb.close(),
  };
}
