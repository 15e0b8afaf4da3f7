import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemFiles } from "../../base/mod.ts";
import { readJob } from "../../importer/mod.ts";
import { readJson } from "../import-options.ts";
import type { LoadTask } from "./task.ts";

/** A file that is there while a process loads: beside a socket that nobody listens on it tells that the process was killed. */
const FILE = "running.json";

interface Begun {
  task: string;
  source: string;
  dir: string;
  begunAt: string;
}

/** Of a load whose process was killed: what its journal says. */
export interface KilledLoad extends Begun {
  state: "killed";
  /** Rows and chunks that are through: with statements in the target, with pairs encoded or further. */
  rows: number;
  chunksDone: number;
  tablesDone: number;
}

export function markRunning({ subtask, stateDir }: LoadTask, nowMs: number): void {
  const { name: task, sourceId: source, loader } = subtask;
  const begun: Begun = { task, source, dir: loader.dir, begunAt: new Date(nowMs).toISOString() };
  const path = join(stateDir, FILE);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(begun)}\n`);
  renameSync(`${path}.tmp`, path);
}

export function unmarkRunning(stateDir: string): void {
  rmSync(join(stateDir, FILE), { force: true });
}

/** To be asked when no load answers; undefined: the last one has come to its own end. */
export async function killedLoad(stateDir: string): Promise<KilledLoad | undefined> {
  const path = join(stateDir, FILE);
  if (!existsSync(path)) return undefined;
  const begun = readJson(path, "what was begun") as Begun;
  return { state: "killed", ...begun, ...(await importedSoFar(stateDir)) };
}

/** What the journal of the load's import says. */
export async function importedSoFar(
  stateDir: string,
): Promise<{ rows: number; chunksDone: number; tablesDone: number }> {
  const job = await readJob(systemFiles, join(stateDir, "import"));
  let rows = 0;
  let chunksDone = 0;
  for (const batch of job?.batches ?? []) {
    for (const chunk of batch?.done.values() ?? []) {
      rows += chunk.rows;
      chunksDone++;
    }
  }
  return { rows, chunksDone, tablesDone: job?.tables.size ?? 0 };
}

export function killedLines(
  stateDir: string,
  { task, source, begunAt, rows, chunksDone, tablesDone }: KilledLoad,
): string {
  const far = chunksDone === 0 ? "no chunk was through" : `${rows} rows in ${chunksDone} chunks were through`;
  return (
    `${task}, ${source}: was killed (or its host went down), begun at ${begunAt}; levin load resume ${stateDir} continues\n` +
    `${far}, ${tablesDone} tables done\n`
  );
}
