import { indexPrefix } from "../../../codec/mod.ts";
import type { TableInfo } from "../../../schema/mod.ts";
import type { Clauses } from "../query/clauses.ts";
import type { Relation } from "../query/select.ts";
import { type ResultValue, SqlError } from "../wire/mod.ts";
import { physicalIds } from "./admin.ts";
import type { Warning } from "./front.ts";
import { fitted, madeUp } from "./made-up.ts";
import { characterSets, collations } from "./server-facts.ts";
import { columnsOf, indexesOf, nextRowIds, regionsOf } from "./show-table.ts";
import type { SessionState } from "./state.ts";

const SYSTEM_DATABASES = ["INFORMATION_SCHEMA", "METRICS_SCHEMA", "PERFORMANCE_SCHEMA", "mysql", "sys"];

/** What a SHOW shows: rows to be filtered by its LIKE or WHERE, and the column that LIKE looks at. */
export interface Shown {
  relation: Relation;
  likeColumn: string;
}

function shown(names: readonly string[], rows: ResultValue[][], likeColumn?: string): Shown {
  return { relation: madeUp(fitted(names, rows), rows), likeColumn: likeColumn ?? names[0]!.split(":")[0]! };
}

export const tableKind = (table: TableInfo): string =>
  table.view ? "VIEW" : table.sequence ? "SEQUENCE" : "BASE TABLE";

function showCreate(clauses: Clauses, session: SessionState): Shown {
  const { catalog } = session.front;
  if (clauses.takeWords("DATABASE") || clauses.takeWords("SCHEMA")) {
    clauses.takeWords("IF", "NOT", "EXISTS");
    const db = session.database(clauses.name());
    return shown(["Database", "Create Database"], [[db.name, catalog.createDatabase(db.name, session.ddlContext())]]);
  }
  const view = clauses.takeWords("VIEW");
  const sequence = !view && clauses.takeWords("SEQUENCE");
  if (!view && !sequence && !clauses.takeWords("TABLE")) throw clauses.fail();
  const { db, table } = session.table(clauses.tableName());
  if (view && !table.view) throw new SqlError(1347, `'${db}.${table.name.O}' is not VIEW`);
  if (sequence && !table.sequence) throw new SqlError(1347, `'${db}.${table.name.O}' is not SEQUENCE`);
  const text = catalog.createStatement(db, table, session.ddlContext());
  if (table.view) {
    const names = ["View", "Create View", "character_set_client", "collation_connection"];
    return shown(names, [[table.name.O, text, "utf8mb4", session.variable("collation_connection")]]);
  }
  const what = table.sequence ? "Sequence" : "Table";
  return shown([what, `Create ${what}`], [[table.name.O, text]]);
}

function databaseOf(clauses: Clauses, session: SessionState) {
  const named = clauses.takeWords("FROM") || clauses.takeWords("IN");
  return session.database(named ? clauses.name() : session.currentDatabase());
}

function showTables(clauses: Clauses, session: SessionState, full: boolean): Shown {
  const db = databaseOf(clauses, session);
  const column = `Tables_in_${db.name}`;
  const rows = session.front.catalog
    .tables(db.name)
    .map((table) => (full ? [table.name.O, tableKind(table)] : [table.name.O]));
  return shown(full ? [column, "Table_type"] : [column], rows);
}

/** SHOW TABLE t NEXT_ROW_ID, SHOW TABLE t [PARTITION (…)] [INDEX i] REGIONS. */
function showTable(clauses: Clauses, session: SessionState): Shown {
  const { front } = session;
  const { db, table } = session.table(clauses.tableName());
  if (clauses.takeWords("NEXT_ROW_ID")) return { relation: nextRowIds(front, db, table), likeColumn: "TABLE_NAME" };
  let ids = physicalIds(table);
  if (clauses.takeWords("PARTITION")) {
    if (!clauses.takeOp("(")) throw clauses.fail();
    ids = [];
    do ids.push(partitionId(table, clauses.name()));
    while (clauses.takeOp(","));
    if (!clauses.takeOp(")")) throw clauses.fail();
  }
  let prefix: ((id: number) => [Uint8Array, Uint8Array]) | undefined;
  if (clauses.takeWords("INDEX")) {
    const name = clauses.name();
    const index = table.index_info?.find(({ idx_name }) => idx_name.L === name.toLowerCase());
    if (index === undefined)
      throw new SqlError(1176, `Key '${name}' doesn't exist in table '${table.name.O}'`, "42000");
    prefix = (id) => [indexPrefix(id, index.id), indexPrefix(id, index.id + 1)];
  }
  if (!clauses.takeWords("REGIONS")) throw clauses.fail();
  return { relation: regionsOf(front, ids, prefix), likeColumn: "START_KEY" };
}

