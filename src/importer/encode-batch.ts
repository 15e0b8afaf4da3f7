import { joinPath } from "../base/mod.ts";
import { type Chunk, ignoredColumns } from "../source/mod.ts";
import type { Batch } from "./batches.ts";
import { chunksOf } from "./chunk-stream.ts";
import { looksForConflicts } from "./conflict/conflict-report.ts";
import type { EncodeContext } from "./context.ts";
import { type EncodePool, lastRunSequence } from "./encode/encode-pool.ts";
import type { WarningCountMessage, WorkerTable } from "./encode/messages.ts";
import { type BatchEngines, openBatchEngines } from "./engines.ts";
import type { BatchState } from "./job-state.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { PlannedChunk } from "./records.ts";
import { checkTypeErrors, writeRejected } from "./reports.ts";
import { columnCodings } from "./source-plan.ts";

export interface EncodedBatch {
  engines: BatchEngines;
  dir: string;
  warnings: WarningCountMessage[];
}

export function batchDir(context: EncodeContext, batch: number): string {
  return joinPath(context.options.sortedKvDir, `batch-${batch}`);
}

/** Opens a batch's engines and takes out the runs that the journal does not know. */
export async function openEncoded(context: EncodeContext, state: BatchState): Promise<EncodedBatch> {
  const dir = batchDir(context, state.id);
  await context.env.files.makeDir(context.options.sortedKvDir);
  const engines = await openBatchEngines(context.env, dir, context.options.blockStore, looksForConflicts(context));
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
export async function encodeBatch(context: EncodeContext, pool: EncodePool, batch: Batch): Promise<EncodedBatch> {
  const { job, env, options, progress } = context;
  const state = job.state.batches[batch.id]!;
  const encoded = await openEncoded(context, state);
  for (const { bytes } of state.done.values()) context.quota.add(batch.id, bytes);
  if (state.encoded) return encoded;
  try {
    const columnCountOf = (name: string): number =>
      context.models.get(name)!.cols.filter((column) => !column.hidden).length;
    const unwritten: PlannedChunk[] = [];
    const writePlanned = async (): Promise<void> => {
      if (unwritten.length > 0) await job.append({ type: "chunks", batch: batch.id, chunks: unwritten.splice(0) });
    };
    const places = new Map<number, ReturnType<typeof placeOf>>();
    const chunks = new ReadAhead(
      announced(
        chunksOf({ ...context, columnCountOf }, batch, state, (planned) => unwritten.push(planned)),
        ({ id, chunk }) => {
          const place = placeOf(chunk);
          places.set(id, place);
          env.emit({ kind: "chunk", state: "pending", ...place });
        },
      ),
      options.workers + 1,
    );
    env.emit({ kind: "engine", state: "opened", batch: batch.id, bytes: 0 });
    encoded.warnings = await pool.encode(
      {
        batch: batch.id,
        dir: encoded.dir,
        tables: workerTables(context, batch),
        blocks: options.blockStore,
        oneEngine: batch.tables.length > 1,
        firstRun: 1 + lastRunSequence([...state.runs.data, ...state.runs.index]),
        chunks,
        onRejected: (chunk, rows) => writeRejected(context, batch.id, chunk, rows),
        onFlushed: async (runs, done) => {
          for (const { bytes } of done) context.quota.add(batch.id, bytes);
          await writePlanned();
          await job.append({ type: "flushed", batch: batch.id, runs, chunks: done });
          for (const { chunk, rows, kvs, bytes } of done) {
            env.emit({ kind: "chunk", state: "finished", ...places.get(chunk)!, rows, kvs, bytes });
            places.delete(chunk);
          }
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
    await writePlanned();
    await job.append({ type: "encoded", batch: batch.id });
    return encoded;
  } catch (error) {
    await encoded.engines.close();
    throw error;
  }
}

/** What workers must know of a batch's tables. */
export function workerTables({ models, options }: EncodeContext, batch: Batch): WorkerTable[] {
  return batch.tables.map((table) => {
    const info = models.get(table.name)!;
    const { database, table: base, name } = table;
    const ignored = ignoredColumns(options.ignoreColumns, database, base, options.caseSensitive);
    return { name, info, codings: columnCodings(table, info), ignored: new Set(ignored) };
  });
}

/** What events say of a chunk. */
export function placeOf({ database, table, path, start, sourceBytes }: Chunk) {
  return { table: `${database}.${table}`, path, start, sourceBytes };
}

async function* announced<T>(source: AsyncGenerator<T>, say: (item: T) => void): AsyncGenerator<T> {
  for await (const item of source) {
    say(item);
    yield item;
  }
}
