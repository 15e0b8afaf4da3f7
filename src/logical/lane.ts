import { type Clock, type EventSink, LevinError, type Random } from "../base/mod.ts";
import { Patience } from "../cluster/mod.ts";
import type { SqlLink } from "../tidb/mod.ts";
import type { PositionTable } from "./position-table.ts";
import { faultOf } from "./sql-faults.ts";

/** For a beginning that is interrupted to end by itself: a server that notices late that its client is gone would keep the job's row locked. */
const BEGIN_GRACE_MS = 1_000;

interface LaneOptions {
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  emit: EventSink;
  /** From the first failure of one thing on. */
  patienceMs: number;
  /** A new connection, set up but for the time zone. */
  open(): Promise<SqlLink>;
  positions: PositionTable;
}

/** What a lane works at. */
interface Place {
  batch: number;
  chunk: number;
  position: number;
}

/**
 * One connection that brings rows in, transaction after transaction. A transaction that was refused or whose answer was lost is repeated
 * only after the target has said that it was not applied.
 */
export class Lane {
  readonly #options: LaneOptions;
  #link: SqlLink | undefined;
  #timeZone: string | undefined;
  #place: Place = { batch: 0, chunk: 0, position: 0 };

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Takes a chunk; the number of its rows that are in already. */
  async begin(batch: number, chunk: number, table: { database: string; table: string }): Promise<number> {
    this.#place = { batch, chunk, position: 0 };
    const position = await this.#patiently(() =>
      this.#onLink((link) => this.#options.positions.begin(link, batch, chunk, table), BEGIN_GRACE_MS),
    );
    this.#place.position = position;
    return position;
  }

  /** Of the statements that follow; undefined: the connection's own. */
  async useTimeZone(zone: string | undefined): Promise<void> {
    if (zone === this.#timeZone) return;
    // A connection of its own for each zone: the zone that it began with is the server's secret.
    this.#drop();
    this.#timeZone = zone;
  }

  /** Runs `work` in one transaction that also moves the position to `to`. `work` may run several times; its last result counts. */
  async move<T>(to: number, work: (link: SqlLink) => Promise<T>): Promise<T> {
    const { positions } = this.#options;
    const { batch, chunk, position: from } = this.#place;
    let unsettled = false;
    let done: { result: T } | undefined;
    return this.#patiently(async () => {
      if (unsettled) {
        const now = await this.#onLink((link) => positions.read(link, batch, chunk));
        if (now === to && done !== undefined) {
          this.#place.position = to;
          return done.result;
        }
        if (now !== from) throw moved(batch, chunk, from, now);
      }
      unsettled = true;
      return this.#onLink(async (link) => {
        done = undefined;
        const result = await work(link);
        if (!(await positions.move(link, batch, chunk, from, to))) {
          const now = await positions.read(link, batch, chunk);
          throw moved(batch, chunk, from, now);
        }
        done = { result };
        await link.run("COMMIT");
        this.#place.position = to;
        return result;
      });
    });
  }

  close(): void {
    this.#drop();
  }

  /** Rolls back after an error, or drops the connection where that is not possible. */
  async #onLink<T>(use: (link: SqlLink) => Promise<T>, graceMs = 0): Promise<T> {
    this.#options.signal.throwIfAborted();
    if (this.#link === undefined) {
      const link = await this.#options.open();
      try {
        if (this.#timeZone !== undefined) await link.run(`SET time_zone = '${this.#timeZone.replaceAll("'", "''")}'`);
      } catch (error) {
        link.destroy();
        throw error;
      }
      this.#link = link;
    }
    const link = this.#link;
    // Interrupted while it was opened: the listener below would never hear of it.
    if (this.#options.signal.aborted) this.#drop();
    this.#options.signal.throwIfAborted();
    // A statement that waits for a lock must not hold up the end of a run.
    const over = new AbortController();
    const abort = (): void => {
      const late = (): void => link.destroy();
      if (graceMs === 0) late();
      else this.#options.clock.sleep(graceMs, over.signal).then(late, () => undefined);
    };
    this.#options.signal.addEventListener("abort", abort, { once: true });
    try {
      return await use(link);
    } catch (error) {
      if (error instanceof LevinError && error.code === "Levin:Tidb:ErrSql")
        await link.run("ROLLBACK").catch(() => this.#drop());
      else this.#drop();
      throw error;
    } finally {
      over.abort();
      this.#options.signal.removeEventListener("abort", abort);
    }
  }

  #drop(): void {
    this.#link?.destroy();
    this.#link = undefined;
  }

  async #patiently<T>(run: () => Promise<T>): Promise<T> {
    const { clock, random, signal, emit, patienceMs } = this.#options;
    const patience = new Patience({ clock, random, firstMs: 50, maxMs: 10_000, patienceMs });
    for (;;) {
      try {
        return await run();
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof LevinError)) throw thrown;
        const fault = faultOf(thrown);
        if (fault !== "retry" && fault !== "lost") throw thrown;
        const waitMs = patience.nextMs();
        if (waitMs === undefined) throw thrown;
        emit({
          kind: "log",
          level: fault === "lost" ? "warn" : "info",
          message: `${thrown.message} (trying again)`,
        });
        await clock.sleep(waitMs, signal);
      }
    }
  }
}

function moved(batch: number, chunk: number, from: number, now: number): LevinError {
  return new LevinError(
    "Levin:State:ErrLocked",
    `Cannot go on with chunk ${chunk}: it was at row ${from} and is at ${now}; does another process run the same import?`,
    { fields: { batch, chunk } },
  );
}