function partitionId(table: TableInfo, name: string): number {
  const found = table.partition?.definitions.find((one) => one.name.L === name.toLowerCase());
  if (found === undefined) throw new SqlError(1735, `Unknown partition '${name}' in table '${table.name.O}'`);
  return found.id;
}

function showTableStatus(clauses: Clauses, session: SessionState): Shown {
  const db = databaseOf(clauses, session);
  const rows = session.front.catalog.tables(db.name).map((table) => {
    const { O: name } = table.name;
    if (table.view) return [name, ...Array<null>(16).fill(null), "VIEW"];
    const sizes = ["0", "0", "0", "0", "0", "0"];
    return [name, "InnoDB", "10", "Compact", ...sizes, null, null, null, null, table.collate, "", "", table.comment];
  });
  const numbers = ["Rows", "Avg_row_length", "Data_length", "Max_data_length", "Index_length", "Data_free"];
  const names = ["Name", "Engine", "Version:int", "Row_format", ...numbers.map((name) => `${name}:int`)];
  const times = ["Create_time:datetime", "Update_time:datetime", "Check_time:datetime"];
  const rest = ["Auto_increment:int", ...times, "Collation", "Checksum", "Create_options", "Comment"];
  return shown([...names, ...rest], rows);
}

function showProcesses(session: SessionState): Shown {
  const { front } = session;
  const rows = [...front.sessions.values()].map((one) => [
    String(one.connectionId),
    one.user,
    one.client.address,
    one.db === "" ? null : one.db,
    one.running === "" ? "Sleep" : "Query",
    String(Math.floor((front.clock.nowMs() - one.startedMs) / 1000)),
    (one.status & 1) !== 0 ? "in transaction; autocommit" : "autocommit",
    one.running === "" ? null : one.running.slice(0, 100),
  ]);
  const names = ["Id:int", "User", "Host", "db", "Command", "Time:long:11:0", "State", "Info:string"];
  return shown(names, rows, "User");
}

function showVariables(session: SessionState, global: boolean): Shown {
  const rows = session.variableNames().map((name) => [name, session.variable(name, global)]);
  return shown(["Variable_name", "Value"], rows);
}

type Show = (clauses: Clauses, session: SessionState) => Shown;

