import type { TableInfo } from "../../../schema/mod.ts";
import type { Relation } from "../query/select.ts";
import { AutoIds, hasIncrement } from "../store/mod.ts";
import { type ResultValue, SqlError } from "../wire/mod.ts";
import { informationColumns } from "./information-columns.ts";
import { madeUp } from "./made-up.ts";
import { characterSets, collations } from "./server-facts.ts";
import { tableKind } from "./show.ts";
import { indexParts } from "./show-table.ts";
import type { SessionState } from "./state.ts";
import { systemRelation } from "./system-tables.ts";
import { columnFacts } from "./table-facts.ts";

/** A row by column name; what it lacks is NULL. */
type Row = Record<string, ResultValue>;
type Made = (state: SessionState) => Row[];

interface Entry {
  db: string;
  table: TableInfo;
}

function allTables({ front }: SessionState): Entry[] {
  return front.catalog
    .databases()
    .flatMap(({ name }) => front.catalog.tables(name).map((table) => ({ db: name, table })));
}

function shardingInfo(table: TableInfo): string {
  if (table.auto_random_bits > 0) return `PK_AUTO_RANDOM_BITS=${table.auto_random_bits}`;
  if (table.pk_is_handle) return "NOT_SHARDED(PK_IS_HANDLE)";
  if (table.ShardRowIDBits > 0) return `SHARD_BITS=${table.ShardRowIDBits}`;
  return table.is_common_handle ? "NOT_SHARDED" : "NOT_SHARDED";
}

const tables: Made = (state) =>
  allTables(state).map(({ db, table }) => {
    const head = { TABLE_CATALOG: "def", TABLE_SCHEMA: db, TABLE_NAME: table.name.O, TABLE_TYPE: tableKind(table) };
    if (table.view) return { ...head, TABLE_COMMENT: "VIEW", TIDB_TABLE_ID: String(table.id), TIDB_PK_TYPE: "" };
    const { autoIds } = state.front;
    const increment = hasIncrement(table)
      ? String(autoIds.nextGlobal(table, AutoIds.kindOf(table, "increment")) - 1n)
      : null;
    const zeros = { TABLE_ROWS: "0", AVG_ROW_LENGTH: "0", DATA_LENGTH: "0", MAX_DATA_LENGTH: "0", INDEX_LENGTH: "0" };
    return {
      ...head,
      ENGINE: "InnoDB",
      VERSION: "10",
      ROW_FORMAT: "Compact",
      ...zeros,
      DATA_FREE: "0",
      AUTO_INCREMENT: increment,
      TABLE_COLLATION: table.collate,
      CREATE_OPTIONS: table.partition ? "partitioned" : "",
      TABLE_COMMENT: table.comment,
      TIDB_TABLE_ID: String(table.id),
      TIDB_ROW_ID_SHARDING_INFO: shardingInfo(table),
      TIDB_PK_TYPE: table.pk_is_handle || table.is_common_handle ? "CLUSTERED" : "NONCLUSTERED",
    };
  });

const columns: Made = (state) =>
  allTables(state)
    .filter(({ table }) => !table.sequence)
    .flatMap(({ db, table }) =>
      table.cols
        .filter((column) => !column.hidden && column.state === 5)
        .map((column) => ({
          TABLE_CATALOG: "def",
          TABLE_SCHEMA: db,
          TABLE_NAME: table.name.O,
          COLUMN_NAME: column.name.O,
          ORDINAL_POSITION: String(column.offset + 1),
          ...columnFacts(column, table),
        })),
    );

const METHODS = ["", "RANGE", "HASH", "LIST", "KEY"];

const partitions: Made = (state) =>
  allTables(state)
    .filter(({ table }) => !table.view && !table.sequence)
    .flatMap(({ db, table }): Row[] => {
      const zeros = { TABLE_ROWS: "0", AVG_ROW_LENGTH: "0", DATA_LENGTH: "0", MAX_DATA_LENGTH: "0", INDEX_LENGTH: "0" };
      const head = { TABLE_CATALOG: "def", TABLE_SCHEMA: db, TABLE_NAME: table.name.O, ...zeros, DATA_FREE: "0" };
      const { partition } = table;
      if (!partition?.enable) return [head];
      const byColumns = (partition.columns?.length ?? 0) > 0;
      const method = `${METHODS[partition.type] ?? ""}${byColumns && partition.type !== 4 ? " COLUMNS" : ""}`;
      const expression = byColumns ? partition.columns!.map(({ O }) => `\`${O}\``).join(",") : partition.expr;
      return partition.definitions.map((one, i) => ({
        ...head,
        PARTITION_NAME: one.name.O,
        PARTITION_ORDINAL_POSITION: String(i + 1),
        PARTITION_METHOD: method,
        PARTITION_EXPRESSION: expression,
        PARTITION_DESCRIPTION:
          one.less_than?.join(",") ??
          one.in_values?.map((row) => (row.length > 1 ? `(${row.join(",")})` : row[0])).join(",") ??
          "",
        PARTITION_COMMENT: one.comment ?? "",
        TIDB_PARTITION_ID: String(one.id),
      }));
    });

