import type { Clock, Random } from "../../base/mod.ts";

/** What a cluster is made of; only `clock` and `random` must be given. */
export interface ClusterOptions {
  clock: Clock;
  random: Random;
  /** Number of stores of a new cluster; an existing one keeps its own. Default 1. */
  stores?: number;
  /** Replicas of a region; default min(3, stores). */
  replicas?: number;
  /** Version that the stores report; default "8.5.8". */
  storeVersion?: string;
  /** Memory for blocks that were read; default 64 MiB. */
  blockCacheBytes?: number;
  /** Time after which import mode ends by itself (TiKV `import.import-mode-timeout`); default 600 000. */
  importModeTimeoutMs?: number;
  /** Told of each request that was refused although a real store would have taken it. */
  onHarm?: (text: string) => void;
}

/** State of one store beside its regions. Changed by requests, tests and faults. */
export interface StoreState {
  readonly id: bigint;
  address: string;
  statusAddress: string;
  version: string;
  /** metapb.StoreState: 0 up, 1 offline, 2 tombstone. */
  state: 0 | 1 | 2;
  labels: { key: string; value: string }[];
  /** Unreachable: it answers nothing. */
  down: boolean;
  diskFull: boolean;
  /** Milliseconds until which import mode lasts; 0 = normal mode. */
  importModeUntilMs: number;
  /** Milliseconds until which imports are suspended; 0 = not. */
  suspendedUntilMs: number;
  startedMs: number;
}
