import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { inParallel, LevinError } from "../../base/mod.ts";
import { TimeZone } from "../../codec/mod.ts";
import type { EncodeSession } from "../../encoder/mod.ts";
import {
  type Claim,
  type ClaimedTable,
  ForgottenError,
  JobHold,
  type LogicalTable,
  PositionTable,
  readLogicalTables,
  unknownTable,
} from "../../logical/mod.ts";
import { PlainStreams } from "../../source/mod.ts";
import { hasRows, quoteName, readServerVariables, type ServerVariables, type Tidb } from "../../tidb/mod.ts";
import { planBatches } from "../batches.ts";
import { conflictWords } from "../conflict/conflict-report.ts";
import { writeTaskInfo } from "../conflict/task-info.ts";
import { removeEngines } from "../engines.ts";
import { Job, readJob } from "../job.ts";
import type { BatchState } from "../job-state.ts";
import type { ImportEnvironment, ImportOptions } from "../options.ts";
import { patientTidb } from "../patient-tidb.ts";
import { checkInput, failOf } from "../prechecks.ts";
import { Progress } from "../progress.ts";
import { mergeRejected, sumCounts } from "../reports.ts";
import { restoreSchema } from "../restore-schema.ts";
import type { ImportResult } from "../result.ts";
import { type SourcePlan, type SourceTable, scanSource, sourceFingerprint } from "../source-plan.ts";
import { saySourceCounts } from "../summary.ts";
import { TableModels } from "../table-models.ts";
import { begunOf, isOnItsWay } from "./begun.ts";
import { mergeConflicts } from "./chunk-reports.ts";
import type { LogicalContext } from "./context.ts";
import { findConflicts } from "./find-conflicts.ts";
import { batchBytesOf, LOGICAL_DEFAULTS, loadBatch } from "./load-batch.ts";

/** One import by statements, from beginning to end. */
export async function runLogical(options: ImportOptions, env: ImportEnvironment): Promise<ImportResult> {
  const plan = await scanSource(options, env);
  const progress = new Progress(env.emit, env.clock, plan.sizeBytes);
  await using closers = new AsyncDisposableStack();
  const connected = await env.world.connectTidb(withoutForeignKeys(options.tidb), env.signal);
  closers.defer(() => connected.close());
  const tidb = patientTidb(connected, { ...env, patienceMs: options.retryDeadlineMs });
  const variables = await readServerVariables(tidb);
  const logical = options.logical ?? LOGICAL_DEFAULTS;
  const positionsOf = (id: string): PositionTable =>
    new PositionTable(logical.metaSchema, id, (ms) => env.clock.sleep(ms, env.signal));
  // Before the state is forgotten: what it says may be what the user has to go on with.
  if (options.fresh) await positionsOf("").demandFree(tidb, claimOf(options, plan, 0, await keptJob(options, env)));
  const job = await Job.open(options, env);
  closers.defer(() => job.close());
  if (!job.state.done) await positionsOf(jobId(job)).demandFree(tidb, claimOf(options, plan, job.state.startedMs));
  if (!options.noSchema) {
    progress.at("schema");
    await restoreSchema(plan, tidb, env);
  }
  const tables = await readTables(plan, tidb);
  const fingerprint = sourceFingerprint(plan, options, {
    sqlMode: options.sqlMode,
    timeZone: zoneOf(options, variables),
  });
  for (const [name, table] of tables) fingerprint[`table ${name}`] = `definition ${digestOf(table)}`;
  await job.begin(fingerprint, env.clock.nowMs(), options.version);
  const streams = new PlainStreams(plan.storage);
  closers.defer(() => streams.close());
  const allowed = variables.maxAllowedPacket;
  const context: LogicalContext = {
    options,
    env,
    plan,
    job,
    tidb,
    tables,
    progress,
    streams,
    positions: positionsOf(jobId(job)),
    isTidb: variables.isTidb,
    firstChanges: new Map(),
    // One byte is the command's.
    packetBytes: (logical.packetBytes === 0 ? allowed : Math.min(allowed, logical.packetBytes)) - 1024,
  };
  sayPlan(context, variables);
  if (job.state.done) {
    await demandRows(context);
    await removeEngines(env.files, options.sortedKvDir);
    return resultOf(context);
  }
  const encodeSession = session(options, variables, job, env);
  await precheck(context, encodeSession);
  const hold = await JobHold.take(jobId(job), { ...env, open: () => env.world.openSqlLink(options.tidb) });
  closers.defer(() => hold.letGo());
  const claim = claimOf(options, plan, job.state.startedMs);
  try {
    const { isBegun, isToFill } = begunOf(job.state, [...tables.keys()]);
    await context.positions.create(tidb, claim, isBegun, ({ database, table }) => isToFill(`${database}.${table}`));
    await loadBatches(context, encodeSession);
  } catch (thrown) {
    if (thrown instanceof ForgottenError) throw await context.positions.forgotten(tidb, claim, thrown.tables);
    await takeBack(context, connected);
    throw thrown;
  }
  await context.positions.remove(tidb);
  // A power cut brings back what was removed and not synced.
  await removeEngines(env.files, options.sortedKvDir);
  await job.append({ type: "done" });
  return resultOf(context);
}

