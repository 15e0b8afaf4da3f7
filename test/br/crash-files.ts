/**
 * A disk that can lose power: contents and names that were not synced are gone afterwards. Each operation is counted and can fail (once, with
 * EIO) or be the last one of the process (it and all after it fail; a write may be torn).
 */
import { dirname } from "node:path";
import type { DirEntry, Files } from "../../src/base/mod.ts";

interface Inode {
  data: Uint8Array;
  synced: Uint8Array | undefined;
  mtimeMs?: number;
}

type Dir = Map<string, Inode | "dir">;

const coded = (code: string): Error => Object.assign(new Error(`${code}: made by the test`), { code });

export class CrashFiles implements Files {
  private now = new Map<string, Dir>([["/", new Map()]]);
  private durable = new Map<string, Dir>([["/", new Map()]]);
  operations = 0;
  failAt = Number.POSITIVE_INFINITY;
  killAt = Number.POSITIVE_INFINITY;
  dead = false;
  /** Of files that are written. */
  nowMs: () => number = () => 0;

  /** Counts; true when the operation is the one that dies in its middle. */
  private step(): boolean {
    if (this.dead) throw coded("EDEAD");
    const number = this.operations++;
    if (number === this.failAt) throw coded("EIO");
    if (number === this.killAt) this.dead = true;
    return this.dead;
  }

  /** What a machine finds that starts again; the counters begin anew. */
  afterPowerLoss(): CrashFiles {
    const next = new CrashFiles();
    next.now = new Map();
    const visit = (path: string): void => {
      const dir: Dir = new Map();
      for (const [name, inode] of this.durable.get(path) ?? []) {
        const below = path === "/" ? `/${name}` : `${path}/${name}`;
        if (inode === "dir") {
          dir.set(name, "dir");
          visit(below);
        } else {
          const data = inode.synced ?? new Uint8Array(0);
          dir.set(name, { data, synced: data });
        }
      }
      next.now.set(path, dir);
    };
    visit("/");
    next.durable = new Map([...next.now].map(([path, dir]) => [path, new Map(dir)]));
    return next;
  }

  private dir(path: string): Dir {
    const found = this.now.get(path);
    if (found === undefined) throw coded("ENOENT");
    return found;
  }

  private split(path: string): [Dir, string] {
    return [this.dir(dirname(path)), path.slice(path.lastIndexOf("/") + 1)];
  }

  private file(path: string): Inode | undefined {
    const found = this.now.get(dirname(path))?.get(path.slice(path.lastIndexOf("/") + 1));
    if (found === "dir") throw coded("EISDIR");
    return found;
  }

  async makeDir(path: string): Promise<void> {
    const dies = this.step();
    const make = (at: string): void => {
      if (this.now.has(at)) return;
      make(dirname(at));
      this.dir(dirname(at)).set(at.slice(at.lastIndexOf("/") + 1), "dir");
      this.now.set(at, new Map());
    };
    make(path);
    if (dies) throw coded("EDEAD");
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    if (this.step()) throw coded("EDEAD");
    return this.file(path)?.data;
  }

  async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    const dies = this.step();
    const [dir, name] = this.split(path);
    const inode: Inode = {
      mtimeMs: this.nowMs(),
      data: dies ? bytes.slice(0, bytes.length >> 1) : bytes.slice(),
      synced: undefined,
    };
    dir.set(name, inode);
    if (dies) throw coded("EDEAD");
    inode.synced = inode.data;
  }

  async rename(from: string, to: string): Promise<void> {
    const dies = this.step();
    const [fromDir, fromName] = this.split(from);
    const [toDir, toName] = this.split(to);
    const inode = fromDir.get(fromName);
    if (inode === undefined) throw coded("ENOENT");
    fromDir.delete(fromName);
    toDir.set(toName, inode);
    if (dies) throw coded("EDEAD");
  }

  async link(from: string, to: string): Promise<boolean> {
    const dies = this.step();
    const inode = this.file(from);
    if (inode === undefined) throw coded("ENOENT");
    const [dir, name] = this.split(to);
    if (dir.has(name)) return false;
    dir.set(name, inode);
    if (dies) throw coded("EDEAD");
    return true;
  }

  async remove(path: string): Promise<void> {
    const dies = this.step();
    this.now.get(dirname(path))?.delete(path.slice(path.lastIndexOf("/") + 1));
    if (dies) throw coded("EDEAD");
  }

  async entries(path: string): Promise<DirEntry[] | undefined> {
    if (this.step()) throw coded("EDEAD");
    const dir = this.now.get(path);
    if (dir === undefined) return undefined;
    return [...dir]
      .map(([name, inode]) => ({
        name,
        isDir: inode === "dir",
        sizeBytes: inode === "dir" ? 0 : inode.data.length,
        mtimeMs: inode === "dir" ? 0 : (inode.mtimeMs ?? 0),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async syncDir(path: string): Promise<void> {
    if (this.step()) throw coded("EDEAD");
    this.durable.set(path, new Map(this.dir(path)));
  }

  /** Operations that nothing here uses. */
  private unused(): never {
    throw new Error("not used by br");
  }
  replace(): Promise<void> {
    return this.unused();
  }
  openAppend(): Promise<never> {
    return this.unused();
  }
  openRead(): Promise<undefined> {
    return this.unused();
  }
  truncate(): Promise<void> {
    return this.unused();
  }
  removeTree(): Promise<void> {
    return this.unused();
  }
  list(): Promise<string[]> {
    return this.unused();
  }
  freeBytes(): Promise<undefined> {
    return this.unused();
  }
}
