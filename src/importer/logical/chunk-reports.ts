import { joinPath, textOf, utf8 } from "../../base/mod.ts";
import type { StatementReport } from "../../logical/mod.ts";
import {
  type ConflictLine,
  type MergedConflicts,
  mergeConflicts as mergeFound,
  reportDir,
  type SourcePlace,
} from "../conflict/conflict-report.ts";
import type { RejectedRow } from "../encode/rejected-row.ts";
import { ofChunks, readParts, writeRejected } from "../reports.ts";
import type { LogicalContext } from "./context.ts";

/** What one statement had to report. */
interface Entry {
  position: number;
  conflicts: number;
  lines: ConflictLine[];
  refused: RejectedRow[];
}

const partName = (batch: number, chunk: number): string => `${batch}-${chunk}.json`;

/**
 * The reports of one chunk, on disk before the statement they belong to is committed. After a kill the entries of statements that were not
 * committed are taken out again.
 */
export class ChunkReports {
  readonly #context: LogicalContext;
  readonly #batch: number;
  readonly #chunk: number;
  readonly #table: string;
  readonly #path: string;
  #entries: Entry[] = [];

  constructor(context: LogicalContext, batch: number, chunk: number, table: string) {
    this.#context = context;
    this.#batch = batch;
    this.#chunk = chunk;
    this.#table = table;
    this.#path = joinPath(reportDir(context.options.stateDir), partName(batch, chunk));
  }

  get conflicts(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.conflicts, 0);
  }

  get refused(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.refused.length, 0);
  }

  get named(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.lines.length, 0);
  }

  /** The chunk goes on behind row `position`. */
  async begin(position: number): Promise<void> {
    const found = await this.#context.env.files.read(this.#path);
    if (found === undefined) return;
    const entries = JSON.parse(textOf(found)) as Entry[];
    this.#entries = entries.filter((entry) => entry.position <= position);
    if (this.#entries.length < entries.length) await this.#write();
  }

  async add({ position, conflictCount, conflicts, refused }: StatementReport): Promise<void> {
    const { options } = this.#context;
    const replaced = options.conflict?.strategy === "replace";
    const lines = conflicts.map(({ place, index, value }) => ({
      table: this.#table,
      index,
      value,
      dropped: replaced ? null : place,
      kept: replaced ? place : null,
    }));
    const rows = refused.map(({ place, column, error, text }) => ({
      table: this.#table,
      ...place,
      column,
      text,
      error,
    }));
    // A statement that is repeated reports again.
    this.#entries = this.#entries.filter((entry) => entry.position < position);
    this.#entries.push({ position, conflicts: conflictCount, lines, refused: rows });
    await this.#write();
    const all = this.#entries.flatMap((entry) => entry.refused);
    if (all.length > 0) await writeRejected(this.#context, this.#batch, this.#chunk, all);
  }

  /** The row that ends the import, and the one that it meets; forgotten when the import goes on. */
  async end(
    dropped: SourcePlace,
    found: Pick<ConflictLine, "index" | "value" | "target">,
    twin: SourcePlace | undefined,
  ) {
    const { index, value, target } = found;
    const line = { table: this.#table, index, value, dropped, kept: twin ?? null, target };
    this.#entries.push({ position: Number.MAX_SAFE_INTEGER, conflicts: 1, lines: [line], refused: [] });
    await this.#write();
  }

  async #write(): Promise<void> {
    const { options, env } = this.#context;
    await env.files.makeDir(reportDir(options.stateDir));
    await env.files.replace(this.#path, utf8(JSON.stringify(this.#entries)));
  }
}

/** Puts conflicts together, those found before anything was sent, then those that the target told, in the order of the source. */
export async function mergeConflicts(context: LogicalContext): Promise<MergedConflicts | undefined> {
  const { env, job, options } = context;
  const max = options.conflict?.maxRecordRows ?? 0;
  const found = await mergeFound(context);
  const lines: string[] = [];
  let rows = found !== undefined && "rows" in found ? found.rows : 0;
  for await (const part of readParts(env.files, reportDir(options.stateDir), ofChunks(job.state, partName))) {
    for (const entry of JSON.parse(textOf(part)) as Entry[]) {
      rows += entry.conflicts;
      for (const line of entry.lines) lines.push(`${JSON.stringify(line)}\n`);
    }
  }
  if (rows === 0 && lines.length === 0) return found;
  const path = joinPath(options.stateDir, "reports", "conflicts.ndjson");
  // Beyond the limit of the report they are counted only.
  if (lines.length === 0) return found !== undefined && "keys" in found ? found : { rows, path };
  const before = found === undefined ? [] : textLines(await env.files.read(found.path));
  const all = [...before, ...lines].slice(0, max);
  await env.files.replace(path, utf8(all.join("")));
  return options.conflict?.strategy === "error" ? { keys: all.length, path } : { rows, path };
}

const textLines = (bytes: Uint8Array | undefined): string[] =>
  new TextDecoder()
    .decode(bytes)
    .split("\n")
    .slice(0, -1)
    .map((line) => `${line}\n`);
