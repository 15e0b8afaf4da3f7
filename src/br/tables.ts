/** Checkpoints of restores in tables of the target cluster (2025): statements, segments, metadata. */
import { concatBytes, fromHex, LevinError, newUuid, toHex } from "../base/mod.ts";
import type { Home, StoredDocument } from "./homes.ts";
import {
  printIngestRepairs,
  printLogMetadata,
  printProgress,
  printSnapshotMetadata,
  readIngestRepairs,
  readLogMetadata,
  readProgress,
  readSnapshotMetadata,
} from "./metadata-json.ts";
import type { LoadReport } from "./report.ts";
import type { IngestIndexRepair, LogMetadata, SnapshotMetadata } from "./shapes.ts";

/** Runs one statement; every value of the result is text. `Tidb.query` of `src/tidb` is one. */
export type SqlQuery = (sql: string, values?: (string | number | null)[]) => Promise<{ rows: (string | null)[][] }>;

export const SNAPSHOT_DB = "__TiDB_BR_Temporary_Snapshot_Restore_Checkpoint";
export const LOG_DB = "__TiDB_BR_Temporary_Log_Restore_Checkpoint";
export const CUSTOM_SST_DB = "__TiDB_BR_Temporary_Custom_SST_Restore_Checkpoint";

type BaseDb = typeof SNAPSHOT_DB | typeof LOG_DB | typeof CUSTOM_SST_DB;
/** Releases since the middle of 2025 add the restore's number: `…_Snapshot_Restore_Checkpoint_7`. */
export type CheckpointDb = BaseDb | `${BaseDb}_${string}`;
export type SnapshotDb = Exclude<CheckpointDb, typeof LOG_DB | `${typeof LOG_DB}_${string}`>;
export type LogDb = typeof LOG_DB | `${typeof LOG_DB}_${string}`;
type CheckpointTable = "cpt_data" | "cpt_checksum" | "cpt_metadata" | "cpt_progress" | "cpt_ingest";

const TABLES: Record<BaseDb, CheckpointTable[]> = {
  [SNAPSHOT_DB]: ["cpt_data", "cpt_checksum", "cpt_metadata"],
  [LOG_DB]: ["cpt_data", "cpt_metadata", "cpt_progress", "cpt_ingest"],
  [CUSTOM_SST_DB]: ["cpt_data", "cpt_checksum"],
};

const BASES = [SNAPSHOT_DB, LOG_DB, CUSTOM_SST_DB] as const;

function baseOf(db: CheckpointDb): BaseDb {
  return BASES.find((base) => db.startsWith(base))!;
}

export function isLogDb(db: CheckpointDb): db is LogDb {
  return baseOf(db) === LOG_DB;
}

/** Whether it is a checkpoint's database, by its name. */
export function isCheckpointDb(name: string): name is CheckpointDb {
  return BASES.some((base) => name === base || new RegExp(`^${base}_\\d+$`).test(name));
}

/** The databases of all checkpoints in a cluster. */
export async function checkpointDbs(query: SqlQuery): Promise<CheckpointDb[]> {
  const { rows } = await query("SHOW DATABASES;");
  return rows.map(([name]) => name ?? "").filter(isCheckpointDb);
}

/** A longer document is cut. */
const SEGMENT_BYTES = 524_288;
/** Rows of one page of a load: 8 MiB of documents at most. */
const PAGE_ROWS = 16;

const COLUMNS =
  "segment_id BIGINT NOT NULL, data BLOB(524288) NOT NULL, update_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP";
const DOCUMENT_TABLE = `( uuid binary(32) NOT NULL, ${COLUMNS}, PRIMARY KEY(uuid, segment_id))`;
const METADATA_TABLE = `( ${COLUMNS}, PRIMARY KEY(segment_id))`;

const nameOf = (db: CheckpointDb, table: CheckpointTable): string => `\`${db}\`.\`${table}\``;

/** Bytes as a literal: a document cut in the middle of a character is no text that could be a parameter. */
const literal = (bytes: Uint8Array): string => (bytes.length === 0 ? "''" : `x'${toHex(bytes)}'`);

function* segmentsOf(document: Uint8Array): Generator<[id: number, part: Uint8Array]> {
  for (let id = 0, at = 0; at < document.length; id++, at += SEGMENT_BYTES) {
    yield [id, document.subarray(at, at + SEGMENT_BYTES)];
  }
}

async function createDatabase(query: SqlQuery, db: CheckpointDb): Promise<void> {
  await query(`CREATE DATABASE IF NOT EXISTS \`${db}\`;`);
}

async function createTable(query: SqlQuery, db: CheckpointDb, table: CheckpointTable): Promise<void> {
  const shape = table === "cpt_data" || table === "cpt_checksum" ? DOCUMENT_TABLE : METADATA_TABLE;
  await query(`CREATE TABLE ${nameOf(db, table)} ${shape};`);
}

