import {
  type Clock,
  equalBytes,
  type Files,
  joinPath,
  LevinError,
  systemClock,
  systemFiles,
  utf8,
} from "../base/mod.ts";
import { newUuid, uuidText } from "./uuid.ts";

export interface StoredName {
  /** Relative to the root, parts joined by "/". */
  name: string;
  sizeBytes: number;
}

/**
 * Where checkpoint files lie: whole objects by name. A name has no leading slash. Failures are Levin:Br:ErrStorage.
 * `write` and `replaceIf` are durable when they resolve, and what they write is there in full or not at all.
 */
export interface BrStorage {
  /** As BR prints it, with a slash at the end: `file:///mnt/backup/`. */
  readonly uri: string;
  /** undefined when there is no such object. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes if the object's bytes are `expected` (undefined: there is none) at that very moment; false otherwise. Atomic towards others
   * that use `replaceIf`, and towards all where `expected` is undefined.
   */
  replaceIf(name: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean>;
  /** Removes if the object's bytes are `expected`; false otherwise. */
  removeIf(name: string, expected: Uint8Array): Promise<boolean>;
  /** Nothing there is fine. With `durable` it is gone for good when this resolves. */
  remove(name: string, durable?: boolean): Promise<void>;
  /** All objects below a folder (all for ""), folder by folder in order of names; [] when there is none. */
  list(folder: string): Promise<StoredName[]>;
}

/** A guard older than this was left by a process that died while it held it: it lives for two file operations. */
const GUARD_STALE_MS = 30_000;
const GUARD_WAIT_MS = 100;
const GUARD_ATTEMPTS = 100;

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === "ENOENT";
}

/** A local directory as storage. New objects: temporary file, sync, rename, sync of the directory. */
export class LocalBrStorage implements BrStorage {
  readonly uri: string;
  readonly root: string;
  private readonly files: Files;
  private readonly clock: Clock;
  private readonly settled = new Set<string>();

  /** `root` is an absolute path. */
  constructor(root: string, options: { files?: Files; clock?: Clock } = {}) {
    this.root = root.replace(/\/+$/, "");
    this.uri = `file://${this.root}/`;
    this.files = options.files ?? systemFiles;
    this.clock = options.clock ?? systemClock;
  }

  private pathOf(name: string): string {
    return joinPath(this.root, name);
  }

  private async guarded<T>(what: string, name: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (thrown) {
      if (thrown instanceof LevinError) throw thrown;
      const error = thrown as { code?: string; message?: string };
      throw new LevinError(
        "Levin:Br:ErrStorage",
        `Cannot ${what} "${this.pathOf(name)}": ${error.message ?? String(thrown)}`,
        { cause: thrown, fields: { path: this.pathOf(name), cause: error.code } },
      );
    }
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.guarded("read", name, () => this.files.read(this.pathOf(name)));
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.guarded("write", name, async () => {
      const path = this.pathOf(name);
      await this.throughTemporary(path, bytes, (temporary) => this.files.rename(temporary, path));
      await this.settle(path);
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
        if (!isMissing(error)) throw error;
        await this.makeParents(parentOf(path));
        await this.files.writeSynced(temporary, bytes);
      }
      return await use(temporary);
    } catch (error) {
      await this.files.remove(temporary).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Makes a name's change last: its directory is synced, and the first time in this process the ones above it too, because a directory is only
   * there after a crash when the one above it was synced, and an earlier process may have made it and died.
   */
  private async settle(path: string): Promise<void> {
    const dir = parentOf(path);
    await this.files.syncDir(dir);
    if (this.settled.has(dir)) return;
    for (let at = dir; at.length > this.root.length; at = parentOf(at)) await this.files.syncDir(parentOf(at));
    this.settled.add(dir);
  }

  private async makeParents(dir: string): Promise<void> {
    const rootIsNew = (await this.files.entries(this.root)) === undefined;
    await this.files.makeDir(dir);
    if (!rootIsNew) return;
    for (let at = this.root; at !== ""; at = parentOf(at)) await this.files.syncDir(parentOf(at) || "/");
  }

  replaceIf(name: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean> {
    return this.guarded("replace", name, async () => {
      const path = this.pathOf(name);
      const done =
        expected === undefined
          ? await this.createNew(path, bytes)
          : await this.underGuard(path, async () => {
              const found = await this.files.read(path);
              if (found === undefined || !equalBytes(found, expected)) return false;
              await this.throughTemporary(path, bytes, (temporary) => this.files.rename(temporary, path));
              return true;
            });
      if (done) await this.settle(path);
      return done;
    });
  }

  removeIf(name: string, expected: Uint8Array): Promise<boolean> {
    return this.guarded("remove", name, async () => {
      const path = this.pathOf(name);
      if ((await this.files.read(path)) === undefined) return false;
      const done = await this.underGuard(path, async () => {
        const found = await this.files.read(path);
        if (found === undefined || !equalBytes(found, expected)) return false;
        await this.files.remove(path);
        return true;
      });
      if (done) await this.settle(path);
      return done;
    });
  }

  private createNew(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.throughTemporary(path, bytes, async (temporary) => {
      const made = await this.files.link(temporary, path);
      await this.files.remove(temporary);
      return made;
    });
  }

  /** Runs `action` while no other levin does so for the same file: a guard file beside it is created exclusively. */
  private async underGuard<T>(path: string, action: () => Promise<T>): Promise<T> {
    const guard = `${path}.guard`;
    const mark = utf8(uuidText(newUuid()));
    for (let attempt = 0; ; attempt++) {
      if (attempt === GUARD_ATTEMPTS) throw new Error(`another process keeps the guard "${guard}"`);
      if (!(await this.isFree(guard))) await this.clock.sleep(GUARD_WAIT_MS);
      else if (await this.createNew(guard, mark)) break;
    }
    try {
      return await action();
    } finally {
      await this.files.remove(guard);
    }
  }

  /** True when the guard may be free now; a dead process's is taken away. */
  private async isFree(guard: string): Promise<boolean> {
    const seen = await this.files.read(guard);
    if (seen === undefined) return true;
    const name = guard.slice(guard.lastIndexOf("/") + 1);
    const entry = (await this.files.entries(parentOf(guard)))?.find((found) => found.name === name);
    if (entry === undefined) return true;
    if (this.clock.nowMs() - entry.mtimeMs < GUARD_STALE_MS) return false;
    const aside = `${guard}.${uuidText(newUuid())}`;
    try {
      await this.files.rename(guard, aside);
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
    const moved = await this.files.read(aside);
    // Somebody else may have broken the old guard and made a new one since it was looked at: that one goes back.
    if (moved !== undefined && !equalBytes(moved, seen)) await this.files.link(aside, guard);
    await this.files.remove(aside);
    return true;
  }

  remove(name: string, durable = false): Promise<void> {
    return this.guarded("remove", name, async () => {
      const path = this.pathOf(name);
      await this.files.remove(path);
      if (!durable) return;
      try {
        await this.files.syncDir(parentOf(path));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  list(folder: string): Promise<StoredName[]> {
    return this.guarded("list", folder, async () => {
      const out: StoredName[] = [];
      await this.listInto(folder, out);
      return out;
    });
  }

  private async listInto(folder: string, out: StoredName[]): Promise<void> {
    for (const { name, isDir, sizeBytes } of (await this.files.entries(this.pathOf(folder))) ?? []) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDir) await this.listInto(path, out);
      else out.push({ name: path, sizeBytes });
    }
  }
}
