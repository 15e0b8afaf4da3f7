import { joinPath, LevinError, type LevinEvent, textOf } from "../base/mod.ts";
import type { Tidb } from "../tidb/mod.ts";
import { type CheckpointList, readAllStates } from "./checkpoint-list.ts";
import { cleanDumpFiles } from "./clean-dump.ts";
import { convertEngineError } from "./convert-error.ts";
import { Barrier } from "./coord/barrier.ts";
import { dmCodes } from "./dm-codes.ts";
import { DmError, dmError, toDmError } from "./dm-error.ts";
import type { EngineResult } from "./engine.ts";
import { engineConfig, type ResolvedSession } from "./engine-config.ts";
import { MetadataFormatError, parseMetadata, positionText } from "./metadata.ts";
import { taskInfoSchemaName } from "./names.ts";
import { localPath } from "./storage-path.ts";
import type { SubTask } from "./subtask.ts";
import type { UnitProgress } from "./unit.ts";
import type { Acceptance, LoadUnitEnvironment } from "./unit-environment.ts";
import type { Phase, UnitRecord, UnitStateTable } from "./unit-state.ts";
import { verifyShared } from "./verify-shared.ts";

const DAY_MS = 86_400_000;
const GRACE_MS = 20_000;
const CONFLICT_VIEW = "conflict_view";

interface RestoreParts {
  env: LoadUnitEnvironment;
  tidb: Tidb;
  list: CheckpointList;
  table: UnitStateTable;
  record: UnitRecord;
  progress: UnitProgress;
}

/** The order of a load's steps; each may be repeated after a crash at any point. */
export class Restore {
  readonly list: CheckpointList;
  readonly #parts: RestoreParts;

  constructor(parts: RestoreParts) {
    this.#parts = parts;
    this.list = parts.list;
  }

  /** Throws DmError, or the signal's reason. */
  async run(
    subtask: SubTask,
    session: ResolvedSession,
    signal: AbortSignal,
    acceptance: Acceptance | undefined,
  ): Promise<void> {
    const { env, progress } = this.#parts;
    signal.throwIfAborted();
    // Before the metadata: a load that had ended may have removed its dump.
    const state = await this.list.read();
    if (state !== "finished") await this.#readMetadata(subtask);
    await env.coord.join(signal);
    try {
      if (state !== "finished") await this.#load(subtask, session, state, signal, acceptance);
      // Killed between the list's row and its own.
      else if (this.#parts.record.phase === "imported") await this.#write("finished", undefined);
      progress.finished = true;
      progress.lastError = undefined;
      if (subtask.mode === "full" || subtask.mode === "load") await env.coord.release();
      if (subtask.cleanDumpFile)
        await cleanDumpFiles(env.files, subtask.loader.dir, subtask.mode, (text) => this.#warn(text));
      await this.#barrier(subtask, signal, "finish");
      progress.stage = "finished";
    } finally {
      await env.coord.leave();
    }
  }

  async #load(
    subtask: SubTask,
    session: ResolvedSession,
    state: "init" | "running",
    signal: AbortSignal,
    acceptance: Acceptance | undefined,
  ): Promise<void> {
    const { record } = this.#parts;
    await this.list.register();
    // What an earlier process has brought in already: its row was written before the list's.
    if (state === "running" && record.phase === "imported") {
      if (record.errorCode === 0 || this.#accepts(record.errorCode, acceptance)) return this.#finish(acceptance);
      throw this.#remembered(record);
    }
    if (state === "init" && this.#isShared(subtask)) await this.#parts.env.coord.setSums(undefined);
    await this.#barrier(subtask, signal, "ready");
    await this.list.update("running");
    await this.#write("running", undefined, {
      position: this.#parts.progress.position,
      gtid: this.#parts.progress.gtid,
    });
    const result = await this.#runEngine(subtask, session, state === "init", signal);
    await this.#judge(subtask, result, signal);
    await this.#finish(undefined);
  }

  /** The engine has ended without an error: were there duplicates, and do the sums of all sources agree? */
  async #judge(subtask: SubTask, result: EngineResult, signal: AbortSignal): Promise<void> {
    const { env } = this.#parts;
    let error: DmError | undefined;
    if ((result.duplicates ?? 0) > 0 && subtask.loader.onDuplicatePhysical === "manual") {
      error = dmError("LoadLightningHasDup", [taskInfoSchemaName(subtask.metaSchema, subtask.name), CONFLICT_VIEW]);
    } else if (this.#isShared(subtask) && subtask.loader.checksumPhysical !== "off") {
      await env.coord.setSums(result.sums ?? {});
      error = await this.#verifyShared(subtask, signal);
    }
    if (error === undefined) return this.#write("imported", undefined);
    await this.#fail("imported", error);
    throw error;
  }

