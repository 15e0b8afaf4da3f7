import { LevinError, textOf } from "../base/mod.ts";
import { parseSqlMode, type TableInfo, tokenize } from "../schema/mod.ts";
import { decompressed, rangeSource, type SchemaFile, type Storage } from "../source/mod.ts";
import { getStatusPort, quoteName, type SqlResult, sqlErrno, type Tidb } from "../tidb/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { SourcePlan } from "./source-plan.ts";
import { parseTableInfoList } from "./table-models.ts";

/** Schema files larger than this are no schema files. */
const SCHEMA_FILE_BYTES_MAX = 16 << 20;

const ER_DB_EXISTS = 1007;
const ER_TABLE_EXISTS = 1050;

async function readSchemaFile(storage: Storage, file: SchemaFile): Promise<string> {
  const object = await storage.open(file.file.path);
  const source = decompressed(rangeSource(object, 0, object.sizeBytes), file.compression, file.file.path);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const part = new Uint8Array(1 << 16);
      const got = await source.read(part);
      if (got === 0) break;
      size += got;
      if (size > SCHEMA_FILE_BYTES_MAX) {
        throw new LevinError(
          "Levin:Schema:ErrSyntax",
          `Cannot read "${file.file.path}": a schema file is at most ${SCHEMA_FILE_BYTES_MAX} bytes`,
        );
      }
      parts.push(part.subarray(0, got));
    }
  } finally {
    await source.close();
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return textOf(whole);
}

/** The statements of a schema file that make something, without those that only set the exporting session up. */
function creatingStatements(sql: string): string[] {
  const out: string[] = [];
  // A version comment may wrap a statement, so that it begins behind the last semicolon, not at its first token.
  let start = 0;
  let first: string | undefined;
  for (const token of tokenize(sql, parseSqlMode(""))) {
    if (token.kind === "eof" || (token.kind === "op" && token.text === ";")) {
      if (first === "CREATE") out.push(sql.slice(start, token.start).trim());
      start = token.end;
      first = undefined;
    } else first ??= token.upper;
  }
  return out;
}

/** Runs the schema files: databases, then tables (several at a time), then views one after the other. What exists already is left alone. */
export async function restoreSchema(plan: SourcePlan, tidb: Tidb, env: ImportEnvironment): Promise<void> {
  const { storage, schemaFiles } = plan;
  const views = schemaFiles.filter((file) => file.what === "view");
  const isView = new Set(views.map((file) => `${file.database}.${file.name}`));
  const made = new Set<string>();
  for (const file of schemaFiles.filter((one) => one.what === "database")) {
    await runFile(file, undefined);
    made.add(file.database);
  }
  for (const database of plan.databases) {
    if (!made.has(database)) await tidb.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`);
  }
  for (const what of ["sequence", "table"] as const) {
    // mydumper also writes a table of the view's name, which is a placeholder for other views.
    const files = schemaFiles.filter((one) => one.what === what && !isView.has(`${one.database}.${one.name}`));
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let file = files[next++]; file !== undefined; file = files[next++]) await runFile(file, file.database);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }
  await restoreViews(views);

  async function runFile(file: SchemaFile, database: string | undefined): Promise<void> {
    env.signal.throwIfAborted();
    const statements = creatingStatements(await readSchemaFile(storage, file));
    if (statements.length === 0) {
      throw new LevinError("Levin:Schema:ErrSyntax", `Cannot run "${file.file.path}": it has no CREATE statement`, {
        fields: { file: file.file.path },
      });
    }
    await tidb.session(async (query) => {
      if (database !== undefined) await query(`USE ${quoteName(database)}`);
      for (const statement of statements) await runStatement(query, statement, file);
    });
  }

  /** A view may need another one: those that fail are tried again as long as some succeed. */
  async function restoreViews(files: SchemaFile[]): Promise<void> {
    let left = files;
    while (left.length > 0) {
      const failed: { file: SchemaFile; error: unknown }[] = [];
      for (const file of left) {
        try {
          await runFile(file, file.database);
        } catch (error) {
          failed.push({ file, error });
        }
      }
      if (failed.length === left.length) throw failed[0]!.error;
      left = failed.map(({ file }) => file);
    }
  }
}

async function runStatement(
  query: (sql: string) => Promise<SqlResult>,
  statement: string,
  file: SchemaFile,
): Promise<void> {
  try {
    await query(statement);
  } catch (error) {
    const errno = sqlErrno(error);
    if (errno === ER_DB_EXISTS || errno === ER_TABLE_EXISTS) return;
    if (!(error instanceof LevinError)) throw error;
    throw new LevinError(error.code, `Cannot run "${file.file.path}": ${error.message}`, {
      cause: error,
      fields: { ...error.fields, file: file.file.path },
    });
  }
}

/** Table models of all tables that have data; throws `Levin:Schema:ErrUnknownTable` for one that the target lacks. */
export async function readTableModels(plan: SourcePlan, options: ImportOptions): Promise<Map<string, TableInfo>> {
  const models = new Map<string, TableInfo>();
  for (const database of new Set(plan.tables.map((table) => table.database))) {
    const tables = parseTableInfoList(
      await getStatusPort(options.statusPort, `/schema/${encodeURIComponent(database)}`),
    );
    const byName = new Map(tables.map((table) => [table.name.L, table]));
    for (const table of plan.tables) {
      if (table.database !== database) continue;
      const found = byName.get(table.table.toLowerCase());
      if (found === undefined) {
        const file = table.files[0]!.file.path;
        throw new LevinError(
          "Levin:Schema:ErrUnknownTable",
          `Cannot import "${file}": the target has no table \`${database}\`.\`${table.table}\``,
          {
            fields: { file, table: table.name },
          },
        );
      }
      if (found.view || found.sequence) {
        throw new LevinError(
          "Levin:Schema:ErrUnsupported",
          `Cannot import into "${table.name}": it is a ${found.view ? "view" : "sequence"}`,
        );
      }
      models.set(table.name, found);
    }
  }
  return models;
}
