import { createHash } from "node:crypto";
import { LevinError } from "../base/mod.ts";
import { quoteText, sqlErrno, type Tidb } from "./connection.ts";

/** MySQL's names of locks have so many characters at most. */
const NAME_MAX = 64;
/** Of one GET_LOCK; TiDB cuts longer waits at an hour. */
const WAIT_SECONDS_MAX = 60;

/**
 * Runs `work` in a session that holds a lock of the target by this name (GET_LOCK). A server keeps it until the session's last statement
 * has ended, also where the client is gone: whoever has the lock knows that nothing of a former holder is still to come. Throws
 * `Levin:Tidb:ErrLocked` where it is not to be had within `patienceMs`. A server without such locks (TiDB before 6.1) does without.
 */
export async function underLock(
  tidb: Tidb,
  { name, patienceMs }: { name: string; patienceMs: number },
  work: (query: Tidb["query"]) => Promise<void>,
): Promise<void> {
  const lock = quoteText(name.length <= NAME_MAX ? name : shortened(name));
  const seconds = Math.max(1, Math.ceil(patienceMs / 1000));
  await tidb.session(async (query) => {
    for (let waited = 0; ; ) {
      const wait = Math.min(WAIT_SECONDS_MAX, seconds - waited);
      const got = await query(`SELECT GET_LOCK(${lock}, ${wait})`).catch(ignoreRefusal);
      if (got?.rows[0]?.[0] !== "0") break;
      waited += wait;
      if (waited < seconds) continue;
      const message = `Cannot get the lock ${lock} in the target: another session has held it for ${seconds} s`;
      throw new LevinError("Levin:Tidb:ErrLocked", message);
    }
    try {
      await work(query);
    } finally {
      await query(`SELECT RELEASE_LOCK(${lock})`).catch(() => undefined);
    }
  });
}

function shortened(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return `${name.slice(0, NAME_MAX - 33)}.${digest.slice(0, 32)}`;
}

function ignoreRefusal(error: unknown): undefined {
  if (sqlErrno(error) === undefined) throw error;
  return undefined;
}