/** The job that the state directory has now, where it has not ended. */
async function keptJob({ stateDir }: ImportOptions, { files }: ImportEnvironment): Promise<string | undefined> {
  // One that cannot be read is forgotten.
  const kept = await readJob(files, stateDir).catch(() => undefined);
  return kept === undefined || kept.done ? undefined : jobId({ dir: stateDir, state: kept });
}

/** A run that has failed before a row was in leaves nothing that would stand in another's way. */
async function takeBack({ env, job, positions, tables }: LogicalContext, tidb: Tidb): Promise<void> {
  if (begunOf(job.state, [...tables.keys()]).isPartlyIn) return;
  const isTransactional = [...tables.values()].every(({ transactional }) => transactional);
  const note = async (): Promise<void> => {
    // Also where no chunk is known: the record of one may be on disk although it could not be written.
    for (const batch of job.state.batches)
      if (batch !== undefined && !batch.ingested) await job.append({ type: "lost", batch: batch.id });
  };
  // What has failed is the cause; the claim may stay.
  await positions.takeBack(tidb, isTransactional, note).catch((thrown: unknown) => {
    const message = `The target was not told that the import has brought nothing in: ${LevinError.from(thrown).message}`;
    env.emit({ kind: "log", level: "info", message });
  });
}

async function loadBatches(context: LogicalContext, encodeSession: EncodeSession): Promise<void> {
  const { env, job, plan, progress } = context;
  try {
    for (const batch of planBatches(plan.tables, Number.POSITIVE_INFINITY, job.state.batches)) {
      const before = job.state.batches[batch.id];
      if (before === undefined || (!before.ingested && !isOnItsWay(before))) {
        const tables = batch.tables.map(({ name }) => name);
        const filled = (await filledOf(context, tables)).map((table) => ({ table, rowIdBase: 0 }));
        await job.append({ type: "batch", batch: batch.id, tables, commitTs: "0", filled });
      }
      const state = job.state.batches[batch.id]!;
      if (!state.ingested) {
        warnOfTwice(context, state);
        progress.at("encode", batch.tables.length === 1 ? batch.tables[0]!.name : undefined);
        const losers = await findConflicts(context, batch, encodeSession);
        await loadBatch(context, batch, state, losers);
        await job.append({ type: "ingested", batch: batch.id });
      }
      await context.positions.forget(context.tidb, batch.id);
      for (const table of batch.tables) await finishTable(context, batch.id, table.name);
    }
  } finally {
    await sayReports(context);
  }
  env.signal.throwIfAborted();
}

/** Nothing but the user knows whether rows that are there already are those of the source. */
function warnOfTwice({ env, tables }: LogicalContext, { filled }: BatchState): void {
  for (const table of filled) {
    if (tables.get(table)!.uniqueKeys.length > 0) continue;
    const message = `${table} has rows and no primary or unique key: those of the source come in beside them, also where they are the same`;
    env.emit({ kind: "log", level: "warn", message, fields: { table } });
  }
}

/** Of an import that had ended: other clients may have changed its rows, but not emptied a table. */
async function demandRows({ job, tables, tidb }: LogicalContext): Promise<void> {
  for (const [name, { result }] of job.state.tables) {
    const { database, table } = tables.get(name)!;
    if (result.rows === 0) continue;
    if (await hasRows(tidb, database, table)) continue;
    throw new LevinError(
      "Levin:State:ErrDone",
      `Cannot continue the import in "${job.dir}": it was done, and the target's table "${name}" is empty now`,
      { fields: { dir: job.dir, table: name } },
    );
  }
}

