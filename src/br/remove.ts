import { LevinError } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import type { BrPaths } from "./layout.ts";

const PARALLEL = 4;
/** So many files may stay behind before removal is an error; BR has the same number. */
const FAILURES_MAX = 15;

/** What removal deletes: BR's own files below the checkpoint, the mark of a task that can be resumed first. */
export interface RemovalPlan {
  /** One after the other, in this order: once they are gone, nobody takes the checkpoint for one to resume. */
  first: string[];
  rest: string[];
}

const OWN = /\.(cpt|meta|lock)$/;

export async function planRemoval(storage: ObjectStorage, paths: BrPaths): Promise<RemovalPlan> {
  const marks = [...(paths.taskInfo === undefined ? [] : [paths.taskInfo]), paths.meta];
  const folders = paths.root === undefined ? [paths.dataDir, paths.checksumDir] : [paths.root];
  const listed = (await Promise.all(folders.map((folder) => storage.list(folder)))).flat().map(({ name }) => name);
  // The oldest layout has names without a suffix in folders that are the checkpoint's own.
  const own = listed.filter((name) => OWN.test(name) || (paths.root === undefined && !name.includes(".tmp")));
  if (paths.root === undefined && paths.lock !== undefined) own.push(paths.lock);
  const first: string[] = [];
  for (const mark of marks) if (own.includes(mark) || (await storage.read(mark)) !== undefined) first.push(mark);
  return { first, rest: own.filter((name) => !first.includes(name)) };
}

export interface Removed {
  removed: number;
  /** Files that could not be deleted. */
  left: string[];
}

/**
 * Removes a checkpoint; foreign files and folders stay. Safe to repeat after a failure. Errors: Levin:Br:ErrStorage when a mark cannot be
 * removed (nothing else was touched then), or at the 16th other file.
 */
export async function removeCheckpoint(storage: ObjectStorage, plan: RemovalPlan): Promise<Removed> {
  for (const name of plan.first) await storage.remove(name, true);
  const waiting = [...plan.rest];
  const left: string[] = [];
  let removed = plan.first.length;
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      try {
        await storage.remove(name);
        removed++;
      } catch (error) {
        left.push(name);
        if (left.length <= FAILURES_MAX) continue;
        waiting.length = 0;
        throw new LevinError(
          "Levin:Br:ErrStorage",
          `failed to delete too many files: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error, fields: { left: left.length } },
        );
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { removed, left };
}
