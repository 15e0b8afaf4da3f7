import { type Clock, type Files, joinPath, LevinError, systemClock, systemFiles } from "../base/mod.ts";
import type { ObjectInfo, ObjectReader, ObjectStorage } from "./object-storage.ts";
import { isMissing, parentOf, WholeFiles } from "./whole-files.ts";

/** A local directory as storage. New objects: temporary file, sync, rename, sync of the directory. */
export class LocalObjects implements ObjectStorage {
  readonly uri: string;
  readonly root: string;
  private readonly files: Files;
  private readonly whole: WholeFiles;
  private readonly settled = new Set<string>();

  /** `root` is an absolute path. */
  constructor(root: string, options: { files?: Files; clock?: Clock } = {}) {
    this.root = root.replace(/\/+$/, "");
    this.uri = `file://${this.root}/`;
    this.files = options.files ?? systemFiles;
    this.whole = new WholeFiles(this.files, options.clock ?? systemClock, {
      makeParents: (dir) => this.makeParents(dir),
    });
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
        "Levin:Storage:ErrFailed",
        `Cannot ${what} "${this.pathOf(name)}": ${error.message ?? String(thrown)}`,
        { cause: thrown, fields: { path: this.pathOf(name), cause: error.code } },
      );
    }
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.guarded("read", name, () => this.files.read(this.pathOf(name)));
  }

  openRead(name: string): Promise<ObjectReader | undefined> {
    return this.guarded("read", name, async () => {
      const file = await this.files.openRead(this.pathOf(name));
      if (file === undefined) return undefined;
      const sizeBytes = await file.size().catch(async (error: unknown) => {
        await file.close();
        throw error;
      });
      return {
        sizeBytes,
        read: (into: Uint8Array, position: number) => this.guarded("read", name, () => file.readAt(into, position)),
        close: () => file.close(),
      };
    });
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.guarded("write", name, async () => {
      const path = this.pathOf(name);
      await this.whole.write(path, bytes);
      await this.settle(path);
    });
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
    return this.settling("replace", name, (path) => this.whole.replaceIf(path, expected, bytes));
  }

  removeIf(name: string, expected: Uint8Array): Promise<boolean> {
    return this.settling("remove", name, (path) => this.whole.removeIf(path, expected));
  }

  private settling(what: string, name: string, change: (path: string) => Promise<boolean>): Promise<boolean> {
    return this.guarded(what, name, async () => {
      const path = this.pathOf(name);
      const done = await change(path);
      if (done) await this.settle(path);
      return done;
    });
  }

  async removesIf(): Promise<boolean> {
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

  list(folder: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
    return this.guarded("list", folder, async () => {
      const out: ObjectInfo[] = [];
      await this.listInto(folder, out, signal);
      return out;
    });
  }

  private async listInto(folder: string, out: ObjectInfo[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    for (const entry of (await this.files.entries(this.pathOf(folder))) ?? []) {
      const { isDir, sizeBytes, mtimeMs } = entry;
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isDir) await this.listInto(name, out, signal);
      else out.push({ name, sizeBytes, mtimeMs });
    }
  }
}