const statistics: Made = (state) =>
  allTables(state).flatMap(({ db, table }) =>
    indexParts(table).map((part) => ({
      TABLE_CATALOG: "def",
      TABLE_SCHEMA: db,
      TABLE_NAME: table.name.O,
      NON_UNIQUE: part.unique ? "0" : "1",
      INDEX_SCHEMA: db,
      INDEX_NAME: part.name,
      SEQ_IN_INDEX: String(part.seq),
      COLUMN_NAME: part.column,
      COLLATION: "A",
      CARDINALITY: "0",
      SUB_PART: part.length < 0 ? null : String(part.length),
      NULLABLE: part.nullable ? "YES" : "",
      INDEX_TYPE: "BTREE",
      COMMENT: "",
      INDEX_COMMENT: part.comment,
      IS_VISIBLE: part.visible ? "YES" : "NO",
      Expression: part.expression,
    })),
  );

const tidbIndexes: Made = (state) =>
  allTables(state).flatMap(({ db, table }) =>
    indexParts(table).map((part) => ({
      TABLE_SCHEMA: db,
      TABLE_NAME: table.name.O,
      NON_UNIQUE: part.unique ? "0" : "1",
      KEY_NAME: part.name,
      SEQ_IN_INDEX: String(part.seq),
      COLUMN_NAME: part.column,
      SUB_PART: part.length < 0 ? null : String(part.length),
      INDEX_COMMENT: part.comment,
      Expression: part.expression,
      INDEX_ID: String(part.indexId),
      IS_VISIBLE: part.visible ? "YES" : "NO",
      CLUSTERED: part.clustered ? "YES" : "NO",
      IS_GLOBAL: part.global ? "1" : "0",
    })),
  );

const keyColumnUsage: Made = (state) =>
  allTables(state)
    .sort((a, b) => a.table.id - b.table.id)
    .flatMap(({ db, table }) => {
      const head = { CONSTRAINT_CATALOG: "def", CONSTRAINT_SCHEMA: db, TABLE_CATALOG: "def", TABLE_SCHEMA: db };
      const keys: Row[] = indexParts(table)
        .filter((part) => part.unique)
        .map((part) => ({
          ...head,
          CONSTRAINT_NAME: part.name,
          TABLE_NAME: table.name.O,
          COLUMN_NAME: part.column,
          ORDINAL_POSITION: String(part.seq),
          POSITION_IN_UNIQUE_CONSTRAINT: part.indexId === 0 ? "1" : null,
        }));
      const foreign = (table.fk_info ?? []).flatMap((key) =>
        key.cols.map((column, i) => ({
          ...head,
          CONSTRAINT_NAME: key.fk_name.O,
          TABLE_NAME: table.name.O,
          COLUMN_NAME: column.O,
          ORDINAL_POSITION: String(i + 1),
          POSITION_IN_UNIQUE_CONSTRAINT: "1",
          REFERENCED_TABLE_SCHEMA: key.ref_schema.O === "" ? db : key.ref_schema.O,
          REFERENCED_TABLE_NAME: key.ref_table.O,
          REFERENCED_COLUMN_NAME: key.ref_cols[i]?.O ?? null,
        })),
      );
      return [...keys, ...foreign];
    });

const sequences: Made = (state) =>
  allTables(state).flatMap(({ db, table: { name, sequence } }) =>
    sequence
      ? [
          {
            TABLE_CATALOG: "def",
            SEQUENCE_SCHEMA: db,
            SEQUENCE_NAME: name.O,
            CACHE: sequence.sequence_cache ? "1" : "0",
            CACHE_VALUE: String(sequence.sequence_cache_value),
            CYCLE: sequence.sequence_cycle ? "1" : "0",
            INCREMENT: String(sequence.sequence_increment),
            MAX_VALUE: String(sequence.sequence_max_value),
            MIN_VALUE: String(sequence.sequence_min_value),
            START: String(sequence.sequence_start),
            COMMENT: sequence.sequence_comment,
          },
        ]
      : [],
  );

const views: Made = (state) =>
  allTables(state).flatMap(({ db, table: { name, view } }) =>
    view
      ? [
          {
            TABLE_CATALOG: "def",
            TABLE_SCHEMA: db,
            TABLE_NAME: name.O,
            VIEW_DEFINITION: view.view_select,
            CHECK_OPTION: "CASCADED",
            IS_UPDATABLE: "NO",
            DEFINER: `${view.view_definer.Username}@${view.view_definer.Hostname}`,
            SECURITY_TYPE: view.view_security === 0 ? "DEFINER" : "INVOKER",
            CHARACTER_SET_CLIENT: "utf8mb4",
            COLLATION_CONNECTION: state.variable("collation_connection"),
          },
        ]
      : [],
  );

