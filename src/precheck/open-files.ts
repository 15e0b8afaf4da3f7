import { textOf } from "../base/mod.ts";
import type { Check } from "./check.ts";

/** LevelDB's tables of two batches, a file a worker, connections, and room to spare. */
const NEEDED = 512;

/** The process may open enough files (Linux; elsewhere the system does not say). */
export const openFiles: Check = async ({ files }) => {
  const limits = await files.read("/proc/self/limits").catch(() => undefined);
  if (limits === undefined) return [];
  const soft = /^Max open files\s+(\d+)/m.exec(textOf(limits))?.[1];
  if (soft === undefined || Number(soft) >= NEEDED) return [];
  const detail = `the process may open ${soft} files, an import needs ${NEEDED}; raise it with ulimit -n`;
  return [{ check: "open-files", status: "failed", detail }];
};
