import type { EventSink } from "../base/mod.ts";
import type { TableSums } from "./coord/coordination.ts";
import type { Table } from "./table-reader.ts";

/** What one run of the engine gave. */
export interface EngineResult {
  tables: number;
  rows: number;
  /** Size of the source's files. */
  sourceBytes: number;
  /** Values that did not fit and were changed, as the SQL mode lets it. */
  changedValues?: number;
  /** Rows that were in each other's way; absent: none. */
  duplicates?: number;
  /** Physical: what was sent, by quoted name of the table. */
  sums?: Readonly<Record<string, TableSums>>;
}

export interface EngineRun {
  /** tidb-lightning's configuration, as tables and keys of its TOML. */
  config: Table;
  /** Forget what an earlier run has left: this task has never begun. */
  fresh: boolean;
  /** The number of this source among those that load into the same tables; undefined: it is the only one. */
  sharedIndex: number | undefined;
  /** Task and source: units with different names may fill one table side by side. */
  owner: string;
  signal: AbortSignal;
  emit: EventSink;
}

/** What imports a directory once: Lightning's core in DM, levin's importer here. Rejects with a LevinError; when `signal` is aborted, state is kept. */
export type LoadEngine = (run: EngineRun) => Promise<EngineResult>;
