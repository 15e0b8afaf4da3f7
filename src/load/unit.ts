import { LevinError, type LevinEvent } from "../base/mod.ts";
import { readVersion } from "../tidb/mod.ts";
import { CheckpointList } from "./checkpoint-list.ts";
import { DmError, dmError, type ProcessError, processError, toDmError } from "./dm-error.ts";
import type { ResolvedSession } from "./engine-config.ts";
import { Restore } from "./restore.ts";
import { isResumableError } from "./resumable.ts";
import { resolveSqlMode, TIME_ZONE_QUERY, timeZoneOffset } from "./sql-mode.ts";
import { type LoadStatus, progressText, SpeedRecorder } from "./status.ts";
import type { SubTask } from "./subtask.ts";
import type { Acceptance, LoadUnitEnvironment } from "./unit-environment.ts";
import { emptyRecord, type UnitRecord, UnitStateTable } from "./unit-state.ts";

/** The one result of a run: DM's `pb.ProcessResult`. */
export interface ProcessResult {
  isCanceled: boolean;
  errors: ProcessError[];
}

/** What is shown beyond DM's status. */
export interface UnitDetail {
  phase: string;
  table: string;
  rows: number;
  /** Values that did not fit and were changed, as the SQL mode lets it; known when all rows are in. */
  changedValues: number;
  tablesDone: number;
  /** Seconds; undefined while nothing can be said. */
  etaSeconds: number | undefined;
  waitingFor: readonly string[];
  lastError: ProcessError | undefined;
  elapsedMs: number;
}

/** What a unit keeps while it lives; `Restore` writes it. */
export interface UnitProgress {
  finishedBytes: number;
  totalBytes: number;
  position: string;
  gtid: string;
  finished: boolean;
  lastError: DmError | undefined;
  waitingFor: readonly string[];
  stage: string;
  table: string;
  rows: number;
  changedValues: number;
  tablesDone: number;
}

/**
 * DM's load unit: one source of one task, brought into the target by the engine. Life: `init`, then `process` once and, after `pause` or an
 * error, `resume` any number of times, `close` at the end. `process` and `resume` always resolve, with one result; they do not run twice
 * at the same time.
 */
