import { type Files, joinBytes, joinPath, utf8 } from "../base/mod.ts";
import type { RunContext } from "./context.ts";
import { type RejectedRow, tooManyTypeErrors } from "./encode/rejected-row.ts";
import type { JobState } from "./job-state.ts";
import type { ChunkCounts } from "./records.ts";

/**
 * Reports of a job, in `reports` of its state directory. Rows that were left out have a file a chunk, named after batch and chunk, so
 * that a chunk that is encoded again writes the same file again; at the end of a run they are put together in the order of the plan.
 */
type Reporting = Pick<RunContext, "env" | "options" | "job">;
const partsDir = (context: Reporting): string => joinPath(context.options.stateDir, "reports", "type-errors");
const partName = (batch: number, chunk: number): string => `${batch}-${chunk}.ndjson`;

export async function writeRejected(
  context: Reporting,
  batch: number,
  chunk: number,
  rows: readonly RejectedRow[],
): Promise<void> {
  const { files } = context.env;
  const dir = partsDir(context);
  await files.makeDir(dir);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await files.replace(joinPath(dir, partName(batch, chunk)), utf8(text));
}

/** Takes the parts of a batch away: what made them is done again in another way. */
export async function removeRejected(context: Reporting, batch: number): Promise<void> {
  const { files } = context.env;
  const dir = partsDir(context);
  const names = (await files.list(dir)).filter((name) => name.startsWith(`${batch}-`));
  for (const name of names) await files.remove(joinPath(dir, name));
  if (names.length > 0) await files.syncDir(dir);
}

/** What a directory holds of the named parts, in the order of the names. Most chunks have nothing to report. */
export async function* readParts(files: Files, dir: string, names: readonly string[]): AsyncGenerator<Uint8Array> {
  const there = new Set(await files.list(dir));
  for (const name of names) {
    const part = there.has(name) ? await files.read(joinPath(dir, name)) : undefined;
    if (part !== undefined) yield part;
  }
}

/** The names of all chunks' parts, in the order of the plan. */
export function ofChunks({ batches }: JobState, nameOf: (batch: number, chunk: number) => string): string[] {
  return batches.flatMap((batch) => (batch?.chunks ?? []).map(({ id }) => nameOf(batch.id, id)));
}

/** Sums over the chunks that the journal knows, so that a resumed run tells of all. */
export function sumCounts(state: JobState): Required<ChunkCounts> {
  const sum = {
    rejectedRows: 0,
    conflictRows: 0,
    shortRows: 0,
    quotedNulls: 0,
    lightningLiterals: 0,
    replacedCharacters: 0,
    changedValues: 0,
    continuedChunks: 0,
  };
  for (const batch of state.batches) {
    for (const { counts } of batch?.done.values() ?? []) {
      for (const name of Object.keys(sum) as (keyof ChunkCounts)[]) sum[name] += counts?.[name] ?? 0;
    }
  }
  return sum;
}

/** Throws `Levin:Encode:ErrTooManyErrors` when the chunks together have more than is allowed. */
export function checkTypeErrors(context: Reporting): void {
  const max = context.options.typeErrorsMax;
  if (max === 0) return;
  const { rejectedRows } = sumCounts(context.job.state);
  if (rejectedRows > max) throw tooManyTypeErrors(max, rejectedRows, `see ${partsDir(context)}`);
}

/** Puts the parts together; the number of rows left out and the path of the report, undefined where there are none. */
export async function mergeRejected(context: Reporting): Promise<{ rows: number; path: string } | undefined> {
  const { files } = context.env;
  const parts: Uint8Array[] = [];
  let rows = 0;
  for await (const part of readParts(files, partsDir(context), ofChunks(context.job.state, partName))) {
    parts.push(part);
    for (const byte of part) if (byte === 0x0a) rows++;
  }
  if (rows === 0) return undefined;
  const path = joinPath(context.options.stateDir, "reports", "type-errors.ndjson");
  await files.replace(path, joinBytes(parts));
  return { rows, path };
}
