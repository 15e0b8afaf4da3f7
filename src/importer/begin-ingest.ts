import { inParallel, LevinError } from "../base/mod.ts";
import { checksumTable } from "../ingest/mod.ts";
import { readNextRowIds, tablesWithRows } from "../tidb/mod.ts";
import type { Batch } from "./batches.ts";
import { clearTaken } from "./conflict/existing-rows.ts";
import type { RunContext } from "./context.ts";
import type { BatchState } from "./job-state.ts";
import { checksumRanges } from "./key-ranges.ts";
import type { SourceTable } from "./source-plan.ts";

/**
 * Once a batch, right before its first ingest: looks whether the tables are as the import took them to be, takes the rows away that are
 * replaced, and chooses the commit timestamp, which is so above all that others have written there. Encoded pairs do not have it. Throws
 * `Levin:Check:ErrTargetNotEmpty` and `Levin:Check:ErrTargetChanged` with nothing ingested.
 */
export async function beginIngest(context: RunContext, batch: Batch, state: BatchState): Promise<void> {
  if (state.begun) return await demandOwn(context, batch, state);
  const { cluster, env, job } = context;
  await demandUnchanged(context, batch, state);
  const base = await clearTaken(context, batch, state);
  // Large tables take their time to be summed.
  if (base.length > 0) await demandUnchanged(context, batch, state);
  const commitTs = await cluster.pd.timestamp(env.signal);
  env.signal.throwIfAborted();
  await job.append({
    type: "cleared",
    batch: batch.id,
    commitTs: String(commitTs),
    base,
  });
}

/** Looks at what a run that was killed has left, after a request of it that was on its way. */
const LOOKS_MAX = 3;
const LOOK_AGAIN_MS = 2_000;

/**
 * A run that had begun may have died before its first range was in. Until that is known others may have found the tables empty and filled
 * them: what was written behind the batch's timestamp is theirs.
 */
async function demandOwn(context: RunContext, { tables }: Batch, state: BatchState): Promise<void> {
  const { env, options, tidb } = context;
  if (state.ranges.data.size + state.ranges.index.size + state.round > 0 || !looksAtTables(context)) return;
  const filled = new Set(state.filled);
  const empty = tables.filter(({ name }) => !filled.has(name));
  const found = [...(await tablesWithRows(tidb, empty)), ...tables.filter(({ name }) => filled.has(name))];
  await inParallel(found, options.tidb.connectionsMax, async ({ name }) => {
    for (let looks = 1; await hasNewer(context, name, state.commitTs); looks++) {
      if (looks === LOOKS_MAX) throw changed(name, "there are pairs in it that are newer than those of this import");
      await env.clock.sleep(LOOK_AGAIN_MS, env.signal);
    }
  });
}

async function hasNewer({ cluster, env, models }: RunContext, table: string, commitTs: bigint): Promise<boolean> {
  const { clock, random, signal } = env;
  const { pd, tikv } = cluster;
  const ranges = checksumRanges(models.get(table)!);
  const sumAt = (snapshot: bigint) => checksumTable({ clock, random, pd, tikv, ranges, snapshot, signal });
  const own = await sumAt(commitTs);
  const all = await sumAt(await pd.timestamp(signal));
  return own.kvs !== all.kvs || own.bytes !== all.bytes || own.crc64xor !== all.crc64xor;
}

/** Tables may have anything in them where several sources fill them, or the user wants no checks. */
function looksAtTables({ options }: RunContext): boolean {
  return options.parallelIndex === undefined && (options.intoRows || options.checkRequirements);
}

/** The largest id that a table's allocators gave out; ids that levin gives to rows go on behind it. */
export async function givenRowIds(
  { tidb }: Pick<RunContext, "tidb">,
  { database, table }: Pick<SourceTable, "database" | "table">,
): Promise<number> {
  const ids = await readNextRowIds(tidb, database, table);
  return ids.reduce((base, { next }) => Math.max(base, Number(next) - 1), 0);
}

/**
 * Others may have come since the tables were looked at: the locks guard against other imports only, and not while no run goes on. Rows that
 * come without an id of an allocator into a table that has rows are not seen here; the checksum tells.
 */
async function demandUnchanged(context: RunContext, { tables }: Batch, state: BatchState): Promise<void> {
  const { options, tidb } = context;
  if (!looksAtTables(context)) return;
  const filled = new Set(state.filled);
  const empty = tables.filter(({ name }) => !filled.has(name));
  for (const { name } of await tablesWithRows(tidb, empty)) {
    if (options.intoRows) throw changed(name, "it was empty when this import looked at it, and has rows now");
    throw new LevinError(
      "Levin:Check:ErrTargetNotEmpty",
      `Cannot import: the target's table "${name}" must be empty, and has got rows since this import looked at it`,
      { fields: { table: name } },
    );
  }
  const { connectionsMax } = options.tidb;
  const others = tables.filter(({ name }) => filled.has(name));
  await inParallel(others, connectionsMax, async (table) => {
    const before = state.rowIdBases.get(table.name);
    const now = await givenRowIds(context, table);
    if (now === before) return;
    throw changed(table.name, `ids up to ${now} are given out there, and it was encoded for ${before}`);
  });
}

function changed(table: string, how: string): LevinError {
  const message = `Cannot import table "${table}": others have brought rows into it: ${how}`;
  return new LevinError("Levin:Check:ErrTargetChanged", message, {
    fields: { table },
  });
}
