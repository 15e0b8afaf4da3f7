import type { BufferPool } from "../engine/mod.ts";
import type { WriteThreads } from "../ingest/mod.ts";
import type { PlainStreams } from "../source/mod.ts";
import type { Tidb } from "../tidb/mod.ts";
import type { ClusterLink } from "./cluster-link.ts";
import type { DiskQuota } from "./disk-quota.ts";
import type { EncodedBatch } from "./encode-batch.ts";
import type { JobLog } from "./job.ts";
import type { MemoryPlan } from "./memory.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { SourcePlan } from "./source-plan.ts";
import type { TableModels } from "./table-models.ts";

/** What the steps of one run share. */
export interface RunContext {
  options: ImportOptions;
  env: ImportEnvironment;
  plan: SourcePlan;
  job: JobLog;
  tidb: Tidb;
  cluster: ClusterLink;
  /** `db.table` → model. */
  models: TableModels;
  memory: MemoryPlan;
  /** Of the target, for telling keys in words. */
  newCollations: boolean;
  progress: Progress;
  quota: DiskQuota;
  /** Compressed dumps that are being read. */
  streams: PlainStreams;
  /** Engines that are open, by batch. */
  open: Map<number, EncodedBatch>;
  /** Of the reading of engines: ingesting the next batch takes those of the one before. */
  buffers: BufferPool;
  /** Threads that write; undefined: this one does. */
  writers: WriteThreads | undefined;
}

/** What encoding a batch needs. */
export type EncodeContext = Omit<RunContext, "cluster" | "tidb" | "buffers" | "writers">;
