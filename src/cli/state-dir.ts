import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { LevinError, systemFiles } from "../base/mod.ts";
import { type JobState, readJob } from "../importer/mod.ts";

function refuse(verb: string, dir: string, why: string): LevinError {
  return new LevinError("Levin:Command:ErrUsage", `Cannot ${verb} "${dir}": ${why}`, { fields: { dir } });
}

/** The absolute path of a state directory that the user names; a file or nothing is refused. `verb` is what was to be done with it. */
export function stateDirectory(verb: string, dir: string): string {
  const path = resolve(dir);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw refuse(verb, dir, "there is no such directory");
  if (!found.isDirectory())
    throw refuse(
      verb,
      dir,
      "it is a file; the state of an import is a directory, levin-state/NAME unless --state-dir says otherwise",
    );
  return path;
}

/** What the state directory says of its import. */
export async function readStateDirectory(verb: string, dir: string): Promise<{ path: string; state: JobState }> {
  const path = stateDirectory(verb, dir);
  const state = await readJob(systemFiles, path);
  if (state !== undefined) return { path, state };
  if (existsSync(join(path, "load.json")))
    throw refuse(verb, dir, `it is of a load; say levin load ${verb === "show" ? "status" : verb}`);
  throw refuse(verb, dir, "it holds no import: none has begun there, or it was reset");
}

/** Longer than the line of any error. */
const TAIL_BYTES = 64 * 1024;

/** The error that the last run ended with, which is the last line of its log then; undefined: it goes on, was killed, or ended well. */
export function lastError(dir: string): { code: string; message: string } | undefined {
  const path = join(dir, "levin.log");
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return undefined;
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const file = openSync(path, "r");
  try {
    readSync(file, tail, 0, tail.length, size - tail.length);
  } finally {
    closeSync(file);
  }
  try {
    const last = JSON.parse(tail.toString().trimEnd().split("\n").at(-1)!);
    if (last.kind !== "log" || last.level !== "error" || typeof last.fields?.code !== "string") return undefined;
    return { code: last.fields.code, message: String(last.message) };
  } catch {
    // A line that is being written.
    return undefined;
  }
}
