import { LevinError } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { Catalog, type DdlSession, parseLosslessJson, parseSqlMode, type TableInfo, tokenize } from "../schema/mod.ts";

/** A table from DDL (`.sql`: the last table that its statements make) or from TableInfo JSON as TiDB's status port gives it. */
export function readTable(path: string, text: string, tableId: number | undefined, session: EncodeSession): TableInfo {
  const table = /\.json$/i.test(path) ? fromJson(path, text) : fromDdl(path, text, session);
  return tableId === undefined ? table : { ...table, id: tableId };
}

function fromJson(path: string, text: string): TableInfo {
  let parsed: unknown;
  try {
    parsed = parseLosslessJson(text);
  } catch (error) {
    throw new LevinError("Levin:Schema:ErrSyntax", `Cannot read "${path}": ${(error as Error).message}`, {
      cause: error,
      fields: { file: path },
    });
  }
  const table = parsed as Partial<TableInfo> | null;
  if (typeof table !== "object" || table === null || !Array.isArray(table.cols) || typeof table.id !== "number") {
    throw new LevinError("Levin:Schema:ErrSyntax", `Cannot read "${path}": it is no TableInfo`, {
      fields: { file: path },
    });
  }
  return table as TableInfo;
}

function fromDdl(path: string, text: string, session: EncodeSession): TableInfo {
  let nextId = 1;
  const ids = { database: () => 0, job: () => 0, table: () => nextId++, partition: () => nextId++ };
  const catalog = new Catalog((purpose) => ids[purpose]());
  const ddl: DdlSession = {
    sqlMode: parseSqlMode(session.sqlMode),
    timeZone: session.timeZone,
    database: "levin",
    newCollation: session.newCollations,
    clusteredIndex: "on",
    nowMs: session.nowMs,
  };
  catalog.execute("CREATE DATABASE levin", ddl);
  let last: TableInfo | undefined;
  for (const statement of statementsOf(text)) {
    const { changes, useDatabase } = catalog.execute(statement, ddl);
    if (useDatabase !== undefined) ddl.database = useDatabase;
    for (const { after } of changes) if (after !== undefined && !after.view && !after.sequence) last = after;
  }
  if (last === undefined)
    throw new LevinError("Levin:Schema:ErrSyntax", `Cannot read "${path}": it has no CREATE TABLE statement`, {
      fields: { file: path },
    });
  return last;
}

/** Statements that change the schema; SET and the like are left out. */
function statementsOf(text: string): string[] {
  const out: string[] = [];
  let start = 0;
  let first: string | undefined;
  for (const token of tokenize(text, parseSqlMode(""))) {
    if (token.kind === "eof" || (token.kind === "op" && token.text === ";")) {
      if (first !== undefined && /^(CREATE|ALTER|DROP|RENAME|TRUNCATE|USE)$/.test(first))
        out.push(text.slice(start, token.start));
      start = token.end;
      first = undefined;
    } else first ??= token.upper;
  }
  return out;
}
