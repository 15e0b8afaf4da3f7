/** File operations of one process on the disk in memory: each system call that may fail or be the last is a step. */
import type { AppendFile, Files } from "../../src/base/mod.ts";
import { type Disk, diskError, parentOf, type StoredFile } from "./disk.ts";
import type { Life } from "./life.ts";

type Step = <T>(what: string, path: string, run: () => T) => Promise<T>;

const missing = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: "ENOENT" });

export function diskFiles(disk: Disk, life: Life, errorCode: () => string, isOpen: () => boolean): Files {
  const step: Step = (what, path, run) => {
    if (!isOpen()) return new Promise(() => undefined);
    const failure = () => diskError(errorCode(), `${what} '${path}'`);
    return life.step("file", what, async () => run(), failure);
  };
  const newFile = (path: string, bytes: Uint8Array): void => {
    demandParent(disk, path);
    disk.setName(path, { bytes: bytes.slice(), syncedSize: bytes.length });
  };
  const existing = (path: string): StoredFile => {
    const file = disk.files.get(path);
    if (file === undefined) throw missing(path);
    return file;
  };
  const rename = (from: string, to: string): void => {
    if (disk.isDir(from)) {
      if (disk.isDir(to)) throw Object.assign(new Error(`ENOTEMPTY: '${to}'`), { code: "ENOTEMPTY" });
      disk.moveDir(from, to);
      return;
    }
    const file = existing(from);
    demandParent(disk, to);
    disk.setName(to, file);
    disk.setName(from, undefined);
  };
  return {
    // The steps of the system's.
    async makeDir(path) {
      const missing: string[] = [];
      let at = path;
      for (; !disk.isDir(at); at = parentOf(at)) missing.push(at);
      await step("fsync", at, () => disk.syncDir(parentOf(at)));
      for (const dir of missing.reverse()) {
        await step("mkdir", dir, () => disk.makeDir(dir));
        await step("fsync", dir, () => disk.syncDir(parentOf(dir)));
      }
    },
    read: (path) => step("read", path, () => disk.files.get(path)?.bytes.slice()),
    async replace(path, bytes) {
      await step("write", path, () => newFile(`${path}.tmp`, bytes));
      await step("rename", path, () => rename(`${path}.tmp`, path));
      await step("fsync", path, () => disk.syncDir(parentOf(path)));
    },
    openAppend: (path) => step("open", path, () => appendFile(disk, path, step)),
    openRead: (path) =>
      step("open", path, () => {
        const file = disk.files.get(path);
        if (file === undefined) return undefined;
        return {
          size: () => step("stat", path, () => file.bytes.length),
          readAt: (into, at) =>
            step("read", path, () => {
              const part = file.bytes.subarray(at, at + into.length);
              into.set(part);
              return part.length;
            }),
          close: () => Promise.resolve(),
        };
      }),
    truncate: (path, size) =>
      step("truncate", path, () => {
        const file = existing(path);
        file.bytes = file.bytes.slice(0, size);
        file.syncedSize = Math.min(file.syncedSize, size);
      }),
    remove: (path) =>
      step("unlink", path, () => disk.files.has(path) && disk.setName(path, undefined)).then(() => undefined),
    // Not at once: a process may die in the middle.
    async removeTree(path) {
      await step("rm", path, () => disk.removeSome(path));
      if (disk.isDir(path)) await step("rm", path, () => disk.removeTree(path));
    },
    list: (path) => step("readdir", path, () => namesIn(disk, path)),
    entries: (path) =>
      step("readdir", path, () => {
        if (!disk.isDir(path)) return undefined;
        return namesIn(disk, path).map((name) => {
          const file = disk.files.get(`${path}/${name}`);
          return { name, isDir: file === undefined, sizeBytes: file?.bytes.length ?? 0, mtimeMs: 0 };
        });
      }),
    writeSynced: (path, bytes) => step("write", path, () => newFile(path, bytes)),
    rename: (from, to) => step("rename", from, () => rename(from, to)),
    link: (from, to) =>
      step("link", from, () => {
        if (disk.files.has(to)) return false;
        demandParent(disk, to);
        disk.setName(to, existing(from));
        return true;
      }),
    syncDir: (path) => step("fsync", path, () => disk.syncDir(path)),
    freeBytes: (path) => step("statfs", path, () => 1 << 30),
  };
}

function demandParent(disk: Disk, path: string): void {
  if (!disk.isDir(parentOf(path))) throw missing(path);
}

function namesIn(disk: Disk, path: string): string[] {
  const names = new Set<string>();
  for (const name of disk.names()) {
    if (name.startsWith(`${path}/`)) names.add(name.slice(path.length + 1).split("/")[0]!);
  }
  return [...names].sort();
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function appendFile(disk: Disk, path: string, step: Step): AppendFile {
  let file = disk.files.get(path);
  if (file === undefined) {
    demandParent(disk, path);
    file = { bytes: new Uint8Array(0), syncedSize: 0 };
    disk.setName(path, file);
  }
  const open = file;
  return {
    async append(bytes) {
      // A write that fails may have written some of it.
      const copy = bytes.slice();
      try {
        await step("append", path, () => {
          open.bytes = joined(open.bytes, copy);
          disk.onAppend(path, copy);
        });
      } catch (error) {
        open.bytes = joined(open.bytes, copy.subarray(0, copy.length >>> 1));
        throw error;
      }
    },
    sync: () =>
      step("fsync", path, () => {
        open.syncedSize = open.bytes.length;
      }),
    close: () => Promise.resolve(),
  };
}
