import type { TableInfo } from "../../../schema/mod.ts";
import type { Relation } from "../query/select.ts";
import type { Clauses } from "../query/select-parser.ts";
import { SqlError } from "../wire/mod.ts";
import type { Warning } from "./front.ts";
import { madeUp } from "./relations.ts";
import type { SessionState } from "./state.ts";
import { defaultText, extraText, keyText, typeText } from "./table-facts.ts";

const SYSTEM_DATABASES = ["INFORMATION_SCHEMA", "mysql"];

/** What a SHOW shows: rows to be filtered by its LIKE or WHERE, and the column that LIKE looks at. */
export interface Shown {
  relation: Relation;
  likeColumn: string;
}

function columnsOf(table: TableInfo, full: boolean): Relation {
  const rows = table.cols
    .filter((column) => !column.hidden && column.state === 5)
    .map((column) => {
      const nullable = (column.type.Flag & 1) !== 0 ? "NO" : "YES";
      const base = [
        column.name.O,
        typeText(column.type),
        nullable,
        keyText(table, column),
        defaultText(column),
        extraText(column, table),
      ];
      if (!full) return base;
      const collation = column.type.Charset === "binary" ? null : column.type.Collate;
      return [base[0]!, base[1]!, collation, ...base.slice(2), "select,insert,update,references", column.comment];
    });
  const names = full
    ? ["Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"]
    : ["Field", "Type", "Null", "Key", "Default", "Extra"];
  return madeUp(names, rows);
}

function indexesOf(table: TableInfo): Relation {
  const rows: (string | null)[][] = [];
  const row = (
    unique: boolean,
    key: string,
    seq: number,
    column: string,
    length: number,
    clustered: boolean,
    visible: boolean,
  ) =>
    rows.push([
      table.name.O,
      unique ? "0" : "1",
      key,
      String(seq),
      column,
      "A",
      "0",
      length < 0 ? null : String(length),
      null,
      "",
      "BTREE",
      "",
      "",
      visible ? "YES" : "NO",
      null,
      clustered ? "YES" : "NO",
      "NO",
    ]);
  const handle = table.pk_is_handle ? table.cols.find((column) => (column.type.Flag & 2) !== 0) : undefined;
  if (handle !== undefined) row(true, "PRIMARY", 1, handle.name.O, -1, true, true);
  for (const index of table.index_info ?? []) {
    for (const [i, part] of index.idx_cols.entries()) {
      row(
        index.is_unique,
        index.idx_name.O,
        i + 1,
        part.name.O,
        part.length,
        index.is_primary && table.is_common_handle,
        !index.is_invisible,
      );
    }
  }
  return madeUp(
    [
      "Table",
      "Non_unique",
      "Key_name",
      "Seq_in_index",
      "Column_name",
      "Collation",
      "Cardinality",
      "Sub_part",
      "Packed",
      "Null",
      "Index_type",
      "Comment",
      "Index_comment",
      "Visible",
      "Expression",
      "Clustered",
      "Global_index",
    ],
    rows,
    ["Non_unique", "Seq_in_index", "Cardinality", "Sub_part"],
  );
}

const tableKind = (table: TableInfo): string => (table.view ? "VIEW" : table.sequence ? "SEQUENCE" : "BASE TABLE");

/** Rows of `ADMIN SHOW t NEXT_ROW_ID`; the base is what the table's allocator was last set to. */
export function nextRowIds(db: string, table: TableInfo): Relation {
  const rows: string[][] = [];
  const auto = table.cols.find((column) => (column.type.Flag & 512) !== 0);
  const next = (value: number | bigint) => String(value === 0 || value === 0n ? 1 : value);
  const handle = table.cols.find((column) => table.pk_is_handle && (column.type.Flag & 2) !== 0);
  if (table.auto_random_bits > 0) {
    const column = handle ?? table.cols[table.index_info?.find((index) => index.is_primary)?.idx_cols[0]?.offset ?? 0]!;
    rows.push([db, table.name.O, column.name.O, next(table.auto_rand_id), "AUTO_RANDOM"]);
  } else if (!table.is_common_handle || auto !== undefined) {
    const separate = Number(table.auto_id_cache) === 1 && auto !== undefined;
    if (!separate || !table.pk_is_handle) {
      const name = table.pk_is_handle && auto !== undefined ? auto.name.O : "_tidb_rowid";
      rows.push([db, table.name.O, name, next(separate ? 1 : table.auto_inc_id), "_TIDB_ROWID"]);
    }
    if (separate) rows.push([db, table.name.O, auto.name.O, next(table.auto_inc_id), "AUTO_INCREMENT"]);
  }
  return madeUp(["DB_NAME", "TABLE_NAME", "COLUMN_NAME", "NEXT_GLOBAL_ROW_ID", "ID_TYPE"], rows, [
    "NEXT_GLOBAL_ROW_ID",
  ]);
}

function showCreate(clauses: Clauses, session: SessionState): Shown {
  const { catalog } = session.front;
  if (clauses.takeWords("DATABASE") || clauses.takeWords("SCHEMA")) {
    clauses.takeWords("IF", "NOT", "EXISTS");
    const name = clauses.name();
    const db = session.database(name);
    const text = `CREATE DATABASE \`${db.name}\` /*!40100 DEFAULT CHARACTER SET ${db.charset}${db.collate.endsWith("_bin") ? "" : ` COLLATE ${db.collate}`} */`;
    return { relation: madeUp(["Database", "Create Database"], [[db.name, text]]), likeColumn: "Database" };
  }
  const view = clauses.takeWords("VIEW");
  if (!view && !clauses.takeWords("SEQUENCE") && !clauses.takeWords("TABLE")) throw clauses.fail();
  const { db, table } = session.table(clauses.tableName());
  if (view && !table.view) throw new SqlError(1347, `'${db}.${table.name.O}' is not VIEW`);
  const text = catalog.createStatement(db, table, session.ddlContext());
  if (table.view) {
    const names = ["View", "Create View", "character_set_client", "collation_connection"];
    return { relation: madeUp(names, [[table.name.O, text, "utf8mb4", "utf8mb4_bin"]]), likeColumn: "View" };
  }
  const what = table.sequence ? "Sequence" : "Table";
  return { relation: madeUp([what, `Create ${what}`], [[table.name.O, text]]), likeColumn: what };
}

