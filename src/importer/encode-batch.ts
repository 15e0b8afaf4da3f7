import { joinPath, LevinError } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { ignoredColumns } from "../source/mod.ts";
import type { Batch } from "./batches.ts";
import { ChunkStream } from "./chunk-stream.ts";
import { looksForConflicts } from "./conflict/conflict-report.ts";
import type { EncodeContext } from "./context.ts";
import { EncodePool, lastRunSequence } from "./encode/encode-pool.ts";
import { type ToldTable, type WarningCountMessage, type WorkerTable, workerTable } from "./encode/messages.ts";
import { type BatchEngines, openBatchEngines, removeEngineDir } from "./engines.ts";
import type { BatchState } from "./job-state.ts";
import { checkTypeErrors, writeRejected } from "./reports.ts";
import { sourceForm } from "./source-form.ts";
import type { SourceTable } from "./source-plan.ts";

export interface EncodedBatch {
  engines: BatchEngines;
  dir: string;
  warnings: WarningCountMessage[];
}

/** Engines of a batch; those of a later round have a directory of their own. */
export function batchDir(context: EncodeContext, batch: number, round = 0): string {
  return joinPath(context.options.sortedKvDir, `batch-${batch}${round === 0 ? "" : `-${round}`}`);
}

/** The workers of a run; to be closed. */
export function encodePool({ env, memory, options }: EncodeContext, session: EncodeSession): EncodePool {
  const { sourceDir, bucket, compatLightning, invalidReplacement, allowShortRows, typeErrorsMax } = options;
  return new EncodePool(options.workers, env.world.startEncoder, {
    sourceDir,
    bucket,
    sizes: memory.worker,
    session,
    compatLightning,
    invalidReplacement,
    allowShortRows,
    typeErrorsMax,
  });
}

/** Opens a batch's engines and takes out the runs that the journal does not know. */
async function openEncoded(context: EncodeContext, state: BatchState): Promise<EncodedBatch> {
  const dir = batchDir(context, state.id, state.round);
  const { files } = context.env;
  await files.makeDir(context.options.sortedKvDir);
  if (state.round > 0) await removeEngineDir(files, batchDir(context, state.id, state.round - 1));
  const engines = await openBatchEngines(context.env, dir, context.options.blockStore, looksForConflicts(context));
  try {
    // The name of the batch's directory: LevelDB does not see to that.
    await files.syncDir(context.options.sortedKvDir);
    for (const name of ["data", "index"] as const) {
      for (const run of await engines.engines[name].runs()) {
        if (!state.runs[name].has(run.runId) && run.sources.length === 0)
          await engines.engines[name].dropRun(run.runId);
      }
    }
    return { engines, dir, warnings: [] };
  } catch (error) {
    await engines.close();
    throw error;
  }
}

/**
 * Opens a batch's engines with all that the journal says they hold. Where that is gone, as after the loss of a scratch disk, the batch is
 * encoded again: same pairs, same timestamp. Throws `Levin:State:ErrPairsLost` where that may not be.
 */
async function openWhole(context: EncodeContext, state: BatchState): Promise<EncodedBatch> {
  const encoded = await openEncoded(context, state);
  // Behind its last range a batch needs them no more, and a killed run may have removed some.
  if (state.ingested) return encoded;
  try {
    const { data, index } = encoded.engines.engines;
    const gone = (await data.missing(state.runs.data)).length + (await index.missing(state.runs.index)).length;
    if (gone === 0) return encoded;
    const { env, job } = context;
    const message = `${gone} of ${state.runs.data.size + state.runs.index.size} runs of sorted pairs are gone from "${encoded.dir}"`;
    // What was in the way of others, or of rows in the target, is known by them only, and may be in already.
    if (state.filled.length > 0 || state.conflicts !== undefined) {
      throw new LevinError("Levin:State:ErrPairsLost", `Cannot continue: ${message}`, { fields: { dir: encoded.dir } });
    }
    env.emit({ kind: "log", level: "warn", message: `${message}: their tables are encoded again`, fields: { gone } });
    await job.append({ type: "lost", batch: state.id });
  } catch (error) {
    await encoded.engines.close();
    throw error;
  }
  await encoded.engines.close();
  await removeEngineDir(context.env.files, encoded.dir);
  return await openEncoded(context, state);
}

/** Brings what the engines of a batch hold into the cluster. */
export type ImportEngines = (encoded: EncodedBatch, state: BatchState) => Promise<void>;

/**
 * Encodes what is left of a batch; its engines are complete and open when it resolves. What the disk quota has no room for is imported
 * early by `importEngines`. Throws `Levin:State:ErrDiskQuota` where that may not be: all rows must be there to be compared.
 */
