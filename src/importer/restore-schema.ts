import { inParallel, LevinError, utf8 } from "../base/mod.ts";
import type { TableInfo } from "../schema/mod.ts";
import { retarget, type SchemaStatement } from "../source/mod.ts";
import { quoteName, type SqlResult, sqlErrno, type Tidb } from "../tidb/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { SourcePlan } from "./source-plan.ts";
import { readStatusPort } from "./status-port.ts";
import { TableListReader, TableModels } from "./table-models.ts";

const ER_DB_EXISTS = 1007;
const ER_BAD_DB = 1049;
const ER_TABLE_EXISTS = 1050;
const ER_DUP_KEYNAME = 1061;
const ER_MULTIPLE_PRI_KEY = 1068;
const ALREADY_THERE = new Set([ER_DB_EXISTS, ER_TABLE_EXISTS, ER_DUP_KEYNAME, ER_MULTIPLE_PRI_KEY]);

/** Statements at a time; TiDB runs DDL one after the other, but each waits for its schema version. */
const AT_A_TIME = 8;

/** Tables by database, both in lower case. */
export type TableNames = ReadonlyMap<string, ReadonlySet<string>>;

/** What the databases of the source hold in the target: one statement each. A database that is not there yet holds nothing. */
export async function listTables(plan: SourcePlan, tidb: Tidb): Promise<TableNames> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const database of new Set(plan.tables.map((table) => table.database))) {
    const result = await tidb.query(`SHOW TABLES FROM ${quoteName(database)}`).catch((error) => {
      if (sqlErrno(error) === ER_BAD_DB) return undefined;
      throw error;
    });
    found.set(database.toLowerCase(), new Set(result?.rows.map(([name]) => (name ?? "").toLowerCase())));
  }
  return found;
}

