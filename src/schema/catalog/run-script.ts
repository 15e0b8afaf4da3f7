import { LevinError } from "../../base/mod.ts";
import type { DdlSession } from "../build/session.ts";
import { type ScriptStatement, splitScript } from "../script.ts";
import { Catalog, type IdPurpose } from "./catalog.ts";

/** Statements that make the schema; the others of a dump (SET, INSERT, LOCK …) are passed over. */
const DDL = new Set<ScriptStatement["class"]>([
  "create database",
  "create table",
  "create view",
  "create sequence",
  "create index",
  "alter",
  "drop",
  "use",
]);

/** Objects without a place in a catalog; dumps drop them before they create them. */
const PASSED_OVER = new Set(["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"]);

/**
 * Executes the DDL of a script in a fresh catalog, in `session.database` (made where the script does not), and returns the
 * catalog. An error names the line of the script. Ids are counted from 1 where the caller gives none.
 */
export function runScript(
  sql: string,
  session: DdlSession,
  allocate: (purpose: IdPurpose) => number = counter(),
): Catalog {
  const catalog = new Catalog(allocate);
  let database = session.database;
  for (const statement of splitScript(sql, session.sqlMode)) {
    if (!DDL.has(statement.class) || PASSED_OVER.has(statement.object ?? "")) continue;
    const current: DdlSession = { ...session, ...(database !== undefined && { database }) };
    if (statement.class !== "create database") makeDatabase(catalog, current);
    try {
      const { useDatabase } = catalog.execute(statement.text, current);
      if (useDatabase !== undefined) database = useDatabase;
    } catch (error) {
      throw inScript(sql, statement, error);
    }
  }
  return catalog;
}

function counter(): () => number {
  let id = 1;
  return () => id++;
}

function makeDatabase(catalog: Catalog, session: DdlSession): void {
  const { database } = session;
  if (database === undefined || database === "" || catalog.database(database)) return;
  catalog.executeStatement({ kind: "create database", at: 0, name: database, ifNotExists: false }, session, "");
}

/** The same error with the line of the script instead of the statement's. */
function inScript(sql: string, statement: ScriptStatement, thrown: unknown): LevinError {
  const error = LevinError.from(thrown);
  const within = typeof error.fields["line"] === "number" ? error.fields["line"] : 1;
  const line = sql.slice(0, statement.start).split("\n").length - 1 + within;
  const message = error.message.replace(/ \(line \d+, column (\d+)\)$/, "");
  return new LevinError(error.code, `${message} (line ${line} of the script)`, {
    cause: error,
    fields: { ...error.fields, line },
  });
}
