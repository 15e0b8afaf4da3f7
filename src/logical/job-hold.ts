import { type Clock, type EventSink, LevinError } from "../base/mod.ts";
import { quoteText, type SqlLink, sqlErrno, type Tidb } from "../tidb/mod.ts";

/** Waits for the session of a process that has just ended, which a server notices a little later. */
export type Sleep = (ms: number) => Promise<void>;

/** TiDB takes a second for each question whose answer is yes. */
const ALIVE_TRIES = 3;
const ALIVE_WAIT_MS = 700;

/** Errors of a server without such locks: no function of this name, or one that does nothing (TiDB before 6.1). */
const NO_LOCKS = new Set([1305, 1235]);

/** Below the time that proxies leave a connection idle (a minute and more), and TiDB a lock to its session (performance.max-txn-ttl, an hour). */
const RENEW_MS = 30_000;
/** The server ends a session whose process was lost with its host, or stands still; several renewals have room in it. */
const IDLE_SECONDS = 120;
/** For such a session to be over. */
const WAIT_MS = 150_000;
/** Of one GET_LOCK. */
const GET_SECONDS = 1;
const RENEW_SECONDS = 5;
const AGAIN_MS = 2_000;
const GOODBYE_MS = 2_000;

/** The locks of which the process of a job holds one at least while it works. */
const locksOf = (job: string): readonly string[] => [quoteText(`levin_job.${job}`), quoteText(`levin_job.${job}.2`)];

/** Whether a process works at the job, or has ended while it was asked. A server that lacks such locks, or answers for them whatever it likes (TiDB before 6.1), says nothing of it. */
export async function lifeOf(query: Tidb["query"], job: string, sleep: Sleep): Promise<"alive" | "ended" | "unknown"> {
  const asked = locksOf(job).map((lock) => `IS_FREE_LOCK(${lock})`);
  for (let tried = 1; ; tried++) {
    const answer = await query(`SELECT ${asked.join(", ")}`).catch((error: unknown) => {
      if (sqlErrno(error) === undefined) throw error;
      return undefined;
    });
    if (!answer?.rows[0]?.includes("0")) return tried > 1 ? "ended" : "unknown";
    if (tried === ALIVE_TRIES) return "alive";
    await sleep(ALIVE_WAIT_MS);
  }
}

interface HoldOptions {
  clock: Clock;
  signal: AbortSignal;
  emit: EventSink;
  open(): Promise<SqlLink>;
}

/**
 * Says for the whole run that a process works at the job: two locks of the target (GET_LOCK), on a connection of its own. They are let go
 * and taken anew in turn, since TiDB ends them silently after an hour, so that one of them is held at any time; that also keeps the
 * connection from being idle. One that was lost is opened again. Where there is no lock to be had, others are not told, and the user is.
 */
