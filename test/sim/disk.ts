/** A disk in memory that forgets at a crash what was not synced: files, and the ordered maps that stand for LevelDB directories. */
import type { Files, Random } from "../../src/base/mod.ts";
import { LevinError } from "../../src/base/mod.ts";
import { type KvChange, type KvDb, type KvRange, memoryKvDb } from "../../src/kvdb/mod.ts";
import { diskFiles } from "./disk-files.ts";
import type { Life } from "./life.ts";

export interface StoredFile {
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

/** A name that was given or taken and whose directory was not synced since. */
interface NameChange {
  path: string;
  file: StoredFile | undefined;
}

export class Disk {
  /** As processes see them. Changed by `setName` only. */
  readonly files = new Map<string, StoredFile>();
  readonly maps = new Map<string, StoredMap>();
  /** What a power cut leaves. */
  readonly #durableNames = new Map<string, StoredFile>();
  #unsyncedNames: NameChange[] = [];

  /** Gives a file a name, or takes it away; lasts when the directory was synced. */
  setName(path: string, file: StoredFile | undefined): void {
    applyName(this.files, { path, file });
    this.#unsyncedNames.push({ path, file });
  }

  syncDir(dir: string): void {
    const inside = ({ path }: NameChange): boolean => path.slice(0, path.lastIndexOf("/")) === dir;
    for (const change of this.#unsyncedNames) if (inside(change)) applyName(this.#durableNames, change);
    this.#unsyncedNames = this.#unsyncedNames.filter((change) => !inside(change));
  }

  /** What a power cut leaves: of what was not synced some first part. */
  async crash(random: Random): Promise<void> {
    const keptNames = Math.floor(random.next() * (this.#unsyncedNames.length + 1));
    for (const change of this.#unsyncedNames.splice(0, keptNames)) applyName(this.#durableNames, change);
    this.#unsyncedNames = [];
    this.files.clear();
    for (const [path, file] of this.#durableNames) this.files.set(path, file);
    for (const file of new Set(this.files.values())) {
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
    for (const name of [...this.files.keys()]) if (inside(name)) this.setName(name, undefined);
    for (const name of this.maps.keys()) if (inside(name)) this.maps.delete(name);
  }

  /** File operations of one process. `errorCode` chooses the error of a step that fails; `isOpen` false: its thread was ended. */
  filesOf(life: Life, errorCode: () => string, isOpen: () => boolean = () => true): Files {
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

function applyName(names: Map<string, StoredFile>, { path, file }: NameChange): void {
  if (file === undefined) names.delete(path);
  else names.set(path, file);
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