export class LoadUnit {
  readonly type = "Load";
  readonly #env: LoadUnitEnvironment;
  #subtask: SubTask;
  #session: ResolvedSession = { sqlMode: "", timeZone: "" };
  #restore: Restore | undefined;
  #running: { stop: AbortController; ended: Promise<unknown> } | undefined;
  #closed = false;
  #failure: DmError | undefined;
  readonly #speed: SpeedRecorder;
  readonly #startedMs: number;
  readonly #progress: UnitProgress = {
    finishedBytes: 0,
    totalBytes: 0,
    position: "",
    gtid: "",
    finished: false,
    lastError: undefined,
    waitingFor: [],
    stage: "init",
    table: "",
    rows: 0,
    changedValues: 0,
    tablesDone: 0,
  };

  constructor(subtask: SubTask, env: LoadUnitEnvironment) {
    this.#subtask = subtask;
    this.#env = env;
    this.#speed = new SpeedRecorder(env.clock);
    this.#startedMs = env.clock.monotonicMs();
  }

  /** Opens the target, makes the lists, resolves time zone and SQL mode. After a failure the unit is closed already. Throws DmError. */
  async init(): Promise<void> {
    const { name, sourceId, metaSchema, timezone } = this.#subtask;
    const env = this.#env;
    const warn = (message: string) => env.emit({ kind: "log", level: "warn", message });
    const tidb = await env.connect(env.target).catch((thrown: unknown) => {
      throw toDmError(thrown);
    });
    try {
      const list = new CheckpointList(tidb, metaSchema, name, sourceId, warn);
      await list.prepare();
      const table = new UnitStateTable(tidb, metaSchema, name, sourceId);
      await table.prepare();
      const record: UnitRecord = (await table.read()) ?? { ...emptyRecord };
      let timeZone = timezone;
      if (timeZone === "") {
        const answer = await tidb.query(TIME_ZONE_QUERY);
        timeZone = timeZoneOffset(answer.rows[0]?.[0]) ?? "";
        if (timeZone === "") throw new Error(`the target's time zone cannot be told from "${answer.rows[0]?.[0]}"`);
      }
      const { isTidb } = await readVersion(tidb);
      this.#session = { timeZone, sqlMode: resolveSqlMode(this.#subtask, warn), isTidb };
      this.#restore = new Restore({ env, tidb, list, table, record, progress: this.#progress });
      this.#progress.position = record.position;
      this.#progress.gtid = record.gtid;
      this.#progress.finished = (await list.read()) === "finished";
    } catch (thrown) {
      await tidb.close().catch(() => undefined);
      this.#closed = true;
      throw toDmError(thrown);
    }
  }

  get session(): ResolvedSession {
    return this.#session;
  }

  /** What ended the last run, as it was thrown. */
  get failure(): DmError | undefined {
    return this.#failure;
  }

  /** Nothing is left to load: of this process or, behind `init`, of an earlier one. */
  get isFinished(): boolean {
    return this.#progress.finished;
  }

  get subtask(): SubTask {
    return this.#subtask;
  }

  /** Runs until the load has ended, failed, or was paused; one result. A run that was cancelled has no errors. */
  process(signal?: AbortSignal, acceptance?: Acceptance): Promise<ProcessResult> {
    if (this.#closed || this.#restore === undefined) {
      const closed = dmError("LoadLightningRuntime", [], new Error("the load unit is closed"));
      return Promise.resolve({ isCanceled: true, errors: [processError(closed)] });
    }
    if (this.#running !== undefined) {
      const twice = dmError("LoadLightningRuntime", [], new Error("the load unit is running"));
      return Promise.resolve({ isCanceled: false, errors: [processError(twice)] });
    }
    const stop = new AbortController();
    const both = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    const ended = this.#process(both, acceptance).finally(() => {
      this.#running = undefined;
    });
    this.#running = { stop, ended };
    return ended;
  }

  async #process(signal: AbortSignal, acceptance: Acceptance | undefined): Promise<ProcessResult> {
    const errors: ProcessError[] = [];
    this.#failure = undefined;
    const { name, sourceId } = this.#subtask;
    this.#speed.restart();
    try {
      await this.#restore!.run(this.#subtask, this.#session, signal, acceptance);
    } catch (thrown) {
      if (!isCancel(thrown, signal)) {
        this.#failure = toDmError(thrown);
        const error = processError(thrown);
        errors.push(error);
        this.#env.metrics.exitWithError.increment(name, sourceId, String(isResumableError(error)));
        this.#log("error", toDmError(thrown).message);
      }
    }
    this.#progress.waitingFor = [];
    const isCanceled = signal.aborted;
    const how = errors.length > 0 ? "failed" : isCanceled ? "paused" : "finished";
    this.#log("info", `load of ${name}, ${sourceId} ${how}: ${this.status().progress}`);
    return { isCanceled, errors };
  }

  /** Stops what runs and waits for its end; state is kept. */
  async pause(): Promise<void> {
    if (this.#closed) return this.#log("warn", "cannot pause a load unit that is closed");
    await this.#stop("paused");
  }

  /**
   * Goes on after a pause or an error. Duplicates and checksum mismatches are accepted only with `acceptance`, which is recorded; else the
   * same error comes again.
   */
  resume(signal?: AbortSignal, acceptance?: Acceptance): Promise<ProcessResult> {
    if (this.#closed) this.#log("warn", "cannot resume a load unit that is closed");
    return this.process(signal, acceptance);
  }

  /** Takes filter and routes of the new configuration; they stand from the next run on. */
  update({ filter, routes }: Pick<SubTask, "filter" | "routes">): void {
    this.#subtask = { ...this.#subtask, filter, routes };
  }

  /** Ends what runs, forgets this source's metrics, gives everything back. May be called again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#stop("closed");
    this.#closed = true;
    this.#env.metrics.exitWithError.removeWhere("task", this.#subtask.name);
    await this.#env.coord.leave();
    await this.#restore?.close();
  }

  kill(): Promise<void> {
    return this.close();
  }

  /** True when DM's list has nothing of this source, or only that it was registered. Throws DmError. */
  async isFreshTask(): Promise<boolean> {
    if (this.#restore === undefined)
      throw dmError("LoadLightningRuntime", [], new Error("the load unit is not initialised"));
    return (await this.#restore.list.read()) === "init";
  }

  /** DM's status; cheap, may be asked at any time. */
  status(): LoadStatus {
    const { finishedBytes, totalBytes, finished, position, gtid } = this.#progress;
    return {
      finishedBytes,
      totalBytes,
      progress: progressText(finishedBytes, totalBytes, finished),
      metaBinlog: position,
      metaBinlogGTID: gtid,
      bps: this.#speed.look(finishedBytes),
    };
  }

  detail(): UnitDetail {
    const { stage, table, rows, changedValues, tablesDone, waitingFor, lastError, finishedBytes, totalBytes } =
      this.#progress;
    const { bps } = this.status();
    const left = totalBytes - finishedBytes;
    return {
      phase:
        this.#running === undefined && stage !== "finished" ? (lastError === undefined ? "stopped" : "failed") : stage,
      table,
      rows,
      changedValues,
      tablesDone,
      etaSeconds: bps > 0 && left > 0 ? Math.ceil(left / bps) : undefined,
      waitingFor,
      lastError: lastError === undefined ? undefined : processError(lastError),
      elapsedMs: this.#env.clock.monotonicMs() - this.#startedMs,
    };
  }

  async #stop(reason: string): Promise<void> {
    const running = this.#running;
    running?.stop.abort(new LevinError("Levin:Command:ErrInterrupted", `The load was ${reason}`));
    await running?.ended.catch(() => undefined);
  }

  #log(level: Extract<LevinEvent, { kind: "log" }>["level"], message: string): void {
    this.#env.emit({ kind: "log", level, message, fields: { task: this.#subtask.name, unit: "levin-load" } });
  }
}

/** The end of a run that was asked for. */
function isCancel(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  if (thrown === signal.reason) return true;
  const cause = thrown instanceof DmError ? thrown.cause : thrown;
  return cause === signal.reason || (cause instanceof LevinError && cause.code === "Levin:Command:ErrInterrupted");
}
