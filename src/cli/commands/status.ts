import { resolve } from "node:path";
import { command, flag, positional, string } from "cmd-ts";
import { LevinError, systemFiles } from "../../base/mod.ts";
import { type JobState, readJob } from "../../importer/mod.ts";
import type { CommandIo } from "../io.ts";

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
      const state = await readJob(systemFiles, resolve(dir));
      if (state === undefined) {
        throw new LevinError("Levin:Command:ErrUsage", `Cannot show "${dir}": it holds no import`);
      }
      const summary = summaryOf(state);
      io.stdout.write(json ? `${JSON.stringify(summary)}\n` : linesOf(summary));
      return 0;
    },
  });

interface StatusSummary {
  done: boolean;
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
  tables: { table: string; rows: number; kvs: string; bytes: string; crc64xor: string; verified: boolean }[];
}

function summaryOf(state: JobState): StatusSummary {
  return {
    done: state.done,
    startedAt: new Date(state.startedMs).toISOString(),
    batches: state.batches.map((batch) => ({
      batch: batch.id,
      stage: batch.ingested ? "ingested" : batch.encoded ? "ingesting" : "encoding",
      tables: batch.tables.length,
      chunksDone: batch.done.size,
      chunks: batch.chunks.length,
      runs: batch.runs.data.size + batch.runs.index.size,
      rangesDone: batch.ranges.data.size + batch.ranges.index.size,
    })),
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

function linesOf(summary: StatusSummary): string {
  const lines = [`import begun ${summary.startedAt}, ${summary.done ? "done" : "not done"}`];
  for (const batch of summary.batches) {
    const found = batch.stage === "encoding" ? `at least ${batch.chunks}` : batch.chunks;
    const chunks = `${batch.chunksDone} of ${found} chunks`;
    lines.push(
      `batch ${batch.batch}: ${batch.stage}, ${batch.tables} tables, ${chunks}, ${batch.runs} runs, ${batch.rangesDone} ranges in the cluster`,
    );
  }
  for (const table of summary.tables) {
    lines.push(
      `${table.table}: ${table.rows} rows, ${table.kvs} pairs, ${table.bytes} bytes, ${table.verified ? "verified" : "not verified"}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