async function finishTable(context: LogicalContext, batch: number, name: string): Promise<void> {
  const { env, job, options, tidb, tables } = context;
  if (job.state.tables.has(name)) return;
  let rows = 0;
  for (const chunk of job.state.batches[batch]!.done.values()) if (chunk.table === name) rows += chunk.rows;
  if (options.analyze !== "off") {
    const { database, table } = tables.get(name)!;
    await tidb.query(`ANALYZE TABLE ${quoteName(database)}.${quoteName(table)}`).catch((error: unknown) => {
      if (options.analyze === "required") throw error;
      const message = `${name} was not analyzed: ${LevinError.from(error).message}`;
      env.emit({ kind: "log", level: "warn", message });
    });
  }
  const counted = await countRows(context, batch, name);
  const ok = counted === undefined || counted === rows;
  const detail = ok ? unverifiedBecause(context, batch, name) : `the target has ${counted} rows`;
  const done = {
    kind: "table-done",
    table: name,
    rows,
    kvs: 0n,
    bytes: 0n,
    localCrc: 0n,
    remoteCrc: undefined,
    byStatements: { counted },
  } as const;
  const isError = !ok && options.checksum === "required";
  env.emit({ ...done, ok, ...(detail === undefined || isError ? {} : { detail }) });
  if (isError) {
    const message = `Cannot verify table "${name}": ${rows} rows were imported, ${detail}`;
    throw new LevinError("Levin:Verify:ErrChecksum", message, { fields: { table: name } });
  }
  const verified = counted !== undefined && ok;
  await job.append({ type: "table", table: name, result: { rows, kvs: "0", bytes: "0", crc: "0" }, verified });
}

/** Why the rows of a table that were not counted are not to be told from others. */
function unverifiedBecause({ job, tables }: LogicalContext, batch: number, name: string): string | undefined {
  if (!job.state.batches[batch]!.filled.includes(name)) return undefined;
  const hasKey = tables.get(name)!.uniqueKeys.length > 0;
  return `it had rows before${hasKey ? "" : " and has no primary or unique key, so that rows may be there twice"}`;
}

/** Rows that a table has now, where it was empty before; undefined where nothing follows from their number. */
async function countRows(
  { job, options, tables, tidb }: LogicalContext,
  batch: number,
  name: string,
): Promise<number | undefined> {
  const state = job.state.batches[batch]!;
  const { database, table } = tables.get(name)!;
  if (options.checksum === "off" || state.filled.includes(name)) return undefined;
  // Rows that the target itself has replaced count as imported.
  const decidedThere = state.conflicts?.checked?.includes(name) !== true;
  if (options.conflict?.strategy === "replace" && decidedThere) return undefined;
  const { rows } = await tidb.query(`SELECT COUNT(*) FROM ${quoteName(database)}.${quoteName(table)}`);
  return Number(rows[0]![0]);
}

/** Tables that have rows. */
async function filledOf({ tables, tidb }: LogicalContext, names: readonly string[]): Promise<string[]> {
  const filled: string[] = [];
  await inParallel(names, 4, async (name) => {
    const { database, table } = tables.get(name)!;
    if (await hasRows(tidb, database, table)) filled.push(name);
  });
  return filled.sort();
}

/** What was left out or replaced, with the reports' paths. */
async function sayReports(context: LogicalContext): Promise<void> {
  const { env } = context;
  const say = (message: string, fields: Record<string, unknown>): void =>
    env.emit({ kind: "log", level: "warn", message, fields });
  for (const [table, { count, isLeast }] of changedValues(context)) {
    const first = context.firstChanges.get(table);
    const example = first === undefined ? "" : `, the first: ${first}`;
    say(
      `${isLeast ? "at least " : ""}${count} values of ${table} were changed by the target, as its SQL mode lets it${example}`,
      { table, count },
    );
  }
  const rejected = await mergeRejected(context);
  if (rejected !== undefined)
    say(
      `${rejected.rows} rows were left out because the target does not take them; they are in ${rejected.path}`,
      rejected,
    );
  const conflicts = await mergeConflicts(context);
  await writeTaskInfo(context, { conflicts: conflicts?.path, rejected: rejected?.path });
  if (conflicts !== undefined) say(conflictWords(conflicts, context.options), conflicts);
  saySourceCounts(context);
}

/** By table, those that have any; of a chunk that was continued only those behind its beginning are known. */
function changedValues({ job }: LogicalContext): Map<string, { count: number; isLeast: boolean }> {
  const out = new Map<string, { count: number; isLeast: boolean }>();
  const continued = new Set<string>();
  for (const batch of job.state.batches) {
    for (const { table, counts } of batch?.done.values() ?? []) {
      if ((counts?.continuedChunks ?? 0) > 0) continued.add(table);
      if (counts?.changedValues === undefined) continue;
      out.set(table, { count: (out.get(table)?.count ?? 0) + counts.changedValues, isLeast: false });
    }
  }
  for (const [table, one] of out) one.isLeast = continued.has(table);
  return out;
}

