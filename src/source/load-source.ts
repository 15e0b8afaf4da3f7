import { assembleSource } from "./assemble-source.ts";
import { Catalog } from "./catalog.ts";
import type { Charset } from "./charset.ts";
import { type CsvDialect, checkCsvDialect, defaultCsvDialect } from "./csv-dialect.ts";
import { stripCompression } from "./file-name.ts";
import { compileFileRule, type FileRule } from "./file-rules.ts";
import { COMPRESSED_CHUNK_BYTES } from "./plan.ts";
import { assertAllKnown, type DumpFile, type FileVerdict, routeFiles } from "./router.ts";
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
  const verdicts = verdictsOf(files, options);
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
  const schemaCharset = options.schemaCharset ?? "auto";
  for (const verdict of verdicts) {
    options.signal?.throwIfAborted();
    if (verdict.verdict === "schema") {
      if (options.noSchema === true) {
        catalog.leftOut(verdict.file, "ignored", "schema files are left out (no-schema)");
        continue;
      }
      const content = await readSchemaFile(storage, verdict.file, verdict.compression, {
        charset: schemaCharset,
        sqlMode: options.sqlMode,
        signal: options.signal,
      });
      catalog.addSchemaFile(verdict, content);
    } else if (verdict.verdict === "dump") {
      catalog.addDump(verdict, await readDump(storage, verdict, options));
    } else if (verdict.verdict === "ignored" || verdict.verdict === "unknown") {
      catalog.leftOut(verdict.file, verdict.verdict, verdict.reason);
    }
  }
  for (const verdict of verdicts) {
    options.signal?.throwIfAborted();
    if (verdict.verdict === "data") await catalog.addDataFile(verdict);
  }
  return assembleSource(catalog, files);
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
  return readSqlDump(await openPlain(storage, file, compression), {
    file: file.path,
    charset: options.dataCharset ?? "utf8",
    sqlMode: options.sqlMode,
    invalidReplacement: options.invalidReplacement,
    sizeBytes: compression === "none" ? file.sizeBytes : Number.POSITIVE_INFINITY,
    chunkBytes: Math.min(options.chunkBytes ?? CHUNK_BYTES, compression === "none" ? Infinity : COMPRESSED_CHUNK_BYTES),
    signal: options.signal,
  });
}
