import { LevinError } from "../base/mod.ts";
import { assembleSource } from "./assemble-source.ts";
import { Catalog } from "./catalog.ts";
import type { Charset } from "./charset.ts";
import { type CsvDialect, checkCsvDialect, defaultCsvDialect } from "./csv-dialect.ts";
import { stripCompression } from "./file-name.ts";
import { compileFileRule, type FileRule } from "./file-rules.ts";
import { COMPRESSED_CHUNK_BYTES } from "./plan.ts";
import { assertAllKnown, type DumpFile, dataVerdict, type FileVerdict, routeFiles } from "./router.ts";
import { parseRoutes, type Router } from "./routes.ts";
import { openPlain, readSchemaFile } from "./schema-files.ts";
import type { Source } from "./source-model.ts";
import { readSqlDump } from "./sql-dump.ts";
import type { Storage, StoredFile } from "./storage.ts";
import { defaultFilterRules, parseTableFilter, type TableFilter } from "./table-filter.ts";

/** How the files of some tables are written, where that differs from the rest. */
export interface TableSettings {
  readonly tables: TableFilter;
  readonly dialect?: Partial<CsvDialect>;
  readonly charset?: Charset;
}

export interface LoadSourceOptions {
  readonly rules?: readonly FileRule[];
  readonly defaultRules?: boolean;
  readonly filter?: TableFilter;
  readonly routes?: Router;
  /** Of CSV files. */
  readonly dialect?: CsvDialect;
  /** Of data files that do not say themselves. */
  readonly dataCharset?: Charset;
  readonly schemaCharset?: Charset | "auto";
  /** The first that fits a table counts. */
  readonly tableSettings?: readonly TableSettings[];
  /** What unqualified names in SQL dumps stand in. */
  readonly database?: string;
  /** Every file holds rows of this table. */
  readonly table?: { readonly database: string; readonly table: string };
  /** Files that no rule explains are left out instead of refused. */
  readonly ignoreUnmatched?: boolean;
  /** Schema files are left out; the tables exist. */
  readonly noSchema?: boolean;
  /** File names decide, whatever the statements name. */
  readonly compatLightning?: boolean;
  readonly sqlMode?: string;
  readonly invalidReplacement?: string;
  /** Dumps that seem to be cut are taken as they are. */
  readonly allowUnfinished?: boolean;
  /** Takes what is wrong with a file, which is then left out; absent: the first ends the loading. */
  readonly onProblem?: (problem: LevinError) => void;
  /** Rows of a table in a SQL dump are cut into pieces of about this size. */
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * Lists a source and finds out what it holds: file names first, then the statements of schema files and SQL dumps, which must
 * agree with the names. No row is read.
 * @throws LevinError `ErrUnknownFile`, `ErrSchemaFile`, `ErrWrongTable`, `ErrEncoding`, `ErrSyntax`, `ErrUnreadable`.
 */
export async function loadSource(storage: Storage, options: LoadSourceOptions = {}): Promise<Source> {
  const files = await storage.list(options.signal);
  const verdicts = await settleNames(verdictsOf(files, options), storage, options);
  const catalog = new Catalog({
    storage,
    filter: options.filter ?? parseTableFilter(defaultFilterRules),
    routes: options.routes ?? parseRoutes([]),
    settings: settingsOf(options),
    database: options.database,
    trustNames: options.compatLightning === true || options.table !== undefined,
    sqlMode: options.sqlMode,
    dataCharset: options.dataCharset ?? "utf8",
  });
  const attempt = async (file: StoredFile, step: () => Promise<void>): Promise<void> => {
    options.signal?.throwIfAborted();
    try {
      await step();
    } catch (thrown) {
      if (options.onProblem === undefined || options.signal?.aborted === true) throw thrown;
      const problem = LevinError.from(thrown);
      options.onProblem(problem);
      catalog.leftOut(file, "damaged", problem.message);
    }
  };
  for (const verdict of verdicts)
    if (verdict.verdict !== "data") await attempt(verdict.file, () => takeOther(catalog, verdict, storage, options));
  for (const verdict of verdicts)
    if (verdict.verdict === "data") await attempt(verdict.file, () => catalog.addDataFile(verdict));
  return assembleSource(catalog, files);
}

/**
 * mydumper does not escape names: the rows of a table `t-schema` are in the file `db.t-schema.sql`. Where `db.t-schema-schema.sql` is there
 * too, what the file holds decides.
 */
async function settleNames(
  verdicts: FileVerdict[],
  storage: Storage,
  options: LoadSourceOptions,
): Promise<FileVerdict[]> {
  const paths = new Set(verdicts.map(({ file }) => file.path));
  const settle = async (verdict: FileVerdict): Promise<FileVerdict> => {
    if (verdict.verdict !== "schema" || verdict.what !== "table" || verdict.byUser) return verdict;
    const { file, compression } = verdict;
    if (!paths.has(file.path.replace(/(-schema)(\.sql(?:\.[a-z0-9]+)?)$/i, "$1$1$2"))) return verdict;
    const { sqlMode, signal } = options;
    const charset = options.dataCharset ?? "utf8";
    const given = { file: file.path, charset, sqlMode, sizeBytes: Number.POSITIVE_INFINITY, headOnly: true, signal };
    // What is wrong with it is told when it is read as a schema file.
    const head = await openPlain(storage, file, compression)
      .then((plain) => readSqlDump(plain, given))
      .catch(() => undefined);
    if (head === undefined || head.rows.length === 0 || head.statements.some(({ kind }) => kind === "create-table"))
      return verdict;
    const names = verdict.names.map((name) => ({ ...name, table: `${name.table}-schema` }));
    return dataVerdict({ file, names, format: "sql", compression, byUser: false });
  };
  const out: FileVerdict[] = [];
  for (const verdict of verdicts) out.push(await settle(verdict));
  return out;
}

async function takeOther(
  catalog: Catalog,
  verdict: Exclude<FileVerdict, { verdict: "data" }>,
  storage: Storage,
  options: LoadSourceOptions,
): Promise<void> {
  const { file } = verdict;
  if (verdict.verdict === "dump") {
    catalog.addDump(verdict, await readDump(storage, verdict, options));
  } else if (verdict.verdict !== "schema") {
    if (PARTIAL.test(file.path) && options.allowUnfinished !== true)
      throw unfinished(file, "mydumper's notes say that the export did not end");
    catalog.leftOut(file, verdict.verdict, verdict.reason);
  } else if (options.noSchema === true) {
    catalog.leftOut(file, "ignored", "schema files are left out (no-schema)");
  } else {
    const charset = options.schemaCharset ?? "auto";
    const { sqlMode, signal } = options;
    catalog.addSchemaFile(
      verdict,
      await readSchemaFile(storage, file, verdict.compression, { charset, sqlMode, signal }),
    );
  }
}

/** What mydumper keeps while it works. */
const PARTIAL = /(?:^|\/)metadata\.partial$/i;

function unfinished(file: StoredFile, detail: string): LevinError {
  return new LevinError("Levin:Source:ErrUnfinished", `Cannot use "${file.path}": ${detail}`, {
    fields: { file: file.path },
  });
}

function verdictsOf(files: readonly StoredFile[], options: LoadSourceOptions): FileVerdict[] {
  if (options.table !== undefined) return files.map((file) => singleTable(file, options.table!));
  const rules = options.rules?.map(compileFileRule);
  const verdicts = routeFiles(files, { rules, defaultRules: options.defaultRules });
  if (options.ignoreUnmatched !== true) assertAllKnown(verdicts, { dumps: true });
  return verdicts;
}

function singleTable(file: StoredFile, { database, table }: { database: string; table: string }): FileVerdict {
  const { stem, compression } = stripCompression(file.path);
  const format = /\.sql$/i.test(stem) ? "sql" : "csv";
  const names = [{ database, table, sortKey: "" }];
  const rest = { charset: "utf8", dialect: undefined, extraColumns: [], pieces: undefined } as const;
  return {
    verdict: "data",
    file,
    names,
    ...names[0]!,
    format,
    compression,
    byUser: true,
    insertNames: undefined,
    ...rest,
  };
}

/** Dialect and charset of a table's files, checked once. */
function settingsOf(options: LoadSourceOptions): (
  database: string,
  table: string,
) => {
  dialect: CsvDialect;
  charset: Charset;
} {
  const dialect = options.dialect ?? defaultCsvDialect;
  const charset = options.dataCharset ?? "utf8";
  checkCsvDialect(dialect);
  const special = (options.tableSettings ?? []).map((settings) => {
    const own = { ...dialect, ...settings.dialect };
    checkCsvDialect(own);
    return { tables: settings.tables, settings: { dialect: own, charset: settings.charset ?? charset } };
  });
  return (database, table) =>
    special.find(({ tables }) => tables.matches(database, table))?.settings ?? { dialect, charset };
}

async function readDump(
  storage: Storage,
  { file, compression }: DumpFile,
  options: LoadSourceOptions,
): ReturnType<typeof readSqlDump> {
  const content = await readSqlDump(await openPlain(storage, file, compression), {
    file: file.path,
    charset: options.dataCharset ?? "utf8",
    sqlMode: options.sqlMode,
    invalidReplacement: options.invalidReplacement,
    sizeBytes: compression === "none" ? file.sizeBytes : Number.POSITIVE_INFINITY,
    chunkBytes: Math.min(options.chunkBytes ?? CHUNK_BYTES, compression === "none" ? Infinity : COMPRESSED_CHUNK_BYTES),
    signal: options.signal,
  });
  if (content.unfinished && options.allowUnfinished !== true)
    throw unfinished(file, 'the dump lacks its last line, "-- Dump completed": it was cut');
  return content;
}
