import type { Clock, EventSink, Files } from "../base/mod.ts";
import type { Tidb, TidbOptions } from "../tidb/mod.ts";
import type { CoordStore } from "./coord/coordination.ts";
import type { LoadEngine } from "./engine.ts";
import type { LoadMetrics } from "./metrics.ts";

/** The world of a load unit, as values. */
export interface LoadUnitEnvironment {
  clock: Clock;
  files: Files;
  emit: EventSink;
  engine: LoadEngine;
  connect(options: TidbOptions): Promise<Tidb>;
  /** Connection to the target, as the subtask says it. */
  target: TidbOptions;
  coord: CoordStore;
  metrics: LoadMetrics;
  /** This worker's name: who has the dump. */
  worker: string;
  /** Of the engine's state, kept across runs. */
  stateDir: string;
  /** Says in the task's error view what is known of conflicts that the engine could not name. */
  noteConflict?: (tidb: Tidb, schema: string, note: { table: string; text: string; taskId: bigint }) => Promise<void>;
  /** The dump's file `metadata`; undefined when there is none. Given where the dump is not on this machine. */
  readMetadata?: () => Promise<string | undefined>;
  /** At least so many sources meet at the barriers; default: as many as the task names. */
  expectSources?: number;
  /** Ceiling of a wait at a barrier; default a day. */
  barrierPatienceMs?: number;
  /** How long a source may be gone before others stop waiting for it; default 20 s. */
  barrierGraceMs?: number;
  /**
   * DM's way: a resume after duplicates or a checksum mismatch accepts them. Default: it does not, without being told so.
   */
  resumeAccepts?: boolean;
}

/** What a person takes upon himself by resuming. */
export interface Acceptance {
  what: "duplicates" | "checksum-mismatch";
  /** For the record. */
  who: string;
}
