import type { Charset } from "./charset.ts";
import type { DataFile } from "./router.ts";
import type { SchemaStatement } from "./sql-dump.ts";
import type { StoredFile } from "./storage.ts";

/** A database that the import makes. */
export interface SourceDatabase {
  /** In the target. */
  readonly name: string;
  /** Undefined: the dump has no statement for it. */
  readonly create: SchemaStatement | undefined;
}

/**
 * What text in a dump is: UTF-8; or each column's own character set, as mydumper dumps it under SET NAMES binary; or that from a
 * TiDB, whose latin1 columns hold UTF-8 (lightning-behaviour.md, silent changes, 6).
 */
export type ColumnText = "utf8" | "column" | "tidb-column";

/** A table with its rows, by its name in the target; several tables of the source may be routed to one. */
export interface SourceTable {
  readonly database: string;
  readonly table: string;
  /** Undefined: the table must exist in the target. */
  readonly create: SchemaStatement | undefined;
  /** ALTER TABLE and CREATE INDEX, in the dump's order. */
  readonly alters: readonly SchemaStatement[];
  /** In import order. */
  readonly files: readonly DataFile[];
  readonly columnText: ColumnText;
}

export interface SourceView {
  readonly database: string;
  readonly name: string;
  /** What its unqualified names stand in (before routing). */
  readonly sourceDatabase: string;
  readonly create: SchemaStatement;
}

/** What `levin check` prints for a file. */
export interface FileReport {
  readonly path: string;
  readonly sizeBytes: number;
  readonly verdict: "data" | "schema" | "dump" | "ignored" | "filtered" | "unknown" | "damaged";
  /** The table or object, or the reason. */
  readonly detail: string;
}

/** A dump, ready to be planned. */
export interface Source {
  /** All files, as they were when it was loaded. */
  readonly listing: readonly StoredFile[];
  readonly files: readonly FileReport[];
  readonly databases: readonly SourceDatabase[];
  /** Statements in order: CREATE SEQUENCE, and SETVAL where the dump has it. */
  readonly sequences: readonly SourceView[];
  readonly tables: readonly SourceTable[];
  /** Each after those that it reads from. */
  readonly views: readonly SourceView[];
  /** Files whose names counted though their statements name something else. */
  readonly misnamedFiles: number;
  /** Things left out, one line each. */
  readonly notices: readonly string[];
}

/** Character set that a text column's values have in files of this kind; undefined: nothing to convert. */
export function charsetOfColumn(text: ColumnText, columnCharset: string): Charset | undefined {
  if (text === "utf8") return undefined;
  switch (columnCharset.toLowerCase()) {
    case "gbk":
    case "gb18030":
      return columnCharset.toLowerCase() as Charset;
    case "latin1":
      return text === "column" ? "latin1" : undefined;
    default:
      return undefined;
  }
}