const BINLOG = ["File", "Position:int", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"];

function binlogStatus(): Shown {
  return shown(BINLOG, [["tidb-binlog", "0", "", "", ""]]);
}

/** SHOW of one or two words that take nothing but LIKE and WHERE. */
const plainShows: [string[], Show][] = [
  [["WARNINGS"], (_, session) => warningRows(session.warnings)],
  [["ERRORS"], (_, session) => warningRows(session.warnings.filter((one) => one.level === "Error"))],
  [["STATUS"], (_, session) => shown(["Variable_name", "Value"], statusRows(session))],
  [["PROCESSLIST"], (_, session) => showProcesses(session)],
  [["COLLATION"], () => shown(COLLATION, collations)],
  [["CHARACTER", "SET"], () => shown(["Charset", "Description", "Default collation", "Maxlen:int"], characterSets)],
  [["CHARSET"], () => shown(["Charset", "Description", "Default collation", "Maxlen:int"], characterSets)],
  [["MASTER", "STATUS"], binlogStatus],
  [["BINARY", "LOG", "STATUS"], binlogStatus],
  [["ENGINES"], () => shown(["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"], [ENGINE])],
  [["PLUGINS"], () => shown(["Name", "Status", "Type", "Library", "License", "Version"], [])],
  [
    ["IMPORT", "JOBS"],
    () => shown(["Job_ID:int", "Data_Source", "Target_Table", "Table_ID:int", "Phase", "Status"], []),
  ],
];

const COLLATION = ["Collation", "Charset", "Id:int:20:33", "Default", "Compiled", "Sortlen:int", "Pad_attribute"];
const ENGINE = ["InnoDB", "DEFAULT", "Supports transactions, row-level locking, and foreign keys", "YES", "YES", "YES"];

function statusRows(session: SessionState): string[][] {
  const { tls } = session.client;
  return [
    ["Ssl_cipher", tls?.cipher ?? ""],
    ["Ssl_version", tls?.version ?? ""],
    ["Threads_connected", String(session.front.sessions.size)],
  ];
}

/** The relation behind a SHOW statement; the word SHOW is taken already, LIKE and WHERE are still ahead. */
export function showRelation(clauses: Clauses, session: SessionState): Shown {
  const full = clauses.takeWords("FULL");
  const global = clauses.takeWords("GLOBAL");
  if (!global) clauses.takeWords("SESSION");
  if (clauses.takeWords("CREATE")) return showCreate(clauses, session);
  if (clauses.takeWords("DATABASES") || clauses.takeWords("SCHEMAS")) {
    const names = [...SYSTEM_DATABASES, ...session.front.catalog.databases().map((db) => db.name)];
    const rows = names.sort((a, b) => (a < b ? -1 : 1)).map((name) => [name]);
    return shown(["Database"], rows);
  }
  if (clauses.takeWords("TABLES")) return showTables(clauses, session, full);
  if (clauses.takeWords("TABLE", "STATUS")) return showTableStatus(clauses, session);
  if (clauses.takeWords("TABLE")) return showTable(clauses, session);
  if (clauses.takeWords("COLUMNS") || clauses.takeWords("FIELDS"))
    return { relation: columnsOf(session.table(fromTable(clauses)).table, full), likeColumn: "Field" };
  if (clauses.takeWords("INDEX") || clauses.takeWords("INDEXES") || clauses.takeWords("KEYS"))
    return { relation: indexesOf(session.table(fromTable(clauses)).table), likeColumn: "Key_name" };
  if (clauses.takeWords("VARIABLES")) return showVariables(session, global);
  if (clauses.takeWords("CONFIG")) {
    const rows = [["tikv", "127.0.0.1:20160", "storage.engine", "raft-kv"]];
    return shown(["Type", "Instance", "Name", "Value"], rows, "Name");
  }
  if (clauses.takeWords("GRANTS")) {
    const named = clauses.takeWords("FOR");
    while (!clauses.done) clauses.at++;
    const column = named ? `Grants for ${session.user}@%` : "Grants for User";
    return shown([column], [[`GRANT ALL PRIVILEGES ON *.* TO '${session.user}'@'%' WITH GRANT OPTION`]]);
  }
  for (const [words, make] of plainShows) if (clauses.takeWords(...words)) return make(clauses, session);
  throw clauses.fail();
}

function fromTable(clauses: Clauses): { db: string | undefined; table: string } {
  if (!clauses.takeWords("FROM") && !clauses.takeWords("IN")) throw clauses.fail();
  const name = clauses.tableName();
  if (clauses.takeWords("FROM") || clauses.takeWords("IN")) return { db: clauses.name(), table: name.table };
  return name;
}

function warningRows(warnings: readonly Warning[]): Shown {
  const rows = warnings.map((warning) => [warning.level, String(warning.code), warning.message]);
  const longest = Math.max(64, ...rows.map((row) => [...row[2]!].length));
  const names = ["Level", "Code:long", `Message:${4 * longest}`];
  return {
    relation: madeUp(names, rows, { schema: "INFORMATION_SCHEMA", table: "WARNINGS" }),
    likeColumn: "Message",
  };
}

/** DESCRIBE t. */
export function describe(table: TableInfo): Relation {
  return columnsOf(table, false);
}