export class JobHold {
  readonly #options: HoldOptions;
  readonly #locks: readonly string[];
  readonly #held = [false, false];
  readonly #stop = new AbortController();
  #link: SqlLink | undefined;
  #isLost = false;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(job: string, options: HoldOptions) {
    this.#locks = locksOf(job);
    this.#options = options;
  }

  /** Throws `Levin:State:ErrLocked` where another process works at the job, and when the signal is aborted. */
  static async take(job: string, options: HoldOptions): Promise<JobHold> {
    const hold = new JobHold(job, options);
    try {
      if (!(await hold.#patiently())) return hold;
    } catch (error) {
      hold.#drop();
      options.signal.throwIfAborted();
      if (!(error instanceof LevinError) || error.code === "Levin:State:ErrLocked") throw error;
      hold.#lost(error);
    }
    hold.#renewing = hold.#renew();
    return hold;
  }

  /** A server that does not answer lets go when it finds the connection broken. */
  async letGo(): Promise<void> {
    const { clock, signal } = this.#options;
    this.#stop.abort();
    const released = this.#renewing.then(() =>
      this.#link?.rows(`SELECT ${this.#locks.map((lock) => `RELEASE_LOCK(${lock})`).join(", ")}`),
    );
    await Promise.race([released, clock.sleep(GOODBYE_MS, signal)]).catch(() => undefined);
    this.#drop();
  }

  /** False: the server has no locks. */
  async #patiently(): Promise<boolean> {
    const { clock, signal, emit } = this.#options;
    const link = await this.#open();
    const since = clock.monotonicMs();
    for (let tried = 1; ; tried++) {
      const got = await unlessAborted(this.#takeBoth(link), signal, () => link.destroy());
      if (got === undefined) this.#drop();
      if (got !== false) return got === true;
      if (clock.monotonicMs() - since >= WAIT_MS) throw lockedBy(this.#locks[0]!);
      if (tried === ALIVE_TRIES) {
        const message = `Another session of the target holds the lock of this import (${this.#locks[0]}); waiting up to ${WAIT_MS / 1000} s for its end`;
        emit({ kind: "log", level: "warn", message });
      }
      await clock.sleep(AGAIN_MS, signal);
    }
  }

  async #open(): Promise<SqlLink> {
    const { open, signal } = this.#options;
    const opened = open();
    const tooLate = (): unknown => opened.then((late) => late.destroy()).catch(() => undefined);
    const link = await unlessAborted(opened, signal, tooLate);
    if (this.#stop.signal.aborted) link.destroy();
    this.#stop.signal.throwIfAborted();
    this.#link = link;
    const set = link.run(`SET SESSION wait_timeout = ${IDLE_SECONDS}`).catch((error: unknown) => {
      if (sqlErrno(error) === undefined) throw error;
    });
    await unlessAborted(set, signal, () => link.destroy());
    return link;
  }

  /** Both or none; undefined: the server has no locks. */
  async #takeBoth(link: SqlLink): Promise<boolean | undefined> {
    for (const [i, lock] of this.#locks.entries()) {
      const got = await get(link, lock, GET_SECONDS);
      this.#held[i] = got === true;
      if (got === true) continue;
      // The other process may be about to take it anew.
      if (i === 1) await link.rows(`SELECT RELEASE_LOCK(${this.#locks[0]})`);
      this.#held.fill(false);
      return got;
    }
    return true;
  }

  async #renew(): Promise<void> {
    for (let turn = 0; ; turn = 1 - turn) {
      try {
        await this.#options.clock.sleep(RENEW_MS, this.#stop.signal);
      } catch {
        return;
      }
      try {
        if (this.#link === undefined) {
          // Its former session may have them still.
          if ((await this.#takeBoth(await this.#open())) === false) this.#drop();
        } else await this.#takeAgain(this.#link, this.#held.includes(false) ? this.#held.indexOf(false) : turn);
        if (this.#link !== undefined) this.#isLost = false;
      } catch (error) {
        this.#drop();
        this.#lost(error);
      }
    }
  }

  /** One is let go only while the other is held. */
  async #takeAgain(link: SqlLink, turn: number): Promise<void> {
    const lock = this.#locks[turn]!;
    if (this.#held[turn] && this.#held[1 - turn]) await link.rows(`SELECT RELEASE_LOCK(${lock})`);
    this.#held[turn] = (await get(link, lock, RENEW_SECONDS)) === true;
  }

  #lost(error: unknown): void {
    const { signal, emit } = this.#options;
    if (this.#isLost || signal.aborted || this.#stop.signal.aborted) return;
    this.#isLost = true;
    const message = `Other imports of the same files cannot be told that this one is under way (tried again every ${RENEW_MS / 1000} s): ${LevinError.from(error).message}`;
    emit({ kind: "log", level: "warn", message });
  }

  #drop(): void {
    this.#link?.destroy();
    this.#link = undefined;
    this.#held.fill(false);
  }
}

/** False: another session has it; undefined: the server has no locks. */
async function get(link: SqlLink, lock: string, seconds: number): Promise<boolean | undefined> {
  let answer: string | null | undefined;
  try {
    answer = (await link.rows(`SELECT GET_LOCK(${lock}, ${seconds})`))[0]?.[0];
  } catch (error) {
    if (NO_LOCKS.has(sqlErrno(error) ?? 0)) return undefined;
    throw error;
  }
  if (answer === "1" || answer === "0") return answer === "1";
  throw new LevinError("Levin:Tidb:ErrSql", `The target did not say whether the lock ${lock} is held`);
}

function lockedBy(lock: string): LevinError {
  const message = `Cannot continue the import: another process works at it, a session of which has held the lock ${lock} of the target for ${WAIT_MS / 1000} s`;
  return new LevinError("Levin:State:ErrLocked", message);
}

/** The answer, or the signal's reason as soon as it is aborted, with `giveUp` called. */
function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal, giveUp: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason);
      giveUp();
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
