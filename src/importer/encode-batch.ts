import { joinPath, LevinError } from "../base/mod.ts";
import { type Chunk, ignoredColumns, planChunks } from "../source/mod.ts";
import type { Batch } from "./batches.ts";
import type { RunContext } from "./context.ts";
import { type EncodePool, lastRunSequence } from "./encode/encode-pool.ts";
import type { WarningCountMessage } from "./encode/messages.ts";
import { type BatchEngines, openBatchEngines } from "./engines.ts";
import type { BatchState } from "./job-state.ts";
import type { PlannedChunk } from "./records.ts";
import { checkTypeErrors, writeRejected } from "./reports.ts";
import { columnCodings } from "./source-plan.ts";

/** LevelDB table files that a batch keeps open. */
const OPEN_FILES_MAX = 128;

export interface EncodedBatch {
  engines: BatchEngines;
  dir: string;
  warnings: WarningCountMessage[];
}

export function batchDir(context: RunContext, batch: number): string {
  return joinPath(context.options.sortedKvDir, `batch-${batch}`);
}

/** Opens a batch's engines and takes out the runs that the journal does not know. */
export async function openEncoded(context: RunContext, state: BatchState): Promise<EncodedBatch> {
  const dir = batchDir(context, state.id);
  await context.env.files.makeDir(context.options.sortedKvDir);
  const engines = await openBatchEngines(context.env.world, dir, context.options.blockStore, OPEN_FILES_MAX);
  try {
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

/** Encodes what is left of a batch; its engines are complete and open when it resolves. */
export async function encodeBatch(context: RunContext, pool: EncodePool, batch: Batch): Promise<EncodedBatch> {
  const { job, env, options, progress } = context;
  const state = job.state.batches[batch.id]!;
  const encoded = await openEncoded(context, state);
  for (const { bytes } of state.done.values()) context.quota.add(batch.id, bytes);
  if (state.encoded) return encoded;
  try {
    const chunks: { id: number; chunk: Chunk }[] = [];
    for (const table of batch.tables) {
      const columnCount = context.models.get(table.name)!.cols.filter((column) => !column.hidden).length;
      for await (const chunk of planChunks(context.plan.storage, table.files, {
        chunkBytes: options.chunkSizeBytes,
        columnCount,
        sqlMode: options.sqlMode,
        strictFormat: options.strictFormat,
        ...(options.invalidReplacement === undefined ? {} : { invalidReplacement: options.invalidReplacement }),
        signal: env.signal,
      })) {
        // Names in files and in the target may differ in case.
        chunks.push({ id: chunks.length, chunk: { ...chunk, database: table.database, table: table.table } });
      }
    }
    const planned = chunks.map(({ id, chunk }) => ({
      id,
      table: `${chunk.database}.${chunk.table}`,
      path: chunk.path,
      start: chunk.start,
      end: Number.isFinite(chunk.end) ? chunk.end : null,
    }));
    if (!state.planned) await job.append({ type: "chunks", batch: batch.id, chunks: planned });
    else demandSamePlan(context, state, planned);
    const left = chunks.filter(({ id }) => !state.done.has(id));
    env.emit({ kind: "engine", state: "opened", batch: batch.id, bytes: 0 });
    for (const { chunk } of left) env.emit({ kind: "chunk", state: "pending", ...placeOf(chunk) });
    for (const { chunk } of chunks.filter(({ id }) => state.done.has(id))) progress.encoded(0, chunk.sourceBytes);
    encoded.warnings = await pool.encode(
      {
        batch: batch.id,
        dir: encoded.dir,
        tables: batch.tables.map((table) => {
          const info = context.models.get(table.name)!;
          const { database, table: base, name } = table;
          const ignored = ignoredColumns(options.ignoreColumns, database, base, options.caseSensitive);
          return { name, info, codings: columnCodings(table, info), ignored: new Set(ignored) };
        }),
        blocks: options.blockStore,
        oneEngine: batch.tables.length > 1,
        firstRun: 1 + lastRunSequence([...state.runs.data, ...state.runs.index]),
        chunks: left,
        onRejected: (chunk, rows) => writeRejected(context, batch.id, chunk, rows),
        onFlushed: async (runs, done) => {
          for (const { bytes } of done) context.quota.add(batch.id, bytes);
          await job.append({ type: "flushed", batch: batch.id, runs, chunks: done });
          for (const { chunk, rows, kvs, bytes } of done)
            env.emit({ kind: "chunk", state: "finished", ...placeOf(chunks[chunk]!.chunk), rows, kvs, bytes });
          checkTypeErrors(context);
        },
        onProgress: (rows, bytes) => progress.encoded(rows, bytes),
        room: async () => {
          await env.gate?.pass(env.signal);
          await context.quota.room(batch.id, env.signal);
        },
      },
      env.signal,
    );
    await job.append({ type: "encoded", batch: batch.id });
    return encoded;
  } catch (error) {
    await encoded.engines.close();
    throw error;
  }
}

function placeOf({ database, table, path, start, sourceBytes }: Chunk) {
  return { table: `${database}.${table}`, path, start, sourceBytes };
}

/** What was recorded of chunks is true of chunks that are cut alike only. */
function demandSamePlan({ job }: RunContext, state: BatchState, now: readonly PlannedChunk[]): void {
  const before = state.chunks;
  const at = now.findIndex((chunk, i) => JSON.stringify(chunk) !== JSON.stringify(before[i]));
  if (at < 0 && now.length === before.length) return;
  const { path, start } = now[Math.max(at, 0)] ?? before[0]!;
  throw new LevinError(
    "Levin:State:ErrChanged",
    `Cannot continue the import in "${job.dir}": "${path}" is cut in another way than before at byte ${start}`,
    { fields: { dir: job.dir, file: path } },
  );
}
