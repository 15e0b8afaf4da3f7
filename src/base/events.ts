/**
 * One stream of typed events: progress display, logs, `--json` output, metrics and tests are listeners. Nothing in the pipeline
 * prints; it emits.
 */
export type LevinEvent =
  | { kind: "log"; level: "debug" | "info" | "warn" | "error"; message: string; fields?: Record<string, unknown> }
  | { kind: "plan"; lines: string[]; fields?: Record<string, unknown> }
  | { kind: "file"; path: string; verdict: string; detail?: string; sizeBytes: number }
  | { kind: "check"; check: string; status: "ok" | "warning" | "failed" | "skipped"; detail: string }
  | { kind: "table-start"; table: string; sizeBytes: number; files: number }
  | {
      kind: "progress";
      /** Stage of the whole run. */
      stage: "schema" | "encode" | "ingest" | "verify" | "finish";
      table?: string;
      /** Source bytes encoded so far, of the whole run. */
      sourceBytes: number;
      sourceBytesTotal: number;
      rows: number;
      /** Bytes of pairs ingested so far. */
      ingestedBytes: number;
      ingestedBytesTotal: number;
    }
  | {
      kind: "chunk";
      /** Planned, or all of its pairs are in committed runs. */
      state: "pending" | "finished";
      table: string;
      path: string;
      /** Byte of the file. */
      start: number;
      sourceBytes: number;
      /** Of a finished chunk. */
      rows?: number;
      kvs?: number;
      bytes?: number;
    }
  | {
      kind: "engine";
      /** Encoding begins; all pairs are in it; they are in the cluster; its files are gone. */
      state: "opened" | "closed" | "imported" | "removed";
      batch: number;
      /** Of the sorted pairs. */
      bytes: number;
    }
  | { kind: "timing"; what: "split" | "write" | "ingest" | "checksum" | "import"; ms: number }
  | {
      kind: "table-done";
      table: string;
      rows: number;
      kvs: bigint;
      bytes: bigint;
      /** Local CRC-64 xor. */
      localCrc: bigint;
      remoteCrc: bigint | undefined;
      /** Of an import by statements, which has no pairs and no checksum: rows that the target has; undefined: they were not counted. */
      byStatements?: { counted: number | undefined };
      ok: boolean;
      detail?: string;
    }
  | {
      kind: "summary";
      rows: number;
      sourceBytes: number;
      tables: number;
      elapsedMs: number;
      exitCode: number;
      detail?: string;
    };

export type EventSink = (event: LevinEvent) => void;
