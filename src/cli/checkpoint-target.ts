import { readFile } from "node:fs/promises";
import { LevinError } from "../base/mod.ts";
import {
  type BrLayout,
  type BrPaths,
  backupMetadataLine,
  backupPaths,
  type CheckpointDb,
  CUSTOM_SST_DB,
  checkpointDbs,
  checksumsLine,
  existsFileIngestRepairs,
  existsFileProgress,
  existsIngestRepairs,
  existsProgress,
  existsTable,
  FileHome,
  fileRestoreMetadataLine,
  fileTaskInfoLine,
  findBackupLayout,
  type Home,
  ingestRepairLines,
  isCheckpointDb,
  isLogDb,
  LOG_DB,
  type LoadReport,
  loadBackupMetadata,
  loadChecksums,
  loadFileIngestRepairs,
  loadFileLogMetadata,
  loadFileProgress,
  loadFileSnapshotMetadata,
  loadIngestRepairs,
  loadLogMetadata,
  loadProgress,
  loadRestoreMetadata,
  loadSnapshotMetadata,
  loadTaskInfo,
  logMetadataLine,
  progressLine,
  restoreKindOf,
  restorePaths,
  restoreTaskOf,
  SNAPSHOT_DB,
  type SqlQuery,
  snapshotMetadataLine,
  TableHome,
} from "../br/mod.ts";
import { type ObjectStorage, openObjectStorage } from "../storage/mod.ts";
import { connectTidb } from "../tidb/mod.ts";
import { parseDsn } from "./dsn.ts";
import type { CommandIo } from "./io.ts";

export type CheckpointKind = "backup" | "restore" | "log";

/** A checkpoint that a command works on. */
export interface CheckpointTarget {
  kind: CheckpointKind;
  /** For people: where it is. */
  name: string;
  home: Home;
  /** Files. */
  files?: { storage: ObjectStorage; paths: BrPaths };
  /** Tables. */
  tables?: { query: SqlQuery; db: CheckpointDb };
  /** Items may have the field names of 2024 and before. */
  olderItems: boolean;
  close(): Promise<void>;
}

export interface TargetFlags {
  dir: string | undefined;
  dsn: string | undefined;
  /** A DSN as `dsn`, or with it the name of one of the checkpoints in a cluster. */
  table?: string | undefined;
  /** `2024`: items in tables have the field names of releases 8.4 and 8.5. */
  layout?: string | undefined;
  kind: string | undefined;
  task: string | undefined;
}

function usage(message: string): LevinError {
  return new LevinError("Levin:Command:ErrUsage", message);
}

function kindOf(text: string | undefined): CheckpointKind | undefined {
  if (text === undefined || text === "backup" || text === "restore" || text === "log") return text;
  throw usage(`Cannot use --kind ${text}: it must be backup, restore or log`);
}

/** Finds the one checkpoint that the flags mean. Errors: Levin:Command:ErrUsage, Levin:Br:ErrMissing, those of the connection. */
export async function openTarget(flags: TargetFlags, environment: CommandIo["environment"]): Promise<CheckpointTarget> {
  const kind = kindOf(flags.kind);
  const { dsn, task } = tableFlags(flags);
  if ((flags.dir === undefined) === (dsn === undefined)) {
    throw usage("Cannot find the checkpoint: say a directory or an address, or --dsn for tables in a cluster");
  }
  return dsn === undefined
    ? openFiles(await storageOf(flags.dir!, environment), kind, task)
    : openTables(dsn, kind, task, layoutOf(flags.layout));
}

function layoutOf(text: string | undefined): BrLayout {
  if (text === undefined || text === "2025" || text === "2024") return text ?? "2025";
  throw usage(`Cannot use --layout ${text}: it must be 2025, or 2024 for tables of releases 8.4 and 8.5`);
}

