import { LevinError } from "../base/mod.ts";
import type { Charset } from "./charset.ts";
import type { TableName } from "./chunk.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import { type Compression, compareSortKeys, type DataFormat, decodePercent, parseFileName } from "./file-name.ts";
import type { CompiledRule, RuleMatch } from "./file-rules.ts";
import { decodeMysqlFileName } from "./mysql-file-name.ts";
import type { Cut } from "./plan.ts";
import type { ExtraColumn } from "./routes.ts";
import type { StoredFile } from "./storage.ts";

/** A file, or pieces of one, with rows of one table. */
export interface DataFile {
  readonly file: StoredFile;
  /** Names in the target. */
  readonly database: string;
  readonly table: string;
  /** Names that INSERT statements must have; undefined: any. */
  readonly insertNames: TableName | undefined;
  readonly sortKey: string;
  readonly format: DataFormat;
  readonly compression: Compression;
  readonly charset: Charset;
  /** Of CSV files. */
  readonly dialect: CsvDialect | undefined;
  readonly extraColumns: readonly ExtraColumn[];
  /** Of a file that has rows of several tables: where those of this one are. */
  readonly pieces: readonly Cut[] | undefined;
}

/** One way to read a file's name. */
export interface NameCandidate {
  readonly database: string;
  readonly table: string;
  /** Digits that order the files of a table; empty: none. */
  readonly sortKey: string;
}

export type SchemaKind = "database" | "table" | "view" | "sequence";

/** What a file is for the import, by its name; every file of a source has exactly one verdict. */
export type FileVerdict = DataVerdict | SchemaFile | DumpFile | LeftOutFile;

/** A data file as the usual reading of its name has it; `loadSource` settles which reading is right. */
export interface DataVerdict extends DataFile {
  readonly verdict: "data";
  /** Ways to read the name, the usual one first: mydumper does not escape names, Dumpling does. */
  readonly names: readonly NameCandidate[];
  /** A rule of the user named it: its INSERTs may name any table. */
  readonly byUser: boolean;
}

/** A file with the statement that makes a database, table, view or sequence. */
export interface SchemaFile {
  readonly verdict: "schema";
  readonly file: StoredFile;
  readonly what: SchemaKind;
  /** Of the usual reading of the name. */
  readonly database: string;
  /** Empty for a database. */
  readonly name: string;
  readonly names: readonly NameCandidate[];
  readonly compression: Compression;
  readonly byUser: boolean;
}

/** A SQL file whose statements say what they are about: mysqldump's. */
export interface DumpFile {
  readonly verdict: "dump";
  readonly file: StoredFile;
  readonly compression: Compression;
}

export interface LeftOutFile {
  readonly verdict: "ignored" | "unknown";
  readonly file: StoredFile;
  readonly reason: string;
}

export interface RouteFilesOptions {
  /** `[[mydumper.files]]`, tried in order. */
  readonly rules?: readonly CompiledRule[];
  /** The built-in rules come after those; without any rules they are always used. */
  readonly defaultRules?: boolean;
}

/** Gives each file its verdict; the order of the files stays. */
export function routeFiles(files: readonly StoredFile[], options: RouteFilesOptions = {}): FileVerdict[] {
  const rules = options.rules ?? [];
  const defaults = options.defaultRules ?? rules.length === 0;
  return files.map((file) => {
    for (const rule of rules) {
      const match = rule(file.path);
      if (match !== undefined) return verdictOfRule(file, match);
    }
    return defaults ? verdictOfName(file) : { verdict: "unknown", file, reason: "no file rule matches it" };
  });
}

const SCHEMA_KINDS = {
  "database-schema": "database",
  "table-schema": "table",
  "view-schema": "view",
  "sequence-schema": "sequence",
} as const;

