/** An import of the production importer as one life of a simulated process. */
import type { Clock, LevinEvent, Random } from "../../src/base/mod.ts";
import {
  type EncodePort,
  EncodeTask,
  type FromWorker,
  type ImportEnvironment,
  type ImportOptions,
  type ImportWorld,
  type WorkerSetup,
} from "../../src/importer/mod.ts";
import type { WriterPort, WriterSetup } from "../../src/ingest/mod.ts";
import { defaultCsvDialect } from "../../src/source/mod.ts";
import { inlineWriter } from "../ingest/inline-writer.ts";
import type { Backend } from "./chaos.ts";
import type { SimCluster } from "./cluster.ts";
import type { Disk } from "./disk.ts";
import type { Life } from "./life.ts";
import { type Dump, type DumpWish, sourceDir, storageOf } from "./source.ts";

export interface Place {
  clock: Clock;
  random: Random;
  disk: Disk;
  cluster: SimCluster;
  dump: Dump;
  /** Of the disk operations that fail. */
  errorCode: () => string;
}

/** Small enough that a few kilobytes make several chunks, runs and ranges. */
export const sizes = { dataArenaBytes: 4096, indexArenaBytes: 4096, windowBytes: 4096 };

/** What a run is about beside faults. */
export interface Story {
  /** Absent: pairs. */
  backend?: Backend;
  strategy: "" | "replace" | "ignore" | "error";
  wish: DumpWish;
  /** So many rows may be in conflict, or bad, as there are, or one less: then the import must be refused. */
  limits: "wide" | "conflicts" | "conflicts - 1" | "errors - 1";
  /** PD is older than label rules. */
  oldPd: boolean;
}

export function randomStory(random: Random): Story {
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;
  const about = random.next();
  const oldPd = random.next() < 0.12;
  if (about < 0.3) {
    const strategy = one("replace", "replace", "replace", "ignore", "ignore", "error");
    // Rows of the target are deleted for `replace` only.
    const filled = strategy === "replace" ? one("no", "overlapping") : one("no", "no", "overlapping");
    const limits = strategy === "error" ? "wide" : one("wide", "wide", "wide", "wide", "conflicts", "conflicts - 1");
    return { strategy, wish: { duplicates: random.next() < 0.9, filled }, limits, oldPd };
  }
  const filled = about < 0.38 ? "apart" : "no";
  const limits = random.next() < 0.1 ? "errors - 1" : "wide";
  return { strategy: "", wish: { duplicates: false, filled }, limits, oldPd };
}

export function statementStory(random: Random): Story {
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;
  const strategy = one("", "", "replace", "replace", "ignore", "error");
  const decides = strategy === "replace" || strategy === "ignore";
  const duplicates = random.next() < (decides ? 0.85 : strategy === "error" ? 0.4 : 0.1);
  const filled = decides ? one("no", "apart", "overlapping", "overlapping") : one("no", "no", "apart", "overlapping");
  const limits =
    random.next() < 0.1 ? "errors - 1" : decides ? one("wide", "wide", "wide", "conflicts", "conflicts - 1") : "wide";
  return { backend: "tidb", strategy, wish: { duplicates, filled, byStatements: true }, limits, oldPd: false };
}

export function simOptions(random: Random, dump: Dump, story: Story): ImportOptions {
  const options = plainOptions(random, dump, story);
  if (story.backend !== "tidb") return options;
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;
  const logical = {
    batchBytes: one(0, 300, 800, 2500),
    batchRows: one(1, 3, 7, 20, 65536),
    // What is above 1024 is for one statement.
    packetBytes: one(0, 0, 1024 + 400, 1024 + 1200),
    metaSchema: META_SCHEMA,
  };
  return { ...options, backend: "tidb", logical };
}

/** Of the tables in which imports by statements keep how far they are. */
export const META_SCHEMA = "lightning_metadata";

