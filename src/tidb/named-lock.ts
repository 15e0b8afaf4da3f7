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

export interface LockWish {
  /** In an order that all who want several of them have. */
  names: readonly string[];
  /** For each. */
  patienceMs: number;
  /** Somebody else has it: it is waited for. */
  onWait?: (name: string) => void;
}

/**
 * Runs `work` in a session that holds locks of the target by these names (GET_LOCK). A server keeps them until the session's last statement
 * has ended, also where the client is gone: whoever has a lock knows that nothing of a former holder is still to come. Throws
 * `Levin:Tidb:ErrLocked` where one is not to be had within `patienceMs`. A server that has no such locks does without.
 */
export async function underLocks(
  tidb: Pick<Tidb, "session">,
  { names, patienceMs, onWait }: LockWish,
  work: (query: Tidb["query"]) => Promise<void>,
): Promise<void> {
  const seconds = Math.max(1, Math.ceil(patienceMs / 1000));
  await tidb.session(async (query) => {
    const held: string[] = [];
    try {
      for (const name of names) {
        const lock = quoteText(name.length <= NAME_MAX ? name : shortened(name));
        if (!(await take(query, lock, seconds, () => onWait?.(name)))) break;
        held.push(lock);
      }
      await work(query);
    } catch (error) {
      await giveBackAfter(query, held, error);
      throw error;
    }
    for (const lock of held) await giveBack(query, lock);
  });
}

/**
 * After an error of the server the connection is used again: without the locks, or not at all. After any other error it ends by itself, and
 * so do the locks. Throws an error of the latter kind, with the first one as its cause, where a lock could not be given back.
 */
async function giveBackAfter(query: Tidb["query"], held: readonly string[], error: unknown): Promise<void> {
  if (!(error instanceof LevinError) || error.code !== "Levin:Tidb:ErrSql") return;
  try {
    for (const lock of held) await giveBack(query, lock);
  } catch (failure) {
    throw new LevinError("Levin:Tidb:ErrUnavailable", `${error.message} (${LevinError.from(failure).message})`, {
      cause: error,
    });
  }
}

/** False where the server has no locks. */
async function take(query: Tidb["query"], lock: string, seconds: number, onWait: () => void): Promise<boolean> {
  for (let waited = 0; waited < seconds; ) {
    if (waited === 1) onWait();
    // Whether it has to wait is known soon.
    const wait = waited === 0 ? 1 : Math.min(WAIT_SECONDS_MAX, seconds - waited);
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

/** Where that fails the connection must not be used again, since it has the lock still. */
async function giveBack(query: Tidb["query"], lock: string): Promise<void> {
  try {
    await query(`SELECT RELEASE_LOCK(${lock})`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LevinError("Levin:Tidb:ErrUnavailable", `Cannot give back the lock ${lock}: ${why}`, { cause });
  }
}

function shortened(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return `${name.slice(0, NAME_MAX - 33)}.${digest.slice(0, 32)}`;
}