async function readTables(plan: SourcePlan, tidb: Tidb): Promise<Map<string, LogicalTable>> {
  const out = new Map<string, LogicalTable>();
  for (const database of new Set(plan.tables.map((table) => table.database))) {
    const found = await readLogicalTables(tidb, database);
    for (const table of plan.tables) {
      if (table.database !== database) continue;
      const info = found.get(table.table.toLowerCase());
      if (info === undefined) throw unknownTable(database, table.table, table.files[0]!.file.path);
      out.set(table.name, info);
    }
  }
  return out;
}

/** Tables are made and filled side by side, so that a reference may come before what it refers to. */
function withoutForeignKeys(tidb: ImportOptions["tidb"]): ImportOptions["tidb"] {
  return { ...tidb, sessionVariables: { foreign_key_checks: 0, ...tidb.sessionVariables } };
}

/** What the target is told of the import, for others that would bring the same rows again. */
function claimOf(options: ImportOptions, plan: SourcePlan, startedMs: number, kept?: string): Claim {
  return {
    origin: `${options.stateDir} on ${hostname()}`,
    owner: options.logical?.owner ?? "",
    startedMs,
    tables: plan.tables.map((table) => claimedTable(options.sourceDir, table)),
    kept,
  };
}

function claimedTable(sourceDir: string, { database, table, files }: SourceTable): ClaimedTable {
  const digest = (parts: readonly (string | number)[]): string =>
    createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  const place = digest([sourceDir, ...files.map(({ file }) => file.path)]);
  const content = digest(files.flatMap(({ file }) => [file.path, file.sizeBytes]));
  return { database, table, place, content };
}

/** Tells this job from others that run into the same target. */
function jobId(job: Pick<Job, "dir" | "state">): string {
  const text = `${hostname()}\n${job.dir}\n${job.state.startedMs}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

function digestOf(table: LogicalTable): string {
  // How numbers are written makes no difference to what a table takes.
  const columns = table.columns.map(({ number: _, ...column }) => column);
  const text = JSON.stringify({ ...table, columns });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function zoneOf(options: ImportOptions, variables: ServerVariables): string {
  return options.timeZone ?? variables.timeZone;
}

/** For the checks of the source, which read values as an encoder does. */
function session(options: ImportOptions, variables: ServerVariables, job: Job, env: ImportEnvironment): EncodeSession {
  const zone = zoneOf(options, variables);
  return {
    sqlMode: options.sqlMode,
    timeZone: TimeZone.find(zone) === undefined ? "UTC" : zone,
    newCollations: variables.newCollations || !variables.isTidb,
    rowFormatVersion: 2,
    rowLevelChecksum: false,
    nowMs: job.state.fingerprint === undefined ? env.clock.nowMs() : job.state.startedMs,
    defaultWeekFormat: variables.defaultWeekFormat,
  };
}

async function precheck(context: LogicalContext, encodeSession: EncodeSession): Promise<void> {
  const { options, env, plan, job } = context;
  if (!options.checkRequirements) return;
  const more = { tidb: undefined, state: job.state, stateDifferences: undefined, streams: context.streams };
  const input = checkInput(options, env, plan, new TableModels(), encodeSession, more);
  const named = input.tables.map((table) => {
    const columnNames = context.tables.get(table.name)!.columns.map(({ name }) => name.toLowerCase());
    return { ...table, columnNames };
  });
  await failOf(env, { ...input, tables: named, byStatements: true });
}

function sayPlan(context: LogicalContext, variables: ServerVariables): void {
  const { env, options, plan, packetBytes } = context;
  const mib = (bytes: number) => `${Math.round(bytes / (1 << 20))} MiB`;
  const { host, port } = options.tidb;
  const logical = options.logical ?? LOGICAL_DEFAULTS;
  env.emit({
    kind: "plan",
    lines: [
      `source ${options.sourceDir}: ${plan.tables.length} tables, ${plan.source.files.length} files, ${mib(plan.sizeBytes)}`,
      `target ${host}:${port} (${variables.version}) by statements, sql mode "${options.sqlMode}", time zone ${zoneOf(options, variables)}`,
      `ceilings: ${options.workers} connections, statements of ${logical.batchRows} rows or ${batchBytesOf(context)} bytes (packet ${packetBytes}), state in ${options.stateDir}`,
    ],
    fields: { workers: options.workers, batchBytes: batchBytesOf(context) },
  });
  for (const { name, sizeBytes, files } of plan.tables)
    env.emit({ kind: "table-start", table: name, sizeBytes, files: files.length });
}

function resultOf({ job, plan }: LogicalContext): ImportResult {
  let rows = 0;
  for (const { result } of job.state.tables.values()) rows += result.rows;
  const { changedValues } = sumCounts(job.state);
  return { tables: plan.tables.length, rows, sourceBytes: plan.sizeBytes, changedValues };
}
