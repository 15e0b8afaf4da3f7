import { LevinError, type LevinEvent } from "../base/mod.ts";
import type { Metrics } from "./metrics.ts";

/** As in lightning/pkg/web/progress.go; 0 is "not begun". */
const RUNNING = 1;
const COMPLETED = 2;

/** Steps of a table as Lightning's checkpoints number them (pkg/lightning/checkpoints/checkpoints.go). */
const LOADED = 30;
const ALL_WRITTEN = 60;
const IMPORTED = 120;
const CHECKSUMMED = 180;

interface ChunkView {
  path: string;
  start: number;
  sourceBytes: number;
  rows: number;
  finished: boolean;
}

interface TableView {
  sizeBytes: number;
  writtenBytes: number;
  status: number;
  step: number;
  message: string | undefined;
  chunks: Map<string, ChunkView>;
  /** Chunks that are not finished. */
  open: number;
  sums: { crc: bigint; kvs: bigint; bytes: bigint } | undefined;
}

/** What is known of the current task, from its events: the JSON of `/progress/task` and `/progress/table`, and the metrics. */
export class RunMonitor {
  readonly metrics: Metrics;
  #tables = new Map<string, TableView>();
  #status = 0;
  #message: string | undefined;

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  begin(): void {
    this.metrics.reset();
    this.#tables = new Map();
    this.#status = RUNNING;
    this.#message = undefined;
  }

  /** The task has ended; `thrown` is why it failed. */
  end(thrown?: unknown): void {
    this.#status = COMPLETED;
    this.#message = thrown === undefined ? undefined : LevinError.from(thrown).message;
  }

  note(event: LevinEvent): void {
    this.metrics.note(event);
    switch (event.kind) {
      case "table-start":
        this.#tables.set(event.table, {
          sizeBytes: event.sizeBytes,
          writtenBytes: 0,
          status: 0,
          step: LOADED,
          message: undefined,
          chunks: new Map(),
          open: 0,
          sums: undefined,
        });
        return;
      case "chunk":
        this.#noteChunk(event);
        return;
      case "engine":
        // Tables share engines; those that have begun and have no chunk left are in it.
        if (event.state === "imported") this.#noteImported();
        return;
      case "table-done": {
        const table = this.#tables.get(event.table);
        if (table === undefined) return;
        table.status = COMPLETED;
        table.step = event.ok ? CHECKSUMMED : IMPORTED;
        table.writtenBytes = table.sizeBytes;
        table.message = event.ok ? undefined : event.detail;
        table.sums = { crc: event.localCrc, kvs: event.kvs, bytes: event.bytes };
        return;
      }
      default:
    }
  }

  #noteChunk(event: LevinEvent & { kind: "chunk" }): void {
    const table = this.#tables.get(event.table);
    if (table === undefined) return;
    const { path, start, sourceBytes, rows = 0 } = event;
    const finished = event.state === "finished";
    table.status = RUNNING;
    const name = `${path}:${start}`;
    if (table.chunks.get(name)?.finished === false) table.open--;
    table.chunks.set(name, { path, start, sourceBytes, rows, finished });
    if (!finished) {
      table.open++;
      return;
    }
    table.writtenBytes += sourceBytes;
    if (table.open === 0) table.step = ALL_WRITTEN;
  }

  #noteImported(): void {
    for (const table of this.#tables.values()) if (table.step === ALL_WRITTEN) table.step = IMPORTED;
  }

  /** Body of `/progress/task`: `w` written, `z` size, `s` status, `m` message, by table in backquotes. */
  task(): unknown {
    const t: Record<string, unknown> = {};
    for (const [name, { writtenBytes, sizeBytes, status, message }] of this.#tables) {
      t[quoted(name)] = { w: writtenBytes, z: sizeBytes, s: status, ...(message === undefined ? {} : { m: message }) };
    }
    return { t, s: this.#status, ...(this.#message === undefined ? {} : { m: this.#message }) };
  }

  /** Body of `/progress/table`, with the names of Lightning's TableCheckpoint that its page reads; undefined: no such table. */
  table(name: string): unknown {
    for (const [plain, table] of this.#tables) if (quoted(plain) === name || plain === name) return checkpointOf(table);
    return undefined;
  }
}

function checkpointOf({ step, chunks, sums }: TableView): unknown {
  const list = [...chunks.values()].map(({ path, start, sourceBytes, rows, finished }) => ({
    Key: { Path: path, Offset: start },
    Chunk: { Offset: finished ? start + sourceBytes : start, EndOffset: start + sourceBytes, RowIDMax: rows },
  }));
  return {
    Status: step,
    Engines: { 0: { Status: step, Chunks: list } },
    ...(sums === undefined
      ? {}
      : { Checksum: { checksum: String(sums.crc), size: String(sums.bytes), kvs: String(sums.kvs) } }),
  };
}

/** `db.table` as Lightning names tables: each part in backquotes. */
function quoted(name: string): string {
  const dot = name.indexOf(".");
  const part = (text: string): string => `\`${text.replaceAll("`", "``")}\``;
  return `${part(name.slice(0, dot))}.${part(name.slice(dot + 1))}`;
}
