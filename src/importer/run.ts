import { LevinError } from "../base/mod.ts";
import { TimeZone } from "../codec/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { BufferPool } from "../engine/mod.ts";
import { ImportModeKeeper, SchedulerPause } from "../ingest/mod.ts";
import { Flag } from "../schema/mod.ts";
import { PlainStreams } from "../source/mod.ts";
import { hasRows, quoteName, readServerVariables, type ServerVariables } from "../tidb/mod.ts";
import { type Batch, planBatches } from "./batches.ts";
import { givenRowIds } from "./begin-ingest.ts";
import { CheckpointMirror } from "./checkpoint-mirror.ts";
import { openCluster } from "./cluster-link.ts";
import { takenKeys } from "./conflict/existing-rows.ts";
import { resolveBatch } from "./conflict/resolve-batch.ts";
import type { RunContext } from "./context.ts";
import { DiskQuota } from "./disk-quota.ts";
import type { WarningCountMessage } from "./encode/messages.ts";
import { type EncodedBatch, encodeBatch, encodePool, type ImportEngines } from "./encode-batch.ts";
import { removeEngineDir, removeEngines } from "./engines.ts";
import { finishTables, isStillThere } from "./finish-table.ts";
import { ingestBatch, ingestEngines } from "./ingest-batch.ts";
import { Job } from "./job.ts";
import { tableKeyRanges } from "./key-ranges.ts";
import { runLogical } from "./logical/run-logical.ts";
import { planMemory } from "./memory.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import { patientTidb } from "./patient-tidb.ts";
import { precheck } from "./prechecks.ts";
import { Progress } from "./progress.ts";
import { openWriters, writerCount } from "./range-writers.ts";
import { checkTypeErrors, sumCounts } from "./reports.ts";
import { listTables, readTableModels, restoreSchema, type TableNames } from "./restore-schema.ts";
import type { ImportResult } from "./result.ts";
import { fingerprintOf, type SourcePlan, scanSource } from "./source-plan.ts";
import { stateFiles } from "./state-files.ts";
import { demandStatusPort } from "./status-port.ts";
import { compactStores } from "./store-tools.ts";
import { sayEnd } from "./summary.ts";
import { lockTables } from "./table-locks.ts";

/**
 * One import from beginning to end; the only place that knows the order of its steps. Throws the first failure, after everything that
 * was changed in the cluster for the import's sake is undone; the state directory then continues with the next run.
 */
export async function runImport(options: ImportOptions, env: ImportEnvironment): Promise<ImportResult> {
  try {
    const inner = { ...env, files: stateFiles(env.files) };
    return options.backend === "tidb" ? await runLogical(options, inner) : await runSteps(options, inner);
  } catch (thrown) {
    const first = firstFailure(thrown);
    if (!env.signal.aborted) throw first;
    throw new LevinError("Levin:Command:ErrInterrupted", "The import was interrupted", { cause: first });
  }
}

/** What failed first, where closing things failed after it. */
function firstFailure(thrown: unknown): unknown {
  let first = thrown;
  while (first instanceof Error && "suppressed" in first) first = first.suppressed;
  return first;
}

