/** Names and columns of the tables as versions of Lightning made them (CheckpointTableName* in pkg/lightning/checkpoints/checkpoints.go). */
export interface TableEra {
  readonly table: string;
  readonly engine: string;
  readonly chunk: string;
  /** Columns of the allocators. */
  readonly bases: readonly ("alloc_base" | "auto_rand_base" | "auto_incr_base" | "auto_row_id_base")[];
  /** The table's model stands in the table. */
  readonly hasTableInfo: boolean;
  /** Bytes read of a compressed file stand beside the place in its content. */
  readonly hasRealPos: boolean;
}

export const TASK_TABLE = "task_v2";

const perAllocator = ["auto_rand_base", "auto_incr_base", "auto_row_id_base"] as const;
const engine = "engine_v5";

/** Newest first. The tables of each version are looked for by their names, as Lightning does. */
const ERAS: readonly TableEra[] = [
  { table: "table_v10", engine, chunk: "chunk_v6", bases: perAllocator, hasTableInfo: true, hasRealPos: true },
  { table: "table_v10", engine, chunk: "chunk_v5", bases: perAllocator, hasTableInfo: true, hasRealPos: false },
  { table: "table_v9", engine, chunk: "chunk_v5", bases: ["alloc_base"], hasTableInfo: true, hasRealPos: false },
  { table: "table_v8", engine, chunk: "chunk_v5", bases: ["alloc_base"], hasTableInfo: true, hasRealPos: false },
  { table: "table_v7", engine, chunk: "chunk_v5", bases: ["alloc_base"], hasTableInfo: false, hasRealPos: false },
];

export const NEWEST_ERA: TableEra = ERAS[0]!;

/** The era that a schema's tables are of; undefined: no checkpoints are there. */
export function eraOf(tables: readonly string[]): TableEra | undefined {
  const there = new Set(tables.map((table) => table.toLowerCase()));
  if (!there.has(TASK_TABLE)) return undefined;
  return ERAS.find((era) => [era.table, era.engine, era.chunk].every((table) => there.has(table)));
}

const TIMES = [
  "create_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP",
  "update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
];

/** Statements that make the tables with Lightning's columns, types and keys. */
export function createStatements(era: TableEra, inSchema: (table: string) => string): string[] {
  const make = (table: string, columns: string[]): string =>
    `CREATE TABLE IF NOT EXISTS ${inSchema(table)} (${columns.join(", ")})`;
  return [
    make(TASK_TABLE, [
      "id tinyint(1) PRIMARY KEY",
      "task_id bigint NOT NULL",
      "source_dir varchar(2048) NOT NULL",
      "backend varchar(16) NOT NULL",
      "importer_addr varchar(256)",
      "tidb_host varchar(128) NOT NULL",
      "tidb_port int NOT NULL",
      "pd_addr varchar(128) NOT NULL",
      "sorted_kv_dir varchar(256) NOT NULL",
      "lightning_ver varchar(48) NOT NULL",
    ]),
    make(era.table, [
      "task_id bigint NOT NULL",
      "table_name varchar(261) NOT NULL PRIMARY KEY",
      "hash binary(32) NOT NULL",
      "status tinyint unsigned DEFAULT 30",
      "table_id bigint NOT NULL DEFAULT 0",
      "table_info longtext NOT NULL",
      ...TIMES,
      "kv_bytes bigint unsigned NOT NULL DEFAULT 0",
      "kv_kvs bigint unsigned NOT NULL DEFAULT 0",
      "kv_checksum bigint unsigned NOT NULL DEFAULT 0",
      ...era.bases.map((base) => `${base} bigint NOT NULL DEFAULT 0`),
      "INDEX(task_id)",
    ]),
    make(era.engine, [
      "table_name varchar(261) NOT NULL",
      "engine_id int NOT NULL",
      "status tinyint unsigned DEFAULT 30",
      ...TIMES,
      "PRIMARY KEY(table_name, engine_id DESC)",
    ]),
    make(era.chunk, [
      "table_name varchar(261) NOT NULL",
      "engine_id int unsigned NOT NULL",
      "path varchar(2048) NOT NULL",
      "offset bigint NOT NULL",
      "type int NOT NULL",
      "compression int NOT NULL",
      "sort_key varchar(256) NOT NULL",
      "file_size bigint NOT NULL",
      "columns text NULL",
      "should_include_row_id BOOL NOT NULL",
      "end_offset bigint NOT NULL",
      "pos bigint NOT NULL",
      "real_pos bigint NOT NULL",
      "prev_rowid_max bigint NOT NULL",
      "rowid_max bigint NOT NULL",
      "kvc_bytes bigint unsigned NOT NULL DEFAULT 0",
      "kvc_kvs bigint unsigned NOT NULL DEFAULT 0",
      "kvc_checksum bigint unsigned NOT NULL DEFAULT 0",
      ...TIMES,
      "PRIMARY KEY(table_name, engine_id, path(500), offset)",
    ]),
  ];
}
