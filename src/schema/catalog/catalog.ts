import { charsetOfCollation, resolveCharset } from "../build/charset.ts";
import { ciStr } from "../build/column.ts";
import type { DdlSession } from "../build/session.ts";
import { buildTable, checkTableName } from "../build/table.ts";
import type { CreateTable, Statement, TableName, TableOptions } from "../ddl/ast.ts";
import { parseStatement } from "../ddl/parser.ts";
import { parseLosslessJson, stringifyLossless } from "../lossless-json.ts";
import { ddlError } from "../sql/sql-error.ts";
import type { CIStr, TableInfo } from "../table-info.ts";
import { alterTable } from "./alter.ts";
import { addIndexTo, dropIndexOf } from "./alter-index.ts";
import { createLike } from "./create-like.ts";
import { buildSequence, buildView } from "./objects.ts";

/** What an id is taken for; TiDB takes all from one counter, one more for each job behind those of the objects. */
export type IdPurpose = "database" | "table" | "partition" | "job";

export interface Database {
  id: number;
  db_name: CIStr;
  charset: string;
  collate: string;
  state: number;
}

/** One table as it was and as it is; `before` absent: made, `after` absent: dropped. */
export interface TableChange {
  database: string;
  before?: TableInfo;
  after?: TableInfo;
}

/** ALTER TABLE … [FORCE] AUTO_INCREMENT or AUTO_RANDOM_BASE: for who keeps the allocators. */
export interface Rebase {
  database: string;
  table: string;
  allocator: "auto_increment" | "auto_random";
  /** As written, below 2^64; the next value to give out. */
  base: bigint;
  /** Also to a smaller value. */
  forced: boolean;
}

export interface ExecuteResult {
  kind: Statement["kind"];
  rebases?: Rebase[];
  /** Tables made, changed or dropped, in order. */
  changes: TableChange[];
  /** Set by USE, and by DROP DATABASE of the current one (""). */
  useDatabase?: string;
  /** IF EXISTS or IF NOT EXISTS made the statement do nothing. */
  skipped?: boolean;
}

interface Entry {
  database: Database;
  tables: Map<string, TableInfo>;
}

/**
 * Databases and tables in memory, changed by DDL statements. A statement is executed whole or not at all. TableInfo objects are
 * never changed once they have been handed out: a change makes a new one.
 */
export class Catalog {
  private readonly entries = new Map<string, Entry>();
  private readonly allocate: (purpose: IdPurpose) => number;

  constructor(allocate: (purpose: IdPurpose) => number) {
    this.allocate = allocate;
  }

  databases(): Database[] {
    return [...this.entries.values()].map(({ database }) => database);
  }

  database(name: string): Database | undefined {
    return this.entries.get(name.toLowerCase())?.database;
  }

  /** Tables of a database in the order they were made; throws 1049. */
  tables(database: string): TableInfo[] {
    return [...this.entry(database).tables.values()];
  }

  table(database: string, name: string): TableInfo | undefined {
    return this.entries.get(database.toLowerCase())?.tables.get(name.toLowerCase());
  }

  /** Puts a table whose metadata come from elsewhere (ids included) in place of one of the same name. */
  putTable(database: string, table: TableInfo): void {
    this.entry(database).tables.set(table.name.L, table);
  }

  /**
   * Executes one DDL statement or USE. Throws LevinError with `fields.errno`, `sqlState` and `sqlMessage` as TiDB would answer
   * (1064 with place for syntax), or ErrUnsupported for what levin does not know.
   */
  execute(sql: string, session: DdlSession): ExecuteResult {
    return this.executeStatement(parseStatement(sql, session.sqlMode), session, sql);
  }

  executeStatement(statement: Statement, session: DdlSession, sql: string): ExecuteResult {
    const result: ExecuteResult = { kind: statement.kind, changes: [] };
    switch (statement.kind) {
      case "use":
        result.useDatabase = this.entry(statement.name).database.db_name.O;
        break;
      case "create database":
      case "alter database":
      case "drop database":
        this.changeDatabase(statement, session, result);
        break;
      case "create table":
        this.createTable(statement, session, sql, result);
        break;
      case "create view":
      case "create sequence":
        this.createObject(statement, session, result);
        break;
      case "drop table":
        this.dropTables(statement, session, result);
        break;
      case "rename table":
        for (const { from, to } of statement.pairs) this.renameTable(from, to, session, result);
        break;
      case "truncate table":
        this.truncateTable(statement.table, session, result);
        break;
      case "alter table":
      case "create index":
      case "drop index":
        this.changeTable(statement, session, sql, result);
        break;
    }
    return result;
  }

