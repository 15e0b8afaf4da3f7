import type { Clock, EventSink, Files, PauseGate, Random } from "../base/mod.ts";
import type { ConflictStrategy } from "../logical/mod.ts";
import type { CsvDialect, IgnoreColumnsRule, LoadSourceOptions } from "../source/mod.ts";
import type { BucketAccess } from "../storage/mod.ts";
import type { StatusPortOptions, TidbOptions } from "../tidb/mod.ts";
import type { CheckpointOptions } from "./checkpoint-mirror.ts";
import type { ImportWorld } from "./world.ts";

/** TLS material towards PD and TiKV: PEM texts. */
export interface ClusterTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** What the files hold now; asked at each new connection, so that renewed certificates are taken up. */
  current?: () => { ca?: string; cert?: string; key?: string };
  certAllowedCn?: string[];
}

/** What becomes of rows with the same primary key or the same value in a unique index. */
export interface ConflictOptions {
  /** Nothing is decided (the first one met ends the import), an error that names both rows, the last one stays, the first one stays. */
  strategy: ConflictStrategy;
  /** More rows than these in conflict end the import. */
  threshold: number;
  /** So many of them are in the report. */
  maxRecordRows: number;
  /** Schema of the tables that hold them too; empty: none. */
  taskInfoSchema: string;
}

/** Of the logical backend. */
interface LogicalOptions {
  /** Of one statement; 0: as is best for the target. */
  batchBytes: number;
  batchRows: number;
  /** No statement may be larger; 0: as the server allows. */
  packetBytes: number;
  /** Of the table that holds how far the import is. */
  metaSchema: string;
  /** Of a load unit its task and source; units with different names may fill one table side by side. */
  owner?: string;
}

/** What a configuration asks of the cluster's side; what is absent is as levin does it. */
export interface ClusterSettings {
  /** Bytes of packed pairs a second to one store. */
  storeBytesPerSecond?: number;
  /** Keys of one split request. */
  splitKeysMax?: number;
  /** Checksum requests of a table at a time. */
  checksumRequests?: number;
  /** `global`: PD's schedulers stop for the whole cluster. */
  pauseScope?: "table" | "global";
  /** Stores are compacted to this level of RocksDB at the end; -1: the lowest. */
  compactLevel?: number;
}

/** Everything an import needs to know, already checked. Sizes in bytes, times in milliseconds. */
export interface ImportOptions {
  /** Pairs into TiKV (the default), or statements into whatever speaks MySQL's protocol. */
  backend?: "local" | "tidb";
  /** Absent: no strategy. */
  conflict?: ConflictOptions;
  /** Tables may have rows already; the physical backend otherwise demands empty ones. */
  intoRows?: boolean;
  /** Of the backend "tidb"; absent: its defaults. */
  logical?: LogicalOptions;
  /** Directory of the dump, or one file; with `bucket` its name, `s3://BUCKET/PREFIX`. */
  sourceDir: string;
  /** The object store that the dump is in, with the keys to it; undefined: this host. */
  bucket?: BucketAccess | undefined;
  /** How CSV files are written. */
  csv: CsvDialect;
  /** Rules, filter, routes and character sets of the source. */
  load: LoadSourceOptions;
  /** Columns of the source that are left out. */
  ignoreColumns: readonly IgnoreColumnsRule[];
  /** Settings that were given and decide what rows become, by key: a run that continues another must have the same. */
  sourceSettings?: Readonly<Record<string, string>>;
  /** Names in rules tell upper from lower case. */
  caseSensitive: boolean;
  /** No line end of a CSV file stands inside a value. */
  strictFormat: boolean;
  /** Fields that a row lacks at its end take their columns' defaults; counted. */
  allowShortRows: boolean;
  /** Rows that may be left out, reported, because a value cannot be cast; 0: the first ends the run. */
  typeErrorsMax: number;
  /** Stands in for bytes that are invalid in a file's character set; undefined: they are an error. */
  invalidReplacement: string | undefined;
  compatLightning: boolean;
  /** Holds lock, journal, log, engines and reports. */
  stateDir: string;
  /** Where the sorted pairs go; normally `stateDir/engines`. */
  sortedKvDir: string;
  /** Where the sorted blocks are kept. */
  blockStore: "level" | "files";
  tidb: TidbOptions;
  /** What tells the target apart from others in the fingerprint; host and port when absent. */
  targetName?: string;
  statusPort: StatusPortOptions;
  /** Empty: as TiDB's `/settings` says. */
  pdAddresses: string[];
  clusterTls: ClusterTls | undefined;
  /** SQL mode of casts. */
  sqlMode: string;
  /** Session time zone; undefined = the server's. A dump's own SET TIME_ZONE wins. */
  timeZone: string | undefined;
  workers: number;
  memoryBytes: number;
  chunkSizeBytes: number;
  /** Source bytes up to which tables share an engine; absent: 256 MiB. */
  batchSizeBytes?: number;
  /** Ceiling of sorted pairs on the local disk; absent or 0: none. */
  diskQuotaBytes?: number;
  rangeSizeBytes: number;
  rangeKeys: number;
  /** Region jobs at a time. */
  ingestConcurrency: number;
  clusterSettings?: ClusterSettings;
  /** Threads that write ranges to stores, of engines of at least so many bytes; absent or none: the import's own thread does it. */
  ingestThreads?: { count: number; fromBytes: number };
  checksum: "required" | "optional" | "off";
  analyze: "required" | "optional" | "off";
  /** Lightning's own checkpoints are kept too. */
  checkpoints?: CheckpointOptions;
  /** Tables exist; schema files are not run. */
  noSchema: boolean;
  checkRequirements: boolean;
  ignoreUnmatched: boolean;
  /** Import mode is renewed at least this often; 0 = it is never entered. */
  importModeRenewMs: number;
  /** Ceiling of waiting for the cluster in one retried step. */
  retryDeadlineMs: number;
  /**
   * This source is one of several that fill the same tables at the same time, the one with this number (from 0): tables need not be empty,
   * row ids of sources do not overlap, and whoever knows all of them compares checksums.
   */
  parallelIndex?: number;
  /** Forget an earlier run's state. */
  fresh: boolean;
  version: string;
}

/** The world of a run, as values. */
export interface ImportEnvironment {
  clock: Clock;
  random: Random;
  files: Files;
  emit: EventSink;
  signal: AbortSignal;
  /** Of this process, for the lock. */
  pid: number;
  /** Threads of this host that can run at a time. */
  cores: number;
  /** Source, target and workers. */
  world: ImportWorld;
  /** Shut: no worker takes another chunk. */
  gate?: PauseGate;
}