const version = (state: SessionState): string => state.front.version.replace(/^.*-TiDB-v/, "");

const clusterInfo: Made = (state) => {
  const { addresses, startedMs, clock } = state.front;
  const START_TIME = new Date(startedMs).toISOString().slice(0, 19).replace("T", " ");
  const UPTIME = `${(clock.nowMs() - startedMs) / 1000}s`;
  const rest = { VERSION: version(state), GIT_HASH: "None", START_TIME, UPTIME, SERVER_ID: "0" };
  const own = `${addresses.host}:${addresses.port}`;
  return [
    {
      TYPE: "tidb",
      INSTANCE: own,
      STATUS_ADDRESS: `${addresses.host}:${addresses.statusPort}`,
      ...rest,
      SERVER_ID: "1",
    },
    ...addresses.pd.map((address) => ({ TYPE: "pd", INSTANCE: address, STATUS_ADDRESS: address, ...rest })),
  ];
};

const made: Record<string, Made> = {
  tables,
  columns,
  partitions,
  statistics,
  tidb_indexes: tidbIndexes,
  key_column_usage: keyColumnUsage,
  sequences,
  views,
  cluster_info: clusterInfo,
  schemata: ({ front }) =>
    front.catalog.databases().map((db) => ({
      CATALOG_NAME: "def",
      SCHEMA_NAME: db.name,
      DEFAULT_CHARACTER_SET_NAME: db.charset,
      DEFAULT_COLLATION_NAME: db.collate,
    })),
  tidb_servers_info: ({ front }) => [
    {
      DDL_ID: "levin-sandbox",
      IP: front.addresses.host,
      PORT: String(front.addresses.port),
      STATUS_PORT: String(front.addresses.statusPort),
      LEASE: "45s",
      VERSION: front.version,
      GIT_HASH: "None",
      LABELS: "",
    },
  ],
  character_sets: () =>
    characterSets.map(([name, description, collation, length]) => ({
      CHARACTER_SET_NAME: name!,
      DEFAULT_COLLATE_NAME: collation!,
      DESCRIPTION: description!,
      MAXLEN: length!,
    })),
  collations: () =>
    collations.map(([name, charset, id, standard, compiled, length, pad]) => ({
      COLLATION_NAME: name!,
      CHARACTER_SET_NAME: charset!,
      ID: id!,
      IS_DEFAULT: standard!,
      IS_COMPILED: compiled!,
      SORTLEN: length!,
      PAD_ATTRIBUTE: pad!,
    })),
  engines: () => [
    { ENGINE: "InnoDB", SUPPORT: "DEFAULT", COMMENT: "Supports transactions, row-level locking, and foreign keys" },
  ],
  processlist: ({ front }) =>
    [...front.sessions.values()].map((one) => ({
      ID: String(one.connectionId),
      USER: one.user,
      HOST: one.client.address,
      DB: one.db === "" ? null : one.db,
      COMMAND: one.running === "" ? "Sleep" : "Query",
      INFO: one.running === "" ? null : one.running,
    })),
  user_privileges: () =>
    ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "SUPER"].map((privilege) => ({
      GRANTEE: "'root'@'%'",
      TABLE_CATALOG: "def",
      PRIVILEGE_TYPE: privilege,
      IS_GRANTABLE: "YES",
    })),
  referential_constraints: () => [],
  table_constraints: () => [],
  triggers: () => [],
  routines: () => [],
  events: () => [],
  tiflash_replica: () => [],
  placement_policies: () => [],
  tikv_store_status: () => [],
  tikv_region_status: (state) => regionRows(state),
  ddl_jobs: () => [],
  cluster_config: () => [],
};

function regionRows(state: SessionState): Row[] {
  const none = new Uint8Array(0);
  return state.front.storage.regions(none, none).map((region) => ({
    REGION_ID: String(region.id),
    START_KEY: hexKey(region.start),
    END_KEY: hexKey(region.end),
    APPROXIMATE_SIZE: String(region.sizeMiB),
    APPROXIMATE_KEYS: String(region.keys),
  }));
}

const hexKey = (key: Uint8Array): string =>
  [...key].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");

/** A table of information_schema or mysql, undefined where the name is none. */
export function informationRelation(db: string, table: string, state: SessionState): Relation | undefined {
  const schema = db.toLowerCase();
  const name = table.toLowerCase();
  if (schema === "mysql" && state.front.catalog.table("mysql", name) === undefined) return systemRelation(name, state);
  if (schema !== "information_schema") return undefined;
  const rows = made[name]?.(state);
  const known = informationColumns[name];
  if (rows === undefined || known === undefined)
    throw new SqlError(1146, `Table 'information_schema.${table}' doesn't exist`, "42S02");
  const names = known.map((column) => column.split(":")[0]!);
  const values = rows.map((row) => names.map((column) => row[column] ?? null));
  return madeUp(known, values, { schema: "information_schema", table: table.toUpperCase() });
}
