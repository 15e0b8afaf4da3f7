import { create, equals } from "@bufbuild/protobuf";
import {
  ChunkCheckpointModelSchema,
  EngineCheckpointModelSchema,
  TableCheckpointModelSchema,
  TaskCheckpointModelSchema,
} from "../../../gen/checkpointspb_pb.ts";
import type { CheckpointHome } from "./home.ts";
import {
  type CheckpointsModel,
  type ChunkCheckpointModel,
  chunkKey,
  emptyCheckpoints,
  newChunk,
  newEngine,
  newTable,
  type TableCheckpointModel,
} from "./model.ts";
import { createStatements, eraOf, NEWEST_ERA, TASK_TABLE, type TableEra } from "./table-eras.ts";

/** Runs a statement; values come back as text. */
export type SqlQuery = (sql: string, values?: (string | number | null)[]) => Promise<{ rows: (string | null)[][] }>;

export interface SqlAccess {
  readonly address: string;
  query: SqlQuery;
  /** Runs `use` on one connection. */
  session<T>(use: (query: SqlQuery) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const name = (identifier: string): string => `\`${identifier.replaceAll("`", "``")}\``;

/** The `mysql` driver: four tables in a schema of their own. Tables of older versions are read and kept up in their own form. */
export function tableHome(sql: SqlAccess, schema: string): CheckpointHome {
  let era: TableEra | undefined;
  let known: CheckpointsModel = emptyCheckpoints();
  const inSchema = (table: string): string => `${name(schema)}.${name(table)}`;
  return {
    name: `${sql.address}/${schema}`,
    async load() {
      const { rows } = await sql.query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", [
        schema,
      ]);
      era = eraOf(rows.map(([table]) => table ?? ""));
      if (era === undefined) return undefined;
      const model = await readAll(sql.query, inSchema, era);
      known = structuredCopy(model);
      return model;
    },
    async save(model) {
      const tables = era ?? NEWEST_ERA;
      if (era === undefined) {
        await sql.query(`CREATE DATABASE IF NOT EXISTS ${name(schema)}`);
        for (const statement of createStatements(tables, inSchema)) await sql.query(statement);
        era = tables;
      }
      await sql.session(async (query) => {
        await query("BEGIN");
        try {
          await writeChanges(query, inSchema, tables, model, known);
          await query("COMMIT");
        } catch (error) {
          // The connection is used again, and its next BEGIN would commit the half that was written.
          await query("ROLLBACK").catch(() => undefined);
          throw error;
        }
      });
      known = structuredCopy(model);
    },
    async remove() {
      await sql.query(`DROP DATABASE IF EXISTS ${name(schema)}`);
      era = undefined;
      known = emptyCheckpoints();
    },
    async move(taskId) {
      if (era === undefined) return;
      const aside = name(`${schema}.${taskId}.bak`);
      await sql.query(`CREATE DATABASE IF NOT EXISTS ${aside}`);
      for (const table of [era.chunk, era.engine, era.table, TASK_TABLE])
        await sql.query(`RENAME TABLE ${inSchema(table)} TO ${aside}.${name(table)}`);
    },
    close: () => sql.close(),
  };
}

type InSchema = (table: string) => string;

/** Deep enough that later changes of the model do not reach what is known to be written. */
function structuredCopy(model: CheckpointsModel): CheckpointsModel {
  const copy = emptyCheckpoints();
  if (model.taskCheckpoint !== undefined) copy.taskCheckpoint = { ...model.taskCheckpoint };
  for (const [table, record] of Object.entries(model.checkpoints)) {
    const engines: TableCheckpointModel["engines"] = {};
    for (const [id, engine] of Object.entries(record.engines)) {
      const chunks = Object.entries(engine.chunks).map(([key, chunk]) => [key, { ...chunk }] as const);
      engines[Number(id)] = { ...engine, chunks: Object.fromEntries(chunks) };
    }
    copy.checkpoints[table] = { ...record, engines };
  }
  return copy;
}