  /** One source compares for all, always the same: the one whose name is last. */
  async #verifyShared(subtask: SubTask, signal: AbortSignal): Promise<DmError | undefined> {
    const { env, tidb, progress } = this.#parts;
    const names = (await env.coord.members()).map(({ source }) => source).sort();
    if (names.at(-1) !== subtask.sourceId) return undefined;
    progress.stage = "wait-verify";
    await this.#barrierOf(subtask, "verify").sumsAndWait(signal);
    progress.waitingFor = [];
    progress.stage = "verify";
    const mismatch = await verifyShared(tidb, env.coord, signal, (text) => this.#warn(text));
    return mismatch === undefined ? undefined : await this.#mismatchOf(subtask, mismatch);
  }

  /** Pairs that are not there although they were sent: rows of several sources with the same keys. */
  async #mismatchOf(
    subtask: SubTask,
    { error, table, lost }: { error: DmError; table: string; lost: bigint },
  ): Promise<DmError | undefined> {
    if (subtask.loader.onDuplicatePhysical === "manual" && lost > 0n) {
      const { env, tidb } = this.#parts;
      const text = `${lost} pairs of ${table} gave way to pairs of other sources; where it has more than its primary key, compare with ADMIN CHECK TABLE ${table}`;
      this.#warn(text);
      const schema = taskInfoSchemaName(subtask.metaSchema, subtask.name);
      // The error sends people to this view, so it has to be there.
      await env.noteConflict?.(tidb, schema, { table, text, taskId: BigInt(env.clock.nowMs()) * 1_000_000n });
      return dmError("LoadLightningHasDup", [schema, CONFLICT_VIEW]);
    }
    if (subtask.loader.checksumPhysical !== "optional") return error;
    this.#warn(error.message);
    return undefined;
  }

  /** Accepted errors are logged with who and when, in the row and in the log. */
  async #finish(acceptance: Acceptance | undefined): Promise<void> {
    const { env, record } = this.#parts;
    let accepted = record.accepted;
    if (record.errorCode !== 0) {
      const who = acceptance?.who ?? "a resume";
      accepted = `${record.errorCode} accepted by ${who} at ${new Date(env.clock.nowMs()).toISOString()}`;
      this.#warn(`${accepted}: ${record.errorText}`);
    }
    await this.list.update("finished");
    await this.#write("finished", undefined, { accepted });
    this.#parts.progress.finished = true;
  }

  #accepts(code: number, acceptance: Acceptance | undefined): boolean {
    if (this.#parts.env.resumeAccepts) return true;
    const wanted = code === dmCodes.LoadLightningHasDup.code ? "duplicates" : "checksum-mismatch";
    return acceptance?.what === wanted;
  }

  /** The error of an earlier run, which stands until it is accepted. */
  #remembered({ errorCode, errorText }: UnitRecord): DmError {
    const { progress } = this.#parts;
    const kind = Object.values(dmCodes).find(({ code }) => code === errorCode) ?? dmCodes.LoadLightningRuntime;
    const error = new DmError(kind, errorText);
    progress.lastError = error;
    return error;
  }

  async #runEngine(
    subtask: SubTask,
    session: ResolvedSession,
    fresh: boolean,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    const { env, progress } = this.#parts;
    const shared = this.#isShared(subtask);
    const sources = shared ? Math.max(2, env.expectSources ?? subtask.sources.length) : 1;
    const sharedIndex = shared ? await this.#sharedIndex(subtask) : undefined;
    const config = engineConfig(subtask, session, { stateDir: env.stateDir, sources });
    progress.tablesDone = 0;
    signal.throwIfAborted();
    try {
      const owner = `task ${subtask.name}, source ${subtask.sourceId}`;
      const emit = (event: LevinEvent): void => this.#follow(event);
      const result = await env.engine({ config, fresh, sharedIndex, owner, signal, emit });
      progress.finishedBytes = result.sourceBytes;
      progress.totalBytes = result.sourceBytes;
      progress.rows = result.rows;
      progress.changedValues = result.changedValues ?? 0;
      progress.lastError = undefined;
      return result;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const error = convertEngineError(thrown);
      // All rows are in when checksums are compared; a resume may accept that they differ.
      await this.#fail(error.kind.code === dmCodes.LoadLightningChecksum.code ? "imported" : "running", error);
      throw error;
    }
  }

  /** All have come when this is asked, so that everybody counts the same. */
  async #sharedIndex({ sourceId }: SubTask): Promise<number> {
    const members = await this.#parts.env.coord.members();
    return members
      .map(({ source }) => source)
      .sort()
      .indexOf(sourceId);
  }

  #isShared(subtask: SubTask): boolean {
    const { env } = this.#parts;
    if (subtask.loader.importMode !== "physical" || env.coord.kind === "none") return false;
    return Math.max(subtask.sources.length, env.expectSources ?? 1) > 1;
  }

  #follow(event: LevinEvent): void {
    const { env, progress } = this.#parts;
    if (event.kind === "progress") {
      progress.stage = event.stage;
      progress.table = event.table ?? "";
      progress.finishedBytes = event.sourceBytes;
      progress.totalBytes = event.sourceBytesTotal;
      progress.rows = event.rows;
    } else if (event.kind === "table-done") progress.tablesDone++;
    env.emit(event);
  }

  async #barrier(subtask: SubTask, signal: AbortSignal, which: "ready" | "finish"): Promise<void> {
    const { progress } = this.#parts;
    if (subtask.loader.importMode !== "physical") return;
    progress.stage = `wait-${which}`;
    const barrier = this.#barrierOf(subtask, which);
    await (which === "ready" ? barrier.readyAndWait(signal) : barrier.finishAndWait(signal));
    progress.waitingFor = [];
  }

  #barrierOf(subtask: SubTask, which: "ready" | "verify" | "finish"): Barrier {
    const { env, tidb, progress } = this.#parts;
    return new Barrier({
      clock: env.clock,
      store: env.coord,
      task: subtask.name,
      source: subtask.sourceId,
      expectSources: env.expectSources ?? subtask.sources.length,
      patienceMs: env.barrierPatienceMs ?? DAY_MS,
      graceMs: env.barrierGraceMs ?? GRACE_MS,
      listStates: () => readAllStates(tidb, subtask.metaSchema, subtask.name),
      onWait: (missing) => {
        progress.waitingFor = missing;
        env.emit({
          kind: "log",
          level: "info",
          message: `waiting for ${missing.join(", ")}`,
          fields: { barrier: which },
        });
      },
    });
  }

  /** Where replication goes on; kept from an earlier run where the dump does not say. */
  async #readMetadata(subtask: SubTask): Promise<void> {
    const { env, progress } = this.#parts;
    const path = joinPath(localPath(subtask.loader.dir), "metadata");
    let text: string | undefined;
    try {
      text = env.readMetadata === undefined ? await this.#file(path) : await env.readMetadata();
    } catch (thrown) {
      throw dmError("ParseMydumperMeta", [(thrown as Error).message, "not found"], thrown);
    }
    if (text === undefined) throw await this.#noMetadata(subtask, path);
    try {
      const { location } = parseMetadata(text, path);
      progress.position = positionText(location);
      progress.gtid = location.gtid;
    } catch (thrown) {
      if (thrown instanceof DmError && thrown.kind.code === dmCodes.MetadataNoBinlogLoc.code) {
        return this.#warn(`${thrown.message}; fine unless replication is to follow`);
      }
      if (!(thrown instanceof MetadataFormatError)) throw thrown;
      throw dmError("ParseMydumperMeta", [thrown.message, text]);
    }
  }

  async #file(path: string): Promise<string | undefined> {
    const bytes = await this.#parts.env.files.read(path);
    return bytes === undefined ? undefined : textOf(bytes);
  }

  /** The dump may be with another worker; where its directory is missing, waiting is of no use. */
  async #noMetadata({ name, loader }: SubTask, path: string): Promise<DmError> {
    const { env } = this.#parts;
    const owner = await env.coord.owner();
    if (owner !== undefined && owner !== "" && owner !== env.worker)
      return dmError("LoadTaskWorkerNotMatch", [owner, env.worker]);
    const dir = localPath(loader.dir);
    const isHere = env.readMetadata !== undefined || (await env.files.entries(dir)) !== undefined;
    if (isHere) return dmError("ParseMydumperMeta", [`${path} not found`, "not found"]);
    const plain = dir.endsWith(`.${name}`) ? dir.slice(0, -name.length - 1) : undefined;
    const isPlainThere = plain !== undefined && (await env.files.entries(plain)) !== undefined;
    const hint = isPlainThere
      ? `; DM adds ".${name}" to the dir of a task file, --dir ${plain} would take that one as it is`
      : "";
    const { kind, text } = dmError("ParseMydumperMeta", [`there is no directory ${dir}${hint}`, "not found"]);
    return new DmError(kind, text, { origin: new LevinError("Levin:Source:ErrUnreadable", text) });
  }

  async #fail(phase: Phase, error: DmError): Promise<void> {
    this.#parts.progress.lastError = error;
    await this.#write(phase, error).catch((thrown: unknown) =>
      this.#warn(`the error was not recorded: ${toDmError(thrown).message}`),
    );
  }

  async #write(phase: Phase, error: DmError | undefined, more: Partial<UnitRecord> = {}): Promise<void> {
    const { env, record, table } = this.#parts;
    Object.assign(record, more, {
      phase,
      owner: env.worker,
      errorCode: error?.kind.code ?? 0,
      errorText: error === undefined ? "" : error.text || error.rawCause,
      updatedMs: env.clock.nowMs(),
    });
    await table.write(record);
  }

  #warn(message: string): void {
    this.#parts.env.emit({ kind: "log", level: "warn", message });
  }

  async close(): Promise<void> {
    await this.#parts.tidb.close().catch((thrown: unknown) => this.#warn(LevinError.from(thrown).message));
  }
}
