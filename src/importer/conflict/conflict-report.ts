import { joinBytes, joinPath, textOf, toHex, utf8 } from "../../base/mod.ts";
import { splitKey } from "../../codec/mod.ts";
import { describePair } from "../../encoder/mod.ts";
import type { TableInfo } from "../../schema/mod.ts";
import type { RunContext } from "../context.ts";
import { readParts } from "../reports.ts";
import type { EntryPlace } from "./row-entries.ts";

/** Where a row stands in the source. */
export interface SourcePlace {
  file: string;
  /** From 1, in its file or piece of a file. */
  row: number;
  /** Of its first byte in the decompressed file. */
  byte: number;
}

/** A row that is not in the table in the end because another one has its key: a line of the report. */
export interface ConflictLine {
  table: string;
  index: string;
  value: string;
  /** null: a row that was in the table before; where statements decide, one that the server did not name. */
  dropped: SourcePlace | null;
  kept: SourcePlace | null;
  /** The row of the target, where it is known: what a WHERE clause says of it. */
  target?: string | undefined;
}

/** Whether the run looks for rows in each other's way before it ingests anything. */
export function looksForConflicts({ options }: Pick<RunContext, "options">): boolean {
  return (options.conflict?.strategy ?? "") !== "";
}

/** Index and value of a key in words; "PRIMARY" where the key is the row's own. */
export function keyWords(
  info: TableInfo,
  key: Uint8Array,
  session: { newCollations: boolean; timeZone: string },
): { index: string; value: string } {
  const parts = splitKey(key);
  const lines = describePair(info, toHex(key), undefined, session);
  if (parts.kind === "record") return { index: "PRIMARY", value: lines[1]!.replace("record, handle ", "") };
  const id = parts.kind === "index" ? Number(parts.indexId) : 0;
  const index = (info.index_info ?? []).find((one) => one.id === id)?.idx_name.O ?? String(id);
  const values = lines
    .slice(2)
    .filter((line) => line.startsWith("  column "))
    .map((line) => line.slice(line.indexOf(": ") + 2));
  return { index, value: values.length === 1 ? values[0]! : `(${values.join(", ")})` };
}

export function sourcePlace(place: EntryPlace, pathOf: (chunk: number) => string): SourcePlace {
  return { file: pathOf(place.chunk), row: place.row, byte: place.byte };
}

/** For people; null: a row that was in the table before, which `target` may name. */
export function placeWords(place: SourcePlace | null, target?: string): string {
  if (place !== null) return `row ${place.row} of "${place.file}" (byte ${place.byte})`;
  return target === undefined ? "a row of the target" : `the row ${target} of the target`;
}

/** The part of one batch; the same bytes whenever it is written again. */
export const reportPart = (batch: number): string => `${batch}.ndjson`;
export const reportDir = (stateDir: string): string => joinPath(stateDir, "reports", "conflicts");

export function reportText(lines: readonly ConflictLine[]): Uint8Array {
  return utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** What the report of all batches holds: rows that gave way; under `error`, keys that another row had first, of which a row may have several. */
export type MergedConflicts = { rows: number; path: string } | { keys: number; path: string };

export function conflictWords(found: MergedConflicts, { conflict }: Pick<RunContext["options"], "conflict">): string {
  if ("rows" in found) return `${found.rows} rows are in the way of others; see ${found.path}`;
  const atLeast = found.keys === conflict?.maxRecordRows ? "at least " : "";
  return `times that a row has a key of another one: ${atLeast}${found.keys}; see ${found.path}`;
}

/** Puts the batches' parts together; undefined where nothing is in the way of anything. */
export async function mergeConflicts({
  env,
  job,
  options,
}: Pick<RunContext, "env" | "job" | "options">): Promise<MergedConflicts | undefined> {
  const parts: Uint8Array[] = [];
  let losers = 0;
  let left = options.conflict?.maxRecordRows ?? 0;
  for (const batch of job.state.batches) losers += batch?.conflicts?.losers ?? 0;
  const names = job.state.batches.flatMap((batch) => (batch === undefined ? [] : [reportPart(batch.id)]));
  for await (const part of readParts(env.files, reportDir(options.stateDir), names)) {
    const lines = textOf(part).split("\n").slice(0, -1).slice(0, left);
    left -= lines.length;
    for (const line of lines) parts.push(utf8(`${line}\n`));
  }
  if (losers === 0 && parts.length === 0) return undefined;
  const path = joinPath(options.stateDir, "reports", "conflicts.ndjson");
  await env.files.replace(path, joinBytes(parts));
  if (options.conflict?.strategy === "error") return { keys: parts.length, path };
  return { rows: Math.max(losers, parts.length), path };
}
