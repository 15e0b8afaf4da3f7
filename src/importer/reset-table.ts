import { joinPath, LevinError } from "../base/mod.ts";
import { Job, readJob } from "./job.ts";
import type { BatchState } from "./job-state.ts";
import type { ImportEnvironment } from "./options.ts";

type StateEnvironment = Pick<ImportEnvironment, "files" | "pid" | "clock" | "emit">;

interface TableReset {
  /** Other tables that are encoded again, as their pairs are not in the cluster and share runs with the table's. */
  encodedAgain: string[];
  /** Files that may have changed before the next run. */
  files: string[];
}

/**
 * Forgets one table (`db.table`) of a job, so that the next run imports it anew: from its files as they are then, into the table as it is
 * then, which must be empty. Throws `Levin:State:ErrLocked` while a run goes on.
 */
export async function resetTable(env: StateEnvironment, stateDir: string, table: string): Promise<TableReset> {
  const before = await readJob(env.files, stateDir);
  const batch = before?.batches.find((one) => one?.tables.includes(table));
  if (before === undefined || batch === undefined) {
    const known = before?.batches.flatMap((one) => one?.tables ?? []) ?? [];
    const shown = known.slice(0, 5).join(", ");
    throw new LevinError(
      "Levin:Command:ErrUsage",
      `Cannot reset table "${table}": the import in "${stateDir}" has begun ${known.length === 0 ? "none" : `only ${shown}${known.length > 5 ? ", …" : ""}`}`,
    );
  }
  // Statements: what is in the target is known there by the batch's chunks, which would be numbered anew.
  const isOnItsWay = before.fingerprint?.["backend"] === "tidb" || meetsItself(batch, table);
  if (!batch.ingested && isOnItsWay) {
    const message = `Cannot reset table "${table}" while its rows are on their way: let the import of its batch end, or say --fresh`;
    throw new LevinError("Levin:Command:ErrUsage", message);
  }
  const own = new Set(batch.chunks.filter((chunk) => chunk?.table === table).map(({ path }) => path));
  // A dump that other tables are read from too must stay as it is.
  for (const { path, table: other } of before.batches.flatMap((one) => one?.chunks ?? []))
    if (other !== table) own.delete(path);
  const files = [...own];
  const options = { stateDir, sortedKvDir: joinPath(stateDir, "engines"), fresh: false };
  const job = await Job.open(options, env);
  try {
    await job.append({ type: "reset", table, forgiven: [`table ${table}`, ...files.map((path) => `file ${path}`)] });
  } finally {
    await job.close();
  }
  return { encodedAgain: batch.ingested ? [] : batch.tables.filter((one) => one !== table), files };
}

/** Other tables that had rows, and of which ranges are in: encoded again, their rows would be found in each other's way. */
function meetsItself({ filled, ranges, tables }: BatchState, table: string): boolean {
  const isBegun = ranges.data.size + ranges.index.size > 0;
  return isBegun && tables.some((other) => other !== table && filled.includes(other));
}

/** Takes the lock of a state directory and gives it back: nobody runs there. Throws `Levin:State:ErrLocked`. */
export async function demandIdle(env: StateEnvironment, stateDir: string): Promise<void> {
  const job = await Job.open({ stateDir, sortedKvDir: joinPath(stateDir, "engines"), fresh: false }, env);
  await job.close();
}
