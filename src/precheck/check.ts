import type { Files, LevinError } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import type { ColumnInfo, TableInfo } from "../schema/mod.ts";
import type { ColumnCoding, DataFile, PlainStreams, Source, Storage } from "../source/mod.ts";

/** What one check found. */
export interface Finding {
  check: string;
  status: "ok" | "warning" | "failed" | "skipped";
  /** One sentence; file and place where there are any. */
  detail: string;
  /** What failed, where an error says it. */
  cause?: LevinError;
}

export interface CheckedTable {
  /** `db.table` */
  name: string;
  database: string;
  table: string;
  files: readonly DataFile[];
  sizeBytes: number;
  /** False: neither the target nor the source's schema files have it. */
  isKnown: boolean;
  /** Of a table that is known; may be parsed each time it is asked for. */
  readonly info: TableInfo | undefined;
  /** Where there is no model; in lower case. */
  columnNames?: readonly string[];
  /** As `info`. */
  readonly codings: ReadonlyMap<string, ColumnCoding>;
  ignored: ReadonlySet<string>;
  /** By the source's schema file, of a table that the target may have had before. `columns` is computed; undefined: levin cannot read it. */
  defined?: { file: string; columns(): readonly ColumnInfo[] | undefined } | undefined;
}

/** What the checks look at; what is absent makes its checks be skipped. */
export interface CheckInput {
  storage: Storage;
  /** Compressed dumps that are being read. */
  streams: PlainStreams;
  source: Source;
  tables: readonly CheckedTable[];
  session: EncodeSession;
  compatLightning: boolean;
  allowShortRows: boolean;
  /** A value that cannot be cast does not end the import. */
  castErrorsAllowed: boolean;
  invalidReplacement: string | undefined;
  files: Files;
  /** Directory of the sorted pairs; need not exist yet. */
  sortedKvDir: string;
  target: { isEmpty(database: string, table: string): Promise<boolean>; connectionsMax: number } | undefined;
  /** Tables that an earlier run of this job has begun. */
  touched: ReadonlySet<string>;
  /** How source and settings differ from those of the state directory's job; undefined: it holds none. */
  stateDifferences: readonly string[] | undefined;
  /** Rows go to the target as statements: it needs no model of its tables, no pairs on disk, no empty tables. */
  byStatements?: boolean;
  signal: AbortSignal;
}

/** One check; findings other than "ok" only, or none. */
export type Check = (input: CheckInput) => Promise<Finding[]>;
