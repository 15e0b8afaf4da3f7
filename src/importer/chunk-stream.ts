import { LevinError } from "../base/mod.ts";
import { type Chunk, planChunks } from "../source/mod.ts";
import type { Batch } from "./batches.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";
import type { ImportOptions } from "./options.ts";
import { ReadAhead } from "./read-ahead.ts";
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

/** What events say of a chunk. */
function placeOf({ database, table, path, start, sourceBytes }: Chunk) {
  return { table: `${database}.${table}`, path, start, sourceBytes };
}

/**
 * The chunks of a batch that are left, read ahead by a few: those of compressed files carry their bytes. Says when each is found and when
 * it is done.
 */
export class ChunkStream {
  readonly chunks: ReadAhead<NumberedChunk>;
  /** Found, and the journal does not know of them yet. */
  readonly #unwritten: PlannedChunk[] = [];
  /** Of chunks that are found and not done. */
  readonly #places = new Map<number, ReturnType<typeof placeOf>>();
  readonly #context: ChunkContext;
  readonly #batch: number;

  constructor(context: ChunkContext, batch: Batch, state: BatchState) {
    this.#context = context;
    this.#batch = batch.id;
    const found = chunksOf(context, batch, state, (planned) => this.#unwritten.push(planned));
    this.chunks = new ReadAhead(this.#announced(found), context.options.workers + 1);
  }

  /** Before anything is written down that speaks of chunks which were given out. */
  async writePlanned(): Promise<void> {
    const chunks = this.#unwritten.splice(0);
    if (chunks.length > 0) await this.#context.job.append({ type: "chunks", batch: this.#batch, chunks });
  }

  finished(chunk: number, figures: { rows: number; kvs?: number; bytes?: number }): void {
    const place = this.#places.get(chunk)!;
    this.#places.delete(chunk);
    this.#context.env.emit({ kind: "chunk", state: "finished", ...place, ...figures });
  }

  async *#announced(found: AsyncGenerator<NumberedChunk>): AsyncGenerator<NumberedChunk> {
    for await (const one of found) {
      const place = placeOf(one.chunk);
      this.#places.set(one.id, place);
      this.#context.env.emit({ kind: "chunk", state: "pending", ...place });
      yield one;
    }
  }
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
