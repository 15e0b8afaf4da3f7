import { LevinError } from "../base/mod.ts";
import { type Chunk, planChunks } from "../source/mod.ts";
import type { Batch } from "./batches.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";
import type { ImportOptions } from "./options.ts";
import type { PlannedChunk } from "./records.ts";

/** A chunk of a batch by its number there. */
export interface NumberedChunk {
  id: number;
  chunk: Chunk;
}

export interface ChunkContext extends Pick<RunContext, "env" | "options" | "progress" | "plan" | "job" | "streams"> {
  /** Visible columns of a table. */
  columnCountOf(table: string): number;
}

/**
 * The chunks of a batch that are left to encode, in order, found while earlier ones are encoded. What an earlier run has recorded of them is
 * true of chunks that are cut alike only, and must agree; what is found beyond goes to `onPlanned`.
 */
export async function* chunksOf(
  context: ChunkContext,
  batch: Batch,
  state: BatchState,
  onPlanned: (planned: PlannedChunk) => void,
): AsyncGenerator<NumberedChunk> {
  const { env, options, progress } = context;
  const before = [...state.chunks];
  let id = 0;
  for (const table of batch.tables) {
    const columnCount = context.columnCountOf(table.name);
    for await (const found of planChunks(context.plan.storage, table.files, {
      chunkBytes: options.chunkSizeBytes,
      columnCount,
      sqlMode: options.sqlMode,
      strictFormat: options.strictFormat,
      ...(options.invalidReplacement === undefined ? {} : { invalidReplacement: options.invalidReplacement }),
      streams: context.streams,
      signal: env.signal,
    })) {
      // Names in files and in the target may differ in case.
      const { database, table: name } = table;
      const rowIdBase = found.rowIdBase + firstRowId(options) + (state.rowIdBases.get(table.name) ?? 0);
      const chunk = { ...found, database, table: name, rowIdBase };
      checkRowIds(options, chunk);
      const planned = plannedOf(id, chunk);
      if (id >= before.length) onPlanned(planned);
      else if (JSON.stringify(before[id]) !== JSON.stringify(planned)) throw otherPlan(context, planned);
      if (state.done.has(id)) progress.encoded(0, chunk.sourceBytes);
      else yield { id, chunk };
      id++;
    }
  }
  if (id < before.length) throw otherPlan(context, before[id]!);
}

function plannedOf(id: number, { database, table, path, start, end }: Chunk): PlannedChunk {
  return { id, table: `${database}.${table}`, path, start, end: Number.isFinite(end) ? end : null };
}

function otherPlan({ job }: ChunkContext, { path, start }: PlannedChunk): LevinError {
  return new LevinError(
    "Levin:State:ErrChanged",
    `Cannot continue the import in "${job.dir}": "${path}" is cut in another way than before at byte ${start}`,
    { fields: { dir: job.dir, file: path } },
  );
}

/** Row ids that one of several sources may use; 2^40 of them, for 2^12 sources. */
const ROW_IDS_OF_SOURCE = 2 ** 40;

function firstRowId({ parallelIndex }: ImportOptions): number {
  return (parallelIndex ?? 0) * ROW_IDS_OF_SOURCE;
}

function checkRowIds(options: ImportOptions, { rowIdBase, table, path }: Chunk): void {
  if (options.parallelIndex === undefined || rowIdBase < firstRowId(options) + ROW_IDS_OF_SOURCE) return;
  throw new LevinError(
    "Levin:Config:ErrInvalid",
    `Cannot import table "${table}" together with other sources: the row ids of this source do not suffice for "${path}"`,
  );
}
