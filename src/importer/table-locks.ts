import { underLocks } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";

/** A server keeps a transaction for each lock. Who imports the same dump twice, or parts of it, is met by the first of its tables. */
const LOCKS_MAX = 64;
/** A server finds out only some time later that the machine of a client is gone. */
const PATIENCE_MS = 180_000;
/** A connection that is not used may be cut, and one that was cut is to be noticed. */
const KEEP_MS = 60_000;

export interface TableLocks {
  /** Aborted where the locks were lost and another import has taken one. */
  readonly lost: AbortSignal;
  /** Gives them back. */
  release(): Promise<void>;
  /** Ends the connection that has them, if they were not given back: a server that does not answer must not keep a run that failed. */
  drop(): Promise<void>;
}

/**
 * Keeps other physical imports out of the tables while this one fills them: both would give their rows the same row ids, and either
 * checksum could be right before the other one's pairs come. Held in one session until released; after a lost connection they are taken
 * again. Throws `Levin:Tidb:ErrLocked`.
 */
export async function lockTables({ tidb, env, plan }: RunContext): Promise<TableLocks> {
  const { clock, emit } = env;
  const lost = new AbortController();
  const over = new AbortController();
  const names = plan.tables.map(({ name }) => `levin_import.${name}`).sort();
  const wish = {
    names: names.slice(0, LOCKS_MAX),
    patienceMs: PATIENCE_MS,
    onWait: (name: string): void => {
      const what = `the lock ${name}: another import fills the table, or the server still believes in one that has died`;
      emit({ kind: "log", level: "warn", message: `Waiting up to ${PATIENCE_MS / 1000} s for ${what}` });
    },
  };
  let session: Promise<void> = Promise.resolve();
  let isDropped = false;
  await new Promise<void>((resolve, reject) => {
    session = underLocks(tidb, wish, async (query) => {
      resolve();
      while (!over.signal.aborted) {
        await clock.sleep(KEEP_MS, over.signal).catch(() => undefined);
        if (!over.signal.aborted) await query("DO 1");
      }
      if (isDropped) throw new Error("the locks were dropped");
    });
    session.catch((error) => {
      reject(error);
      lost.abort(error);
    });
  });
  return {
    lost: lost.signal,
    release: () => {
      over.abort();
      return session;
    },
    drop: async () => {
      isDropped = true;
      over.abort();
      await session.catch(() => undefined);
    },
  };
}
