import type { EventSink } from "../base/mod.ts";

type Stage = "schema" | "encode" | "ingest" | "verify" | "finish";

/** Counters of a run that become progress events. */
export class Progress {
  readonly #emit: EventSink;
  readonly sourceBytesTotal: number;
  sourceBytes = 0;
  rows = 0;
  ingestedBytes = 0;
  ingestedBytesTotal = 0;
  stage: Stage = "schema";
  table: string | undefined;

  constructor(emit: EventSink, sourceBytesTotal: number) {
    this.#emit = emit;
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
    this.say();
  }

  ingested(bytes: number): void {
    this.ingestedBytes += bytes;
    this.say();
  }

  say(): void {
    const { stage, table, sourceBytes, sourceBytesTotal, rows, ingestedBytes, ingestedBytesTotal } = this;
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
