import { type Clock, type Files, LevinError, newUuid, systemClock, textOf, utf8, uuidText } from "../base/mod.ts";
import { WholeFiles } from "../storage/mod.ts";

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

const ATTEMPTS = 8;

/**
 * A lock file that is created or changed only where it is as it was seen. A file whose owner is dead (same host, no such process, or another
 * process with its pid) is taken over, by one of those who try; one of another host is never taken over, because nothing can be known
 * about it.
 */
export async function acquireLock(
  files: Files,
  path: string,
  environment: LockEnvironment,
  clock: Clock = systemClock,
): Promise<{ release(): Promise<void> }> {
  const content = utf8(`${JSON.stringify(environment.self)}\n`);
  const whole = new WholeFiles(files, clock, {
    mark: () => utf8(JSON.stringify({ ...environment.self, guard: uuidText(newUuid()) })),
    isDead: async (mark) => (await livingOwner(mark, environment)) === undefined,
  });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await files.read(path);
    if (found !== undefined) {
      const owner = await livingOwner(found, environment);
      if (owner !== undefined) throw lockedError(path, owner);
    }
    if (await whole.replaceIf(path, found, content)) {
      // Only one's own: after a take-over the file belongs to somebody else.
      return { release: async () => void (await whole.removeIf(path, content)) };
    }
  }
  throw lockedError(path, "another process that keeps taking it");
}

/** Who holds a lock, for people, without touching it; undefined: nobody, or its owner is dead. */
export async function lockHolder(
  files: Files,
  path: string,
  environment: LockEnvironment,
): Promise<string | undefined> {
  const found = await files.read(path);
  return found === undefined ? undefined : livingOwner(found, environment);
}

/** Who holds a lock, for people; undefined when its owner is dead. */
async function livingOwner(content: Uint8Array, { self, startedOf }: LockEnvironment): Promise<string | undefined> {
  const owner = parseOwner(textOf(content));
  if (owner === undefined) return undefined;
  if (owner.host !== self.host) {
    return `process ${owner.pid} on host "${owner.host}"; if that process is gone, remove the file`;
  }
  return (await startedOf(owner.pid)) === owner.started ? `process ${owner.pid}` : undefined;
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockOwner>;
    if (typeof value.pid !== "number" || typeof value.host !== "string") return undefined;
    return { pid: value.pid, host: value.host, started: String(value.started ?? "") };
  } catch {
    // Torn: earlier releases wrote it in place, and its owner died while writing.
    return undefined;
  }
}

function lockedError(path: string, who: string): LevinError {
  return new LevinError("Levin:State:ErrLocked", `Cannot lock "${path}": it is held by ${who}`, { fields: { path } });
}