function plainOptions(random: Random, dump: Dump, { strategy, wish, limits }: Story): ImportOptions {
  const isTight = limits === "errors - 1" && dump.badRows > 1;
  const maxRecordRows = random.next() < 0.15 ? Math.floor(random.next() * 3) + (strategy === "error" ? 1 : 0) : 10_000;
  const conflict = { strategy, threshold: 1e6, maxRecordRows, taskInfoSchema: "" };
  const options: ImportOptions = {
    ...(strategy === "" ? {} : { conflict }),
    ...(wish.filled === "no" ? {} : { intoRows: true }),
    sourceDir,
    csv: { ...defaultCsvDialect, header: false },
    load: {},
    ignoreColumns: [],
    caseSensitive: false,
    strictFormat: false,
    allowShortRows: false,
    typeErrorsMax: dump.badRows - (isTight ? 1 : 0),
    invalidReplacement: undefined,
    compatLightning: false,
    stateDir: "/state",
    blockStore: random.next() < 0.7 ? "files" : "level",
    sortedKvDir: "/state/engines",
    tidb: { host: "tidb", port: 4000, user: "root", password: "", connectionsMax: 8, connectTimeoutMs: 10_000 },
    statusPort: { host: "tidb", port: 10080, timeoutMs: 60_000 },
    pdAddresses: random.next() < 0.5 ? [] : ["pd-0:2379"],
    clusterTls: undefined,
    sqlMode: "STRICT_TRANS_TABLES",
    timeZone: "UTC",
    workers: 1 + Math.floor(random.next() * 3),
    memoryBytes: 1 << 28,
    chunkSizeBytes: random.next() < 0.3 ? 1 << 16 : 500 + Math.floor(random.next() * 1500),
    batchSizeBytes: random.next() < 0.5 ? 1 : 1 << 20,
    ...(strategy === "" && random.next() < 0.25 ? { diskQuotaBytes: 100 + Math.floor(random.next() * 4000) } : {}),
    rangeSizeBytes: 512 + Math.floor(random.next() * 4096),
    rangeKeys: 10 + Math.floor(random.next() * 60),
    ingestConcurrency: 1 + Math.floor(random.next() * 4),
    checksum: "required",
    analyze: "optional",
    noSchema: false,
    checkRequirements: true,
    ignoreUnmatched: false,
    importModeRenewMs: random.next() < 0.5 ? 300_000 : 0,
    retryDeadlineMs: 10 * 60_000,
    fresh: false,
    version: "sim",
  };
  return { ...options, ingestThreads: { count: writersOf(options), fromBytes: 0 } };
}

/** Threads that write in this run: none, one or two. Not drawn, so that it changes nothing else of a seed's run. */
function writersOf({ chunkSizeBytes }: ImportOptions): number {
  return chunkSizeBytes % 3;
}

export function environmentOf(
  place: Place,
  life: Life,
  emit: (event: LevinEvent) => void,
  byStatements: boolean,
): ImportEnvironment {
  const { clock, random, disk, cluster, dump, errorCode } = place;
  const statusPort = cluster.statusPortOf(life);
  const world: ImportWorld = {
    openStorage: async () => storageOf(dump.files, life),
    openKvDb: (dir) => disk.openMap(dir, life, () => true, errorCode),
    connectTidb: async (options, signal) => {
      if (byStatements) return cluster.sql.connect(life, options, signal);
      const tidb = cluster.tidbOf(life);
      await tidb.query("SELECT 1");
      return tidb;
    },
    openSqlLink: (options) => cluster.sql.openLink(life, options),
    getStatusPort: (_, path) => statusPort(path),
    connect: () => cluster.connectOf(life),
    sendHttp: () => cluster.sendHttpOf(life),
    collectGarbage: () => undefined,
    startEncoder: (setup) => inlineEncoder(place, life, setup),
    startWriter: (setup) => startWriter(place, life, setup),
  };
  return {
    clock: life.clock(clock),
    random,
    files: disk.filesOf(life, errorCode),
    emit,
    signal: life.stopping.signal,
    pid: 1,
    cores: 2,
    world,
  };
}

/** A thread that writes to stores, inside this one; when it is closed it does nothing more. */
function startWriter({ clock, random, disk, cluster, errorCode }: Place, life: Life, setup: WriterSetup): WriterPort {
  let isOpen = true;
  const world = {
    clock: life.clock(clock),
    random,
    files: disk.filesOf(life, errorCode, () => isOpen),
    connect: () => cluster.connectOf(life),
  };
  const writer = inlineWriter(setup, world, { isAlive: () => life.isAlive });
  return {
    ...writer,
    async close() {
      await writer.close();
      isOpen = false;
    },
  };
}

const MANY_AT_A_TIME = 0.005;

/** An encode worker inside this thread; when it is closed it does nothing more, as a thread that is terminated. */
function inlineEncoder({ dump, disk, errorCode, random }: Place, life: Life, setup: WorkerSetup): EncodePort {
  let isOpen = true;
  let send: (message: FromWorker) => void = () => undefined;
  const world = {
    openStorage: async () => storageOf(dump.files, life),
    openKvDb: (dir: string) => disk.openMap(dir, life, () => isOpen, errorCode),
    files: disk.filesOf(life, errorCode, () => isOpen),
    collectGarbage: () => undefined,
  };
  // Now and then many rows at a time, although the tables are small; a kernel takes longer to make than the rest of a run.
  const many = random.next() < MANY_AT_A_TIME ? { bulkBytesMin: 0 } : {};
  const task = new EncodeTask({ ...setup, ...many, sizes }, world, (message) => {
    if (isOpen && life.isAlive) send(message);
  });
  return {
    post: (message) => task.take(message),
    listen: (onMessage) => {
      send = onMessage;
    },
    async close() {
      isOpen = false;
    },
  };
}