/** `--table DSN` is `--dsn DSN`; `--table snapshot`, or the database's own name, is `--task snapshot`. */
function tableFlags({ dsn, task, table }: TargetFlags): { dsn: string | undefined; task: string | undefined } {
  if (table === undefined) return { dsn, task };
  const isDsn = /:\/\/|\btcp\(/.test(table);
  if (isDsn ? dsn !== undefined : task !== undefined || dsn === undefined) {
    throw usage("Cannot use --table: say --table DSN, or --dsn DSN --table snapshot, custom-sst or log");
  }
  return isDsn ? { dsn: table, task } : { dsn, task: table };
}

/** A directory or an object store. `AWS_CA_BUNDLE` names a file with the certificates that the store's is signed by. */
async function storageOf(address: string, environment: CommandIo["environment"]): Promise<ObjectStorage> {
  const bundle = environment["AWS_CA_BUNDLE"];
  const ca = bundle === undefined || bundle === "" ? undefined : await readFile(bundle, "utf8");
  return openObjectStorage(address, { environment, ca });
}

async function openFiles(
  storage: ObjectStorage,
  kind: CheckpointKind | undefined,
  task: string | undefined,
): Promise<CheckpointTarget> {
  const target = (paths: BrPaths, found: CheckpointKind): CheckpointTarget => ({
    kind: found,
    name: `${storage.uri}${paths.root ?? ""}`,
    home: new FileHome(storage, paths),
    files: { storage, paths },
    olderItems: true,
    close: async () => {},
  });
  if (kind === undefined || kind === "backup") {
    const layout = await findBackupLayout(storage);
    if (layout !== undefined && task === undefined) return target(backupPaths(layout), "backup");
    if (kind === "backup") throw missing(`there is no backup checkpoint in "${storage.uri}"`);
  }
  const tasks = new Set<string>();
  for (const { name } of await storage.list("checkpoints")) {
    const found = restoreTaskOf(name);
    if (found !== undefined && (kind === undefined || restoreKindOf(found) === kind)) tasks.add(found);
  }
  if (task !== undefined && !tasks.has(task)) throw missing(`there is no task "${task}" in "${storage.uri}"`);
  const [only, ...more] = task === undefined ? [...tasks].sort() : [task];
  if (only === undefined) throw missing(`there is no checkpoint in "${storage.uri}"`);
  if (more.length > 0) throw usage(`Cannot choose among the tasks ${[only, ...more].join(", ")}: say --task`);
  return target(restorePaths(only), restoreKindOf(only));
}

function missing(what: string): LevinError {
  return new LevinError("Levin:Br:ErrMissing", `Cannot find the checkpoint: ${what}`);
}

async function openTables(
  dsn: string,
  kind: CheckpointKind | undefined,
  task: string | undefined,
  layout: BrLayout,
): Promise<CheckpointTarget> {
  if (kind === "backup") throw usage("Cannot use --dsn with --kind backup: backups keep their checkpoint in files");
  const tidb = await connectTidb({ ...parseDsn(dsn), connectionsMax: 2, connectTimeoutMs: 10_000 });
  const query: SqlQuery = (sql, values) => tidb.query(sql, values);
  try {
    const db = await chooseDatabase(query, kind, task);
    return {
      kind: isLogDb(db) ? "log" : "restore",
      name: `${tidb.address} ${db}`,
      home: new TableHome(query, db),
      tables: { query, db },
      olderItems: layout === "2024",
      close: () => tidb.close(),
    };
  } catch (error) {
    await tidb.close();
    throw error;
  }
}

const SHORT_NAMES: Record<string, CheckpointDb> = { snapshot: SNAPSHOT_DB, "custom-sst": CUSTOM_SST_DB, log: LOG_DB };

/** `snapshot`, `log_7`, or the database's whole name. */
function databaseOf(task: string): CheckpointDb {
  const [, short, number] = /^(snapshot|custom-sst|log)(_\d+)?$/.exec(task) ?? [];
  const name = short === undefined ? task : `${SHORT_NAMES[short]}${number ?? ""}`;
  if (isCheckpointDb(name)) return name;
  throw usage(
    `Cannot use --task ${task}: it must be snapshot, custom-sst or log, with _NUMBER where the database has one`,
  );
}

async function chooseDatabase(
  query: SqlQuery,
  kind: CheckpointKind | undefined,
  task: string | undefined,
): Promise<CheckpointDb> {
  if (task !== undefined) return databaseOf(task);
  const there = await checkpointDbs(query);
  // Databases without a number are one task of each kind, those with one are tasks side by side.
  const order = [SNAPSHOT_DB, CUSTOM_SST_DB, LOG_DB] as const;
  for (const db of order) {
    const fits = kind === undefined || (kind === "log") === isLogDb(db);
    if (fits && there.includes(db) && (await existsTable(query, db, "cpt_data"))) return db;
  }
  const numbered = there.filter((db) => !SHORT_DBS.has(db) && (kind === undefined || (kind === "log") === isLogDb(db)));
  if (numbered.length === 1) return numbered[0]!;
  if (numbered.length > 1) throw usage(`Cannot choose among ${numbered.join(", ")}: say --task`);
  if (kind !== undefined) return kind === "log" ? LOG_DB : SNAPSHOT_DB;
  throw missing("the cluster holds none");
}

const SHORT_DBS = new Set<CheckpointDb>(Object.values(SHORT_NAMES));

/** The metadata of any kind as one JSON object; what cannot be read is null with `error`. */
export async function metadataLine(target: CheckpointTarget, report: LoadReport): Promise<Record<string, unknown>> {
  const errors: LevinError[] = [];
  const part = async <T>(load: () => Promise<T>): Promise<T | null> => {
    try {
      return await load();
    } catch (error) {
      const known = LevinError.from(error);
      if (known.code === "Levin:Br:ErrDamaged") throw known;
      errors.push(known);
      return null;
    }
  };
  const line =
    target.files === undefined ? await tablesLine(target, part, report) : await filesLine(target, part, report);
  return errors.length === 0 ? line : { ...line, error: errors.map(({ message }) => message).join("; ") };
}

type Part = <T>(load: () => Promise<T>) => Promise<T | null>;

async function filesLine(target: CheckpointTarget, part: Part, report: LoadReport): Promise<Record<string, unknown>> {
  const { storage, paths } = target.files!;
  if (target.kind === "backup") {
    const loaded = await part(() => loadBackupMetadata(storage, { layout: paths.layout, report }));
    return { metadata: loaded === null ? null : backupMetadataLine(loaded.metadata, loaded.checksums) };
  }
  const task = paths.root!.slice("checkpoints/restore-".length);
  if (paths.layout === "2025") return newFilesLine(target, task, part, report);
  const metadata = await part(async () => fileRestoreMetadataLine(await loadRestoreMetadata(storage, task)));
  if (target.kind === "restore") {
    return { metadata, checksums: await part(async () => checksumsLine(await loadChecksums(target.home, report))) };
  }
  const clusterId = BigInt(/^\d+/.exec(task)?.[0] ?? "0");
  const taskInfo = await part(async () => fileTaskInfoLine(await loadTaskInfo(storage, clusterId)));
  const repairs = (await existsFileIngestRepairs(storage, task))
    ? await part(async () => ingestRepairLines(await loadFileIngestRepairs(storage, task)))
    : null;
  return { metadata, task_info: taskInfo, sqls: repairs };
}

/** The documents of the tables, in files. */
async function newFilesLine(
  target: CheckpointTarget,
  task: string,
  part: Part,
  report: LoadReport,
): Promise<Record<string, unknown>> {
  const { storage } = target.files!;
  if (target.kind === "restore") {
    const metadata = await part(async () => snapshotMetadataLine(await loadFileSnapshotMetadata(storage, task)));
    return { metadata, checksums: await part(async () => checksumsLine(await loadChecksums(target.home, report))) };
  }
  const metadata = await part(async () => logMetadataLine(await loadFileLogMetadata(storage, task)));
  const progress = (await existsFileProgress(storage, task))
    ? await part(async () => progressLine(await loadFileProgress(storage, task)))
    : null;
  const repairs = (await existsFileIngestRepairs(storage, task))
    ? await part(async () => ingestRepairLines(await loadFileIngestRepairs(storage, task)))
    : null;
  return { metadata, progress, sqls: repairs };
}

async function tablesLine(target: CheckpointTarget, part: Part, report: LoadReport): Promise<Record<string, unknown>> {
  const { query, db } = target.tables!;
  if (!isLogDb(db)) {
    const expected = db.startsWith(SNAPSHOT_DB);
    const metadata = expected
      ? await part(async () => snapshotMetadataLine(await loadSnapshotMetadata(query, db)))
      : null;
    return { metadata, checksums: await part(async () => checksumsLine(await loadChecksums(target.home, report))) };
  }
  const metadata = await part(async () => logMetadataLine(await loadLogMetadata(query, db)));
  const progress = (await existsProgress(query, db))
    ? await part(async () => progressLine(await loadProgress(query, db)))
    : null;
  const repairs = (await existsIngestRepairs(query, db))
    ? await part(async () => ingestRepairLines(await loadIngestRepairs(query, db)))
    : null;
  return { metadata, progress, sqls: repairs };
}
