import { fromBinary } from "@bufbuild/protobuf";
import { SSTMetaSchema } from "../../gen/import_sstpb_pb.ts";
import { assert, type Clock, LevinError } from "../base/mod.ts";
import type { KeyRange, Region, Store, StoreDirectory } from "../cluster/mod.ts";
import type { RunInfo } from "../engine/mod.ts";
import type { TlsMaterial } from "../rpc/mod.ts";
import type { EngineSource } from "./engine-source.ts";
import type { Written } from "./job.ts";
import type { RegionWriter, WriteOrder } from "./region-writer.ts";
import { toldError } from "./told-error.ts";
import type { FromWriter, ToldOrder, ToWriter, WriterPort, WriterSetup } from "./write-messages.ts";
import { PeerFailure } from "./write-region.ts";

export interface WriteThreadsOptions {
  /** Started when they are needed. */
  readonly count: number;
  readonly start: (setup: WriterSetup) => WriterPort;
  /** Of each thread. */
  readonly setup: WriterSetup;
  readonly clock: Clock;
  readonly stores: Pick<StoreDirectory, "get" | "forget">;
  /** The certificates of now; absent: connections are plain. */
  readonly material?: (() => TlsMaterial | Promise<TlsMaterial>) | undefined;
}

/** An engine that threads read. */
export interface ThreadSource {
  readonly engineName: string;
  readonly blockDir: string;
  readonly source: Pick<EngineSource, "runsIn">;
  /** Read-ahead of one range. */
  readonly memoryBytes: number;
  readonly windowMessages: number;
}

/** A thread that does not answer by then that it has given up is stuck in a call of the system, for example a read from a network's file system. */
const STOP_MS = 5_000;

interface Waiting {
  resolve(message: FromWriter): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly port: WriterPort;
  readonly waiting: Map<number, Waiting>;
  /** Ranges that it writes. */
  busy: number;
  /** Why it has ended without being asked to. */
  ended: { readonly error: unknown } | undefined;
}

/**
 * Threads that write ranges, each with connections, buffers and open files of its own. An order goes to the thread with the fewest. Nothing is decided
 * or repeated here: a refusal comes back as it does from `writeRegion`, and a thread that ends by itself fails what it had.
 */
export class WriteThreads {
  readonly #options: WriteThreadsOptions;
  #threads: Thread[] = [];
  #lastId = 0;
  #isClosed = false;

  constructor(options: WriteThreadsOptions) {
    assert(options.count >= 1, "there is at least one thread that writes");
    this.#options = options;
  }

  /** Threads that are there now. */
  get size(): number {
    return this.#threads.length;
  }

