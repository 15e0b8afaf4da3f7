import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  Catalog,
  type DdlSession,
  parseLosslessJson,
  parseSqlMode,
  splitScript,
  type TableInfo,
} from "../../src/schema/mod.ts";

/** One table of the golden data, as far as DDL goes. */
export interface GoldenTable {
  case: string;
  sqlMode: string;
  sessionVars: Record<string, string>;
  newCollation: boolean;
  table: string;
  ddl: string;
  showCreate: string;
  tableInfo: TableInfo;
}

export function goldenTables(): GoldenTable[] {
  const file = new URL("../golden/tables.jsonl.gz", import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
  return lines.map((line) => parseLosslessJson(line) as GoldenTable);
}

export function sessionOf(golden: GoldenTable): DdlSession {
  const { time_zone, tidb_enable_clustered_index } = golden.sessionVars;
  return {
    sqlMode: parseSqlMode(golden.sqlMode),
    timeZone: time_zone!,
    database: "g",
    newCollation: golden.newCollation,
    clusteredIndex: (tidb_enable_clustered_index ?? "on") as "on",
    nowMs: 0,
  };
}

/** Catalog after the case's DDL, ids counted from `firstId`. */
export function runDdl(golden: GoldenTable, firstId: number): Catalog {
  let id = firstId;
  const catalog = new Catalog(() => id++);
  const session = sessionOf(golden);
  catalog.execute("create database g", session);
  for (const { text } of splitScript(golden.ddl, session.sqlMode)) catalog.execute(text, session);
  return catalog;
}

/** The case's table with the ids that TiDB gave. */
export function buildGolden(golden: GoldenTable): TableInfo {
  const first = runDdl(golden, 1).table("g", golden.table)!;
  return runDdl(golden, 1 + golden.tableInfo.id - first.id).table("g", golden.table)!;
}
