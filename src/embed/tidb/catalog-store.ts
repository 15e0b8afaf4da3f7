import { LevinError } from "../../base/mod.ts";
import { indexPrefix, recordKey, tablePrefix } from "../../codec/mod.ts";
import {
  Catalog,
  type DdlSession,
  type ExecuteResult,
  type IdPurpose,
  parseSqlMode,
  parseStatement,
  showCreateDatabase,
  showCreateTable,
  stringifyLossless,
  type TableInfo,
} from "../../schema/mod.ts";
import type { Cluster } from "../state/mod.ts";
import { ddlWarnings } from "./ddl-warnings.ts";
import type { DatabaseInfo, DdlContext, FrontCatalog, FrontStorage, Warning } from "./session/mod.ts";
import { AutoIds } from "./store/mod.ts";
import { SqlError } from "./wire/mod.ts";

/** Facts of the cluster: `catalog/next`, `catalog/db/<name>`, `catalog/table/<name of db>/<name>`, as JSON. */
const PREFIX = "catalog/";

/** First id after those of what a TiDB makes for itself; the database `test` is the first of these. */
const FIRST_ID = 110;
const TEST_DATABASE_ID = 2;
/** `temp_table_type` of CREATE TEMPORARY TABLE, which no list shows. */
const LOCAL_TEMPORARY = 2;

/** The sandbox's catalogue: DDL changes it, the cluster's database keeps it. */
export async function openCatalog(
  cluster: Cluster,
  storage: FrontStorage,
  options: { newCollations: boolean; autoIds: AutoIds; nowMs(): number },
): Promise<FrontCatalog> {
  const { autoIds } = options;
  const kept = await cluster.facts.texts(PREFIX);
  let nextId = Number(kept.get("next") ?? FIRST_ID);
  const allocate = (_: IdPurpose): number => nextId++;
  const catalog = Catalog.fromJson(catalogJson(kept), allocate);
  if (kept.size === 0) {
    const context: DdlContext = { database: "", sqlMode: "", timeZone: "UTC", clusteredIndex: "on" };
    nextId = TEST_DATABASE_ID;
    const result = catalog.execute("CREATE DATABASE `test`", session(context));
    nextId = FIRST_ID;
    await cluster.facts.change(factsOf(result, new Set()));
  }
  /** DDL statements run one after the other, as in TiDB. */
  let tail: Promise<unknown> = Promise.resolve();

  function session(context: DdlContext): DdlSession {
    return {
      sqlMode: parseSqlMode(context.sqlMode),
      timeZone: context.timeZone,
      database: context.database,
      newCollation: options.newCollations,
      clusteredIndex: context.clusteredIndex,
      nowMs: options.nowMs(),
    };
  }

  /** Changes the catalogue at once; `written` resolves when that is kept and its data follows. */
  function begin(sql: string, context: DdlContext) {
    const databases = new Set(catalog.databases().map((database) => database.db_name.L));
    let result: ExecuteResult;
    let warnings: Warning[];
    try {
      const statement = parseStatement(sql, parseSqlMode(context.sqlMode));
      result = catalog.executeStatement(statement, session(context), sql);
      warnings = ddlWarnings(statement, result, context.database);
    } catch (error) {
      throw sqlError(error);
    }
    const onlyMakes = result.changes.every(({ before }) => before === undefined);
    const kept = cluster.facts.change(factsOf(result, databases));
    // Regions of new tables are written behind the facts, in the same journal; no data goes before its table is gone.
    const written = onlyMakes ? Promise.all([kept, applyToData(result)]) : kept.then(() => applyToData(result));
    const { rebases = [], useDatabase } = result;
    const done = { warnings, rebases, ...(useDatabase !== undefined && { useDatabase }) };
    return { done, written, onlyMakes };
  }

  /** What has to be written for a statement: only what it changed, so that the ten-thousandth table costs no more than the first. */
  function factsOf({ kind, changes }: ExecuteResult, before: ReadonlySet<string>): Map<string, string | undefined> {
    const facts = new Map<string, string | undefined>([[`${PREFIX}next`, String(nextId)]]);
    for (const { database, before: old, after } of changes) {
      const path = `${PREFIX}table/${database.toLowerCase()}/`;
      if (old !== undefined) facts.set(path + old.name.L, undefined);
      if (after !== undefined) facts.set(path + after.name.L, stringifyLossless(after));
    }
    if (/database$/.test(kind)) {
      for (const name of before) facts.set(`${PREFIX}db/${name}`, undefined);
      for (const database of catalog.databases())
        facts.set(`${PREFIX}db/${database.db_name.L}`, stringifyLossless(database));
    }
    return facts;
  }

  /** New tables get a region of their own, dropped ones lose their data. A renamed table is dropped and made again under its id. */
  async function applyToData({ kind, changes }: ExecuteResult): Promise<void> {
    const old = new Set(changes.flatMap(({ before }) => (before === undefined ? [] : physicalIds(before))));
    for (const { before, after } of changes) {
      if (before !== undefined && after !== undefined && before.id !== after.id && kind !== "truncate table")
        autoIds.rename(before.id, after.id);
      for (const id of after === undefined ? [] : physicalIds(after)) {
        if (old.delete(id)) continue;
        await storage.splitAt(tablePrefix(id));
        await preSplit(after!, id);
      }
    }
    for (const id of old) {
      autoIds.forget(id);
      await storage.destroyRange(tablePrefix(id), tablePrefix(id + 1));
    }
  }

  /** PRE_SPLIT_REGIONS: 2^n regions of rows, and one for each index. */
  async function preSplit(table: TableInfo, id: number): Promise<void> {
    const parts = table.pre_split_regions;
    if (parts === 0) return;
    for (const index of table.index_info ?? []) await storage.splitAt(indexPrefix(id, index.id));
    for (let i = 1; i < 2 ** parts; i++)
      await storage.splitAt(recordKey(id, { kind: "int", value: BigInt(i) << BigInt(63 - parts) }));
  }

  return {
    databases: () => catalog.databases().map(databaseInfo),
    database(name) {
      const found = catalog.database(name);
      return found === undefined ? undefined : databaseInfo(found);
    },
    tables: (db) =>
      catalog
        .tables(db)
        .filter(({ temp_table_type: kind }) => kind !== LOCAL_TEMPORARY)
        .sort((a, b) => (a.name.L < b.name.L ? -1 : 1)),
    table: (db, name) => catalog.table(db, name),
    async execute(sql, context) {
      const begun = tail.then(() => begin(sql, context));
      // New tables wait for their turn, not for the disk: those that come at the same time are written together.
      tail = begun.then<unknown>(({ written, onlyMakes }) => (onlyMakes ? undefined : written)).catch(() => undefined);
      const { done, written } = await begun;
      await written;
      return done;
    },
    createStatement: (db, table, context) =>
      showCreateTable(table, session(context), {
        database: db,
        integerWidth: false,
        nextAutoIncrement: autoIds.nextGlobal(table, AutoIds.kindOf(table, "increment")),
        nextAutoRandom: autoIds.nextGlobal(table, "random"),
      }),
    createDatabase: (name, context) => showCreateDatabase(catalog.database(name)!, session(context)),
  };
}

