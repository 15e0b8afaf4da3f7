import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ProcessError } from "../../load/mod.ts";
import { readJson } from "../import-options.ts";
import { elapsedText, sizeText } from "../output/text.ts";

/** What a load leaves in its state directory when it ends, beside DM's status. */
export interface LoadSummary {
  task: string;
  source: string;
  state: string;
  dir: string;
  endedAt: string;
  progress: string;
  totalBytes: string;
  metaBinlog: string;
  metaBinlogGTID: string;
  rows: number;
  /** Absent in those of older versions. */
  changedValues?: number;
  elapsedMs: number;
  errors: ProcessError[];
}

/** Of the last load that has ended there; undefined: none has. Throws `Levin:Config:ErrInvalid` where it is no JSON. */
export function readSummary(stateDir: string): LoadSummary | undefined {
  const path = join(stateDir, "summary.json");
  return existsSync(path) ? (readJson(path, "the summary") as LoadSummary) : undefined;
}

export function errorLine({ ErrCode, Message, RawCause }: ProcessError): string {
  return `error ${ErrCode}: ${Message || RawCause}`;
}

export function summaryLines(summary: LoadSummary): string {
  const { task, source, state, endedAt, elapsedMs, progress, totalBytes, rows, metaBinlog, metaBinlogGTID } = summary;
  const lines = [
    `${task}, ${source}: ${state} at ${endedAt}, after ${elapsedText(elapsedMs)}`,
    `${progress} of ${sizeText(Number(totalBytes))}, ${rows} rows, from ${summary.dir}`,
  ];
  if (metaBinlog !== "") lines.push(`position ${metaBinlog}${metaBinlogGTID === "" ? "" : `, gtid ${metaBinlogGTID}`}`);
  if ((summary.changedValues ?? 0) > 0)
    lines.push(`${summary.changedValues} values were changed by the SQL mode, see levin.log`);
  for (const error of summary.errors) lines.push(errorLine(error));
  return `${lines.join("\n")}\n`;
}
