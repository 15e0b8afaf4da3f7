import { type Files, LevinError } from "../base/mod.ts";
import {
  type CheckpointHome,
  CheckpointStatus,
  type CheckpointsModel,
  chunkKey,
  emptyCheckpoints,
  fileHome,
  INDEX_ENGINE,
  isUnderWay,
  newChunk,
  newEngine,
  newTable,
  qualifiedName,
  type TableCheckpointModel,
  tableHome,
} from "../checkpoint/mod.ts";
import type { Compression } from "../source/mod.ts";
import type { TidbOptions } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";
import type { BatchState, JobState } from "./job-state.ts";
import type { ImportEnvironment } from "./options.ts";
import type { SourcePlan, SourceTable } from "./source-plan.ts";

/** `[checkpoint]`: where Lightning's own checkpoints are kept too. */
export interface CheckpointOptions {
  readonly home: { driver: "file"; path: string } | { driver: "mysql"; schema: string; tidb: TidbOptions };
  /** What becomes of them when the import is done. */
  readonly keepAfterSuccess: "remove" | "rename" | "origin";
  /** What levin itself left there counts for nothing. */
  readonly fresh: boolean;
}

/** How Lightning names the version that wrote them; Lightning itself refuses to go on with another's. */
const WRITER = "levin";

/** At most one save in so many milliseconds while chunks come in. */
const SAVE_EVERY_MS = 1000;

export async function openCheckpointHome(
  options: CheckpointOptions,
  env: { files: Files; world: Pick<ImportEnvironment["world"], "connectTidb"> },
): Promise<CheckpointHome> {
  const { home } = options;
  if (home.driver === "file") return fileHome(env.files, home.path);
  return tableHome(await env.world.connectTidb(home.tidb), home.schema);
}

/**
 * Lightning's own checkpoints of a run, derived from the job's state and saved as it goes on. The journal alone decides how levin
 * continues; of what tidb-lightning left there only two things count: tables that it finished are left out, and tables that it began are
 * refused, as its engines cannot be read.
 */
export class CheckpointMirror {
  readonly #home: CheckpointHome;
  readonly #options: CheckpointOptions;
  /** Entries of tables that another program has finished: kept as they are. */
  readonly #finished: Record<string, TableCheckpointModel>;
  #context: RunContext | undefined;
  #isDirty = false;
  #saving: Promise<void> | undefined;
  /** Ends the pause between saves. */
  readonly #closing = new AbortController();

  private constructor(
    home: CheckpointHome,
    options: CheckpointOptions,
    finished: Record<string, TableCheckpointModel>,
  ) {
    this.#home = home;
    this.#options = options;
    this.#finished = finished;
  }

  /** Reads what is there; throws `Levin:State:ErrForeign` where tidb-lightning has begun a table of the plan and not finished it. */
  static async open(
    options: CheckpointOptions,
    env: ImportEnvironment,
    plan: SourcePlan,
    state: JobState,
  ): Promise<CheckpointMirror> {
    const home = await openCheckpointHome(options, env);
    try {
      const found = await home.load();
      const isOurs = found?.taskCheckpoint?.lightningVer.startsWith(WRITER) ?? false;
      const finished: Record<string, TableCheckpointModel> = {};
      if (isOurs && options.fresh) return new CheckpointMirror(home, options, finished);
      const ours = new Set(state.batches.flatMap((batch) => batch?.tables ?? []));
      for (const { database, table, name } of plan.tables) {
        const qualified = qualifiedName(database, table);
        const record = found?.checkpoints[qualified];
        if (record === undefined) continue;
        const isDone = record.status >= CheckpointStatus.checksumSkipped;
        if (isDone && !ours.has(name)) finished[qualified] = record;
        else if (!isOurs && (record.status <= CheckpointStatus.maxInvalid || isUnderWay(record)))
          throw begun(home, qualified, record);
      }
      return new CheckpointMirror(home, options, finished);
    } catch (error) {
      await home.close();
      throw error;
    }
  }

  /** Tables of the plan that are finished already, by another program. */
  isFinished({ database, table }: SourceTable): boolean {
    return this.#finished[qualifiedName(database, table)] !== undefined;
  }

  /** From now on what `job.append` takes is saved. */
  async begin(context: RunContext): Promise<void> {
    this.#context = context;
    await this.#save();
    context.job.onAppend = () => this.#touch();
  }

  #touch(): void {
    this.#isDirty = true;
    this.#saving ??= this.#saveWhileDirty().finally(() => {
      this.#saving = undefined;
    });
  }

  async #saveWhileDirty(): Promise<void> {
    const { clock } = this.#context!.env;
    while (this.#isDirty) {
      this.#isDirty = false;
      await this.#save();
      await clock.sleep(SAVE_EVERY_MS, this.#closing.signal).catch(() => undefined);
    }
  }

  /** They serve others only: that they cannot be written is said, and does not end the import. */
  async #save(): Promise<void> {
    const context = this.#context!;
    try {
      await this.#home.save(checkpointsOf(context, this.#finished));
    } catch (thrown) {
      const message = `Lightning's checkpoints in ${this.#home.name} are behind: ${LevinError.from(thrown).message}`;
      context.env.emit({ kind: "log", level: "warn", message });
    }
  }

  /** Saves the last state, or does what is wanted after success. */
  async close(): Promise<void> {
    const context = this.#context;
    try {
      if (context === undefined) return;
      delete context.job.onAppend;
      this.#isDirty = false;
      this.#closing.abort();
      await this.#saving;
      const keep = context.job.state.done ? this.#options.keepAfterSuccess : "origin";
      if (keep === "remove") return await this.#home.remove();
      await this.#save();
      if (keep === "rename") await this.#home.move(taskIdOf(context));
    } finally {
      await this.#home.close();
    }
  }
}

