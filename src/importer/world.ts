import { type Clock, collectGarbage } from "../base/mod.ts";
import { type Connect, grpcConnect, nodeHttp, type SendHttp } from "../cluster/mod.ts";
import { CLOSE_WRITER, type FromWriter, type ToWriter, type WriterPort, type WriterSetup } from "../ingest/mod.ts";
import { type KvDb, type LevelKvDbOptions, openLevelKvDb } from "../kvdb/mod.ts";
import type { TlsOptions } from "../rpc/mod.ts";
import { openSource, type Storage } from "../source/mod.ts";
import type { BucketAccess } from "../storage/mod.ts";
import {
  connectTidb,
  getStatusPort,
  openSqlLink,
  type ReceiveParts,
  type SqlLink,
  type StatusPortOptions,
  type Tidb,
  type TidbOptions,
} from "../tidb/mod.ts";
import { CLOSE, type EncodePort, type FromWorker, type ToWorker, type WorkerSetup } from "./encode/messages.ts";
import type { ClusterTls } from "./options.ts";
import { storeTls } from "./store-tls.ts";
import { startThread } from "./threads.ts";

/** What an import reaches outside its own memory, beside files: the system's, or what a simulator puts in its place. */
export interface ImportWorld {
  openStorage(path: string, bucket?: BucketAccess): Promise<Storage>;
  openKvDb(dir: string, options: LevelKvDbOptions): Promise<KvDb>;
  /** With a signal: statements that are under way end when it is aborted. */
  connectTidb(options: TidbOptions, signal?: AbortSignal): Promise<Tidb>;
  /** A connection for statements with rows. */
  openSqlLink(options: TidbOptions): Promise<SqlLink>;
  /** GET of a path of TiDB's status port; the body's text. With `receive` a long body may go there, in parts, and the text is empty. */
  getStatusPort(options: StatusPortOptions, path: string, receive?: ReceiveParts): Promise<string>;
  /** Connections to PD and TiKV. */
  connect(tls: ClusterTls | undefined): Connect;
  sendHttp(tls: ClusterTls | undefined): SendHttp;
  /**
   * Frees what this thread holds without need, where that can be asked for and more than `aboveBytes` (0) of the process are resident;
   * takes tens of milliseconds.
   */
  collectGarbage(aboveBytes?: number): void;
  /** Starts one encode worker. */
  startEncoder(setup: WorkerSetup): EncodePort;
  /** Starts one thread that writes ranges to stores; absent: they are written in the import's own thread. */
  startWriter?: ((setup: WriterSetup) => WriterPort) | undefined;
}

export type StartEncoder = ImportWorld["startEncoder"];

/**
 * Local directories, LevelDB, sockets and worker threads; `encodeWorker` is the threads' script, or what takes their place; `writeWorker` that of
 * threads which write, where there may be some.
 */
export function systemWorld(clock: Clock, encodeWorker: URL | StartEncoder, writeWorker?: URL): ImportWorld {
  return {
    openStorage: openSource,
    openKvDb: openLevelKvDb,
    connectTidb,
    openSqlLink,
    getStatusPort,
    connect: (tls) => grpcConnect(tls === undefined ? { clock } : { clock, tls: tlsOptions(tls) }),
    sendHttp: (tls) => nodeHttp(tls && tlsOptions(tls)),
    collectGarbage,
    startEncoder: encodeWorker instanceof URL ? (setup) => startEncodeThread(clock, encodeWorker, setup) : encodeWorker,
    ...(writeWorker === undefined ? {} : { startWriter: (setup) => startWriteThread(clock, writeWorker, setup) }),
  };
}

function tlsOptions({ certAllowedCn, current, ...given }: ClusterTls): TlsOptions {
  return storeTls(current ?? given, certAllowedCn);
}

function startEncodeThread(clock: Clock, script: URL, setup: WorkerSetup): EncodePort {
  return startThread<ToWorker, FromWorker>({
    clock,
    script,
    setup,
    what: "an encode worker",
    closeWord: CLOSE,
    moved(message) {
      const plain = message.kind === "chunk" ? message.chunk.plain : undefined;
      return plain === undefined ? [] : [plain.buffer];
    },
  });
}

function startWriteThread(clock: Clock, script: URL, setup: WriterSetup): WriterPort {
  const what = "a thread that writes to stores";
  return startThread<ToWriter, FromWriter>({ clock, script, setup, what, closeWord: CLOSE_WRITER });
}
