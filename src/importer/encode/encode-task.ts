import { assert, type Files, LevinError } from "../../base/mod.ts";
import { PairArena } from "../../engine/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { SpareBuffers, type Storage } from "../../source/mod.ts";
import { RowMarker } from "../conflict/row-marker.ts";
import type { ImportWorld } from "../world.ts";
import { BatchEncoder, PROGRESS_ROWS } from "./batch-encoder.ts";
import { type FromWorker, type ToWorker, type WarningCountMessage, type WorkerSetup, workerTable } from "./messages.ts";

type EncodeWorld = Pick<ImportWorld, "openStorage" | "openKvDb" | "collectGarbage"> & { files: Files };

/** Text of table models behind which it is time to collect: what was made of a model takes ten times as much. */
const GARBAGE_MODEL_BYTES = 512 << 10;

/**
 * What an encode worker does, wherever it runs: opens the batch's directory as a writer, takes chunks one after the other, reports
 * committed runs. All work inside a chunk is synchronous but for reading the next window and writing a run.
 */
export class EncodeTask {
  readonly #setup: WorkerSetup;
  readonly #world: EncodeWorld;
  readonly #send: (message: FromWorker) => void;
  readonly #data: PairArena;
  readonly #index: PairArena;
  #storage: Storage | undefined;
  #kvdb: KvDb | undefined;
  #encoder: BatchEncoder | RowMarker | undefined;
  #tail: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();
  readonly #spare: SpareBuffers;
  /** Taken and not told yet. */
  #rows = 0;
  #sourceBytes = 0;
  /** Text of the models that came since garbage was collected. */
  #modelBytes = 0;

  constructor(setup: WorkerSetup, world: EncodeWorld, send: (message: FromWorker) => void) {
    this.#setup = setup;
    this.#world = world;
    this.#send = send;
    this.#data = new PairArena({ capacityBytes: setup.sizes.dataArenaBytes });
    this.#index = new PairArena({ capacityBytes: setup.sizes.indexArenaBytes });
    this.#spare = new SpareBuffers(2 * setup.sizes.windowBytes);
  }

  /**
   * Gives up the message that is under way and closes what is open. A thread that ends while LevelDB's native code works for it may take the
   * whole process with it, so this comes before its end.
   */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the worker is to end"));
    await this.#tail;
    await this.#kvdb?.close();
    this.#kvdb = undefined;
  }

  /** Messages are worked off in their order; each is answered by "ready" or "failed". */
  take(message: ToWorker): void {
    this.#tail = this.#tail
      .then(() => this.#work(message))
      .catch((thrown) => {
        const { code, message: words, fields } = LevinError.from(thrown);
        const stack = thrown instanceof Error ? thrown.stack : undefined;
        this.#send({ kind: "failed", code, message: words, fields, stack });
      });
  }

  async #work(message: ToWorker): Promise<void> {
    this.#stop.signal.throwIfAborted();
    switch (message.kind) {
      case "batch":
        this.#storage ??= await this.#world.openStorage(this.#setup.sourceDir, this.#setup.bucket);
        this.#kvdb = await this.#world.openKvDb(message.dir, { shared: true });
        this.#encoder = await this.#open(this.#storage, this.#kvdb, message);
        return this.#ready([]);
      case "mark":
        this.#storage ??= await this.#world.openStorage(this.#setup.sourceDir, this.#setup.bucket);
        this.#kvdb = await this.#world.openKvDb(message.dir, { shared: true });
        this.#encoder = await this.#mark(this.#storage, this.#kvdb, message);
        return this.#ready([]);
      case "chunk":
        assert(this.#encoder !== undefined, "a chunk comes after its batch");
        await this.#encoder.encode(message.id, message.chunk, message.table && workerTable(message.table));
        this.#ready([]);
        return this.#collect(message.table?.modelText ?? "");
      case "finish": {
        await this.#encoder?.flush();
        const warnings = this.#encoder?.warnings() ?? [];
        this.#encoder = undefined;
        await this.#kvdb?.close();
        this.#kvdb = undefined;
        this.#ready(warnings);
      }
    }
  }

  /** Encoders of tables that are done with; a worker's heap is mostly its arenas, and garbage would come to as much. */
  #collect(modelText: string): void {
    this.#modelBytes += modelText.length;
    if (this.#modelBytes < GARBAGE_MODEL_BYTES) return;
    this.#modelBytes = 0;
    this.#world.collectGarbage();
  }

  /** Of small chunks the next answer tells: a message costs more than their rows. */
  #note(rows: number, sourceBytes: number): void {
    this.#rows += rows;
    this.#sourceBytes += sourceBytes;
    if (this.#rows < PROGRESS_ROWS) return;
    this.#send({ kind: "progress", ...this.#takeProgress() });
  }

  #ready(warnings: WarningCountMessage[]): void {
    this.#send({ kind: "ready", warnings, ...this.#takeProgress() });
  }

  #takeProgress(): { rows: number; sourceBytes: number } {
    const progress = { rows: this.#rows, sourceBytes: this.#sourceBytes };
    this.#rows = 0;
    this.#sourceBytes = 0;
    return progress;
  }

  #open(storage: Storage, kvdb: KvDb, batch: Extract<ToWorker, { kind: "batch" }>): Promise<BatchEncoder> {
    const { sizes, ...setup } = this.#setup;
    this.#data.clear();
    this.#index.clear();
    return BatchEncoder.open({
      storage,
      kvdb,
      session: setup.session,
      data: this.#data,
      index: this.#index,
      windowBytes: sizes.windowBytes,
      compatLightning: setup.compatLightning,
      invalidReplacement: setup.invalidReplacement,
      allowShortRows: setup.allowShortRows,
      typeErrorsMax: setup.typeErrorsMax,
      ...(setup.bulkBytesMin === undefined ? {} : { bulkBytesMin: setup.bulkBytesMin }),
      flushBytes: { data: sizes.dataArenaBytes / 2, index: sizes.indexArenaBytes / 2 },
      dir: batch.dir,
      blocks: batch.blocks,
      files: this.#world.files,
      oneEngine: batch.oneEngine,
      firstRun: batch.firstRun,
      signal: this.#stop.signal,
      spare: this.#spare,
      onProgress: (rows, sourceBytes) => this.#note(rows, sourceBytes),
      onRejected: (chunk, rows) => this.#send({ kind: "rejected", chunk, rows }),
      onFlushed: (runs, chunks) => this.#send({ kind: "flushed", runs, chunks }),
    });
  }

  #mark(storage: Storage, kvdb: KvDb, message: Extract<ToWorker, { kind: "mark" }>): Promise<RowMarker> {
    const { sizes, ...setup } = this.#setup;
    this.#data.clear();
    return RowMarker.open({
      ...setup,
      storage,
      kvdb,
      arena: this.#data,
      windowBytes: sizes.windowBytes,
      tables: message.tables,
      keys: message.keys,
      firstRun: message.firstRun,
      signal: this.#stop.signal,
      spare: this.#spare,
      onProgress: () => undefined,
    });
  }
}
