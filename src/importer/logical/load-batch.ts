import { LevinError } from "../../base/mod.ts";
import {
  type ApplyPolicy,
  ChunkLoader,
  findTwin,
  Lane,
  type LogicalChunkTable,
  type LogicalTable,
} from "../../logical/mod.ts";
import { type ColumnCoding, charsetOfColumn, ignoredColumns } from "../../source/mod.ts";
import { type SqlLink, sqlErrno } from "../../tidb/mod.ts";
import type { Batch } from "../batches.ts";
import { ChunkStream, chunksOf, type NumberedChunk } from "../chunk-stream.ts";
import { placeWords, type SourcePlace } from "../conflict/conflict-report.ts";
import { tooManyTypeErrors } from "../encode/rejected-row.ts";
import type { BatchState } from "../job-state.ts";
import type { ImportOptions } from "../options.ts";
import type { ChunkResult } from "../records.ts";
import { sumCounts } from "../reports.ts";
import type { SourceTable } from "../source-plan.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import { ChunkReports } from "./chunk-reports.ts";
import type { LogicalContext } from "./context.ts";
import { type Losers, leftOut } from "./find-conflicts.ts";

/** Rows of one INSERT and its bytes where the configuration says nothing. */
export const LOGICAL_DEFAULTS = {
  batchBytes: 0,
  batchRows: 65536,
  packetBytes: 64 << 20,
  metaSchema: "lightning_metadata",
};

/**
 * Of one statement: Lightning's figure for TiDB, whose transactions are small; elsewhere each statement costs a flush of the log (lineitem into
 * MariaDB 10.11, 20 MB, two connections: 12.9 s with 96 KiB, 9.4 s with 1 MiB, 10.7 s with 4 MiB).
 */
export function batchBytesOf({ options, isTidb, packetBytes }: LogicalContext): number {
  const given = options.logical?.batchBytes ?? 0;
  return Math.min(packetBytes, given > 0 ? given : isTidb ? 96 << 10 : 1 << 20);
}

const WINDOW_BYTES = 1 << 20;
const ER_UNKNOWN_VARIABLE = 1193;

/** Of TiDB's sessions; a version that lacks one does without. */
const TIDB_VARIABLES: Readonly<Record<string, string>> = {
  allow_auto_random_explicit_insert: "1",
  tidb_opt_write_row_id: "1",
  // Rows in another's way are to be told by the statement that has them, whatever the transaction's mode is.
  tidb_constraint_check_in_place: "1",
  // An optimistic transaction may be run again by the server itself, whatever the position is then.
  tidb_txn_mode: "'pessimistic'",
};