  /** Who writes the ranges of an engine. */
  writer(source: ThreadSource): RegionWriter {
    return { write: (order, signal) => this.#write(source, order, signal) };
  }

  /** Has all threads close the files of an engine, which nobody writes from any more. */
  async release(blockDir: string): Promise<void> {
    const patience = new AbortController();
    const late = this.#options.clock.sleep(STOP_MS, patience.signal).catch(() => undefined);
    const living = this.#threads.filter(({ ended }) => ended === undefined);
    const asked = living.map(async (thread) => {
      const id = ++this.#lastId;
      const answer = await this.#ask(thread, { kind: "release", id, blockDir });
      assert(answer.kind === "released", "a release is answered by its kind");
      if (answer.error !== undefined) throw toldError(answer.error);
    });
    try {
      await Promise.race([Promise.all(asked), late]);
    } finally {
      patience.abort();
      await late;
    }
  }

  /** Ends the threads that are there; they are started again when there is something to write. */
  async rest(): Promise<void> {
    const threads = this.#threads;
    for (const thread of threads) assert(thread.busy === 0, "threads that write are not sent home");
    this.#threads = [];
    await Promise.all(threads.map(({ port }) => port.close()));
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ port }) => port.close()));
    for (const thread of threads) end(thread, new LevinError("Levin:Rpc:ErrCanceled", "Cannot write: the import ends"));
  }

  async #write(source: ThreadSource, order: WriteOrder, signal: AbortSignal): Promise<Written> {
    signal.throwIfAborted();
    const stores = await this.#storesOf(order.region, signal);
    signal.throwIfAborted();
    const thread = this.#pick();
    const id = ++this.#lastId;
    thread.busy++;
    try {
      const answer = await this.#askUnless(signal, thread, id, told(source, order, stores));
      if (answer.kind === "failed") {
        signal.throwIfAborted();
        throw this.#noted(toldError(answer.error));
      }
      assert(answer.kind === "written", "an order is answered by what was written");
      const { pairs, bytes } = answer;
      return { pairs, bytes, metas: answer.metas.map((meta) => fromBinary(SSTMetaSchema, meta)) };
    } finally {
      thread.busy--;
    }
  }

  /** Where the peers are: PD is asked here, so that threads know stores only. */
  #storesOf({ peers }: Region, signal: AbortSignal): Promise<Store[]> {
    return Promise.all(
      peers.map(async ({ storeId }) => {
        try {
          return await this.#options.stores.get(storeId, signal);
        } catch (thrown) {
          throw signal.aborted ? signal.reason : new PeerFailure(storeId, thrown);
        }
      }),
    );
  }

  /** A store that was not reached may have moved to another address; the thread's own client has forgotten it, too. */
  #noted(error: Error): Error {
    if (error instanceof PeerFailure && error.cause instanceof LevinError) {
      if (error.cause.code === "Levin:Rpc:ErrUnavailable") this.#options.stores.forget(error.storeId);
    }
    return error;
  }

  #pick(): Thread {
    assert(!this.#isClosed, "closed threads write nothing");
    const broken = this.#threads.find(({ ended }) => ended !== undefined);
    if (broken?.ended !== undefined) throw broken.ended.error;
    let best: Thread | undefined;
    for (const thread of this.#threads) if (best === undefined || thread.busy < best.busy) best = thread;
    if (best !== undefined && (best.busy === 0 || this.#threads.length >= this.#options.count)) return best;
    return this.#start();
  }

  #start(): Thread {
    const port = this.#options.start(this.#options.setup);
    const thread: Thread = { port, waiting: new Map(), busy: 0, ended: undefined };
    port.listen(
      (message) => {
        if (message.kind === "material") void this.#tellMaterial(thread, message.id);
        else thread.waiting.get(message.id)?.resolve(message);
      },
      (error) => end(thread, error),
    );
    this.#threads.push(thread);
    return thread;
  }

  async #tellMaterial({ port }: Thread, id: number): Promise<void> {
    try {
      const material = await this.#options.material?.();
      port.post(
        material === undefined
          ? { kind: "material", id, error: "there are no certificates" }
          : { kind: "material", id, material },
      );
    } catch (thrown) {
      port.post({ kind: "material", id, error: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }

  #ask(thread: Thread, message: Extract<ToWriter, { kind: "write" | "release" }>): Promise<FromWriter> {
    const { id } = message;
    return new Promise<FromWriter>((resolve, reject) => {
      if (thread.ended !== undefined) return reject(thread.ended.error);
      thread.waiting.set(id, { resolve, reject });
      thread.port.post(message);
    }).finally(() => thread.waiting.delete(id));
  }

  /** After the signal the thread is waited for, so that nothing is read or sent any more, but not for ever. */
  async #askUnless(signal: AbortSignal, thread: Thread, id: number, order: ToldOrder): Promise<FromWriter> {
    const patience = new AbortController();
    const onAbort = (): void => {
      thread.port.post({ kind: "stop", id });
      this.#options.clock.sleep(STOP_MS, patience.signal).then(
        () => thread.waiting.get(id)?.reject(signal.reason),
        () => undefined,
      );
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#ask(thread, { kind: "write", id, order });
    } finally {
      signal.removeEventListener("abort", onAbort);
      patience.abort();
    }
  }
}

function end(thread: Thread, error: unknown): void {
  thread.ended ??= { error };
  for (const { reject } of [...thread.waiting.values()]) reject(error);
}

/** Everything that the thread must know; keys are copied, as a clone takes the whole buffer that they lie in. */
function told(
  { source, engineName, blockDir, memoryBytes, windowMessages }: ThreadSource,
  { region, range, commitTs }: WriteOrder,
  stores: readonly Store[],
): ToldOrder {
  return {
    region: { ...region, ...copied(region) },
    range: copied(range),
    commitTs,
    windowMessages,
    stores,
    engineName,
    blockDir,
    runs: source.runsIn(range).map(bareRun),
    memoryBytes,
  };
}

function copied({ start, end: behind }: KeyRange): KeyRange {
  return { start: start.slice(), end: behind.slice() };
}

function bareRun(run: RunInfo): RunInfo {
  const firstKey = run.firstKey.slice();
  const lastKey = run.lastKey.slice();
  return { ...run, firstKey, lastKey, points: [], sources: [], note: new Uint8Array(0) };
}