async function runSteps(options: ImportOptions, env: ImportEnvironment): Promise<ImportResult> {
  const scanned = await scanSource(options, env);
  await using closers = new AsyncDisposableStack();
  const job = await Job.open(options, env);
  closers.defer(() => job.close());
  const mirror =
    options.checkpoints === undefined
      ? undefined
      : await CheckpointMirror.open(options.checkpoints, env, scanned, job.state);
  if (mirror !== undefined) closers.defer(() => mirror.close());
  const plan = mirror === undefined ? scanned : withoutFinished(scanned, mirror, env);
  const progress = new Progress(env.emit, env.clock, plan.sizeBytes);
  const connected = await env.world.connectTidb(options.tidb, env.signal);
  closers.defer(() => connected.close());
  const tidb = patientTidb(connected, { ...env, patienceMs: options.retryDeadlineMs });
  const variables = await readServerVariables(tidb);
  await demandStatusPort(options, env);
  const session = encodeSession(options, env, variables, job);
  const cluster = await openCluster(options, env);
  closers.defer(() => cluster.close());
  let before: TableNames | undefined;
  if (!options.noSchema) {
    progress.at("schema");
    before = await listTables(plan, tidb);
    await restoreSchema(plan, tidb, env);
  }
  const models = await readTableModels(plan, options, env);
  await job.begin(fingerprintOf(plan, models, options, describeSession(session)), session.nowMs, options.version);
  const streams = new PlainStreams(plan.storage);
  closers.defer(() => streams.close());
  const { workers, ingestConcurrency: rangeJobs, blockStore: blocks } = options;
  const memory = planMemory(options.memoryBytes, {
    workers,
    rangeJobs,
    blocks,
    writers: env.world.startWriter === undefined ? 0 : writerCount(options),
    tables: plan.tables.length,
    modelBytes: models.bytes,
  });
  const { newCollations } = session;
  const writers = openWriters(options, env, cluster, memory);
  if (writers !== undefined) closers.defer(() => writers.close());
  const context: RunContext = {
    options,
    env,
    plan,
    job,
    tidb,
    cluster,
    models,
    memory,
    newCollations,
    progress,
    quota: new DiskQuota(options.diskQuotaBytes ?? 0),
    streams,
    open: new Map(),
    buffers: new BufferPool(memory.keptBytes),
    writers,
  };
  await mirror?.begin(context);
  if (plan.tables.length >= GARBAGE_TABLES) env.world.collectGarbage();
  sayPlan(context, session, variables);
  for (const table of plan.tables) {
    const { name, files } = table;
    env.emit({ kind: "table-start", table: name, sizeBytes: table.sizeBytes, files: files.length });
  }
  if (job.state.done) {
    // The state of an import that had ended: either all of it is still there, or the target was emptied and it begins anew.
    if (options.parallelIndex !== undefined || (await isStillThere(context))) {
      // A power cut may have brought them back, and a killed run may not have come to its pauses.
      await undoKilledRun(context);
      await removeEngines(env.files, options.sortedKvDir);
      return resultOf(context);
    }
    throw new LevinError(
      "Levin:State:ErrDone",
      `Cannot continue the import in "${job.dir}": it was done, and the target's tables have changed since`,
      { fields: { dir: job.dir } },
    );
  }
  refuseSharedAllocators(context);
  let guarded = context;
  if (options.parallelIndex === undefined) {
    const locks = await lockTables(context, connected);
    closers.defer(() => locks.close());
    guarded = { ...context, env: { ...env, signal: AbortSignal.any([env.signal, locks.lost]) } };
  }
  await precheck(guarded, session, before);
  // The run before may have ended by them; its chunks are not encoded again.
  checkTypeErrors(guarded);
  const batches = planBatches(plan.tables, options.batchSizeBytes, job.state.batches);
  await runBatches(guarded, batches, session);
  await removeEngines(env.files, options.sortedKvDir);
  await job.append({ type: "done" });
  const result = resultOf(context);
  // Nobody need wait for the stores.
  await closers.disposeAsync();
  await compact(options, env);
  return result;
}

/** Rows are in and stay so, whatever becomes of it. */
async function compact(options: ImportOptions, env: ImportEnvironment): Promise<void> {
  const level = options.clusterSettings?.compactLevel;
  if (level === undefined) return;
  try {
    for (const { address, text, failed } of await compactStores(options, env, level)) {
      env.emit({ kind: "log", level: failed ? "warn" : "info", message: `store ${address}: ${text}` });
    }
  } catch (thrown) {
    const why = LevinError.from(thrown).message;
    const message = `Rows are in, but not all stores were compacted: ${why}; levin ctl --compact does it`;
    env.emit({ kind: "log", level: "warn", message });
  }
}

/** Leaves out the tables that another program has finished by Lightning's checkpoints, and says so. */
function withoutFinished(plan: SourcePlan, mirror: CheckpointMirror, env: ImportEnvironment): SourcePlan {
  const tables = plan.tables.filter((table) => {
    const isFinished = mirror.isFinished(table);
    const message = `${table.name} is left out: Lightning's checkpoints say that it was imported`;
    if (isFinished) env.emit({ kind: "log", level: "warn", message });
    return !isFinished;
  });
  return { ...plan, tables, sizeBytes: tables.reduce((sum, table) => sum + table.sizeBytes, 0) };
}

function resultOf({ job, plan }: RunContext): ImportResult {
  let rows = 0;
  const { changedValues } = sumCounts(job.state);
  const conflicts = job.state.batches.reduce((sum, batch) => sum + (batch?.conflicts?.losers ?? 0), 0);
  const sums: NonNullable<ImportResult["sums"]> = {};
  for (const { name, database, table } of plan.tables) {
    const done = job.state.tables.get(name);
    if (done === undefined) continue;
    const { kvs, bytes, crc } = done.result;
    rows += done.result.rows;
    // A table's result has what it held before beside the import; that is not what was sent.
    const base = job.state.batches.flatMap((batch) => batch?.cleared ?? []).find((one) => one.table === name);
    sums[`${quoteName(database)}.${quoteName(table)}`] = {
      kvs: String(BigInt(kvs) - BigInt(base?.kvs ?? 0)),
      bytes: String(BigInt(bytes) - BigInt(base?.bytes ?? 0)),
      crc: String(BigInt(crc) ^ BigInt(base?.crc ?? 0)),
    };
  }
  return { tables: plan.tables.length, rows, sourceBytes: plan.sizeBytes, changedValues, conflicts, sums };
}