function verdictOfRule(file: StoredFile, match: RuleMatch): FileVerdict {
  const { type, database, table, sortKey, compression } = match;
  if (type === "ignore") return { verdict: "ignored", file, reason: "a file rule says so" };
  const names = distinct([
    { database, table, sortKey },
    { database: decodePercent(database), table: decodePercent(table), sortKey },
    { database: decodeMysqlFileName(database), table: decodeMysqlFileName(table), sortKey },
  ]);
  if (type === "sql" || type === "csv") return dataVerdict({ file, names, format: type, compression, byUser: true });
  return schemaVerdict({ file, what: SCHEMA_KINDS[type], names, compression, byUser: true });
}

function verdictOfName(file: StoredFile): FileVerdict {
  const { kind, compression } = parseFileName(file.path);
  if (kind.kind === "ignored") return { verdict: "ignored", file, reason: kind.reason };
  if (kind.kind === "unknown") {
    if (kind.sql) return { verdict: "dump", file, compression };
    return { verdict: "unknown", file, reason: kind.reason };
  }
  const database = decodePercent(kind.database);
  if (kind.kind === "database-schema") {
    const names = distinct([
      { database, table: "", sortKey: "" },
      { database: kind.database, table: "", sortKey: "" },
    ]);
    return schemaVerdict({ file, what: "database", names, compression, byUser: false });
  }
  const table = decodePercent(kind.table);
  if (kind.kind !== "data") {
    const names = distinct([
      { database, table, sortKey: "" },
      { database: kind.database, table: kind.table, sortKey: "" },
    ]);
    return schemaVerdict({ file, what: SCHEMA_KINDS[kind.kind], names, compression, byUser: false });
  }
  const { sortKey, format } = kind;
  const names: NameCandidate[] = [
    { database, table, sortKey },
    { database: kind.database, table: kind.table, sortKey },
  ];
  if (sortKey !== "") names.push({ database: kind.database, table: `${kind.table}.${sortKey}`, sortKey: "" });
  return dataVerdict({ file, names: distinct(names), format, compression, byUser: false });
}

export function dataVerdict(
  given: Pick<DataVerdict, "file" | "names" | "format" | "compression" | "byUser">,
): DataVerdict {
  const { database, table, sortKey } = given.names[0]!;
  const insertNames = given.byUser ? undefined : { database, table };
  const rest = { charset: "utf8", dialect: undefined, extraColumns: [], pieces: undefined } as const;
  return { verdict: "data", ...given, database, table, sortKey, insertNames, ...rest };
}

function schemaVerdict(given: Omit<SchemaFile, "verdict" | "database" | "name">): SchemaFile {
  const { database, table } = given.names[0]!;
  return { verdict: "schema", ...given, database, name: table };
}

function distinct(names: readonly NameCandidate[]): NameCandidate[] {
  return names.filter(
    (name, k) =>
      names.findIndex(
        (other) => other.database === name.database && other.table === name.table && other.sortKey === name.sortKey,
      ) === k,
  );
}

/**
 * Stops at files that no rule explains, and at SQL dumps where `dumps` is not given.
 * @throws LevinError `Levin:Source:ErrUnknownFile` naming the first of them.
 */
export function assertAllKnown(verdicts: readonly FileVerdict[], options: { dumps?: boolean } = {}): void {
  const unknown = verdicts.filter(
    ({ verdict }) => verdict === "unknown" || (verdict === "dump" && options.dumps !== true),
  );
  const first = unknown[0];
  if (first === undefined) return;
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : "";
  const reason = "reason" in first ? first.reason : "its name fits no rule";
  throw new LevinError("Levin:Source:ErrUnknownFile", `Cannot use "${first.file.path}": ${reason}${more}`, {
    fields: { file: first.file.path, count: unknown.length },
  });
}

/** The data files of a table in import order. */
export function sortDataFiles(files: readonly DataFile[]): DataFile[] {
  return [...files].sort(
    (a, b) =>
      compareSortKeys(a.sortKey, b.sortKey) || (a.file.path < b.file.path ? -1 : a.file.path > b.file.path ? 1 : 0),
  );
}
