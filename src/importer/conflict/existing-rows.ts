import { assert, compareBytes, LevinError } from "../../base/mod.ts";
import type { KeyRange } from "../../cluster/mod.ts";
import { type Handle, recordKey, splitIndexValue, splitKey } from "../../codec/mod.ts";
import { handleLiterals } from "../../encoder/mod.ts";
import { type Engine, forEachPair } from "../../engine/mod.ts";
import { checksumTable, type NamedRange, type ScannedPair, scanPairs } from "../../ingest/mod.ts";
import type { TableInfo } from "../../schema/mod.ts";
import { quoteName, underLocks } from "../../tidb/mod.ts";
import type { Batch } from "../batches.ts";
import type { RunContext } from "../context.ts";
import type { BatchState } from "../job-state.ts";
import { checksumRanges } from "../key-ranges.ts";
import type { TableSums } from "../records.ts";
import type { SourceTable } from "../source-plan.ts";

/** A key of the import that a row of the target has. */
export interface TakenKey {
  readonly table: SourceTable;
  readonly key: Uint8Array;
  /** Names the target's row in a WHERE clause. */
  where(): Promise<string>;
}

/** Rows of one DELETE. */
const DELETE_ROWS = 256;

/** Keys of unique entries that both the engines and the tables that have rows already hold; in key order, table after table. */
export async function* takenKeys(
  context: RunContext,
  batch: Batch,
  state: BatchState,
  engines: readonly Engine[],
): AsyncGenerator<TakenKey> {
  const filled = new Set(state.filled);
  const snapshot = await context.cluster.pd.timestamp(context.env.signal);
  for (const table of batch.tables) {
    if (!filled.has(table.name)) continue;
    const info = context.models.get(table.name)!;
    for (const range of uniqueRanges(info)) {
      for (const engine of engines) {
        for await (const { key, value } of join(context, engine, range, snapshot)) {
          const row = rowOf(key, value);
          // An entry with NULL is another row's only where the record is, too.
          if (row === undefined) continue;
          const where = (): Promise<string> => whereOf(context, table.name, info, row, snapshot);
          yield { table, key, where };
        }
      }
    }
  }
}

/** Records and entries of unique indexes. */
function uniqueRanges(info: TableInfo): NamedRange[] {
  return checksumRanges(info).filter(({ start }) => {
    const parts = splitKey(Uint8Array.from([...start, ...new Uint8Array(8)]));
    if (parts.kind !== "index") return true;
    return (info.index_info ?? []).some((index) => index.id === Number(parts.indexId) && index.is_unique);
  });
}

/** Physical table and handle of the row that a record or an entry of a unique index belongs to. */
function rowOf(key: Uint8Array, value: Uint8Array): { tableId: bigint; handle: Handle } | undefined {
  const parts = splitKey(key);
  assert(parts.kind !== "other", "a table's range holds keys of the table");
  if (parts.kind === "record") return { tableId: parts.tableId, handle: parts.handle };
  const { handle, partitionId } = splitIndexValue(value);
  return handle && { tableId: partitionId ?? parts.tableId, handle };
}

/** Pairs of the target whose keys the engine has, too. */
async function* join(
  context: RunContext,
  engine: Engine,
  range: KeyRange,
  snapshot: bigint,
): AsyncGenerator<ScannedPair> {
  const pages = pairsOf(context, range, snapshot);
  let page: readonly ScannedPair[] = [];
  let at = 0;
  const settle = async (): Promise<boolean> => {
    while (at >= page.length) {
      const { done, value } = await pages.next();
      if (done) return false;
      page = value;
      at = 0;
    }
    return true;
  };
  try {
    if (!(await settle())) return;
    const options = { onDuplicate: () => undefined, signal: context.env.signal };
    for await (const { packed } of engine.reader({ start: range.start, end: range.end }, options)) {
      const keys: Uint8Array[] = [];
      forEachPair(packed, (keyAt, keyEnd) => keys.push(packed.subarray(keyAt, keyEnd)));
      for (let i = 0; i < keys.length; ) {
        const order = compareBytes(keys[i]!, page[at]!.key);
        if (order === 0) yield page[at]!;
        if (order <= 0) i++;
        else {
          at++;
          if (!(await settle())) return;
        }
      }
    }
  } finally {
    await pages.return(undefined);
  }
}

function pairsOf(
  { cluster, env, options }: RunContext,
  range: KeyRange,
  snapshot: bigint,
): AsyncGenerator<ScannedPair[]> {
  const { clock, random, signal } = env;
  const { pd, tikv } = cluster;
  return scanPairs(range, { clock, random, pd, tikv, snapshot, patienceMs: options.retryDeadlineMs, signal });
}

/** Takes the rows that others of the source replace out of the target, and sums what is left in the tables that have rows. */
export async function clearTaken(context: RunContext, batch: Batch, state: BatchState): Promise<TableSums[]> {
  const { cluster, env, models } = context;
  if (state.filled.length === 0) return [];
  for (const table of batch.tables) if (state.filled.includes(table.name)) await deleteRows(context, table, state);
  const { clock, random, signal } = env;
  const snapshot = await cluster.pd.timestamp(signal);
  const base: TableSums[] = [];
  for (const name of state.filled) {
    const ranges = checksumRanges(models.get(name)!);
    const sum = await checksumTable({ clock, random, pd: cluster.pd, tikv: cluster.tikv, ranges, snapshot, signal });
    base.push({ table: name, rows: 0, kvs: String(sum.kvs), bytes: String(sum.bytes), crc: String(sum.crc64xor) });
  }
  return base;
}

/**
 * Under a lock, also where nothing is to be deleted: a statement of a run that was killed, of this import or of one that it takes the place
 * of, or of a connection that was lost, may be carried out later, and would take the rows that have come in with the same keys.
 */
async function deleteRows(
  { tidb, options }: RunContext,
  { name, database, table }: SourceTable,
  state: BatchState,
): Promise<void> {
  const full = `${quoteName(database)}.${quoteName(table)}`;
  const wheres = (state.conflicts?.deletes ?? []).flatMap((one) => (one.table === name ? one.where : []));
  await underLocks(tidb, { names: [`levin_replace.${name}`], patienceMs: options.retryDeadlineMs }, async (query) => {
    for (let at = 0; at < wheres.length; at += DELETE_ROWS) {
      const rows = wheres.slice(at, at + DELETE_ROWS).map((where) => `(${where})`);
      await query(`DELETE FROM ${full} WHERE ${rows.join(" OR ")}`);
    }
  });
}

/** What a WHERE clause says of a row; throws where neither key nor record tell. */
async function whereOf(
  context: RunContext,
  name: string,
  info: TableInfo,
  { tableId, handle }: { tableId: bigint; handle: Handle },
  snapshot: bigint,
): Promise<string> {
  let literals = handleLiterals(info, handle);
  if (literals === undefined) {
    const start = recordKey(tableId, handle);
    for await (const [record] of pairsOf(context, { start, end: Uint8Array.from([...start, 0]) }, snapshot)) {
      if (record !== undefined) literals = handleLiterals(info, handle, record.value);
    }
  }
  if (literals !== undefined)
    return literals.map(({ column, literal }) => `${quoteName(column)}=${literal}`).join(" AND ");
  throw new LevinError(
    "Levin:Schema:ErrUnsupported",
    `Cannot replace rows that are in table "${name}" already: its primary key cannot be written as literals; use backend = "tidb"`,
    { fields: { table: name } },
  );
}
