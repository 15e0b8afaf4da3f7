import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { LevinEvent } from "../base/mod.ts";

/** What `process_*` metrics show. */
export interface ProcessFigures {
  cpuSeconds: number;
  residentBytes: number;
  startSeconds: number;
}

const exponential = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start * factor ** i);

/**
 * Lightning's metrics that levin can fill, by the names, labels and buckets of pkg/lightning/metric/metric.go, so that its dashboards
 * and alerts go on working. What is measured a row at a time there is left out: levin takes no time a row.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #tables = this.#counter("tables", "count number of tables processed", ["state", "result"]);
  readonly #engines = this.#counter("engines", "count number of engines processed", ["state", "result"]);
  readonly #importerEngines = this.#counter("importer_engine", "counting open and closed importer engines", ["type"]);
  readonly #chunks = this.#counter("chunks", "count number of chunks processed", ["state"]);
  readonly #bytes = this.#counter("bytes", "count of total bytes", ["state"]);
  readonly #rows = this.#counter("rows", "count of total rows", ["state", "table"]);
  readonly #importSeconds = this.#histogram(
    "import_seconds",
    "time needed to import a table",
    exponential(0.125, 2, 6),
  );
  readonly #readBytes = this.#histogram(
    "row_read_bytes",
    "number of bytes being read out from data source",
    exponential(1024, 2, 8),
  );
  readonly #checksumSeconds = this.#histogram(
    "checksum_seconds",
    "time needed to complete the checksum stage",
    exponential(1, 2.2679331552660544, 10),
  );
  readonly #sstSeconds = this.#histogram(
    "sst_seconds",
    "time needed to complete the sst operations",
    exponential(1, 2.2679331552660544, 10),
    ["kind"],
  );
  readonly #storage = this.#gauge("local_storage_usage_bytes", "disk currently occupied by sorted pairs", ["medium"]);
  readonly #progress = this.#gauge("progress", "progress of lightning phase", ["phase"]);
  /** Bytes of sorted pairs on the disk, by batch. */
  readonly #onDisk = new Map<number, number>();
  #ingestedBytes = 0;

  constructor(figures: () => ProcessFigures) {
    const processGauge = (name: string, help: string, of: (now: ProcessFigures) => number): void => {
      const collect = function (this: Gauge): void {
        this.set(of(figures()));
      };
      this.registry.registerMetric(new Gauge({ name, help, collect, registers: [] }));
    };
    processGauge("process_resident_memory_bytes", "Resident memory size in bytes.", (now) => now.residentBytes);
    processGauge(
      "process_start_time_seconds",
      "Start time of the process since unix epoch in seconds.",
      (now) => now.startSeconds,
    );
    const cpu = new Counter({
      name: "process_cpu_seconds_total",
      help: "Total user and system CPU time spent in seconds.",
      registers: [],
      collect() {
        cpu.reset();
        cpu.inc(figures().cpuSeconds);
      },
    });
    this.registry.registerMetric(cpu);
  }

  /** Everything from zero, for the next task. */
  reset(): void {
    this.registry.resetMetrics();
    this.#onDisk.clear();
    this.#ingestedBytes = 0;
  }

  note(event: LevinEvent): void {
    switch (event.kind) {
      case "table-start":
        this.#tables.inc({ state: "pending", result: "success" });
        this.#bytes.inc({ state: "total_restore" }, event.sizeBytes);
        return;
      case "chunk":
        this.#noteChunk(event);
        return;
      case "engine":
        this.#noteEngine(event);
        return;
      case "timing":
        this.#noteTiming(event.what, event.ms / 1000);
        return;
      case "progress":
        this.#noteProgress(event);
        return;
      case "table-done":
        this.#tables.inc({ state: "completed", result: event.ok ? "success" : "failure" });
        return;
      default:
    }
  }

  #noteChunk(event: LevinEvent & { kind: "chunk" }): void {
    if (event.state === "pending") {
      this.#chunks.inc({ state: "estimated" });
      this.#chunks.inc({ state: "pending" });
      return;
    }
    this.#chunks.inc({ state: "finished" });
    this.#readBytes.observe(event.sourceBytes);
    this.#bytes.inc({ state: "restored" }, event.sourceBytes);
    this.#bytes.inc({ state: "written" }, event.bytes ?? 0);
    this.#rows.inc({ state: "restored", table: event.table }, event.rows ?? 0);
  }

  #noteEngine(event: LevinEvent & { kind: "engine" }): void {
    switch (event.state) {
      case "opened":
        this.#importerEngines.inc({ type: "open" });
        break;
      case "closed":
        this.#onDisk.set(event.batch, event.bytes);
        this.#importerEngines.inc({ type: "closed" });
        this.#engines.inc({ state: "closed", result: "success" });
        break;
      case "imported":
        this.#engines.inc({ state: "imported", result: "success" });
        break;
      case "removed":
        this.#onDisk.delete(event.batch);
    }
    let bytes = 0;
    for (const one of this.#onDisk.values()) bytes += one;
    this.#storage.set({ medium: "disk" }, bytes);
  }

  #noteTiming(what: (LevinEvent & { kind: "timing" })["what"], seconds: number): void {
    if (what === "import") this.#importSeconds.observe(seconds);
    else if (what === "checksum") this.#checksumSeconds.observe(seconds);
    else this.#sstSeconds.observe({ kind: what }, seconds);
  }

  #noteProgress(event: LevinEvent & { kind: "progress" }): void {
    const part = (done: number, of: number): number => (of === 0 ? 0 : Math.min(1, done / of));
    const restore = part(event.sourceBytes, event.sourceBytesTotal);
    const ingest = part(event.ingestedBytes, event.ingestedBytesTotal);
    this.#progress.set({ phase: "restore" }, restore);
    this.#progress.set({ phase: "import" }, ingest);
    this.#progress.set({ phase: "total" }, (restore + ingest) / 2);
    if (event.ingestedBytes > this.#ingestedBytes) {
      this.#bytes.inc({ state: "imported" }, event.ingestedBytes - this.#ingestedBytes);
      this.#ingestedBytes = event.ingestedBytes;
    }
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `lightning_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `lightning_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
    return new Histogram({ name: `lightning_${name}`, help, labelNames, buckets, registers: [this.registry] });
  }
}