/** Brings in what is left of a batch, several connections side by side. */
export async function loadBatch(
  context: LogicalContext,
  batch: Batch,
  state: BatchState,
  losers: Losers | undefined,
): Promise<void> {
  const { env, options } = context;
  const columnCountOf = (name: string): number => context.tables.get(name)!.columns.length;
  const stop = new AbortController();
  const inner = { ...context, env: { ...env, signal: AbortSignal.any([env.signal, stop.signal]) } };
  const stream = new ChunkStream({ ...inner, columnCountOf }, batch, state);
  const queue = new ChunkQueue(stream.chunks, (table) => orderDecides(context, table, losers));
  const tally = new Tally(context);
  let first: { thrown: unknown } | undefined;
  const work = async (): Promise<void> => {
    const lane = new Lane({ ...inner.env, patienceMs: options.retryDeadlineMs, ...laneOf(inner) });
    try {
      for (let one = await queue.next(); one !== undefined; one = await queue.next(one)) {
        await stream.writePlanned();
        const result = await loadOne(inner, lane, batch, one, tally, losers);
        stream.finished(one.id, { rows: result.rows });
      }
    } catch (thrown) {
      first ??= { thrown };
      stop.abort(thrown);
      queue.stop();
    } finally {
      lane.close();
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  await stream.chunks.close();
  if (first !== undefined) throw (first as { thrown: unknown }).thrown;
  await stream.writePlanned();
}

/** Whether the statements decide which rows of a table stay, so that they must come in the order of the source. */
function orderDecides({ options, tables }: LogicalContext, table: string, losers: Losers | undefined): boolean {
  const strategy = options.conflict?.strategy ?? "";
  const decides = strategy === "replace" || strategy === "ignore";
  return decides && losers?.has(table) !== true && tables.get(table)!.uniqueKeys.length > 0;
}

/** Conflicts and refused rows of the whole job, those of chunks under way included. */
class Tally {
  readonly #options: ImportOptions;
  readonly #open = new Set<ChunkReports>();
  /** Of chunks that are in, and of rows that another one of the source keeps out. */
  #conflicts: number;
  #refused: number;

  constructor({ options, job }: LogicalContext) {
    const { conflictRows, rejectedRows } = sumCounts(job.state);
    this.#options = options;
    this.#conflicts = job.state.batches.reduce((sum, batch) => sum + (batch?.conflicts?.losers ?? 0), conflictRows);
    this.#refused = rejectedRows;
  }

  open(reports: ChunkReports): void {
    this.#open.add(reports);
  }

  close(reports: ChunkReports): void {
    this.#open.delete(reports);
    this.#conflicts += reports.conflicts;
    this.#refused += reports.refused;
  }

  get conflicts(): number {
    let sum = this.#conflicts;
    for (const one of this.#open) sum += one.conflicts;
    return sum;
  }

  get refused(): number {
    let sum = this.#refused;
    for (const one of this.#open) sum += one.refused;
    return sum;
  }

  /** Throws when there are more than the configuration allows. */
  check(): void {
    const { typeErrorsMax, conflict, stateDir } = this.#options;
    const { refused, conflicts } = this;
    if (refused > typeErrorsMax) throw tooManyTypeErrors(typeErrorsMax, refused, `see ${stateDir}/reports`);
    const max = conflict?.threshold ?? 0;
    if (conflicts <= max) return;
    throw new LevinError(
      "Levin:Encode:ErrTooManyConflicts",
      `Cannot go on: ${conflicts} rows are in the way of others, conflict.threshold allows ${max}; see ${stateDir}/reports`,
      { fields: { max, found: conflicts } },
    );
  }
}

function laneOf(context: LogicalContext) {
  const { options, env, isTidb, positions } = context;
  const { tidb, timeZone, sqlMode } = options;
  const sessionVariables = {
    sql_mode: sqlMode,
    foreign_key_checks: 0,
    ...(timeZone === undefined ? {} : { time_zone: timeZone }),
    ...tidb.sessionVariables,
    autocommit: 0,
  };
  const open = async (): Promise<SqlLink> => {
    const link = await env.world.openSqlLink({ ...tidb, sessionVariables });
    if (!isTidb) return link;
    for (const [name, value] of Object.entries(TIDB_VARIABLES)) {
      try {
        await link.run(`SET SESSION ${name} = ${value}`);
      } catch (error) {
        if (sqlErrno(error) === ER_UNKNOWN_VARIABLE) continue;
        link.destroy();
        throw error;
      }
    }
    return link;
  };
  return { open, positions };
}

async function loadOne(
  context: LogicalContext,
  lane: Lane,
  batch: Batch,
  { id, chunk }: NumberedChunk,
  tally: Tally,
  losers: Losers | undefined,
): Promise<ChunkResult> {
  const { env, job, options, plan, progress } = context;
  await env.gate?.pass(env.signal);
  const name = `${chunk.database}.${chunk.table}`;
  const table = batch.tables.find((one) => one.name === name)!;
  const info = context.tables.get(name)!;
  const reports = new ChunkReports(context, batch.id, id, name);
  tally.open(reports);
  const logical = options.logical ?? LOGICAL_DEFAULTS;
  const loader = new ChunkLoader({
    storage: plan.storage,
    lane,
    batchBytes: batchBytesOf(context),
    batchRows: logical.batchRows,
    sqlMode: options.sqlMode,
    noBackslash: /NO_BACKSLASH_ESCAPES/i.test(options.sqlMode),
    windowBytes: WINDOW_BYTES,
    compatLightning: options.compatLightning,
    allowShortRows: options.allowShortRows,
    invalidReplacement: options.invalidReplacement,
    signal: env.signal,
    policy: (): ApplyPolicy => ({
      strategy: options.conflict?.strategy ?? "",
      tolerateRows: options.typeErrorsMax > 0,
      packetBytes: context.packetBytes,
      nameConflicts: tally.conflicts < (options.conflict?.maxRecordRows ?? 0),
    }),
    ...(losers?.has(name) ? { leftOut: leftOut(losers.get(name)!, chunk.rowIdBase) } : {}),
    onBegin: async (position) => {
      await reports.begin(position);
      // With what an earlier run met in it there may be too many.
      tally.check();
    },
    onReport: async (report) => {
      await reports.add(report);
      tally.check();
    },
    onProgress: (rows, bytes) => progress.encoded(rows, bytes),
  });
  const target = chunkTable(context, table, info);
  const loaded = await loader.load(batch.id, id, chunk, target).catch(async (thrown: unknown) => {
    if (!(thrown instanceof LevinError) || thrown.code !== "Levin:Encode:ErrDuplicateKey") throw thrown;
    const place = placeOf(thrown);
    const twin = losers?.has(name) ? undefined : await twinOf(context, batch, table, target, thrown);
    // Of the two failures the first one is the cause.
    if (options.conflict?.strategy === "error")
      await reports.end(place, conflictOf(thrown), twin).catch((failed: unknown) => {
        const message = `The rows in each other's way were not reported: ${LevinError.from(failed).message}`;
        env.emit({ kind: "log", level: "warn", message });
      });
    throw withBoth(context, batch, table, thrown, twin);
  });
  if (loaded.firstChange !== undefined && !context.firstChanges.has(name))
    context.firstChanges.set(name, loaded.firstChange);
  const ignored = options.conflict?.strategy === "ignore" ? reports.conflicts : 0;
  const counts = Object.entries({
    rejectedRows: reports.refused,
    conflictRows: reports.conflicts,
    shortRows: loaded.shortRows,
    replacedCharacters: loaded.replacedCharacters,
    changedValues: loaded.changedValues,
    continuedChunks: loaded.isContinued ? 1 : 0,
  }).filter(([, count]) => count > 0);
  const result: ChunkResult = {
    chunk: id,
    table: name,
    rows: loaded.rows - loaded.leftOut - reports.refused - ignored,
    kvs: 0,
    bytes: 0,
    crc: "0",
    autoIncrementMax: "0",
    autoRandomMax: "0",
    rowIdMax: "0",
    counts: Object.fromEntries(counts),
  };
  await job.append({ type: "flushed", batch: batch.id, runs: { data: [], index: [] }, chunks: [result] });
  tally.close(reports);
  return result;
}

const placeOf = ({ fields: { file, row, byte } }: LevinError): SourcePlace => ({
  file: String(file),
  row: Number(row),
  byte: Number(byte),
});

function conflictOf({ fields: { index, value, inTheWay } }: LevinError) {
  return {
    index: String(index),
    value: String(value),
    target: typeof inTheWay === "string" ? inTheWay : undefined,
  };
}

/** The server names one of two rows in each other's way; the source may tell the other. */
async function twinOf(
  context: LogicalContext,
  batch: Batch,
  source: SourceTable,
  table: LogicalChunkTable,
  thrown: LevinError,
): Promise<SourcePlace | undefined> {
  const { options, plan, env, job } = context;
  const again: BatchState = { ...job.state.batches[batch.id]!, chunks: [], done: new Map() };
  const columnCountOf = (): number => table.info.columns.length;
  try {
    return await findTwin({
      storage: plan.storage,
      chunks: chunksOf({ ...context, columnCountOf }, { ...batch, tables: [source] }, again, () => undefined),
      table,
      index: String(thrown.fields["index"]),
      place: placeOf(thrown),
      sqlMode: options.sqlMode,
      compatLightning: options.compatLightning,
      invalidReplacement: options.invalidReplacement,
      signal: env.signal,
    });
  } catch {
    return undefined;
  }
}

function withBoth(
  { job }: LogicalContext,
  batch: Batch,
  { name }: SourceTable,
  thrown: LevinError,
  twin: SourcePlace | undefined,
): LevinError {
  const { index, value, target } = conflictOf(thrown);
  const wasThere = job.state.batches[batch.id]!.filled.includes(name);
  // It is there now, and was not before: a row of the source, compared by rules of the target's own.
  const another = target === undefined ? "another row of the source" : `a row of the source (${target} in the target)`;
  const other = twin !== undefined ? placeWords(twin) : wasThere ? placeWords(null, target) : another;
  const message = `Cannot import table "${name}": index "${index}", value ${value}: ${other} and ${placeWords(placeOf(thrown))} have the same key`;
  const more = { otherFile: twin?.file, otherRow: twin?.row, otherByte: twin?.byte };
  return new LevinError(thrown.code, message, { cause: thrown, fields: { ...thrown.fields, ...more } });
}

function chunkTable({ options }: LogicalContext, table: SourceTable, info: LogicalTable): LogicalChunkTable {
  const ignored = ignoredColumns(options.ignoreColumns, table.database, table.table, options.caseSensitive);
  return { info, codings: codingsOf(table, info), ignored: new Set(ignored) };
}

/** How columns of a table are coded in the source, by lower-case name. */
function codingsOf(table: SourceTable, info: LogicalTable): Map<string, ColumnCoding> {
  const binaryFormat = table.files[0]?.dialect?.binaryFormat ?? "raw";
  const out = new Map<string, ColumnCoding>();
  for (const { name, binary, charset } of info.columns) {
    const text = charset === undefined ? undefined : charsetOfColumn(table.columnText, charset);
    const coding = binary && binaryFormat !== "raw" ? binaryFormat : text;
    if (coding !== undefined) out.set(name.toLowerCase(), coding);
  }
  return out;
}
