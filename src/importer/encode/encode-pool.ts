import { assert, LevinError } from "../../base/mod.ts";
import type { NumberedChunk } from "../chunk-stream.ts";
import type { BlockStore } from "../engines.ts";
import type { ReadAhead } from "../read-ahead.ts";
import type { ChunkResult, EngineRuns } from "../records.ts";
import type {
  EncodePort,
  FromWorker,
  ToldTable,
  ToWorker,
  WarningCountMessage,
  WorkerSetup,
  WorkerTable,
} from "./messages.ts";
import type { RejectedRow } from "./rejected-row.ts";

/** Run ids of one worker: `worker << RUN_BITS` and up. */
const RUN_BITS = 20;
const WORKERS_MAX = 1 << 10;

export interface EncodeBatch {
  batch: number;
  dir: string;
  tableOf(name: string): ToldTable;
  /** Index pairs go to the data engine too: fewer, larger writes where there are many small tables. */
  oneEngine: boolean;
  blocks: BlockStore;
  /** Sequence number of each worker's first run: above those that an earlier process has used. */
  firstRun: number;
  /** Given out in order; closed at the end, whatever it is. */
  chunks: Pick<ReadAhead<NumberedChunk>, "next" | "close">;
  /** Comes before the chunk's `onFlushed`; again with the same rows when a chunk is encoded again. */
  onRejected(chunk: number, rows: RejectedRow[]): Promise<void>;
  onFlushed(runs: EngineRuns, chunks: ChunkResult[]): Promise<void>;
  onProgress(rows: number, sourceBytes: number): void;
  /** Resolves when there is room for the pairs of one more chunk; false: no more are to be encoded now. */
  room(): Promise<boolean>;
}

/** The highest sequence number among run ids, for the next process's `firstRun`; -1 when there is none. */
export function lastRunSequence(runs: Iterable<number>): number {
  let last = -1;
  for (const run of runs) last = Math.max(last, run & ((1 << RUN_BITS) - 1));
  return last;
}

interface Thread {
  readonly port: EncodePort;
  /** Settles the message that is under way. */
  waiting: { resolve(warnings: WarningCountMessage[]): void; reject(error: unknown): void } | undefined;
}

/** Workers that encode one batch at a time. */
export class EncodePool {
  readonly #threads: Thread[] = [];
  #batch: EncodeBatch | undefined;
  #busy = false;
  #journalled: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(count: number, start: (setup: WorkerSetup) => EncodePort, setup: Omit<WorkerSetup, "worker">) {
    assert(count >= 1 && count < WORKERS_MAX, "there is at least one worker");
    for (let worker = 0; worker < count; worker++) {
      const thread: Thread = { port: start({ ...setup, worker }), waiting: undefined };
      thread.port.listen(
        (message) => this.#onMessage(thread, message),
        (error) => this.#fail(thread, error),
      );
      this.#threads.push(thread);
    }
  }

  /** Encodes all chunks, or those with room; when it resolves, every run is committed and has been given to `onFlushed`. Throws the first failure. */
  async encode(batch: EncodeBatch, signal: AbortSignal): Promise<WarningCountMessage[]> {
    const { dir, oneEngine, blocks } = batch;
    const begin = (worker: number): ToWorker => {
      const firstRun = (worker << RUN_BITS) + batch.firstRun;
      return { kind: "batch", batch: batch.batch, dir, firstRun, oneEngine, blocks };
    };
    return this.#work(batch, begin, () => batch.room(), batch, signal);
  }

  /** Reads chunks again for the rows that have one of the keys; they are in the batch's engine of rows when it resolves. */
  async mark(
    { chunks, ...what }: Pick<EncodeBatch, "dir" | "chunks"> & { tables: WorkerTable[]; keys: SharedArrayBuffer },
    signal: AbortSignal,
  ): Promise<void> {
    const begin = (worker: number): ToWorker => ({ kind: "mark", ...what, firstRun: worker << RUN_BITS });
    await this.#work({ chunks }, begin, async () => true, undefined, signal);
  }

  async #work(
    { chunks }: Pick<EncodeBatch, "chunks">,
    begin: (worker: number) => ToWorker,
    room: () => Promise<boolean>,
    batch: EncodeBatch | undefined,
    signal: AbortSignal,
  ): Promise<WarningCountMessage[]> {
    assert(!this.#busy, "one batch at a time");
    this.#busy = true;
    this.#batch = batch;
    this.#failure = undefined;
    const warnings: WarningCountMessage[] = [];
    // A worker that answers nothing must not keep an interrupted run from ending.
    const onAbort = (): void => {
      for (const thread of this.#threads) this.#fail(thread, signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.all(
        this.#threads.map(async (thread, worker) => {
          // A worker knows one table at a time: they come one after the other, and of hundreds of small ones each needs one worker.
          let told: string | undefined;
          await this.#call(thread, begin(worker));
          for (;;) {
            signal.throwIfAborted();
            if (this.#failure !== undefined) break;
            if (!(await room())) break;
            const next = await chunks.next();
            if (next === undefined) break;
            const name = `${next.chunk.database}.${next.chunk.table}`;
            const table = name === told ? undefined : batch?.tableOf(name);
            told = name;
            await this.#call(thread, { kind: "chunk", ...next, ...(table === undefined ? {} : { table }) });
          }
          warnings.push(...(await this.#call(thread, { kind: "finish" })));
        }),
      );
      await this.#journalled;
    } finally {
      signal.removeEventListener("abort", onAbort);
      await chunks.close();
      this.#batch = undefined;
      this.#busy = false;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return warnings;
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ port }) => port.close()));
  }

  #call(thread: Thread, message: ToWorker): Promise<WarningCountMessage[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined && message.kind !== "finish") return reject(this.#failure);
      thread.waiting = { resolve, reject };
      thread.port.post(message);
    });
  }

  #onMessage(thread: Thread, message: FromWorker): void {
    switch (message.kind) {
      case "progress":
        this.#batch?.onProgress(message.rows, message.sourceBytes);
        return;
      case "rejected":
        this.#journal(thread, (batch) => batch.onRejected(message.chunk, message.rows));
        return;
      case "flushed":
        this.#journal(thread, (batch) => batch.onFlushed(message.runs, message.chunks));
        return;
      case "ready": {
        const { waiting } = thread;
        thread.waiting = undefined;
        if (message.rows > 0 || message.sourceBytes > 0) this.#batch?.onProgress(message.rows, message.sourceBytes);
        waiting?.resolve(message.warnings);
        return;
      }
      case "failed": {
        const { code, fields, stack } = message;
        const error = new LevinError(code, message.message, { fields });
        if (stack !== undefined) error.stack = stack;
        this.#fail(thread, error);
      }
    }
  }

  /** One after the other; what cannot be written is noticed by `encode`, which waits for all. */
  #journal(thread: Thread, write: (batch: EncodeBatch) => Promise<void>): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#journalled = this.#journalled.then(() => write(batch));
    this.#journalled.catch((error) => this.#fail(thread, error));
  }

  #fail(thread: Thread, error: unknown): void {
    this.#failure ??= error;
    const { waiting } = thread;
    thread.waiting = undefined;
    waiting?.reject(this.#failure);
  }
}