/** Makes databases, sequences, tables (several at a time), then views in the order of their needs. What exists already is left alone. */
export async function restoreSchema(plan: SourcePlan, tidb: Tidb, env: ImportEnvironment): Promise<void> {
  const { databases, sequences, tables, views } = plan.source;
  for (const { name, create } of databases) {
    if (create === undefined) await tidb.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(name)}`);
    else await run(undefined, create, retarget(create, { database: name, name }));
  }
  for (const { database, name, create } of sequences) await run(database, create, retarget(create, { database, name }));
  await makeTables(tables, tidb, env);
  for (const { database, name, create } of views) await run(database, create, retarget(create, { database, name }));

  async function run(database: string | undefined, from: SchemaStatement, sql: string): Promise<void> {
    env.signal.throwIfAborted();
    await tidb.session(async (query) => {
      if (database !== undefined) await query(`USE ${quoteName(database)}`);
      await inSqlMode(query, from.sqlMode, () => runStatement(query, sql, from));
    });
  }
}

/**
 * Several tables at a time, in a few sessions: in each, the database is chosen and the SQL mode set only when they change. A session
 * that is lost begins anew with the table it was at.
 */
async function makeTables(
  tables: SourcePlan["source"]["tables"],
  tidb: Tidb,
  { signal }: ImportEnvironment,
): Promise<void> {
  const queue = tables.values();
  const lanes = Array.from({ length: Math.min(AT_A_TIME, tables.length) });
  let failed = false;
  await inParallel(lanes, AT_A_TIME, async () => {
    let at = queue.next();
    const lane = async (query: (sql: string) => Promise<SqlResult>): Promise<void> => {
      const session = new LaneSession(query);
      for (; !at.done && !failed; at = queue.next()) {
        const { database, table: name, create, alters } = at.value;
        for (const statement of create === undefined ? alters : [create, ...alters]) {
          signal.throwIfAborted();
          await session.prepare(database, statement.sqlMode);
          await runStatement(query, retarget(statement, { database, name }), statement);
        }
      }
      await session.restore();
    };
    try {
      await tidb.session(lane);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
}

/** Database and SQL mode of a connection, which is shared: the mode is put back at the end. */
class LaneSession {
  readonly #query: (sql: string) => Promise<SqlResult>;
  #database: string | undefined;
  #ownMode: string | undefined;
  #mode: string | undefined;

  constructor(query: (sql: string) => Promise<SqlResult>) {
    this.#query = query;
  }

  async prepare(database: string, sqlMode: string | undefined): Promise<void> {
    if (database !== this.#database) await this.#query(`USE ${quoteName(database)}`);
    this.#database = database;
    if (sqlMode === undefined) return this.restore();
    this.#ownMode ??= String((await this.#query("SELECT @@SESSION.sql_mode")).rows[0]?.[0] ?? "");
    await this.#setMode(sqlMode);
  }

  async restore(): Promise<void> {
    if (this.#ownMode !== undefined) await this.#setMode(this.#ownMode);
  }

  async #setMode(mode: string): Promise<void> {
    if (mode !== (this.#mode ?? this.#ownMode)) await this.#query(`SET SESSION sql_mode = ${quoteText(mode)}`);
    this.#mode = mode;
  }
}

/** Runs under the SQL mode that the dump set, for quotes and escapes are read by it; connections are shared, so it is put back. */
async function inSqlMode(
  query: (sql: string) => Promise<SqlResult>,
  sqlMode: string | undefined,
  use: () => Promise<void>,
): Promise<void> {
  if (sqlMode === undefined) return use();
  const before = String((await query("SELECT @@SESSION.sql_mode")).rows[0]?.[0] ?? "");
  await query(`SET SESSION sql_mode = ${quoteText(sqlMode)}`);
  try {
    await use();
  } finally {
    await query(`SET SESSION sql_mode = ${quoteText(before)}`);
  }
}

/** SQL mode names have no characters that need more. */
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function runStatement(
  query: (sql: string) => Promise<SqlResult>,
  sql: string,
  from: SchemaStatement,
): Promise<void> {
  try {
    await query(sql);
  } catch (error) {
    const errno = sqlErrno(error);
    if (errno !== undefined && ALREADY_THERE.has(errno)) return;
    if (!(error instanceof LevinError)) throw error;
    throw new LevinError(
      error.code,
      `Cannot run the statement at byte ${from.byte} of "${from.file}": ${error.message}`,
      {
        cause: error,
        fields: { ...error.fields, file: from.file, byte: from.byte },
      },
    );
  }
}

/** Table models of all tables that have data; throws `Levin:Schema:ErrUnknownTable` for one that the target lacks. */
export async function readTableModels(
  plan: SourcePlan,
  options: ImportOptions,
  env: ImportEnvironment,
): Promise<TableModels> {
  const models = new TableModels();
  const byName = new Map(plan.tables.map((table) => [nameKey(table.database, table.table), table]));
  for (const database of new Set(plan.tables.map((table) => table.database))) {
    await readModels(options, env, database, (info, text) => {
      const table = byName.get(nameKey(database, info.name.L));
      if (table === undefined) return;
      if (info.view || info.sequence) {
        throw new LevinError(
          "Levin:Schema:ErrUnsupported",
          `Cannot import into "${table.name}": it is a ${info.view ? "view" : "sequence"}`,
        );
      }
      models.add(table.name, info, text);
    });
  }
  for (const table of plan.tables) {
    if (models.has(table.name)) continue;
    const file = table.files[0]!.file.path;
    throw new LevinError(
      "Levin:Schema:ErrUnknownTable",
      `Cannot import "${file}": the target has no table \`${table.database}\`.\`${table.table}\``,
      {
        fields: { file, table: table.name },
      },
    );
  }
  return models;
}

const nameKey = (database: string, table: string): string => `${database}\n${table.toLowerCase()}`;

/** Reads the models of a database, one after the other: of ten thousand tables they are 40 MB of text. */
async function readModels(
  options: ImportOptions,
  env: ImportEnvironment,
  database: string,
  onTable: (info: TableInfo, text: Uint8Array) => void,
): Promise<void> {
  let reader = new TableListReader(onTable);
  const path = `/schema/${encodeURIComponent(database)}`;
  const whole = await readStatusPort(options, env, path, undefined, () => {
    // An answer that broke off is asked for anew.
    reader = new TableListReader(onTable);
    return (part) => reader.take(part);
  });
  if (whole !== "") reader.take(utf8(whole));
  reader.end();
}
