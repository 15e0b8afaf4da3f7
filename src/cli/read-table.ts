import { readFileSync } from "node:fs";
import { LevinError, systemWords } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { parseSqlMode, parseTableInfo, runScript, type TableInfo } from "../schema/mod.ts";

export interface TableRequest {
  path: string;
  text: string;
  /** Id to give to the table; its partitions keep their distance. */
  tableId: number | undefined;
  /** Which of several tables; the first that is left when absent. */
  table: string | undefined;
  /** `tidb_enable_clustered_index`. */
  clusteredIndex: "on" | "off" | "int_only";
}

/** A table from DDL (`.sql`) or from TableInfo JSON as TiDB's status port gives it (`.json`). */
export function readTable(request: TableRequest, session: EncodeSession): TableInfo {
  if (/\.json$/i.test(request.path)) {
    const table = parseTableInfo(request.text);
    return request.tableId === undefined ? table : withId(table, request.tableId);
  }
  return withId(fromDdl(request, session), request.tableId ?? 1);
}

function withId(table: TableInfo, id: number): TableInfo {
  const shift = id - table.id;
  const { partition } = table;
  if (partition === null) return { ...table, id };
  const definitions = partition.definitions.map((definition) => ({ ...definition, id: definition.id + shift }));
  return { ...table, id, partition: { ...partition, definitions } };
}

function fromDdl({ path, text, table: wanted, clusteredIndex }: TableRequest, session: EncodeSession): TableInfo {
  const catalog = runScript(text, {
    sqlMode: parseSqlMode(session.sqlMode),
    timeZone: session.timeZone,
    database: "levin",
    newCollation: session.newCollations,
    clusteredIndex,
    nowMs: session.nowMs,
  });
  const tables = catalog.databases().flatMap((database) => catalog.tables(database.db_name.O));
  const found = tables.find(
    (table) => !table.view && !table.sequence && (wanted === undefined || table.name.L === wanted.toLowerCase()),
  );
  if (found !== undefined) return found;
  const what = wanted === undefined ? "has no CREATE TABLE statement" : `makes no table "${wanted}"`;
  throw new LevinError("Levin:Schema:ErrSyntax", `Cannot read "${path}": it ${what}`, { fields: { file: path } });
}

/** A whole number of the command line. */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new LevinError("Levin:Command:ErrUsage", `Cannot use ${name} ${text}: it must be a whole number`);
  return Number(text);
}

/** Text of a schema file. */
export function readSchemaFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": ${systemWords(error)}`, {
      cause: error,
      fields: { file: path },
    });
  }
}
