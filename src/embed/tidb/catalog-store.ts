import { LevinError } from "../../base/mod.ts";
import { tablePrefix } from "../../codec/mod.ts";
import {
  Catalog,
  type DdlSession,
  type IdPurpose,
  parseSqlMode,
  showCreateTable,
  type TableChange,
  type TableInfo,
} from "../../schema/mod.ts";
import type { Cluster } from "../state/mod.ts";
import type { DatabaseInfo, DdlContext, FrontCatalog, FrontStorage, Warning } from "./session/mod.ts";
import { SqlError } from "./wire/mod.ts";

const FACT = "catalog";

/** First id after those of the tables that a TiDB makes for itself. */
const FIRST_ID = 100;

interface Kept {
  nextId: number;
  json: string;
}

/** The sandbox's catalogue: DDL changes it, the cluster's database keeps it. */
export async function openCatalog(
  cluster: Cluster,
  storage: FrontStorage,
  options: { newCollations: boolean; nowMs(): number },
): Promise<FrontCatalog> {
  const kept = await cluster.facts.get<Kept>(FACT);
  let nextId = kept?.nextId ?? FIRST_ID;
  const allocate = (_: IdPurpose): number => nextId++;
  let catalog = kept === undefined ? new Catalog(allocate) : Catalog.fromJson(kept.json, allocate);
  if (kept === undefined)
    catalog.execute(
      "CREATE DATABASE `test`",
      session({ database: "", sqlMode: "", timeZone: "UTC", clusteredIndex: "on" }),
    );
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
    const before = { json: catalog.toJson(), nextId };
    let changes: TableChange[];
    let warnings: Warning[] = [];
    try {
      const result = catalog.execute(sql, session(context));
      changes = result.changes;
      if (result.skipped)
        warnings = [{ level: "Note", code: 1050, message: "the object exists, or does not exist, already" }];
      await cluster.facts.set(FACT, { nextId, json: catalog.toJson() } satisfies Kept);
    } catch (error) {
      // A statement takes effect whole or not at all, also when the disk refuses it.
      nextId = before.nextId;
      catalog = Catalog.fromJson(before.json, allocate);
      throw sqlError(error);
    }
    await applyToData(changes);
    return { warnings };
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