async function readAll(query: SqlQuery, inSchema: InSchema, era: TableEra): Promise<CheckpointsModel> {
  const model = emptyCheckpoints();
  const big = (text: string | null | undefined): bigint => BigInt(text ?? "0");
  const task = await query(
    `SELECT task_id, source_dir, backend, importer_addr, tidb_host, tidb_port, pd_addr, sorted_kv_dir, lightning_ver FROM ${inSchema(TASK_TABLE)} WHERE id = 1`,
  );
  for (const [
    taskId,
    sourceDir,
    backend,
    importerAddr,
    tidbHost,
    tidbPort,
    pdAddr,
    sortedKvDir,
    lightningVer,
  ] of task.rows) {
    model.taskCheckpoint = create(TaskCheckpointModelSchema, {
      taskId: big(taskId),
      sourceDir: sourceDir ?? "",
      backend: backend ?? "",
      importerAddr: importerAddr ?? "",
      tidbHost: tidbHost ?? "",
      tidbPort: Number(tidbPort),
      pdAddr: pdAddr ?? "",
      sortedKvDir: sortedKvDir ?? "",
      lightningVer: lightningVer ?? "",
    });
  }
  const tables = await query(
    `SELECT table_name, status, table_id, kv_bytes, kv_kvs, kv_checksum, ${era.bases.join(", ")} FROM ${inSchema(era.table)}`,
  );
  for (const [table, status, tableID, kvBytes, kvKvs, kvChecksum, ...bases] of tables.rows) {
    const record = newTable({
      status: Number(status),
      tableID: big(tableID),
      kvBytes: big(kvBytes),
      kvKvs: big(kvKvs),
      kvChecksum: big(kvChecksum),
    });
    era.bases.forEach((base, i) => {
      record[BASE_FIELDS[base]] = big(bases[i]);
    });
    model.checkpoints[table!] = record;
  }
  const engines = await query(`SELECT table_name, engine_id, status FROM ${inSchema(era.engine)}`);
  for (const [table, id, status] of engines.rows) {
    const record = model.checkpoints[table!];
    if (record !== undefined) record.engines[Number(id)] = newEngine({ status: Number(status) });
  }
  const realPos = era.hasRealPos ? ", real_pos" : "";
  const chunks = await query(
    `SELECT table_name, engine_id, path, offset, type, compression, sort_key, file_size, columns, end_offset, pos, prev_rowid_max, rowid_max, kvc_bytes, kvc_kvs, kvc_checksum${realPos} FROM ${inSchema(era.chunk)}`,
  );
  for (const [table, engine, ...cells] of chunks.rows) {
    const chunk = chunkOf(cells);
    const home = model.checkpoints[table!]?.engines[Number(engine)];
    if (home !== undefined) home.chunks[chunkKey(chunk)] = chunk;
  }
  return model;
}

const BASE_FIELDS = {
  alloc_base: "allocBase",
  auto_rand_base: "autoRandBase",
  auto_incr_base: "autoIncrBase",
  auto_row_id_base: "autoRowIDBase",
} as const;

function chunkOf(cells: (string | null)[]): ChunkCheckpointModel {
  const [path, offset, type, compression, sortKey, fileSize, columns, end, pos, prev, max, bytes, kvs, sum, real] =
    cells;
  const big = (text: string | null | undefined): bigint => BigInt(text ?? "0");
  return newChunk({
    path: path ?? "",
    offset: big(offset),
    type: Number(type),
    compression: Number(compression),
    sortKey: sortKey ?? "",
    fileSize: big(fileSize),
    columnPermutation:
      columns === null || columns === undefined ? [] : ((JSON.parse(columns) as number[] | null) ?? []),
    endOffset: big(end),
    pos: big(pos),
    prevRowidMax: big(prev),
    rowidMax: big(max),
    kvcBytes: big(bytes),
    kvcKvs: big(kvs),
    kvcChecksum: big(sum),
    realPos: big(real),
  });
}

async function writeChanges(
  query: SqlQuery,
  inSchema: InSchema,
  era: TableEra,
  model: CheckpointsModel,
  known: CheckpointsModel,
): Promise<void> {
  await writeTask(query, inSchema, model, known);
  const taskId = model.taskCheckpoint?.taskId ?? 0n;
  for (const [table, record] of Object.entries(model.checkpoints))
    await writeTable(query, inSchema, era, taskId, [table, record], known.checkpoints[table]);
  for (const table of Object.keys(known.checkpoints)) {
    if (model.checkpoints[table] !== undefined) continue;
    for (const part of [era.chunk, era.engine, era.table])
      await query(`DELETE FROM ${inSchema(part)} WHERE table_name = ?`, [table]);
  }
}