/** The form that `Catalog.fromJson` reads. */
function catalogJson(kept: ReadonlyMap<string, string>): string {
  const databases: string[] = [];
  for (const [name, text] of kept) {
    if (!name.startsWith("db/")) continue;
    const path = `table/${name.slice(3)}/`;
    const tables = [...kept].filter(([table]) => table.startsWith(path)).map(([, table]) => table);
    databases.push(`${text.slice(0, -1)},"tables":[${tables.join(",")}]}`);
  }
  return `[${databases.join(",")}]`;
}

function databaseInfo(database: {
  id: number;
  db_name: { O: string };
  charset: string;
  collate: string;
}): DatabaseInfo {
  return { id: database.id, name: database.db_name.O, charset: database.charset, collate: database.collate };
}

function physicalIds(table: TableInfo): number[] {
  if (table.view || table.sequence) return [];
  return [table.id, ...(table.partition?.enable ? table.partition.definitions.map((one) => one.id) : [])];
}

/** What the catalogue throws has TiDB's number and text in its fields. */
function sqlError(error: unknown): unknown {
  if (!(error instanceof LevinError)) return error;
  const { errno, sqlState, sqlMessage } = error.fields;
  if (typeof errno !== "number") return new SqlError(1105, error.message);
  return new SqlError(errno, String(sqlMessage ?? error.message), String(sqlState ?? "HY000"));
}
