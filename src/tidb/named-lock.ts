import { createHash } from "node:crypto";
import { LevinError } from "../base/mod.ts";
import { quoteText, sqlErrno, type Tidb } from "./connection.ts";

/** MySQL's names of locks have so many characters at most. */
const NAME_MAX = 64;
/** Of one GET_LOCK; TiDB cuts longer waits at an hour. */
const WAIT_SECONDS_MAX = 60;

/** Errors of a server without such locks: no function of this name, or one that does nothing (TiDB before 6.1). */
const NO_FUNCTION = 1305;
const NOOP_FUNCTION = 1235;

/**
 * Runs `work` in a session that holds a lock of the target by this name (GET_LOCK). A server keeps it until the session's last statement
 * has ended, also where the client is gone: whoever has the lock knows that nothing of a former holder is still to come. Throws
 * `Levin:Tidb:ErrLocked` where it is not to be had within `patienceMs`. A server that has no such locks does without.
 */
export async function underLock(
  tidb: Pick<Tidb, "session">,
  { name, patienceMs }: { name: string; patienceMs: number },
  work: (query: Tidb["query"]) => Promise<void>,
): Promise<void> {
  const lock = quoteText(name.length <= NAME_MAX ? name : shortened(name));
  await tidb.session(async (query) => {
    const isHeld = await take(query, lock, Math.max(1, Math.ceil(patienceMs / 1000)));
    let isDone = false;
    try {
      await work(query);
      isDone = true;
    } finally {
      if (isHeld) await giveBack(query, lock, isDone);
    }
  });
}

/** False where the server has no locks. */
async function take(query: Tidb["query"], lock: string, seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds; ) {
    const wait = Math.min(WAIT_SECONDS_MAX, seconds - waited);
    let answer: string | null | undefined;
    try {
      answer = (await query(`SELECT GET_LOCK(${lock}, ${wait})`)).rows[0]?.[0];
    } catch (error) {
      const errno = sqlErrno(error);
      if (errno === NO_FUNCTION || errno === NOOP_FUNCTION) return false;
      throw error;
    }
    if (answer === "1") return true;
    if (answer !== "0") throw new LevinError("Levin:Tidb:ErrSql", `TiDB did not say whether the lock ${lock} is held`);
    waited += wait;
  }
  const message = `Cannot get the lock ${lock} in the target: another session has held it for ${seconds} s`;
  throw new LevinError("Levin:Tidb:ErrLocked", message);
}

/** Where that fails the connection must not be used again, since it has the lock still; the error of what failed before goes first. */
async function giveBack(query: Tidb["query"], lock: string, isDone: boolean): Promise<void> {
  try {
    await query(`SELECT RELEASE_LOCK(${lock})`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (isDone)
      throw new LevinError("Levin:Tidb:ErrUnavailable", `Cannot give back the lock ${lock}: ${why}`, { cause });
  }
}

function shortened(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return `${name.slice(0, NAME_MAX - 33)}.${digest.slice(0, 32)}`;
}
