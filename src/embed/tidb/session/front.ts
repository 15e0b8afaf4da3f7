import type { Clock } from "../../../base/mod.ts";
import type { Rebase, TableInfo } from "../../../schema/mod.ts";
import type { MakeRowEncoder } from "../dml/encoder.ts";
import type { EvaluateVirtual } from "../reader/mod.ts";
import type { AutoIds, Change, KeyLocks } from "../store/mod.ts";
import type { SessionState } from "./state.ts";

export interface DatabaseInfo {
  id: number;
  name: string;
  charset: string;
  collate: string;
}

/** What the SQL layer needs of the cluster's data. Keys are raw. */
export interface FrontStorage {
  currentTs(): Promise<bigint>;
  /** Visible pairs in [start, end) at `ts`, ascending, in batches. */
  scan(start: Uint8Array, end: Uint8Array, ts: bigint): AsyncIterable<{ key: Uint8Array; value: Uint8Array }[]>;
  get(key: Uint8Array, ts: bigint): Promise<Uint8Array | undefined>;
  /** CRC-64 xor, pairs and bytes of the visible pairs in [start, end). */
  checksum(start: Uint8Array, end: Uint8Array, ts: bigint): Promise<{ crc: bigint; kvs: bigint; bytes: bigint }>;
  /** Removes everything in [start, end). */
  destroyRange(start: Uint8Array, end: Uint8Array): Promise<void>;
  /** Writes changes at one fresh timestamp; throws SqlError where a key is locked by a transaction from outside. */
  commit(changes: readonly Change[], startTs: bigint): Promise<void>;
  /** Regions that overlap [start, end), in key order; an empty end is the end of all keys. */
  regions(start: Uint8Array, end: Uint8Array): RegionFacts[];
  /** Splits a region off at this raw key, as TiDB does for a new table. */
  splitAt(key: Uint8Array): Promise<void>;
}

/** What SHOW TABLE … REGIONS shows of a region. Keys are raw; an empty end is the end of all keys. */
export interface RegionFacts {
  id: bigint;
  start: Uint8Array;
  end: Uint8Array;
  leaderId: bigint;
  leaderStoreId: bigint;
  peerIds: bigint[];
  confVer: bigint;
  version: bigint;
  sizeMiB: number;
  keys: number;
}

/** Databases and tables; DDL changes them. Names are compared without regard to case. */
export interface FrontCatalog {
  databases(): DatabaseInfo[];
  database(name: string): DatabaseInfo | undefined;
  /** Tables, views and sequences of a database, by name. */
  tables(db: string): TableInfo[];
  table(db: string, name: string): TableInfo | undefined;
  /** Runs one DDL statement; throws SqlError. */
  execute(sql: string, session: DdlContext): Promise<{ warnings: Warning[]; useDatabase?: string; rebases: Rebase[] }>;
  createStatement(db: string, table: TableInfo, context: DdlContext): string;
  createDatabase(name: string, context: DdlContext): string;
}

export interface DdlContext {
  database: string;
  sqlMode: string;
  timeZone: string;
  clusteredIndex: "on" | "off" | "int_only";
}

export interface Warning {
  level: "Note" | "Warning" | "Error";
  code: number;
  message: string;
}

/** What all sessions of a front share. */
export interface Front {
  storage: FrontStorage;
  catalog: FrontCatalog;
  clock: Clock;
  newCollations: boolean;
  version: string;
  globals: Map<string, string>;
  autoIds: AutoIds;
  locks: KeyLocks;
  /** Of GET_LOCK, by name. */
  userLocks: KeyLocks;
  /** Makes the encoder of rows that INSERT and UPDATE write. */
  makeRowEncoder: MakeRowEncoder;
  /** Fills in virtual generated columns when rows are read; without it they read as NULL. */
  evaluateVirtual: EvaluateVirtual | undefined;
  /** Open sessions by connection id. */
  sessions: Map<number, SessionState>;
  startedMs: number;
  addresses: { host: string; port: number; statusPort: number; pd: string[] };
}