async function saveMetadata(
  query: SqlQuery,
  db: CheckpointDb,
  table: CheckpointTable,
  document: Uint8Array,
): Promise<void> {
  await createTable(query, db, table);
  for (const [id, part] of segmentsOf(document)) {
    await query(`REPLACE INTO ${nameOf(db, table)} (segment_id, data) VALUES (${id}, ${literal(part)});`);
  }
}

function cannotGet(what: string, db: string, table: string, cause: unknown): LevinError {
  return new LevinError(
    "Levin:Br:ErrStorage",
    `failed to get checkpoint ${what} from table ${db}.${table}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, fields: { db, table } },
  );
}

async function loadMetadata<T>(
  query: SqlQuery,
  db: CheckpointDb,
  table: CheckpointTable,
  read: (bytes: Uint8Array, what: string) => T,
): Promise<T> {
  let rows: (string | null)[][];
  try {
    ({ rows } = await query(`SELECT segment_id, HEX(data) FROM ${nameOf(db, table)} ORDER BY segment_id;`));
  } catch (error) {
    throw cannotGet("metadata", db, table, error);
  }
  if (rows.length === 0) {
    throw new LevinError(
      "Levin:Br:ErrFormat",
      `get the empty checkpoint meta, the checkpoint is incomplete from table ${db}.${table}`,
    );
  }
  rows.forEach(([id], i) => {
    if (Number(id) !== i) {
      throw new LevinError(
        "Levin:Br:ErrFormat",
        `the checkpoint metadata is incomplete from table ${db}.${table} at segment ${id}`,
      );
    }
  });
  return read(concatBytes(...rows.map(([, data]) => fromHex(data ?? ""))), `${db}.${table}`);
}

/** Whether a table of a checkpoint is there. */
export async function existsTable(query: SqlQuery, db: CheckpointDb, table: CheckpointTable): Promise<boolean> {
  const { rows } = await query(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_name = ?;",
    [db, table],
  );
  return rows.length > 0;
}

/** A restore checkpoint is there to be resumed when its data table is. */
export function existsRestoreCheckpoint(query: SqlQuery, db: SnapshotDb): Promise<boolean> {
  return existsTable(query, db, "cpt_data");
}

/** Makes the database and tables of a snapshot or custom SST restore; `null` makes no metadata table. A second time is an error. */
export async function saveSnapshotMetadata(
  query: SqlQuery,
  metadata: SnapshotMetadata | null,
  db: SnapshotDb = SNAPSHOT_DB,
): Promise<void> {
  await createDatabase(query, db);
  await createTable(query, db, "cpt_data");
  await createTable(query, db, "cpt_checksum");
  if (metadata !== null) await saveMetadata(query, db, "cpt_metadata", printSnapshotMetadata(metadata));
}

export function loadSnapshotMetadata(query: SqlQuery, db: SnapshotDb = SNAPSHOT_DB): Promise<SnapshotMetadata> {
  return loadMetadata(query, db, "cpt_metadata", readSnapshotMetadata);
}

/** Makes the database, the data table and the metadata of a log restore. A second time is an error. */
export async function saveLogMetadata(query: SqlQuery, metadata: LogMetadata, db: LogDb = LOG_DB): Promise<void> {
  await createDatabase(query, db);
  await createTable(query, db, "cpt_data");
  await saveMetadata(query, db, "cpt_metadata", printLogMetadata(metadata));
}

export function loadLogMetadata(query: SqlQuery, db: LogDb = LOG_DB): Promise<LogMetadata> {
  return loadMetadata(query, db, "cpt_metadata", readLogMetadata);
}

export function existsLogMetadata(query: SqlQuery, db: LogDb = LOG_DB): Promise<boolean> {
  return existsTable(query, db, "cpt_metadata");
}

/** See `PROGRESS_SNAPSHOT` and `PROGRESS_LOG`. The database must be there, the table not. */
export function saveProgress(query: SqlQuery, progress: bigint, db: LogDb = LOG_DB): Promise<void> {
  return saveMetadata(query, db, "cpt_progress", printProgress(progress));
}

export function loadProgress(query: SqlQuery, db: LogDb = LOG_DB): Promise<bigint> {
  return loadMetadata(query, db, "cpt_progress", readProgress);
}

export function existsProgress(query: SqlQuery, db: LogDb = LOG_DB): Promise<boolean> {
  return existsTable(query, db, "cpt_progress");
}

/** The indexes to be built again after a log restore. The database must be there, the table not. */
export function saveIngestRepairs(
  query: SqlQuery,
  repairs: readonly IngestIndexRepair[] | null,
  db: LogDb = LOG_DB,
): Promise<void> {
  return saveMetadata(query, db, "cpt_ingest", printIngestRepairs(repairs));
}

export function loadIngestRepairs(query: SqlQuery, db: LogDb = LOG_DB): Promise<IngestIndexRepair[] | null> {
  return loadMetadata(query, db, "cpt_ingest", readIngestRepairs);
}

export function existsIngestRepairs(query: SqlQuery, db: LogDb = LOG_DB): Promise<boolean> {
  return existsTable(query, db, "cpt_ingest");
}

/** What a point-in-time restore finds when it starts. */
export interface TaskInfo {
  metadata: LogMetadata | null;
  hasSnapshotMetadata: boolean;
  progress: bigint;
}

export async function loadLogTaskInfo(query: SqlQuery): Promise<TaskInfo> {
  const metadata = (await existsLogMetadata(query)) ? await loadLogMetadata(query) : null;
  const progress = (await existsProgress(query)) ? await loadProgress(query) : 0n;
  return { metadata, hasSnapshotMetadata: await existsRestoreCheckpoint(query, SNAPSHOT_DB), progress };
}

/** The statements that remove a checkpoint, its metadata (the mark of a task that can be resumed) first. */
export function removalStatements(db: CheckpointDb): string[] {
  const marks = new Set<CheckpointTable>(["cpt_metadata", "cpt_progress"]);
  const tables = TABLES[baseOf(db)].toSorted((a, b) => Number(marks.has(b)) - Number(marks.has(a)));
  return [...tables.map((table) => `DROP TABLE IF EXISTS ${nameOf(db, table)};`), `DROP DATABASE \`${db}\`;`];
}