function encodeSession(
  options: ImportOptions,
  env: ImportEnvironment,
  variables: ServerVariables,
  job: Job,
): EncodeSession {
  const timeZone = options.timeZone ?? variables.timeZone;
  if (TimeZone.find(timeZone) === undefined) {
    throw new LevinError("Levin:Config:ErrInvalid", `Cannot use the time zone "${timeZone}": it is no time zone`);
  }
  return {
    sqlMode: options.sqlMode,
    timeZone,
    newCollations: variables.newCollations,
    rowFormatVersion: variables.rowFormatVersion,
    rowLevelChecksum: variables.rowLevelChecksum,
    // A resumed import gives CURRENT_TIMESTAMP defaults the time of its first run.
    nowMs: job.state.fingerprint === undefined ? env.clock.nowMs() : job.state.startedMs,
    defaultWeekFormat: variables.defaultWeekFormat,
    jsonDoubles: variables.jsonDoubles,
  };
}

function describeSession(session: EncodeSession): Record<string, unknown> {
  const { nowMs: _, ...rest } = session;
  return rest;
}

function sayPlan(context: RunContext, session: EncodeSession, variables: ServerVariables): void {
  const { env, options, memory, plan } = context;
  const mib = (bytes: number) => `${Math.round(bytes / (1 << 20))} MiB`;
  const writing = context.writers === undefined ? "" : `, ${writerCount(options)} threads that write`;
  env.emit({
    kind: "plan",
    lines: [
      `source ${options.sourceDir}: ${plan.tables.length} tables, ${plan.source.files.length} files, ${mib(plan.sizeBytes)}`,
      `target TiDB ${options.tidb.host}:${options.tidb.port} (${variables.version}), sql mode "${session.sqlMode}", time zone ${session.timeZone}`,
      `ceilings: memory ${mib(memory.totalBytes)} (${options.workers} workers of ${mib(2 * memory.worker.dataArenaBytes)} arenas${writing}), state in ${options.stateDir}`,
    ],
    fields: { ...describeSession(session), memoryBytes: memory.totalBytes, workers: options.workers },
  });
  if (memory.totalBytes > options.memoryBytes)
    env.emit({
      kind: "log",
      level: "warn",
      message: `The memory ceiling of ${mib(options.memoryBytes)} is too small for ${options.workers} workers${writing}, which need ${mib(memory.totalBytes)}`,
      fields: { memoryBytes: options.memoryBytes, plannedBytes: memory.totalBytes },
    });
}

/** Tables behind which it may be time to collect what was made for them, and the share of the planned memory that is too much then. */
const GARBAGE_TABLES = 64;
const TIGHT = 0.55;

/** Encodes one batch while the one before it is ingested: two are open at most. */
async function runBatches(context: RunContext, batches: readonly Batch[], session: EncodeSession): Promise<void> {
  const { env, job } = context;
  const left = batches.filter((batch) => batch.tables.some((table) => !job.state.tables.has(table.name)));
  if (left.length === 0) {
    await undoKilledRun(context);
    // The killed run may not have come to its reports.
    return await sayEnd(context, []);
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([env.signal, stop.signal]);
  const inner: RunContext = { ...context, env: { ...env, signal } };
  await using closers = new AsyncDisposableStack();
  closers.defer(async () => {
    for (const { engines } of inner.open.values()) await engines.close();
  });
  const pool = encodePool(context, session);
  closers.defer(() => pool.close());
  await pauseCluster(inner, closers);
  const warnings: WarningCountMessage[] = [];
  let ingesting: Promise<void> = Promise.resolve();
  let failure: { error: unknown } | undefined;
  const note = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
  };
  try {
    for (const batch of left) {
      signal.throwIfAborted();
      await planBatch(inner, batch);
      inner.progress.at("encode", batch.tables.length === 1 ? batch.tables[0]!.name : undefined);
      const importEngines: ImportEngines = (engines, state) => ingestEngines(inner, batch, engines, state);
      const encoded = await encodeBatch(inner, pool, batch, importEngines);
      collectIfTight(inner, batch);
      inner.open.set(batch.id, encoded);
      warnings.push(...encoded.warnings);
      const state = inner.job.state.batches[batch.id]!;
      const { data, index } = encoded.engines.engines;
      const taken = () => takenKeys(inner, batch, state, [data, index]);
      await resolveBatch(inner, pool, batch, encoded, state.filled.length === 0 ? {} : { taken });
      await ingesting;
      ingesting = finishBatch(inner, batch, encoded);
      ingesting.catch(note);
    }
    // The last batch is ingested without the memory of the workers.
    await pool.close();
    await ingesting;
  } catch (error) {
    note(error);
    await ingesting.catch(() => undefined);
  }
  await sayEnd(context, warnings);
  // Somebody's wish, or the loss of the locks: what fails then is a consequence.
  env.signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}