function begun(home: CheckpointHome, table: string, { status }: TableCheckpointModel): LevinError {
  const { maxInvalid } = CheckpointStatus;
  const how = status <= maxInvalid ? `failed there (status ${status})` : `is under way there (status ${status})`;
  return new LevinError(
    "Levin:State:ErrForeign",
    `Cannot import table ${table}: another program's checkpoints in ${home.name} say that it ${how}`,
    { fields: { table, status } },
  );
}

/** Lightning's task ids are nanoseconds since 1970. */
function taskIdOf({ job }: RunContext): bigint {
  return BigInt(job.state.startedMs) * 1_000_000n;
}

function checkpointsOf(context: RunContext, finished: Record<string, TableCheckpointModel>): CheckpointsModel {
  const { options, plan, job, models } = context;
  const model = emptyCheckpoints();
  Object.assign(model.taskCheckpoint!, {
    taskId: taskIdOf(context),
    sourceDir: options.sourceDir,
    backend: "local",
    tidbHost: options.tidb.host,
    tidbPort: options.tidb.port,
    pdAddr: options.pdAddresses.join(","),
    sortedKvDir: options.sortedKvDir,
    lightningVer: `${WRITER} ${options.version}`,
  });
  Object.assign(model.checkpoints, finished);
  const batchOf = new Map<string, BatchState>();
  for (const batch of job.state.batches) for (const name of batch?.tables ?? []) batchOf.set(name, batch);
  for (const table of plan.tables) {
    const batch = batchOf.get(table.name);
    const record = newTable({ status: CheckpointStatus.loaded, tableID: BigInt(models.idOf(table.name) ?? 0) });
    if (batch !== undefined) fillTable(record, context, table, batch);
    model.checkpoints[qualifiedName(table.database, table.table)] = record;
  }
  return model;
}

function fillTable(
  record: TableCheckpointModel,
  { options, job }: RunContext,
  table: SourceTable,
  batch: BatchState,
): void {
  const { loaded, closed, imported, indexImported, analyzed, analyzeSkipped } = CheckpointStatus;
  const engineStatus = batch.ingested ? imported : batch.encoded ? closed : loaded;
  record.status = batch.ingested ? indexImported : loaded;
  if (job.state.tables.has(table.name)) record.status = options.analyze === "off" ? analyzeSkipped : analyzed;
  const data = newEngine({ status: engineStatus });
  record.engines[INDEX_ENGINE] = newEngine({ status: engineStatus });
  record.engines[0] = data;
  const files = new Map(table.files.map((file) => [file.file.path, file]));
  for (const planned of batch.chunks) {
    if (planned?.table !== table.name) continue;
    const result = batch.done.get(planned.id);
    const file = files.get(planned.path);
    const size = BigInt(file?.file.sizeBytes ?? 0);
    const end = planned.end === null ? size : BigInt(planned.end);
    const chunk = newChunk({
      path: planned.path,
      offset: BigInt(planned.start),
      endOffset: end,
      pos: result === undefined ? BigInt(planned.start) : end,
      realPos: result === undefined ? BigInt(planned.start) : end,
      type: file?.format === "csv" ? 4 : 3,
      compression: COMPRESSIONS[file?.compression ?? "none"],
      fileSize: size,
      timestamp: BigInt(Math.floor(job.state.startedMs / 1000)),
    });
    if (result !== undefined) {
      chunk.kvcBytes = BigInt(result.bytes);
      chunk.kvcKvs = BigInt(result.kvs);
      chunk.kvcChecksum = BigInt(result.crc);
      chunk.rowidMax = BigInt(result.rowIdMax);
      record.kvBytes += chunk.kvcBytes;
      record.kvKvs += chunk.kvcKvs;
      record.kvChecksum ^= chunk.kvcChecksum;
      const larger = (a: bigint, text: string): bigint => (BigInt(text) > a ? BigInt(text) : a);
      record.autoIncrBase = larger(record.autoIncrBase, result.autoIncrementMax);
      record.autoRandBase = larger(record.autoRandBase, result.autoRandomMax);
      record.autoRowIDBase = larger(record.autoRowIDBase, result.rowIdMax);
    }
    data.chunks[chunkKey(chunk)] = chunk;
  }
}

/** Numbers of pkg/lightning/mydump/router.go. */
const COMPRESSIONS: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, lz4: 2, zstd: 3, xz: 4, snappy: 6 };
