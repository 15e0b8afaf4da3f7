import type { EncodeSession } from "../encoder/mod.ts";
import { parseSqlMode, runScript, type TableInfo } from "../schema/mod.ts";
import { retarget } from "../source/mod.ts";
import type { SourceTable } from "./source-plan.ts";

type Session = Pick<EncodeSession, "sqlMode" | "timeZone" | "newCollations" | "nowMs">;

/** A table as the source's schema files define it; undefined where they do not. Throws what a schema throws that is wrong or unknown. */
export function modelFromSource(table: SourceTable, session: Session): TableInfo | undefined {
  const { create, alters, database } = table;
  if (create === undefined) return undefined;
  const name = { database, name: table.table };
  const text = [create, ...alters].map((statement) => `${retarget(statement, name)};\n`).join("");
  const catalog = runScript(text, {
    sqlMode: parseSqlMode(create.sqlMode ?? session.sqlMode),
    timeZone: session.timeZone,
    database,
    newCollation: session.newCollations,
    clusteredIndex: "on",
    nowMs: session.nowMs,
  });
  return catalog.tables(database).find((info) => info.name.L === table.table.toLowerCase());
}
