import { Worker } from "node:worker_threads";
import { type Clock, collectGarbage } from "../base/mod.ts";
import { type Connect, grpcConnect, nodeHttp, type SendHttp } from "../cluster/mod.ts";
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
import { CLOSE, type EncodePort, type FromWorker, type WorkerSetup } from "./encode/messages.ts";
import type { ClusterTls } from "./options.ts";

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
}

export type StartEncoder = ImportWorld["startEncoder"];

/** Local directories, LevelDB, sockets and worker threads; `encodeWorker` is the threads' script, or what takes their place. */
export function systemWorld(clock: Clock, encodeWorker: URL | StartEncoder): ImportWorld {
  return {
    openStorage: openSource,
    openKvDb: openLevelKvDb,
    connectTidb,
    openSqlLink,
    getStatusPort,
    connect: (tls) => grpcConnect(tls === undefined ? { clock } : { clock, tls: tlsOptions(tls) }),
    sendHttp: (tls) => nodeHttp(tls && tlsOptions(tls)),
    collectGarbage,
    startEncoder: encodeWorker instanceof URL ? (setup) => startThread(clock, encodeWorker, setup) : encodeWorker,
  };
}

function tlsOptions({ certAllowedCn, current, ...given }: ClusterTls): TlsOptions {
  const material = current ?? given;
  if (certAllowedCn === undefined) return { material };
  return {
    material,
    checkPeer: ({ subject }) => {
      const name = String(subject.CN);
      return certAllowedCn.includes(name) ? undefined : `its common name "${name}" is not in security.cert-allowed-cn`;
    },
  };
}

/** A worker that has not ended by then is stuck in a call of the system, for example a read from a network's file system. */
const CLOSE_MS = 5_000;

function startThread(clock: Clock, script: URL, setup: WorkerSetup): EncodePort {
  const thread = new Worker(script, { workerData: setup });
  let isClosed = false;
  let resolveClosed = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  return {
    post(message) {
      const plain = message.kind === "chunk" ? message.chunk.plain : undefined;
      thread.postMessage(message, plain === undefined ? [] : [plain.buffer]);
    },
    listen(onMessage, onEnd) {
      thread.on("message", (message: FromWorker | typeof CLOSE) => {
        if (message === CLOSE) resolveClosed();
        else onMessage(message);
      });
      thread.on("error", onEnd);
      thread.on("exit", () => {
        if (!isClosed) onEnd(new Error("an encode worker has ended"));
        resolveClosed();
      });
    },
    async close() {
      isClosed = true;
      thread.postMessage(CLOSE);
      const patience = new AbortController();
      await Promise.race([closed, clock.sleep(CLOSE_MS, patience.signal)]);
      patience.abort();
      await thread.terminate();
    },
  };
}
