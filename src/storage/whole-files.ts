import { createHash } from "node:crypto";
import { type Clock, equalBytes, type Files, LevinError, newUuid, utf8, uuidText } from "../base/mod.ts";

/** A guard older than this was left by a process that died while it held it: it lives for two file operations. */
const GUARD_STALE_MS = 30_000;
/** Whoever held a guard so long cannot know that it was not taken for dead meanwhile; clocks of hosts may differ by what is left to the above. */
const GUARD_HOLD_MAX_MS = 10_000;
const GUARD_WAIT_MS = 20;
/** A living owner holds it for less, a dead one's is stale by then. */
const GUARD_PATIENCE_MS = GUARD_STALE_MS + GUARD_HOLD_MAX_MS;

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

export function isMissing(error: unknown): boolean {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return code === "ENOENT" || cause?.code === "ENOENT";
}

interface WholeFilesOptions {
  /** Makes the folder of a path that cannot be written for want of it. */
  makeParents?: (dir: string) => Promise<void>;
  /** What this process writes into a guard; another each time. */
  mark?: () => Uint8Array;
  /** Whether the process that wrote a mark is known to be dead; without it a guard's age alone counts. */
  isDead?: (mark: Uint8Array) => Promise<boolean>;
}

/**
 * Files that change as a whole: new content is there in full or not at all, and a change can be bound to what is there at that moment. The
 * caller syncs the directory. Errors are Node's.
 */
export class WholeFiles {
  readonly files: Files;
  private readonly clock: Clock;
  private readonly options: WholeFilesOptions;

  constructor(files: Files, clock: Clock, options: WholeFilesOptions = {}) {
    this.files = files;
    this.clock = clock;
    this.options = options;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.throughTemporary(path, bytes, (temporary) => this.files.rename(temporary, path));
  }

  /**
   * Writes if the file's bytes are `expected` (undefined: there is none) at that moment; false otherwise. Atomic towards all who come
   * through here, and towards all where `expected` is undefined.
   */
  replaceIf(path: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean> {
    if (expected === undefined) return this.createNew(path, bytes);
    return this.changeIf(path, expected, () => this.write(path, bytes));
  }

  /** Removes if the file's bytes are `expected`; false otherwise. */
  async removeIf(path: string, expected: Uint8Array): Promise<boolean> {
    if ((await this.files.read(path)) === undefined) return false;
    return this.changeIf(path, expected, () => this.files.remove(path));
  }

  private changeIf(path: string, expected: Uint8Array, change: () => Promise<void>): Promise<boolean> {
    return this.underGuard(path, async () => {
      const found = await this.files.read(path);
      if (found === undefined || !equalBytes(found, expected)) return false;
      await change();
      return true;
    });
  }

  /** Writes a temporary file beside `path`, gives it to `use`, and removes it where `use` left it. */
  private async throughTemporary<T>(
    path: string,
    bytes: Uint8Array,
    use: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const temporary = `${path}.tmp.${uuidText(newUuid())}`;
    try {
      try {
        await this.files.writeSynced(temporary, bytes);
      } catch (error) {
        if (!isMissing(error) || this.options.makeParents === undefined) throw error;
        await this.options.makeParents(parentOf(path));
        await this.files.writeSynced(temporary, bytes);
      }
      return await use(temporary);
    } catch (error) {
      await this.files.remove(temporary).catch(() => undefined);
      throw error;
    }
  }

  private createNew(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.throughTemporary(path, bytes, async (temporary) => {
      const made = await this.files.link(temporary, path);
      await this.files.remove(temporary);
      return made;
    });
  }

  /** Runs `action` while no other levin does so for the same file: a guard file beside it is created exclusively. */
  private underGuard<T>(path: string, action: () => Promise<T>): Promise<T> {
    return this.holding(`${path}.guard`, path, action);
  }

  private async holding<T>(guard: string, path: string, action: () => Promise<T>): Promise<T> {
    // Each mark is there once in the life of the world: a guard is known by it.
    const mark = this.options.mark?.() ?? utf8(uuidText(newUuid()));
    const giveUpAtMs = this.clock.monotonicMs() + GUARD_PATIENCE_MS;
    let heldSinceMs = 0;
    for (;;) {
      const seen = await this.files.read(guard);
      if (seen === undefined) {
        heldSinceMs = this.clock.monotonicMs();
        if (await this.createNew(guard, mark)) break;
      } else if (await this.isStale(guard, seen)) await this.breakGuard(guard, seen);
      else if (this.clock.monotonicMs() < giveUpAtMs) await this.clock.sleep(GUARD_WAIT_MS);
      else
        throw new LevinError(
          "Levin:Storage:ErrFailed",
          `Cannot change "${path}": another process keeps the guard "${guard}"`,
          { fields: { path: guard } },
        );
    }
    try {
      const result = await action();
      const heldMs = this.clock.monotonicMs() - heldSinceMs;
      if (heldMs <= GUARD_HOLD_MAX_MS) return result;
      throw new LevinError(
        "Levin:Storage:ErrFailed",
        `Cannot change "${path}": it took ${Math.round(heldMs / 1000)} s, another process may have changed it meanwhile`,
        { fields: { path } },
      );
    } finally {
      await this.removeMarked(guard, mark);
    }
  }

  private async isStale(guard: string, mark: Uint8Array): Promise<boolean> {
    if (this.options.isDead !== undefined && (await this.options.isDead(mark))) return true;
    const name = guard.slice(guard.lastIndexOf("/") + 1);
    const entry = (await this.files.entries(parentOf(guard)))?.find((found) => found.name === name);
    return entry !== undefined && this.clock.nowMs() - entry.mtimeMs >= GUARD_STALE_MS;
  }

  /**
   * Takes a dead process's guard away. Only who holds the guard's own guard, named by its mark, may do so, so nobody takes away the one that
   * somebody else has made since.
   */
  private async breakGuard(guard: string, mark: Uint8Array): Promise<void> {
    const id = createHash("sha256").update(mark).digest("hex").slice(0, 16);
    await this.holding(`${guard}.${id}`, guard, () => this.removeMarked(guard, mark));
  }

  private async removeMarked(guard: string, mark: Uint8Array): Promise<void> {
    const found = await this.files.read(guard);
    if (found !== undefined && equalBytes(found, mark)) await this.files.remove(guard);
  }
}