/**
 * Drops the tables, and the database unless something foreign is in it. Errors are the server's: it is one when there is no such database.
 * False when the database stays because of a foreign table.
 */
export async function removeTables(query: SqlQuery, db: CheckpointDb): Promise<boolean> {
  const statements = removalStatements(db);
  for (const sql of statements.slice(0, -1)) await query(sql);
  const { rows } = await query("SELECT table_name FROM information_schema.tables WHERE table_schema = ?;", [db]);
  if (rows.length > 0) return false;
  await query(statements.at(-1)!);
  return true;
}

/** The documents of one database. */
export class TableHome implements Home {
  readonly db: CheckpointDb;
  private readonly query: SqlQuery;

  constructor(query: SqlQuery, db: CheckpointDb) {
    this.query = query;
    this.db = db;
  }

  dataDocuments(report: LoadReport): AsyncIterable<StoredDocument> {
    return this.documents("cpt_data", report);
  }

  checksumDocuments(report: LoadReport): AsyncIterable<StoredDocument> {
    return this.documents("cpt_checksum", report);
  }

  /** Documents in order of their uuids, each of its segments 0, 1, 2, …; one with a gap is left out and counted. */
  private async *documents(table: CheckpointTable, report: LoadReport): AsyncIterable<StoredDocument> {
    let uuid: string | undefined;
    let parts: Uint8Array[] = [];
    let whole = true;
    const finish = (): StoredDocument | undefined => {
      if (uuid === undefined) return undefined;
      const where = `${this.db}.${table} uuid ${uuid.slice(0, 32).toLowerCase()}`;
      if (whole) return { where, bytes: concatBytes(...parts) };
      report.documents++;
      report.damage("missing-segment", where, "a segment of the document is missing");
      return undefined;
    };
    for await (const [id, segment, data] of this.rows(table)) {
      if (id !== uuid) {
        const document = finish();
        if (document !== undefined) yield document;
        uuid = id;
        parts = [];
        whole = true;
      }
      if (Number(segment) !== parts.length) whole = false;
      if (whole) parts.push(fromHex(data));
    }
    const document = finish();
    if (document !== undefined) yield document;
  }

  /** All rows of a table by uuid and segment, page by page. */
  private async *rows(table: CheckpointTable): AsyncIterable<[uuid: string, segment: string, data: string]> {
    let where = "";
    for (;;) {
      const sql = `SELECT HEX(uuid), segment_id, HEX(data) FROM ${nameOf(this.db, table)}${where} ORDER BY uuid, segment_id LIMIT ${PAGE_ROWS};`;
      let rows: (string | null)[][];
      try {
        ({ rows } = await this.query(sql));
      } catch (error) {
        throw cannotGet("data", this.db, table, error);
      }
      for (const [uuid, segment, data] of rows) yield [uuid ?? "", segment ?? "", data ?? ""];
      if (rows.length < PAGE_ROWS) return;
      const [uuid, segment] = rows.at(-1)!;
      where = ` WHERE uuid > x'${uuid}' OR (uuid = x'${uuid}' AND segment_id > ${segment})`;
    }
  }

  writeData(document: Uint8Array): Promise<void> {
    return this.write("cpt_data", document);
  }

  writeChecksums(document: Uint8Array): Promise<void> {
    return this.write("cpt_checksum", document);
  }

  /** A document whose later segments are not written (a crash) is broken JSON to its readers, which leave it out. */
  private async write(table: CheckpointTable, document: Uint8Array): Promise<void> {
    const uuid = toHex(newUuid()).padEnd(64, "0");
    for (const [id, part] of segmentsOf(document)) {
      await this.query(
        `REPLACE INTO ${nameOf(this.db, table)} (uuid, segment_id, data) VALUES (x'${uuid}', ${id}, ${literal(part)});`,
      );
    }
  }
}
