import type { Clock, EventSink } from "../base/mod.ts";

type Stage = "schema" | "encode" | "ingest" | "verify" | "finish";

/** Chunks and ranges come by the thousand; their figures are said at most so often, those of a new stage at once. */
const SAY_EVERY_MS = 50;

/** Counters of a run that become progress events. */
export class Progress {
  readonly #emit: EventSink;
  readonly #clock: Clock;
  #saidMs = Number.NEGATIVE_INFINITY;
  readonly sourceBytesTotal: number;
  sourceBytes = 0;
  rows = 0;
  ingestedBytes = 0;
  ingestedBytesTotal = 0;
  stage: Stage = "schema";
  table: string | undefined;

  constructor(emit: EventSink, clock: Clock, sourceBytesTotal: number) {
    this.#emit = emit;
    this.#clock = clock;
    this.sourceBytesTotal = sourceBytesTotal;
  }

  at(stage: Stage, table?: string): void {
    this.stage = stage;
    this.table = table;
    this.say();
  }

  encoded(rows: number, sourceBytes: number): void {
    this.rows += rows;
    this.sourceBytes += sourceBytes;
    this.#maySay();
  }

  ingested(bytes: number): void {
    this.ingestedBytes += bytes;
    this.#maySay();
  }

  #maySay(): void {
    if (this.#clock.monotonicMs() - this.#saidMs >= SAY_EVERY_MS) this.say();
  }

  say(): void {
    const { stage, table, sourceBytes, sourceBytesTotal, rows, ingestedBytes, ingestedBytesTotal } = this;
    this.#saidMs = this.#clock.monotonicMs();
    this.#emit({
      kind: "progress",
      stage,
      ...(table === undefined ? {} : { table }),
      sourceBytes,
      sourceBytesTotal,
      rows,
      ingestedBytes,
      ingestedBytesTotal,
    });
  }
}