/** Tables that have rows, where the run allows that; ids that levin gives to rows go on behind those given out already. */
async function filledTables(context: RunContext, { tables }: Batch): Promise<{ table: string; rowIdBase: number }[]> {
  const filled: { table: string; rowIdBase: number }[] = [];
  for (const table of context.options.intoRows ? tables : []) {
    if (!(await hasRows(context.tidb, table.database, table.table))) continue;
    filled.push({ table: table.name, rowIdBase: await givenRowIds(context, table) });
  }
  return filled;
}

/** What a batch is made of is kept across runs. Its commit timestamp is taken anew when the first pair of it is due. */
async function planBatch(context: RunContext, batch: Batch): Promise<void> {
  const { job, cluster, env } = context;
  if (job.state.batches[batch.id] !== undefined) return;
  const commitTs = await cluster.pd.timestamp(env.signal);
  const filled = await filledTables(context, batch);
  await job.append({
    type: "batch",
    batch: batch.id,
    tables: batch.tables.map(({ name }) => name),
    commitTs: String(commitTs),
    ...(filled.length === 0 ? {} : { filled }),
  });
}

async function finishBatch(context: RunContext, batch: Batch, encoded: EncodedBatch): Promise<void> {
  const { job, env, progress } = context;
  const state = job.state.batches[batch.id]!;
  if (!state.ingested) {
    progress.at("ingest");
    await ingestBatch(context, batch, encoded, state);
    collectIfTight(context, batch);
  }
  progress.at("verify");
  await finishTables(context, state, batch.tables);
  context.open.delete(batch.id);
  await encoded.engines.close();
  await removeEngineDir(env.files, encoded.dir);
  env.emit({ kind: "engine", state: "removed", batch: batch.id, bytes: 0 });
  context.quota.release(batch.id);
  collectIfTight(context, batch);
}

function collectIfTight({ env, memory }: RunContext, { tables }: Batch): void {
  if (tables.length >= GARBAGE_TABLES) env.world.collectGarbage(TIGHT * memory.totalBytes);
}

/** A run that was killed after its last table left its pauses; opening and closing them takes them back. */
async function undoKilledRun(context: RunContext): Promise<void> {
  await using closers = new AsyncDisposableStack();
  await pauseCluster(context, closers);
}

/** Import mode on the stores and quiet schedulers for the key ranges, both with a time limit and undone at the end. */
async function pauseCluster(context: RunContext, closers: AsyncDisposableStack): Promise<void> {
  const { cluster, env, models, options, job } = context;
  // A source of schema files alone: there is nothing to import.
  if (models.size === 0) return;
  const { clock, signal } = env;
  const { importModeRenewMs: renewMs } = options;
  const scope = options.clusterSettings?.pauseScope;
  const say = (what: string) => (thrown: unknown) =>
    env.emit({ kind: "log", level: "warn", message: `${what}: ${LevinError.from(thrown).message}` });
  // Taken back side by side: peers that answer no more hold up the end of a run only once.
  const undo: (() => Promise<void>)[] = [];
  closers.defer(async () => void (await Promise.all(undo.map((run) => run()))));
  if (renewMs > 0) {
    const { tikv } = cluster;
    const keeper = await ImportModeKeeper.open({ clock, tikv, renewMs, signal, onTrouble: say("import mode") });
    undo.push(() => keeper.close());
  }
  const ruleIdOf = (startedMs: number): string => `levin-${startedMs.toString(36)}`;
  if (job.forgottenMs !== undefined)
    await cluster.pdHttp.deleteLabelRule(ruleIdOf(job.forgottenMs), signal).catch(say("scheduler pause"));
  const ranges = [...models.names()].flatMap((name) =>
    tableKeyRanges([models.idOf(name)!, ...models.physicalIdsOf(name)]),
  );
  const pause = await SchedulerPause.open({
    clock,
    pd: cluster.pdHttp,
    ruleId: ruleIdOf(job.state.startedMs),
    ranges,
    signal,
    ...(scope === undefined ? {} : { scope }),
    onTrouble: say("scheduler pause"),
  });
  undo.push(() => pause.close());
}

/** Row ids far apart would become automatic values of the column that shares their allocator. */
function refuseSharedAllocators({ options, models }: RunContext): void {
  if (options.parallelIndex === undefined) return;
  for (const name of models.names()) {
    const table = models.get(name)!;
    const automatic = table.cols.some((column) => (column.type.Flag & Flag.autoIncrement) !== 0);
    if (!automatic || table.pk_is_handle || table.is_common_handle) continue;
    throw new LevinError(
      "Levin:Config:ErrInvalid",
      `Cannot import table "${name}" together with other sources: its AUTO_INCREMENT column shares an allocator with its row ids; make its primary key clustered, or load it from one source at a time`,
    );
  }
}