export async function encodeBatch(
  context: EncodeContext,
  pool: EncodePool,
  batch: Batch,
  importEngines?: ImportEngines,
): Promise<EncodedBatch> {
  const { job, env } = context;
  const state = job.state.batches[batch.id]!;
  let encoded = await openWhole(context, state);
  context.quota.add(batch.id, state.engineBytes);
  if (state.encoded) return encoded;
  const stream = new ChunkStream({ ...context, columnCountOf: columnCountsOf(context) }, batch, state);
  try {
    const importEarly = async (): Promise<void> => {
      if (importEngines === undefined || looksForConflicts(context)) throw quotaTooSmall(context);
      if (!state.early) await job.append({ type: "early", batch: batch.id, told: true });
      encoded = await nextRound(context, encoded, state, importEngines);
    };
    if (state.early) await importEarly();
    env.emit({ kind: "engine", state: "opened", batch: batch.id, bytes: 0 });
    while (await encodeRound(context, pool, batch, encoded, stream)) await importEarly();
    await stream.writePlanned();
    await job.append({ type: "encoded", batch: batch.id, told: true });
    return encoded;
  } catch (error) {
    // What failed first is what people want to know.
    await encoded.engines.close().catch((thrown) => {
      throw new SuppressedError(thrown, error);
    });
    throw error;
  } finally {
    await stream.chunks.close();
  }
}

/** Encodes until no chunk is left, or there is no room for another: true. */
async function encodeRound(
  context: EncodeContext,
  pool: EncodePool,
  batch: Batch,
  encoded: EncodedBatch,
  stream: ChunkStream,
): Promise<boolean> {
  const { job, env, options, progress } = context;
  const { chunks } = stream;
  const state = job.state.batches[batch.id]!;
  const byName = new Map(batch.tables.map((table) => [table.name, table]));
  let isFull = false;
  const warnings = await pool.encode(
    {
      batch: batch.id,
      dir: encoded.dir,
      tableOf: (name) => toldTable(context, byName.get(name)!),
      blocks: options.blockStore,
      oneEngine: batch.tables.length > 1,
      firstRun: 1 + lastRunSequence([...state.runs.data, ...state.runs.index]),
      // They go on in the next round.
      chunks: { next: () => chunks.next(), close: async () => undefined },
      onRejected: (chunk, rows) => writeRejected(context, batch.id, chunk, rows),
      onFlushed: async (runs, done) => {
        for (const { bytes } of done) context.quota.add(batch.id, bytes);
        await stream.writePlanned();
        await job.append({ type: "flushed", batch: batch.id, runs, chunks: done });
        for (const { chunk, rows, kvs, bytes } of done) stream.finished(chunk, { rows, kvs, bytes });
        checkTypeErrors(context);
      },
      onProgress: (rows, bytes) => progress.encoded(rows, bytes),
      room: async () => {
        await env.gate?.pass(env.signal);
        const hasRoom = await context.quota.room(batch.id, env.signal);
        isFull ||= !hasRoom;
        return !isFull;
      },
    },
    env.signal,
  );
  encoded.warnings.push(...warnings);
  return isFull;
}

/**
 * Brings what a batch has so far into the cluster and begins new engines. Its pairs have the commit timestamp of all others of the batch.
 * Equal keys of different rounds do not meet here; the checksum tells of them.
 */
async function nextRound(
  context: EncodeContext,
  encoded: EncodedBatch,
  state: BatchState,
  importEngines: ImportEngines,
): Promise<EncodedBatch> {
  const { env, job, options, quota } = context;
  const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
  const message = `The disk quota of ${mib(options.diskQuotaBytes ?? 0)} is used up: ${mib(state.engineBytes)} of sorted pairs are imported early`;
  env.emit({ kind: "log", level: "info", message, fields: { batch: state.id, bytes: state.engineBytes } });
  await importEngines(encoded, state);
  await job.append({ type: "round", batch: state.id });
  await encoded.engines.close();
  await removeEngineDir(env.files, encoded.dir);
  // A table that was reset makes a batch begin its rounds anew.
  await removeEngineDir(env.files, batchDir(context, state.id, state.round));
  quota.release(state.id);
  return { ...(await openEncoded(context, state)), warnings: encoded.warnings };
}

function quotaTooSmall({ options }: EncodeContext): LevinError {
  const limitBytes = options.diskQuotaBytes ?? 0;
  return new LevinError(
    "Levin:State:ErrDiskQuota",
    `Cannot encode more: the sorted pairs of one batch of tables take more than tikv-importer.disk-quota = ${limitBytes} bytes, and all of them are needed to find rows with the same key`,
    { fields: { limitBytes } },
  );
}

/** Visible columns of a table, by its name. */
export function columnCountsOf({ models }: Pick<EncodeContext, "models">): (table: string) => number {
  return (table) => models.columnCountOf(table);
}

/** What workers must know of a table. */
function toldTable({ models, options }: EncodeContext, { name, database, table, ...source }: SourceTable): ToldTable {
  const ignored = ignoredColumns(options.ignoreColumns, database, table, options.caseSensitive);
  return { name, modelText: models.textOf(name)!, form: sourceForm(source), ignored };
}

/** All tables of a batch. */
export function workerTables(context: EncodeContext, batch: Batch): WorkerTable[] {
  return batch.tables.map((table) => workerTable(toldTable(context, table)));
}
