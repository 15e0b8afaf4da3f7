/** Compares what the load functions give with what the original gave on the same tables. */
import assert from "node:assert/strict";
import { LevinError } from "../../src/base/mod.ts";
import {
  type CheckpointDb,
  CUSTOM_SST_DB,
  checksumsLine,
  existsIngestRepairs,
  existsLogMetadata,
  existsProgress,
  existsRestoreCheckpoint,
  ingestRepairLines,
  LOG_DB,
  LoadReport,
  loadChecksums,
  loadIngestRepairs,
  loadLogMetadata,
  loadLogTaskInfo,
  loadProgress,
  loadSnapshotMetadata,
  logItemLine,
  logMetadataLine,
  progressLine,
  readLogGroup,
  readRestoreGroup,
  restoreItemLine,
  SNAPSHOT_DB,
  type SqlQuery,
  snapshotMetadataLine,
  TableHome,
  walkItems,
} from "../../src/br/mod.ts";

interface Loaded {
  error: string | null;
  values?: unknown[];
  past_dure_time_ns?: string;
  checksums?: unknown;
  metadata?: unknown;
  sqls?: unknown;
  progress?: number;
  task_info?: unknown;
}

export type Results = Record<string, unknown> & {
  exists?: Record<string, boolean>;
  load_checksum?: Loaded;
  load_data?: Loaded;
  load_log_data?: Loaded;
  load_log_metadata?: Loaded;
  load_metadata?: Loaded;
  load_ingest?: Loaded;
  load_progress?: Loaded;
  task_info?: Loaded;
};

/** BR's own texts are kept; those of Go's JSON are not. */
function sameError(thrown: unknown, expected: string | null): void {
  const own = thrown === undefined ? undefined : LevinError.from(thrown);
  assert.equal(own !== undefined, expected !== null, `${own?.message} against ${expected}`);
  if (expected === null || !/from table/.test(expected)) return;
  const at = expected.indexOf("[schema:1146]");
  if (at < 0) assert.equal(own?.message, expected);
  else
    assert.match(own!.message.slice(0, at) === expected.slice(0, at) ? own!.message : "", /Table '.*' doesn't exist/);
}

async function compare(expected: Loaded | undefined, load: () => Promise<Partial<Loaded>>): Promise<void> {
  if (expected === undefined) return;
  let result: Partial<Loaded> = {};
  let thrown: unknown;
  try {
    result = await load();
  } catch (error) {
    thrown = error;
  }
  sameError(thrown, expected.error);
  for (const [name, value] of Object.entries(result)) assert.deepEqual(value, expected[name as keyof Loaded], name);
}

async function compareData(query: SqlQuery, db: CheckpointDb, expected: Loaded | undefined): Promise<void> {
  if (expected === undefined) return;
  const report = new LoadReport();
  const values: unknown[] = [];
  const home = new TableHome(query, db);
  let thrown: unknown;
  try {
    if (db === LOG_DB) {
      await walkItems(home, readLogGroup, { report }, (key, item) => void values.push(logItemLine(key, item)));
    } else {
      await walkItems(home, readRestoreGroup, { report }, (key, item) => void values.push(restoreItemLine(key, item)));
    }
  } catch (error) {
    thrown = error;
  }
  sameError(thrown, expected.error);
  assert.deepEqual(values, expected.values);
  assert.equal(`${report.pastDureNs}`, expected.past_dure_time_ns);
}

/** Compares every load function with what the original gave on the same tables. */
export async function compareAll(query: SqlQuery, expected: Results, db: CheckpointDb): Promise<void> {
  if (expected.exists !== undefined) {
    assert.deepEqual(
      {
        exists_ingest_index_repair_sqls: await existsIngestRepairs(query),
        exists_log_restore_metadata: await existsLogMetadata(query),
        exists_progress: await existsProgress(query),
        exists_sst_restore_checkpoint_custom_sst: await existsRestoreCheckpoint(query, CUSTOM_SST_DB),
        exists_sst_restore_checkpoint_snapshot: await existsRestoreCheckpoint(query, SNAPSHOT_DB),
      },
      expected.exists,
    );
  }
  await compareData(query, db, expected.load_data);
  await compareData(query, LOG_DB, expected.load_log_data);
  // The original's checksum function reads the snapshot database whatever the restore is.
  const report = new LoadReport();
  await compare(expected.load_checksum, async () => {
    const checksums = await loadChecksums(new TableHome(query, SNAPSHOT_DB), report);
    return { checksums: checksumsLine(checksums), past_dure_time_ns: `${report.pastDureNs}` };
  });
  const logMetadata = async () => ({ metadata: logMetadataLine(await loadLogMetadata(query)) });
  await compare(expected.load_metadata, async () =>
    db === LOG_DB ? await logMetadata() : { metadata: snapshotMetadataLine(await loadSnapshotMetadata(query)) },
  );
  await compare(expected.load_log_metadata, logMetadata);
  await compare(expected.load_ingest, async () => ({ sqls: ingestRepairLines(await loadIngestRepairs(query)) }));
  await compare(expected.load_progress, async () => ({ progress: progressLine(await loadProgress(query)) as number }));
  await compare(expected.task_info, async () => {
    const { metadata, progress, hasSnapshotMetadata } = await loadLogTaskInfo(query);
    return {
      task_info: {
        metadata: metadata === null ? null : logMetadataLine(metadata),
        progress: progressLine(progress),
        has_snapshot_metadata: hasSnapshotMetadata,
      },
    };
  });
}