async function writeTask(
  query: SqlQuery,
  inSchema: InSchema,
  model: CheckpointsModel,
  known: CheckpointsModel,
): Promise<void> {
  const task = model.taskCheckpoint;
  if (task === undefined) return;
  if (known.taskCheckpoint !== undefined && equals(TaskCheckpointModelSchema, task, known.taskCheckpoint)) return;
  await query(`DELETE FROM ${inSchema(TASK_TABLE)} WHERE id = 1`);
  await query(
    `INSERT INTO ${inSchema(TASK_TABLE)} (id, task_id, source_dir, backend, importer_addr, tidb_host, tidb_port, pd_addr, sorted_kv_dir, lightning_ver) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      String(task.taskId),
      task.sourceDir,
      task.backend,
      task.importerAddr,
      task.tidbHost,
      task.tidbPort,
      task.pdAddr,
      task.sortedKvDir,
      task.lightningVer,
    ],
  );
}

async function writeTable(
  query: SqlQuery,
  inSchema: InSchema,
  era: TableEra,
  taskId: bigint,
  [table, record]: [string, TableCheckpointModel],
  before: TableCheckpointModel | undefined,
): Promise<void> {
  if (before !== undefined && equals(TableCheckpointModelSchema, record, before)) return;
  const { status, tableID, kvBytes, kvKvs, kvChecksum } = record;
  const figures = [
    status,
    tableID,
    kvBytes,
    kvKvs,
    kvChecksum,
    ...era.bases.map((base) => record[BASE_FIELDS[base]]),
  ].map(String);
  const columns = ["status", "table_id", "kv_bytes", "kv_kvs", "kv_checksum", ...era.bases];
  if (before === undefined) {
    // The hash is what Lightning itself writes there, and the table's model it keeps for `add-index-by-sql` only.
    const more = era.hasTableInfo ? ["task_id", "table_name", "hash", "table_info"] : ["task_id", "table_name", "hash"];
    const given = [String(taskId), table, "0", ...(era.hasTableInfo ? [""] : [])];
    const marks = [...more, ...columns].map(() => "?").join(", ");
    await query(`INSERT INTO ${inSchema(era.table)} (${[...more, ...columns].join(", ")}) VALUES (${marks})`, [
      ...given,
      ...figures,
    ]);
  } else {
    const sets = columns.map((column) => `${column} = ?`).join(", ");
    await query(`UPDATE ${inSchema(era.table)} SET ${sets} WHERE table_name = ?`, [...figures, table]);
  }
  for (const [id, engine] of Object.entries(record.engines)) {
    const old = before?.engines[Number(id)];
    if (old !== undefined && equals(EngineCheckpointModelSchema, engine, old)) continue;
    if (old === undefined)
      await query(`INSERT INTO ${inSchema(era.engine)} (table_name, engine_id, status) VALUES (?, ?, ?)`, [
        table,
        id,
        engine.status,
      ]);
    else if (old.status !== engine.status)
      await query(`UPDATE ${inSchema(era.engine)} SET status = ? WHERE table_name = ? AND engine_id = ?`, [
        engine.status,
        table,
        id,
      ]);
    for (const [key, chunk] of Object.entries(engine.chunks)) {
      const oldChunk = old?.chunks[key];
      if (oldChunk !== undefined && equals(ChunkCheckpointModelSchema, chunk, oldChunk)) continue;
      await writeChunk(query, inSchema(era.chunk), era, [table, id], chunk, oldChunk !== undefined);
    }
  }
}

async function writeChunk(
  query: SqlQuery,
  into: string,
  era: TableEra,
  owner: [table: string, engine: string],
  chunk: ChunkCheckpointModel,
  isThere: boolean,
): Promise<void> {
  const moving: [string, string | number][] = [
    ["pos", String(chunk.pos)],
    ["prev_rowid_max", String(chunk.prevRowidMax)],
    ["rowid_max", String(chunk.rowidMax)],
    ["kvc_bytes", String(chunk.kvcBytes)],
    ["kvc_kvs", String(chunk.kvcKvs)],
    ["kvc_checksum", String(chunk.kvcChecksum)],
    ["columns", JSON.stringify(chunk.columnPermutation)],
  ];
  if (era.hasRealPos) moving.push(["real_pos", String(chunk.realPos)]);
  const values = moving.map(([, value]) => value);
  const place = [...owner, chunk.path, String(chunk.offset)];
  if (isThere) {
    const sets = moving.map(([column]) => `${column} = ?`).join(", ");
    await query(`UPDATE ${into} SET ${sets} WHERE table_name = ? AND engine_id = ? AND path = ? AND offset = ?`, [
      ...values,
      ...place,
    ]);
    return;
  }
  const fixed: [string, string | number][] = [
    ["type", chunk.type],
    ["compression", chunk.compression],
    ["sort_key", chunk.sortKey],
    ["file_size", String(chunk.fileSize)],
    ["should_include_row_id", 0],
    ["end_offset", String(chunk.endOffset)],
  ];
  const columns = [
    "table_name",
    "engine_id",
    "path",
    "offset",
    ...fixed.map(([column]) => column),
    ...moving.map(([column]) => column),
  ];
  await query(`INSERT INTO ${into} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`, [
    ...place,
    ...fixed.map(([, value]) => value),
    ...values,
  ]);
}
