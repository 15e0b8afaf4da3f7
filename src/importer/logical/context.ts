import type { LogicalTable, PositionTable } from "../../logical/mod.ts";
import type { PlainStreams } from "../../source/mod.ts";
import type { Tidb } from "../../tidb/mod.ts";
import type { Job } from "../job.ts";
import type { ImportEnvironment, ImportOptions } from "../options.ts";
import type { Progress } from "../progress.ts";
import type { SourcePlan } from "../source-plan.ts";

/** What the steps of one run of the logical backend share. */
export interface LogicalContext {
  options: ImportOptions;
  env: ImportEnvironment;
  plan: SourcePlan;
  job: Job;
  tidb: Tidb;
  /** `db.table` → table. */
  tables: Map<string, LogicalTable>;
  progress: Progress;
  positions: PositionTable;
  streams: PlainStreams;
  isTidb: boolean;
  /** `db.table` → the first value of it that the target has changed in this run, in its words. */
  firstChanges: Map<string, string>;
  /** No statement may be larger. */
  packetBytes: number;
}
