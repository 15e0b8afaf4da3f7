import { joinPath, LevinError } from "../../base/mod.ts";
import { compileTable, type EncodeSession } from "../../encoder/mod.ts";
import { parseSqlMode, runScript, type TableInfo } from "../../schema/mod.ts";
import { quoteName, quoteText, type Tidb } from "../../tidb/mod.ts";
import type { Batch } from "../batches.ts";
import { resolveBatch } from "../conflict/resolve-batch.ts";
import type { EncodeContext } from "../context.ts";
import { DiskQuota } from "../disk-quota.ts";
import { batchDir, encodeBatch, encodePool } from "../encode-batch.ts";
import { removeEngineDir, removeEngines } from "../engines.ts";
import type { JobLog } from "../job.ts";
import { applyRecord, emptyState } from "../job-state.ts";
import { planMemory } from "../memory.ts";
import { Progress } from "../progress.ts";
import type { ConflictRecord } from "../records.ts";
import { removeRejected } from "../reports.ts";
import { TableModels } from "../table-models.ts";
import type { LogicalContext } from "./context.ts";

/** Rows that another row of the source keeps out, by table: ids in ascending order. */
export type Losers = ReadonlyMap<string, Float64Array>;

/** MariaDB and MySQL compare by these as TiDB does. */
const SAME_COLLATIONS = /^(binary|ascii_bin|latin1_bin|utf8_bin|utf8mb3_bin|utf8mb4_bin|utf8mb4_general_ci)$/;

const losersPath = ({ options }: LogicalContext): string => joinPath(options.stateDir, "conflict-rows");

/**
 * Finds rows of the source with the same key before anything is sent, as the physical backend does, so that what stays does not depend on
 * the order of statements, and chunks of one table can be sent side by side. For tables that are empty and whose keys compare in the target
 * as they do here; in the others the statements decide, one after the other. Undefined where there is no such table.
 */
export async function findConflicts(
  context: LogicalContext,
  batch: Batch,
  session: EncodeSession,
): Promise<Losers | undefined> {
  const { env, job, options } = context;
  if ((options.conflict?.strategy ?? "") === "") return undefined;
  const known = job.state.batches[batch.id]!.conflicts;
  if (known !== undefined) return readLosers(context, known);
  const models = new TableModels();
  // The tables of a batch share one key space: none may have the id of another, or of its partitions.
  let lastId = 0;
  const allocate = (): number => ++lastId;
  for (const { name } of batch.tables) {
    // With rows of the target in play statements decide; but where nothing is decided, rows of the source are told before any is sent.
    if (options.conflict?.strategy !== "error" && job.state.batches[batch.id]!.filled.includes(name)) continue;
    const model = await comparableModel(context, name, session, allocate);
    if (model !== undefined) models.add(name, model);
  }
  const found = new Map<string, number[]>([...models.names()].map((name) => [name, []]));
  const part: Batch = { ...batch, tables: batch.tables.filter(({ name }) => models.has(name)) };
  let record: ConflictRecord = { type: "conflicts", batch: batch.id, losers: 0, tables: [] };
  if (part.tables.length > 0) {
    const aside = asideOf(context, models, session.newCollations);
    record = await resolve(aside, part, session, (table, rowId) => found.get(table)!.push(rowId));
    await removeEngines(env.files, options.sortedKvDir);
    // The statements tell rows with bad values again, and number the chunks of all tables.
    await removeRejected(context, batch.id);
  }
  const tables = new Map([...found].map(([name, ids]) => [name, Float64Array.from(ids)]));
  await env.files.replace(losersPath(context), packed(tables));
  await job.append({ ...record, checked: [...models.names()] });
  return tables;
}

/** Whether row `n` (from 1) of the chunk that begins behind row `base` is left out; asked in ascending order. */
export function leftOut(losers: Float64Array, base: number): (row: number) => boolean {
  let at = 0;
  return (row) => {
    while (at < losers.length && losers[at]! < base + row) at++;
    return losers[at] === base + row;
  };
}

