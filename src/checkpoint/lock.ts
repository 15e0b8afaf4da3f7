import { equalBytes, type Files, LevinError, textOf, utf8 } from "../base/mod.ts";

/** Who holds a lock: enough to tell a dead owner from a living one. */
export interface LockOwner {
  pid: number;
  host: string;
  /** When the owner's process started, in clock ticks since boot, where the system tells it (Linux); tells a reused pid. */
  started: string;
}

export interface LockEnvironment {
  self: LockOwner;
  /** The start mark of a living process of this host, undefined when there is none with this pid. */
  startedOf(pid: number): Promise<string | undefined>;
}

/**
 * A lock file created exclusively. A file whose owner is dead (same host, no such process, or another process with its pid) is taken
 * over; one of another host is never taken over, because nothing can be known about it.
 */
export async function acquireLock(
  files: Files,
  path: string,
  environment: LockEnvironment,
): Promise<{ release(): Promise<void> }> {
  const content = utf8(`${JSON.stringify(environment.self)}\n`);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await files.createExclusive(path, content)) {
      return {
        async release() {
          // Only one's own: after a take-over the file belongs to somebody else.
          const found = await files.read(path);
          if (found !== undefined && equalBytes(found, content)) await files.remove(path);
        },
      };
    }
    const bytes = await files.read(path);
    if (bytes === undefined) continue;
    const owner = parseOwner(textOf(bytes));
    if (owner !== undefined && owner.host !== environment.self.host) {
      throw lockedError(path, `process ${owner.pid} on host "${owner.host}"; if that process is gone, remove the file`);
    }
    if (owner !== undefined && (await environment.startedOf(owner.pid)) === owner.started) {
      throw lockedError(path, `process ${owner.pid}`);
    }
    await files.remove(path);
  }
  throw lockedError(path, "another process that keeps taking it");
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockOwner>;
    if (typeof value.pid !== "number" || typeof value.host !== "string") return undefined;
    return { pid: value.pid, host: value.host, started: String(value.started ?? "") };
  } catch {
    // A torn lock file: its owner died while writing it.
    return undefined;
  }
}

function lockedError(path: string, who: string): LevinError {
  return new LevinError("Levin:State:ErrLocked", `Cannot lock "${path}": it is held by ${who}`, { fields: { path } });
}