/** The relation behind a SHOW statement; the words SHOW are taken already, LIKE and WHERE are still ahead. */
export function showRelation(clauses: Clauses, session: SessionState): Shown {
  const { front } = session;
  const full = clauses.takeWords("FULL");
  const global = clauses.takeWords("GLOBAL");
  if (!global) clauses.takeWords("SESSION");
  if (clauses.takeWords("CREATE")) return showCreate(clauses, session);
  if (clauses.takeWords("DATABASES") || clauses.takeWords("SCHEMAS")) {
    const names = [...SYSTEM_DATABASES, ...front.catalog.databases().map((db) => db.name)].sort((a, b) =>
      a < b ? -1 : 1,
    );
    return {
      relation: madeUp(
        ["Database"],
        names.map((name) => [name]),
      ),
      likeColumn: "Database",
    };
  }
  if (clauses.takeWords("TABLES")) {
    const db = session.database(
      clauses.takeWords("FROM") || clauses.takeWords("IN") ? clauses.name() : session.currentDatabase(),
    );
    const column = `Tables_in_${db.name}`;
    const rows = front.catalog
      .tables(db.name)
      .map((table) => (full ? [table.name.O, tableKind(table)] : [table.name.O]));
    return { relation: madeUp(full ? [column, "Table_type"] : [column], rows), likeColumn: column };
  }
  if (clauses.takeWords("TABLE", "STATUS")) {
    const db = session.database(
      clauses.takeWords("FROM") || clauses.takeWords("IN") ? clauses.name() : session.currentDatabase(),
    );
    const rows = front.catalog
      .tables(db.name)
      .map((table) => [table.name.O, "InnoDB", "10", "Compact", "0", table.collate, table.comment]);
    return {
      relation: madeUp(["Name", "Engine", "Version", "Row_format", "Rows", "Collation", "Comment"], rows),
      likeColumn: "Name",
    };
  }
  if (clauses.takeWords("TABLE")) {
    const { db, table } = session.table(clauses.tableName());
    if (!clauses.takeWords("NEXT_ROW_ID")) throw clauses.fail();
    return { relation: nextRowIds(db, table), likeColumn: "TABLE_NAME" };
  }
  if (clauses.takeWords("COLUMNS") || clauses.takeWords("FIELDS")) {
    const { table } = session.table(fromTable(clauses));
    return { relation: columnsOf(table, full), likeColumn: "Field" };
  }
  if (clauses.takeWords("INDEX") || clauses.takeWords("INDEXES") || clauses.takeWords("KEYS")) {
    const { table } = session.table(fromTable(clauses));
    return { relation: indexesOf(table), likeColumn: "Key_name" };
  }
  if (clauses.takeWords("VARIABLES")) {
    const rows = session.variableNames().map((name) => [name, session.variable(name, global)]);
    return { relation: madeUp(["Variable_name", "Value"], rows), likeColumn: "Variable_name" };
  }
  if (clauses.takeWords("WARNINGS")) return { relation: warningRows(session.warnings), likeColumn: "Message" };
  if (clauses.takeWords("ERRORS"))
    return { relation: warningRows(session.warnings.filter((one) => one.level === "Error")), likeColumn: "Message" };
  if (clauses.takeWords("STATUS"))
    return { relation: madeUp(["Variable_name", "Value"], []), likeColumn: "Variable_name" };
  if (clauses.takeWords("CONFIG")) {
    const rows = [["tikv", "127.0.0.1:20160", "storage.engine", "raft-kv"]];
    return { relation: madeUp(["Type", "Instance", "Name", "Value"], rows), likeColumn: "Name" };
  }
  if (clauses.takeWords("PROCESSLIST"))
    return {
      relation: madeUp(["Id", "User", "Host", "db", "Command", "Time", "State", "Info"], []),
      likeColumn: "User",
    };
  if (clauses.takeWords("ENGINES")) {
    const row = [
      "InnoDB",
      "DEFAULT",
      "Supports transactions, row-level locking, and foreign keys",
      "YES",
      "YES",
      "YES",
    ];
    return {
      relation: madeUp(["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"], [row]),
      likeColumn: "Engine",
    };
  }
  if (clauses.takeWords("GRANTS")) {
    while (!clauses.done) clauses.at++;
    return {
      relation: madeUp(["Grants for User"], [["GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION"]]),
      likeColumn: "Grants for User",
    };
  }
  throw clauses.fail();
}

function fromTable(clauses: Clauses): { db: string | undefined; table: string } {
  if (!clauses.takeWords("FROM") && !clauses.takeWords("IN")) throw clauses.fail();
  const name = clauses.tableName();
  if (clauses.takeWords("FROM") || clauses.takeWords("IN")) return { db: clauses.name(), table: name.table };
  return name;
}

function warningRows(warnings: readonly Warning[]): Relation {
  const rows = warnings.map((warning) => [warning.level, String(warning.code), warning.message]);
  return madeUp(["Level", "Code", "Message"], rows, ["Code"]);
}

/** DESCRIBE t. */
export function describe(table: TableInfo): Relation {
  return columnsOf(table, false);
}