  /** Everything as JSON; integers above 2^53 stay exact. */
  toJson(): string {
    return stringifyLossless(
      [...this.entries.values()].map(({ database, tables }) => ({ ...database, tables: [...tables.values()] })),
    );
  }

  static fromJson(text: string, allocate: (purpose: IdPurpose) => number): Catalog {
    const catalog = new Catalog(allocate);
    for (const item of parseLosslessJson(text) as (Database & { tables: TableInfo[] })[]) {
      const { tables, ...database } = item;
      catalog.entries.set(database.db_name.L, {
        database,
        tables: new Map(tables.map((table) => [table.name.L, table])),
      });
    }
    return catalog;
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name.toLowerCase());
    if (!entry) throw ddlError(1049, `Unknown database '${name}'`);
    return entry;
  }

  /** The database that a name belongs to; throws 1046 without one. */
  private entryOf(name: TableName, session: DdlSession): Entry {
    const database = name.schema ?? session.database;
    if (database === undefined || database === "") throw ddlError(1046, "No database selected");
    return this.entry(database);
  }

  private existing(name: TableName, session: DdlSession): { entry: Entry; table: TableInfo } {
    const entry = this.entryOf(name, session);
    const table = entry.tables.get(name.name.toLowerCase());
    if (!table) throw ddlError(1146, `Table '${entry.database.db_name.O}.${name.name}' doesn't exist`);
    return { entry, table };
  }

  private changeDatabase(
    statement: Statement & { kind: "create database" | "alter database" | "drop database" },
    session: DdlSession,
    result: ExecuteResult,
  ): void {
    const name = statement.name ?? session.database ?? "";
    if (name === "") throw ddlError(1046, "No database selected");
    const entry = this.entries.get(name.toLowerCase());
    if (statement.kind === "drop database") {
      result.skipped = !entry && statement.ifExists;
      if (!entry && !statement.ifExists) throw ddlError(1008, `Can't drop database '${name}'; database doesn't exist`);
      for (const table of entry?.tables.values() ?? []) result.changes.push({ database: name, before: table });
      if (entry) this.allocate("job");
      this.entries.delete(name.toLowerCase());
      if (session.database?.toLowerCase() === name.toLowerCase()) result.useDatabase = "";
      return;
    }
    if (statement.collate !== undefined) charsetOfCollation(statement.collate, session);
    const choice = resolveCharset([{ ...statement }], session);
    if (statement.kind === "alter database") {
      const { database } = this.entry(name);
      if (statement.charset !== undefined || statement.collate !== undefined) Object.assign(database, choice);
      this.allocate("job");
      return;
    }
    if (entry && !statement.ifNotExists) throw ddlError(1007, `Can't create database '${name}'; database exists`);
    if (entry) {
      result.skipped = true;
      return;
    }
    if (name.endsWith(" ")) throw ddlError(1102, `Incorrect database name '${name}'`);
    if ([...name].length > 64) throw ddlError(1059, `Identifier name '${name}' is too long`);
    const database = { id: this.allocate("database"), db_name: ciStr(name), ...choice, state: 5 };
    this.entries.set(name.toLowerCase(), { database, tables: new Map() });
    this.allocate("job");
  }

  private createTable(create: CreateTable, session: DdlSession, sql: string, result: ExecuteResult): void {
    const entry = this.entryOf(create.table, session);
    if (this.isTaken(entry, create.table, create.ifNotExists, result)) return;
    // The table's id comes before those of its partitions, and only when nothing is wrong any more.
    let id: number | undefined;
    const tableId = () => {
      id ??= this.allocate("table");
      return id;
    };
    const partitionIds = () => {
      tableId();
      return this.allocate("partition");
    };
    const { database } = entry;
    const table = create.like
      ? createLike(create, this.existing(create.like, session).table, partitionIds)
      : buildTable(create, {
          session: { ...session, database: database.db_name.O },
          sql,
          database: { name: database.db_name.O, charset: database.charset, collate: database.collate },
          partitionIds,
        });
    table.id = tableId();
    this.allocate("job");
    this.add(entry, table, result);
  }

  /** True where the name is taken and that is no error; throws 1050. */
  private isTaken(entry: Entry, name: TableName, ifNotExists: boolean, result: ExecuteResult): boolean {
    if (!entry.tables.has(name.name.toLowerCase())) return false;
    if (!ifNotExists) throw ddlError(1050, `Table '${entry.database.db_name.O}.${name.name}' already exists`);
    result.skipped = true;
    return true;
  }

  private add(entry: Entry, table: TableInfo, result: ExecuteResult, before?: TableInfo): void {
    entry.tables.set(table.name.L, table);
    result.changes.push({ database: entry.database.db_name.O, after: table, ...(before && { before }) });
  }

  private createObject(
    statement: Statement & { kind: "create view" | "create sequence" },
    session: DdlSession,
    result: ExecuteResult,
  ): void {
    const name = statement.kind === "create view" ? statement.view : statement.sequence;
    const entry = this.entryOf(name, session);
    checkTableName(name.name);
    const before = entry.tables.get(name.name.toLowerCase());
    const replaces = statement.kind === "create view" && statement.orReplace && before?.view;
    const ifNotExists = statement.kind === "create sequence" && statement.ifNotExists;
    if (!replaces && this.isTaken(entry, name, ifNotExists, result)) return;
    const { charset, collate } = entry.database;
    const table = statement.kind === "create view" ? buildView(statement, charset, collate) : buildSequence(statement);
    table.id = this.allocate("table");
    this.allocate("job");
    this.add(entry, table, result, before);
  }

  private dropTables(statement: Statement & { kind: "drop table" }, session: DdlSession, result: ExecuteResult): void {
    const found: { entry: Entry; table: TableInfo }[] = [];
    const missing: string[] = [];
    for (const name of statement.tables) {
      const entry = this.entryOf(name, session);
      const table = entry.tables.get(name.name.toLowerCase());
      const full = `${entry.database.db_name.O}.${name.name}`;
      if (table && kindOf(table) === statement.what) found.push({ entry, table });
      // DROP TABLE does not see views and sequences; DROP VIEW and DROP SEQUENCE see tables.
      else if (!table || statement.what === "table") missing.push(full);
      else throw ddlError(1347, `'${full}' is not ${statement.what.toUpperCase()}`);
    }
    if (missing.length > 0 && !statement.ifExists) {
      if (statement.what === "sequence") throw ddlError(4139, `Unknown SEQUENCE: '${missing.join(",")}'`);
      throw ddlError(1051, `Unknown table '${missing.join(",")}'`);
    }
    result.skipped = found.length === 0;
    for (const { entry, table } of found) {
      this.allocate("job");
      entry.tables.delete(table.name.L);
      result.changes.push({ database: entry.database.db_name.O, before: table });
    }
  }

  private renameTable(from: TableName, to: TableName, session: DdlSession, result: ExecuteResult): void {
    const { entry, table } = this.existing(from, session);
    const target = this.entryOf(to, session);
    checkTableName(to.name);
    const other = target.tables.get(to.name.toLowerCase());
    if (other && other !== table)
      throw ddlError(1050, `Table '${target.database.db_name.O}.${to.name}' already exists`);
    this.allocate("job");
    entry.tables.delete(table.name.L);
    const renamed = { ...structuredClone(table), name: ciStr(to.name) };
    target.tables.set(renamed.name.L, renamed);
    result.changes.push({ database: entry.database.db_name.O, before: table });
    result.changes.push({ database: target.database.db_name.O, after: renamed });
  }

  /** A table with new ids, as TiDB truncates. */
  private truncateTable(name: TableName, session: DdlSession, result: ExecuteResult): void {
    const { entry, table } = this.existing(name, session);
    if (kindOf(table) !== "table")
      throw ddlError(1146, `Table '${entry.database.db_name.O}.${name.name}' doesn't exist`);
    const fresh = structuredClone(table);
    fresh.id = this.allocate("table");
    for (const definition of fresh.partition?.definitions ?? []) definition.id = this.allocate("partition");
    fresh.auto_inc_id = 0;
    fresh.auto_rand_id = 0;
    this.allocate("job");
    this.add(entry, fresh, result, table);
  }

  private changeTable(
    statement: Statement & { kind: "alter table" | "create index" | "drop index" },
    session: DdlSession,
    sql: string,
    result: ExecuteResult,
  ): void {
    const { entry, table: before } = this.existing(statement.table, session);
    if (kindOf(before) !== "table")
      throw ddlError(1347, `'${entry.database.db_name.O}.${before.name.O}' is not BASE TABLE`);
    const { database } = entry;
    const table = structuredClone(before);
    const context = {
      session: { ...session, database: database.db_name.O },
      sql,
      database: { name: database.db_name.O, charset: database.charset, collate: database.collate },
      partitionIds: () => this.allocate("partition"),
      tableId: () => this.allocate("table"),
      job: () => void this.allocate("job"),
    };
    if (statement.kind === "create index") {
      addIndexTo(table, statement.constraint, context);
      context.job();
    } else if (statement.kind === "drop index") {
      dropIndexOf(table, statement.name, statement.ifExists);
      context.job();
    } else {
      for (const spec of statement.specs) {
        if (spec.kind === "exchange partition") {
          this.exchange(table, spec.partition, this.existing(spec.table, session), result);
        } else if (spec.kind === "rename table") {
          this.put(entry, before, table, result);
          this.renameTable({ ...statement.table }, spec.to, session, result);
          return;
        } else {
          if (spec.kind === "options") noteRebases(result, database.db_name.O, table, spec.options);
          alterTable(table, spec, context);
        }
      }
    }
    this.put(entry, before, table, result);
  }

  private put(entry: Entry, before: TableInfo, after: TableInfo, result: ExecuteResult): void {
    entry.tables.set(after.name.L, after);
    result.changes.push({ database: entry.database.db_name.O, before, after });
  }

  /** EXCHANGE PARTITION swaps the physical ids. */
  private exchange(
    table: TableInfo,
    partition: string,
    other: { entry: Entry; table: TableInfo },
    result: ExecuteResult,
  ): void {
    const definition = table.partition?.definitions.find(({ name }) => name.L === partition.toLowerCase());
    if (!table.partition) throw ddlError(1505, "Partition management on a not partitioned table is not possible");
    if (!definition) throw ddlError(1735, `Unknown partition '${partition}' in table '${table.name.O}'`);
    if (other.table.partition)
      throw ddlError(1732, `Table to exchange with partition is partitioned: '${other.table.name.O}'`);
    if (!sameShape(table, other.table)) throw ddlError(1736, "Tables have different definitions");
    this.allocate("job");
    const swapped = { ...structuredClone(other.table), id: definition.id };
    definition.id = other.table.id;
    this.put(other.entry, other.table, swapped, result);
  }
}

function noteRebases(result: ExecuteResult, database: string, table: TableInfo, options: TableOptions): void {
  const forced = options.autoIncrementForced ?? false;
  const note = (allocator: Rebase["allocator"], base: bigint | undefined): void => {
    if (base === undefined) return;
    result.rebases = [...(result.rebases ?? []), { database, table: table.name.O, allocator, base, forced }];
  };
  note("auto_increment", options.autoIncrement);
  note("auto_random", options.autoRandomBase);
}

function kindOf(table: TableInfo): "table" | "view" | "sequence" {
  return table.view ? "view" : table.sequence ? "sequence" : "table";
}

/** Columns and indexes alike, as EXCHANGE PARTITION asks. */
function sameShape(a: TableInfo, b: TableInfo): boolean {
  const shape = (table: TableInfo) =>
    stringifyLossless([
      table.cols.map(({ id, name, type, generated_expr_string }) => [id, name.L, type, generated_expr_string]),
      (table.index_info ?? []).map(({ id, idx_name, idx_cols, is_unique }) => [id, idx_name.L, idx_cols, is_unique]),
      table.pk_is_handle,
      table.is_common_handle,
    ]);
  return shape(a) === shape(b);
}
