import { LevinError } from "../base/mod.ts";
import { type Compression, compareSortKeys, type DataFormat, decodePercent, parseFileName } from "./file-name.ts";
import type { StoredFile } from "./storage.ts";

/** A file with rows of one table. */
export interface DataFile {
  readonly file: StoredFile;
  readonly database: string;
  readonly table: string;
  readonly sortKey: string;
  readonly format: DataFormat;
  readonly compression: Compression;
}

/** A file with statements that make a database, table, view or sequence. */
export interface SchemaFile {
  readonly file: StoredFile;
  readonly what: "database" | "table" | "view" | "sequence";
  readonly database: string;
  /** Empty for a database. */
  readonly name: string;
  readonly compression: Compression;
}

/** What a file is for the import; every file of a source has exactly one. */
export type FileVerdict =
  | ({ readonly verdict: "data" } & DataFile)
  | ({ readonly verdict: "schema" } & SchemaFile)
  | { readonly verdict: "ignored"; readonly file: StoredFile; readonly reason: string }
  | { readonly verdict: "unknown"; readonly file: StoredFile; readonly reason: string };

/** Gives each file its verdict by the built-in rules; the order of the files stays. */
export function routeFiles(files: readonly StoredFile[]): FileVerdict[] {
  return files.map(routeFile);
}

const SCHEMA_KINDS = {
  "database-schema": "database",
  "table-schema": "table",
  "view-schema": "view",
  "sequence-schema": "sequence",
} as const;

function routeFile(file: StoredFile): FileVerdict {
  const { kind, compression } = parseFileName(file.path);
  if (kind.kind === "ignored" || kind.kind === "unknown") return { verdict: kind.kind, file, reason: kind.reason };
  const database = decodePercent(kind.database);
  if (kind.kind === "data") {
    const { sortKey, format } = kind;
    return { verdict: "data", file, database, table: decodePercent(kind.table), sortKey, format, compression };
  }
  const name = kind.kind === "database-schema" ? "" : decodePercent(kind.table);
  return { verdict: "schema", file, what: SCHEMA_KINDS[kind.kind], database, name, compression };
}

/**
 * Stops at files that no rule explains.
 * @throws LevinError `Levin:Source:ErrUnknownFile` naming the first of them.
 */
export function assertAllKnown(verdicts: readonly FileVerdict[]): void {
  const unknown = verdicts.flatMap((verdict) => (verdict.verdict === "unknown" ? [verdict] : []));
  const first = unknown[0];
  if (first === undefined) return;
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : "";
  throw new LevinError("Levin:Source:ErrUnknownFile", `Cannot use "${first.file.path}": ${first.reason}${more}`, {
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
