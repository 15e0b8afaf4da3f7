import { command, flag, positional, string } from "cmd-ts";
import { systemFiles } from "../../base/mod.ts";
import { type JobState, jobHolder } from "../../importer/mod.ts";
import type { CommandIo } from "../io.ts";
import { lastError, readStateDirectory, stateDirectory } from "../state-dir.ts";

/** `levin status DIR`: how far the import of a state directory is; also while it runs. */
export const statusCommand = (io: CommandIo) =>
  command({
    name: "status",
    description: "Show how far the import of a state directory is.",
    args: {
      dir: positional({ type: string, displayName: "STATE-DIR" }),
      json: flag({ long: "json", description: "as one JSON line" }),
    },
    handler: async ({ dir, json }) => {
      // Before the state: a process that ends in between has written there that it is done.
      const process = await jobHolder(systemFiles, stateDirectory("show", dir), io.pid);
      const { path, state } = await readStateDirectory("show", dir);
      const error = state.done || process !== undefined ? undefined : lastError(path);
      const summary = { ...summaryOf(state), running: process !== undefined, process, error };
      io.stdout.write(json ? `${JSON.stringify(summary)}\n` : linesOf(summary));
      return 0;
    },
  });

interface StatusSummary {
  done: boolean;
  /** `tidb`: by statements, without pairs. */
  backend: string;
  startedAt: string;
  batches: {
    batch: number;
    stage: string;
    tables: number;
    chunksDone: number;
    /** Found so far while it is encoding. */
    chunks: number;
    runs: number;
    rangesDone: number;
  }[];
  /** Tables that were reset: the next run imports them anew. */
  forgotten: string[];
  tables: { table: string; rows: number; kvs: string; bytes: string; crc64xor: string; verified: boolean }[];
  running: boolean;
  /** That works at it. */
  process: string | undefined;
  /** What the last run ended with; undefined: it goes on, was killed, or ended well. */
  error?: { code: string; message: string } | undefined;
}

function summaryOf(state: JobState): Omit<StatusSummary, "running" | "process"> {
  return {
    done: state.done,
    backend: state.fingerprint?.["backend"] ?? "local",
    startedAt: new Date(state.startedMs).toISOString(),
    // A batch whose tables were all reset is empty.
    batches: state.batches
      .filter((batch) => batch.tables.length > 0)
      .map((batch) => ({
        batch: batch.id,
        stage: batch.ingested ? "ingested" : batch.encoded ? "ingesting" : "encoding",
        tables: batch.tables.length,
        chunksDone: batch.done.size,
        chunks: batch.chunks.length,
        runs: batch.runs.data.size + batch.runs.index.size,
        rangesDone: batch.ranges.data.size + batch.ranges.index.size,
      })),
    forgotten: [...state.forgiven.keys()],
    tables: [...state.tables].map(([table, { result, verified }]) => ({
      table,
      rows: result.rows,
      kvs: result.kvs,
      bytes: result.bytes,
      crc64xor: result.crc,
      verified,
    })),
  };
}

function chunksOf({ stage, chunks, chunksDone }: StatusSummary["batches"][number]): string {
  const isFinding = stage === "encoding";
  if (chunks === 0) return isFinding ? "no chunk yet" : "no chunk, as there are no rows";
  return `${chunksDone} of ${isFinding ? "at least " : ""}${chunks} chunks`;
}

function linesOf(summary: StatusSummary): string {
  const lines = [`import begun ${summary.startedAt}, ${summary.done ? "done" : "not done"}`];
  for (const batch of summary.batches) {
    const inCluster = `${batch.runs} runs, ${batch.rangesDone} ranges in the cluster`;
    const more = summary.backend === "tidb" ? "" : `, ${inCluster}`;
    lines.push(`batch ${batch.batch}: ${batch.stage}, ${batch.tables} tables, ${chunksOf(batch)}${more}`);
  }
  for (const table of summary.forgotten) lines.push(`${table}: forgotten; the next run imports it anew`);
  for (const table of summary.tables) {
    const pairs = summary.backend === "tidb" ? "" : `, ${table.kvs} pairs, ${table.bytes} bytes`;
    lines.push(`${table.table}: ${table.rows} rows${pairs}, ${table.verified ? "verified" : "not verified"}`);
  }
  if (summary.error !== undefined) lines.push(`the last run ended: ${summary.error.message} (${summary.error.code})`);
  if (summary.running) lines.push(`${summary.process} works at it`);
  else if (!summary.done) lines.push("no process runs: run the same command again to continue");
  return `${lines.join("\n")}\n`;
}
