/** A disk in memory that forgets at a crash what was not synced: files, and the ordered maps that stand for LevelDB directories. */
import type { AppendFile, Files, Random } from "../../src/base/mod.ts";
import { LevinError } from "../../src/base/mod.ts";
import { type KvChange, type KvDb, type KvRange, memoryKvDb } from "../../src/kvdb/mod.ts";
import type { Life } from "./life.ts";

interface StoredFile {
  bytes: Uint8Array;
  /** Bytes that survive a crash. */
  syncedSize: number;
}

type MapChange = { changes: readonly KvChange[] } | { clear: KvRange };

interface StoredMap {
  now: KvDb;
  durable: KvDb;
  /** Made after the last sync, in order. */
  unsynced: MapChange[];
  /** Syncs, one after another. */
  tail: Promise<void>;
}

const errors: Record<string, string> = {
  ENOSPC: "no space left on device",
  EIO: "i/o error",
  EMFILE: "too many open files",
  EROFS: "read-only file system",
};

export function diskError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${errors[code]}, ${what}`), { code });
}

const missing = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: "ENOENT" });

export class Disk {
  readonly files = new Map<string, StoredFile>();
  readonly maps = new Map<string, StoredMap>();

  /** What a power cut leaves: of what was not synced some first part. */
  async crash(random: Random): Promise<void> {
    for (const file of this.files.values()) {
      const lost = file.bytes.length - file.syncedSize;
      if (lost > 0) file.bytes = file.bytes.slice(0, file.syncedSize + Math.floor(random.next() * (lost + 1)));
      file.syncedSize = file.bytes.length;
    }
    for (const map of this.maps.values()) {
      await map.tail;
      const kept = Math.floor(random.next() * (map.unsynced.length + 1));
      for (const change of map.unsynced.splice(0, kept)) await apply(map.durable, change);
      map.unsynced = [];
      map.now = await copyOf(map.durable);
    }
  }

  removeTree(path: string): void {
    const inside = (name: string): boolean => name === path || name.startsWith(`${path}/`);
    for (const name of this.files.keys()) if (inside(name)) this.files.delete(name);
    for (const name of this.maps.keys()) if (inside(name)) this.maps.delete(name);
  }

  /** File operations of one process. `errorCode` chooses the error of a step that fails; `isOpen` false: its thread was ended. */
  filesOf(life: Life, errorCode: () => string, isOpen = () => true): Files {
    return diskFiles(this, life, errorCode, isOpen);
  }

  /** A handle of the map in a directory. `isOpen` false: its owner was ended. */
  async openMap(dir: string, life: Life, isOpen: () => boolean, errorCode: () => string): Promise<KvDb> {
    const step = <T>(what: string, run: () => Promise<T>): Promise<T> => {
      if (!isOpen()) return new Promise(() => undefined);
      return life.step("kvdb", what, run, () => {
        const cause = diskError(errorCode(), what);
        return new LevinError("Levin:Engine:ErrDisk", `Cannot ${what} in "${dir}": ${cause.message}`, { cause });
      });
    };
    return await step("open", async () => {
      let map = this.maps.get(dir);
      if (map === undefined) {
        map = { now: memoryKvDb(), durable: memoryKvDb(), unsynced: [], tail: Promise.resolve() };
        this.maps.set(dir, map);
      }
      return handleOf(map, step);
    });
  }
}

function handleOf(map: StoredMap, step: <T>(what: string, run: () => Promise<T>) => Promise<T>): KvDb {
  const sync = (): Promise<void> => {
    map.tail = map.tail.then(async () => {
      for (const change of map.unsynced.splice(0)) await apply(map.durable, change);
    });
    return map.tail;
  };
  return {
    get: (key) => step("read", () => map.now.get(key)),
    batch: (given, options) => {
      const changes = given.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }));
      return step("write", async () => {
        map.unsynced.push({ changes });
        await map.now.batch(changes);
        if (options?.sync) await sync();
      });
    },
    cursor: (range, options) => {
      const cursor = map.now.cursor(range, options);
      return { next: (count) => step("read", () => cursor.next(count)), close: () => cursor.close() };
    },
    sync: () => step("sync", sync),
    clear: (range) =>
      step("clear", async () => {
        map.unsynced.push({ clear: range });
        await map.now.clear(range);
      }),
    close: () => Promise.resolve(),
  };
}

async function apply(db: KvDb, change: MapChange): Promise<void> {
  if ("clear" in change) await db.clear(change.clear);
  else await db.batch(change.changes);
}

async function copyOf(db: KvDb): Promise<KvDb> {
  const copy = memoryKvDb();
  const cursor = db.cursor({});
  for (;;) {
    const entries = await cursor.next(1024);
    if (entries.length === 0) return copy;
    await copy.batch(entries.map(([key, value]) => ({ key, value })));
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function diskFiles(disk: Disk, life: Life, errorCode: () => string, isOpen: () => boolean): Files {
  const step = <T>(what: string, path: string, run: () => T): Promise<T> => {
    if (!isOpen()) return new Promise(() => undefined);
    return life.step(
      "file",
      what,
      async () => run(),
      () => diskError(errorCode(), `${what} '${path}'`),
    );
  };
  const put = (path: string, bytes: Uint8Array): void => {
    disk.files.set(path, { bytes: bytes.slice(), syncedSize: bytes.length });
  };
  const existing = (path: string): StoredFile => {
    const file = disk.files.get(path);
    if (file === undefined) throw missing(path);
    return file;
  };
  return {
    makeDir: (path) => step("mkdir", path, () => undefined),
    read: (path) => step("read", path, () => disk.files.get(path)?.bytes.slice()),
    replace: (path, bytes) => step("replace", path, () => put(path, bytes)),
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
    remove: (path) => step("unlink", path, () => void disk.files.delete(path)),
    removeTree: (path) => step("rm", path, () => disk.removeTree(path)),
    list: (path) => step("readdir", path, () => namesIn(disk, path)),
    entries: (path) =>
      step("readdir", path, () =>
        namesIn(disk, path).map((name) => {
          const file = disk.files.get(`${path}/${name}`);
          return { name, isDir: file === undefined, sizeBytes: file?.bytes.length ?? 0, mtimeMs: 0 };
        }),
      ),
    writeSynced: (path, bytes) => step("write", path, () => put(path, bytes)),
    rename: (from, to) =>
      step("rename", from, () => {
        disk.files.set(to, existing(from));
        disk.files.delete(from);
      }),
    link: (from, to) =>
      step("link", from, () => {
        if (disk.files.has(to)) return false;
        disk.files.set(to, existing(from));
        return true;
      }),
    syncDir: (path) => step("fsync", path, () => undefined),
    freeBytes: (path) => step("statfs", path, () => 1 << 30),
  };
}

function namesIn(disk: Disk, path: string): string[] {
  const names = new Set<string>();
  for (const name of [...disk.files.keys(), ...disk.maps.keys()]) {
    if (name.startsWith(`${path}/`)) names.add(name.slice(path.length + 1).split("/")[0]!);
  }
  return [...names].sort();
}

function appendFile(
  disk: Disk,
  path: string,
  step: <T>(what: string, path: string, run: () => T) => Promise<T>,
): AppendFile {
  let file = disk.files.get(path);
  if (file === undefined) {
    file = { bytes: new Uint8Array(0), syncedSize: 0 };
    disk.files.set(path, file);
  }
  const open = file;
  return {
    async append(bytes) {
      // A write that fails may have written some of it.
      const copy = bytes.slice();
      try {
        await step("append", path, () => {
          open.bytes = joined(open.bytes, copy);
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
