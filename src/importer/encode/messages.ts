import type { ErrorCode, ErrorFields } from "../../base/mod.ts";
import type { EncodeSession } from "../../encoder/mod.ts";
import type { TableInfo } from "../../schema/mod.ts";
import type { Chunk, ColumnCoding } from "../../source/mod.ts";
import type { BucketAccess } from "../../storage/mod.ts";
import type { BlockStore } from "../engines.ts";
import type { ChunkResult, EngineRuns } from "../records.ts";
import { columnCodings, type SourceForm } from "../source-form.ts";
import { parseTableInfo } from "../table-models.ts";
import type { RejectedRow } from "./rejected-row.ts";

/** Sizes of one worker, parts of the job's memory budget. */
export interface WorkerSizes {
  dataArenaBytes: number;
  indexArenaBytes: number;
  windowBytes: number;
}

export interface WorkerSetup {
  worker: number;
  sourceDir: string;
  bucket?: BucketAccess | undefined;
  sizes: WorkerSizes;
  session: EncodeSession;
  compatLightning: boolean;
  invalidReplacement: string | undefined;
  allowShortRows: boolean;
  /** Rows that may be left out because a value cannot be cast. */
  typeErrorsMax: number;
  /** As in `ChunkRowsOptions`. */
  bulkBytesMin?: number;
}

export interface WorkerTable {
  /** `db.table` */
  name: string;
  info: TableInfo;
  /** Columns that are coded in the source, by lower-case name. */
  codings: Map<string, ColumnCoding>;
  /** Columns of the source that are left out, in lower case. */
  ignored: Set<string>;
}

/** A table as a worker is told of it. */
export interface ToldTable {
  name: string;
  /** JSON of its model: to copy the object to another thread takes longer than to parse it there. */
  modelText: string;
  form: SourceForm;
  /** As in `WorkerTable`. */
  ignored: readonly string[];
}

export function workerTable({ name, modelText, form, ignored }: ToldTable): WorkerTable {
  const info = parseTableInfo(modelText);
  return { name, info, codings: columnCodings(form, info), ignored: new Set(ignored) };
}

/** Said to a worker that is to end, and its answer when it has closed what it had open. */
export const CLOSE = "close";

export type ToWorker =
  | {
      kind: "batch";
      batch: number;
      dir: string;
      firstRun: number;
      oneEngine: boolean;
      blocks: BlockStore;
    }
  /** Chunks that follow are read for rows that have one of the keys. */
  | { kind: "mark"; dir: string; tables: WorkerTable[]; firstRun: number; keys: SharedArrayBuffer }
  /** `table`: where the worker's chunk before was of another table or batch. */
  | { kind: "chunk"; id: number; chunk: Chunk; table?: ToldTable }
  | { kind: "finish" };

export interface WarningCountMessage {
  table: string;
  column: string;
  mysqlCode: number;
  count: number;
  example: string;
}

export type FromWorker =
  /** Rows and source bytes taken since the last one. */
  | { kind: "progress"; rows: number; sourceBytes: number }
  /** Rows of a chunk that were left out; comes before the chunk is flushed. */
  | { kind: "rejected"; chunk: number; rows: RejectedRow[] }
  /** Runs that are on disk, and the chunks that they complete. */
  | { kind: "flushed"; runs: EngineRuns; chunks: ChunkResult[] }
  /** The worker can take the next message. With rows and source bytes that no message of progress has told. */
  | { kind: "ready"; warnings: WarningCountMessage[]; rows: number; sourceBytes: number }
  | { kind: "failed"; code: ErrorCode; message: string; fields: ErrorFields; stack: string | undefined };

/** One encode worker as the pool sees it. */
export interface EncodePort {
  post(message: ToWorker): void;
  /** `onEnd` is called when the worker ends without being asked to. */
  listen(onMessage: (message: FromWorker) => void, onEnd: (error: unknown) => void): void;
  /** Ends the worker, whatever it does. */
  close(): Promise<void>;
}
