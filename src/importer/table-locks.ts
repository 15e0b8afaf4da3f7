import { LevinError } from "../base/mod.ts";
import { type Tidb, underLocks } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";
import type { ImportEnvironment } from "./options.ts";
import { patiently } from "./patient-tidb.ts";

/** A server keeps a transaction for each lock. Who imports the same dump twice, or parts of it, is met by the first of its tables. */
const TABLES_MAX = 64;
/** A server finds out only some time later that the machine of a client is gone. */
const PATIENCE_MS = 180_000;
/** A connection that is not used may be cut, and one that was cut is to be noticed. */
const KEEP_MS = 60_000;
/** TiDB gives up locks that are older than its `max-txn-ttl`: an hour, unless somebody changes it. */
const RENEW_MS = 600_000;
/** Of connections that are to be ended. */
const GOODBYE_MS = 1_000;

type LockNames = readonly string[];
type LockEnvironment = Pick<ImportEnvironment, "clock" | "random" | "signal" | "emit">;

export interface TableLocks {
  /** Aborted where all of them were lost and another import has taken one. */
  readonly lost: AbortSignal;
  /** Ends the connections that have them, with which the server gives them up. Never fails, and does not wait for an answer. */
  close(): Promise<void>;
}

/**
 * Keeps other physical imports out of the tables while this one fills them: both would give their rows the same row ids, and either
 * checksum could be right before the other one's pairs come. A table has two locks, held in a session each; one of them at a time is given
 * back and taken anew, so that they do not become too old, and who has one still keeps others from having both. A server that is away is
 * waited for while the import goes on. Throws `Levin:Tidb:ErrLocked`.
 */
export async function lockTables(
  { env, plan, options }: Pick<RunContext, "env" | "plan" | "options">,
  tidb: Pick<Tidb, "session">,
): Promise<TableLocks> {
  const tables = plan.tables.map(({ name }) => `levin_import.${name}`).sort();
  const names = tables.slice(0, TABLES_MAX);
  const lost = new AbortController();
  const over = new AbortController();
  const [first, second] = [names, names.map((name) => `${name}.2`)].map(
    (own) => new Side(tidb, own, env, over.signal),
  ) as [Side, Side];
  const kept: Promise<void>[] = [];
  const close = async (): Promise<void> => {
    over.abort();
    const waited = new AbortController();
    const end = env.clock.sleep(GOODBYE_MS, waited.signal).catch(() => undefined);
    await Promise.race([Promise.all(kept), end]);
    waited.abort();
  };
  try {
    for (const side of [first, second])
      await patiently({ ...env, patienceMs: options.retryDeadlineMs }, () => side.take());
  } catch (error) {
    await close();
    throw error;
  }
  kept.push(first.keep(second, lost), second.keep(first, lost));
  return { lost: lost.signal, close };
}

/** One of the two locks of each table, in a session of its own. */
class Side {
  /** No other import has both locks meanwhile. */
  isHeld = false;
  readonly #tidb: Pick<Tidb, "session">;
  readonly #names: LockNames;
  readonly #env: LockEnvironment;
  readonly #over: AbortSignal;
  #other: Side | undefined;
  /** Its end: the error that ended it, or undefined where the locks were given back. */
  #session: Promise<unknown> = Promise.resolve();

  constructor(tidb: Pick<Tidb, "session">, names: LockNames, env: LockEnvironment, over: AbortSignal) {
    this.#tidb = endedBy(tidb, over);
    this.#names = names;
    this.#env = env;
    this.#over = over;
  }

  /** Resolves when it has them all. */
  take(): Promise<void> {
    const wish = {
      names: this.#names,
      patienceMs: PATIENCE_MS,
      onWait: (name: string) => this.#sayWait(name),
    };
    return new Promise((resolve, reject) => {
      const session = underLocks(this.#tidb, wish, async (query) => {
        this.isHeld = true;
        resolve();
        try {
          await this.#hold(query);
        } finally {
          this.isHeld = false;
        }
      });
      session.catch(reject);
      this.#session = session.catch((error: unknown) => error);
    });
  }

  /** Until they are old, and the other side has its own. */
  async #hold(query: Tidb["query"]): Promise<void> {
    const { clock } = this.#env;
    const sinceMs = clock.monotonicMs();
    for (;;) {
      await clock.sleep(KEEP_MS, this.#over);
      if (clock.monotonicMs() - sinceMs >= RENEW_MS && this.#other?.isHeld) return;
      await query("DO 1");
    }
  }

  /** Takes them anew, again and again; ends when all is over, or when neither side has its locks and another import has one of them. */
  async keep(other: Side, lost: AbortController): Promise<void> {
    this.#other = other;
    const { clock } = this.#env;
    for (let said = false; ; ) {
      let failure = await this.#session;
      if (this.#over.aborted) return;
      if (failure === undefined)
        failure = await this.take().then(
          () => undefined,
          (error: unknown) => error,
        );
      if (failure === undefined) {
        said = false;
        continue;
      }
      if (this.#over.aborted) return;
      const error = LevinError.from(failure);
      if (error.code === "Levin:Tidb:ErrLocked" && !other.isHeld) {
        lost.abort(error);
        return;
      }
      if (!said) this.#warn(`The locks of the tables are taken again, while the import goes on: ${error.message}`);
      said = true;
      await clock.sleep(KEEP_MS, this.#over).catch(() => undefined);
      this.#session = Promise.resolve();
    }
  }

  #sayWait(name: string): void {
    const what = `the lock ${name}: another import fills the table, or the server still believes in one that has died`;
    this.#warn(`Waiting up to ${PATIENCE_MS / 1000} s for ${what}`);
  }

  #warn(message: string): void {
    this.#env.emit({ kind: "log", level: "warn", message });
  }
}

/** Sessions whose statements fail at once when all is over: their connections are closed, whatever the server does. */
function endedBy(tidb: Pick<Tidb, "session">, over: AbortSignal): Pick<Tidb, "session"> {
  const unlessOver = <T>(answer: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const end = (): void => reject(new Error("the locks are not needed any more"));
      if (over.aborted) return end();
      over.addEventListener("abort", end, { once: true });
      answer()
        .then(resolve, reject)
        .finally(() => over.removeEventListener("abort", end));
    });
  return {
    session: (use) => tidb.session((query) => use((sql, values) => unlessOver(() => query(sql, values)))),
  };
}
