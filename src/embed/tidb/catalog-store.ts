import { LevinError } from "../../base/mod.ts";
import { tablePrefix } from "../../codec/mod.ts";
import {
  Catalog,
  type DdlSession,
  type ExecuteResult,
  type IdPurpose,
  parseSqlMode,
  showCreateTable,
  stringifyLossless,
  type TableChange,
  type TableInfo,
} from "../../schema/mod.ts";
import type { Cluster } from "../state/mod.ts";
import type { DatabaseInfo, DdlContext, FrontCatalog, FrontStorage, Warning } from "./session/mod.ts";
import { SqlError } from "./wire/mod.ts";

/** Facts of the cluster: `catalog/next`, `catalog/db/<name>`, `catalog/table/<name of db>/<name>`, as JSON. */
const PREFIX = "catalog/";

/** First id after those of the tables that a TiDB makes for itself. */
const FIRST_ID = 100;

/** The sandbox's catalogue: DDL changes it, the cluster's database keeps it. */
export async function openCatalog(
  cluster: Cluster,
  storage: FrontStorage,
  options: { newCollations: boolean; nowMs(): number },
): Promise<FrontCatalog> {
  const kept = await cluster.facts.texts(PREFIX);
  let nextId = Number(kept.get("next") ?? FIRST_ID);
  const allocate = (_: IdPurpose): number => nextId++;
  const catalog = Catalog.fromJson(catalogJson(kept), allocate);
  if (kept.size === 0) {
    const context: DdlContext = { database: "", sqlMode: "", timeZone: "UTC", clusteredIndex: "on" };
    const result = catalog.execute("CREATE DATABASE `test`", session(context));
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

  async function run(sql: string, context: DdlContext): Promise<{ warnings: Warning[] }> {
    const databases = new Set(catalog.databases().map((database) => database.db_name.L));
    let result: ExecuteResult;
    try {
      result = catalog.execute(sql, session(context));
    } catch (error) {
      throw sqlError(error);
    }
    await cluster.facts.change(factsOf(result, databases));
    await applyToData(result.changes);
    const skipped = "the object exists, or does not exist, already";
    return { warnings: result.skipped ? [{ level: "Note", code: 1050, message: skipped }] : [] };
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

  /** New tables get a region of their own, dropped ones lose their data. */
  async function applyToData(changes: readonly TableChange[]): Promise<void> {
    for (const { before, after } of changes) {
      const old = new Set(before === undefined ? [] : physicalIds(before));
      for (const id of after === undefined ? [] : physicalIds(after)) {
        if (!old.delete(id)) await storage.splitAt(tablePrefix(id));
      }
      for (const id of old) await storage.destroyRange(tablePrefix(id), tablePrefix(id + 1));
    }
  }

  return {
    databases: () => catalog.databases().map(databaseInfo),
    database(name) {
      const found = catalog.database(name);
      return found === undefined ? undefined : databaseInfo(found);
    },
    tables: (db) => [...catalog.tables(db)].sort((a, b) => (a.name.L < b.name.L ? -1 : 1)),
    table: (db, name) => catalog.table(db, name),
    execute(sql, context) {
      const result = tail.then(() => run(sql, context));
      tail = result.catch(() => undefined);
      return result;
    },
    createStatement: (db, table, context) =>
      showCreateTable(table, session(context), { database: db, integerWidth: false }),
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