/** Table after table: count, then that many ids; in the order of the record's `checked`. */
function packed(tables: ReadonlyMap<string, Float64Array>): Uint8Array {
  const numbers = [...tables.values()].flatMap((ids) => [ids.length, ...ids]);
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

async function readLosers(context: LogicalContext, { checked = [] }: ConflictRecord): Promise<Losers> {
  const path = losersPath(context);
  const bytes = await context.env.files.read(path);
  if (bytes === undefined) throw new LevinError("Levin:State:ErrFormat", `Cannot continue: "${path}" is missing`);
  const numbers = new Float64Array(bytes.slice().buffer);
  let at = 0;
  return new Map(
    checked.map((name) => {
      const from = at + 1;
      at = from + numbers[at]!;
      return [name, numbers.subarray(from, at)];
    }),
  );
}

/** The table's model, where its keys can be compared here and no row is in it. */
async function comparableModel(
  { tables, tidb, isTidb }: LogicalContext,
  name: string,
  session: EncodeSession,
  allocate: () => number,
): Promise<TableInfo | undefined> {
  const { database, table, uniqueKeys } = tables.get(name)!;
  if (uniqueKeys.length === 0) return undefined;
  const full = `${quoteName(database)}.${quoteName(table)}`;
  try {
    if (!isTidb && !(await collationsAgree(tidb, database, table))) return undefined;
    const shown = (await tidb.query(`SHOW CREATE TABLE ${full}`)).rows[0]?.[1] ?? "";
    const create = isTidb ? shown : neutral(shown);
    const text = `CREATE DATABASE ${quoteName(database)}; USE ${quoteName(database)};\n${create};`;
    const ddl = {
      sqlMode: parseSqlMode(""),
      timeZone: session.timeZone,
      database,
      newCollation: session.newCollations,
      clusteredIndex: "on",
      nowMs: session.nowMs,
    } as const;
    const catalog = runScript(text, ddl, allocate);
    const info = catalog.tables(database).find((one) => one.name.L === table.toLowerCase());
    const nowhere = { put: () => undefined };
    if (info === undefined) return undefined;
    compileTable(info, { session, record: nowhere, index: nowhere });
    return info;
  } catch {
    // A type, a collation or an expression that is the target's own: the target decides.
    return undefined;
  }
}

/** With what TiDB knows in place of the character sets of columns that are in no unique key, where only the values' presence counts. */
function neutral(create: string): string {
  return create
    .replace(/\b(CHARSET|CHARACTER SET)([ =])(?!binary)\w+/g, "$1$2utf8mb4")
    .replace(/\bCOLLATE([ =])(\w+)/g, (all, between, name) =>
      SAME_COLLATIONS.test(name) ? all : `COLLATE${between}utf8mb4_bin`,
    );
}

/** Whether all text columns of unique keys are compared alike here and there. */
async function collationsAgree(tidb: Tidb, database: string, table: string): Promise<boolean> {
  const { rows } = await tidb.query(
    "SELECT c.COLLATION_NAME FROM information_schema.COLUMNS c JOIN information_schema.STATISTICS s USING (TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME) " +
      `WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME = ${quoteText(table)} AND s.NON_UNIQUE = 0`,
  );
  return rows.every(([collation]) => collation == null || SAME_COLLATIONS.test(collation));
}

/** A job beside the job: its engines are gone when the rows are known. */
function asideOf(context: LogicalContext, models: TableModels, newCollations: boolean): EncodeContext {
  const { env, options, plan, streams } = context;
  const state = emptyState();
  const job: JobLog = {
    dir: options.stateDir,
    state,
    append: async (record) => applyRecord(state, record),
  };
  // For statements they are connections, of which there may be many more than threads that have something to do.
  const workers = Math.min(options.workers, env.cores);
  const blocks = options.blockStore;
  return {
    options: { ...options, workers },
    env,
    plan,
    job,
    models,
    memory: planMemory(options.memoryBytes, { workers, rangeJobs: 0, blocks }),
    newCollations,
    progress: new Progress(() => undefined, env.clock, plan.sizeBytes),
    quota: new DiskQuota(options.diskQuotaBytes ?? 0),
    streams,
    open: new Map(),
  };
}

async function resolve(
  context: EncodeContext,
  batch: Batch,
  session: EncodeSession,
  onLoser: (table: string, rowId: number) => void,
): Promise<ConflictRecord> {
  const { env, job } = context;
  const quiet = { ...context, env: { ...env, emit: () => undefined } };
  const pool = encodePool(context, session);
  try {
    await removeEngineDir(env.files, batchDir(quiet, batch.id));
    await job.append({ type: "batch", batch: batch.id, tables: batch.tables.map(({ name }) => name), commitTs: "0" });
    const encoded = await encodeBatch(quiet, pool, batch);
    try {
      await resolveBatch(quiet, pool, batch, encoded, { onLoser });
    } finally {
      await encoded.engines.close();
    }
    return job.state.batches[batch.id]!.conflicts!;
  } finally {
    await pool.close();
  }
}
