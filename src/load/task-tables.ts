import { quoteName, type Tidb } from "../tidb/mod.ts";
import { CheckpointList, isLoadState, type LoadState, readAllStates } from "./checkpoint-list.ts";
import { downstreamError } from "./dm-error.ts";
import {
  checkpointListName,
  checkpointSchemaName,
  coordTableName,
  taskInfoSchemaName,
  unitStateName,
} from "./names.ts";
import type { SubTask } from "./subtask.ts";
import { type Phase, type UnitRecord, UnitStateTable } from "./unit-state.ts";

/** What the target says of one source's load, as it is exported and imported. */
export interface LoadCheckpoint {
  format: "levin load checkpoint 1";
  task: string;
  source: string;
  /** DM's list; undefined: no row. */
  status: LoadState | undefined;
  /** levin's row beside it; undefined: none. */
  record: UnitRecord | undefined;
}

const PHASES: readonly Phase[] = ["init", "running", "imported", "finished"];

/** Reads both rows; where there are no tables, there is nothing. */
export async function readLoadCheckpoint(tidb: Tidb, subtask: SubTask): Promise<LoadCheckpoint> {
  const { name, sourceId, metaSchema } = subtask;
  const there = await tablesOf(tidb, metaSchema);
  const states = there.has(checkpointListName(name)) ? await readAllStates(tidb, metaSchema, name) : new Map();
  const table = new UnitStateTable(tidb, metaSchema, name, sourceId);
  const record = there.has(unitStateName(name)) ? await table.read() : undefined;
  return { format: "levin load checkpoint 1", task: name, source: sourceId, status: states.get(sourceId), record };
}

/** Writes both rows as they were exported; makes the tables. Throws a plain Error for what is none. */
export async function writeLoadCheckpoint(tidb: Tidb, subtask: SubTask, given: unknown): Promise<void> {
  const checkpoint = given as Partial<LoadCheckpoint> | null;
  const { status, record } = checkpoint ?? {};
  if (checkpoint?.format !== "levin load checkpoint 1") throw new Error("it is no checkpoint of a load");
  if (status !== undefined && !isLoadState(status)) throw new Error(`"${String(status)}" is no status`);
  if (record !== undefined && !PHASES.includes(record.phase)) throw new Error(`"${String(record.phase)}" is no phase`);
  const { name, sourceId, metaSchema } = subtask;
  if (checkpoint.task !== name || checkpoint.source !== sourceId) {
    throw new Error(`it belongs to task "${checkpoint.task}", source "${checkpoint.source}"`);
  }
  const list = new CheckpointList(tidb, metaSchema, name, sourceId, () => undefined);
  const table = new UnitStateTable(tidb, metaSchema, name, sourceId);
  await list.prepare();
  await table.prepare();
  if (status === undefined) await list.remove();
  else {
    await list.register();
    await list.update(status);
  }
  if (record === undefined) await table.remove();
  else await table.write(record);
}

/** Removes both rows. */
export async function clearLoadCheckpoint(tidb: Tidb, subtask: SubTask): Promise<void> {
  const empty = { format: "levin load checkpoint 1", task: subtask.name, source: subtask.sourceId };
  await writeLoadCheckpoint(tidb, subtask, empty);
}

/**
 * Statements that forget a task in the target, of what is there: DM's list, levin's tables, the records of duplicates, and Lightning's own
 * checkpoints, which DM's `--remove-meta` leaves.
 */
export async function removalStatements(tidb: Tidb, { name, metaSchema, sources }: SubTask): Promise<string[]> {
  const there = await tablesOf(tidb, metaSchema);
  const tables = [checkpointListName(name), unitStateName(name), coordTableName(name)].filter((table) =>
    there.has(table),
  );
  const wanted = [taskInfoSchemaName(metaSchema, name), ...sources.map((source) => checkpointSchemaName(name, source))];
  const { rows } = await query(tidb, "SHOW DATABASES");
  const schemas = new Set(rows.map(([schema]) => schema));
  return [
    ...tables.map((table) => `DROP TABLE IF EXISTS ${quoteName(metaSchema)}.${quoteName(table)}`),
    ...[...new Set(wanted)]
      .filter((schema) => schemas.has(schema))
      .map((schema) => `DROP DATABASE IF EXISTS ${quoteName(schema)}`),
  ];
}

async function tablesOf(tidb: Tidb, schema: string): Promise<Set<string>> {
  const { rows } = await query(tidb, "SHOW DATABASES");
  if (!rows.some(([name]) => name?.toLowerCase() === schema.toLowerCase())) return new Set();
  const tables = await query(tidb, `SHOW TABLES FROM ${quoteName(schema)}`);
  return new Set(tables.rows.map(([name]) => name ?? ""));
}

function query(tidb: Tidb, sql: string): ReturnType<Tidb["query"]> {
  return tidb.query(sql).catch((thrown: unknown) => {
    throw downstreamError("read the task's tables", thrown);
  });
}
