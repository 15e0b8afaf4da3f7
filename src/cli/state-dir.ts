import { existsSync, statSync } from "node:fs";
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
