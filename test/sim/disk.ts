/**
 * A disk in memory that forgets at a crash what was not synced: bytes of files, the names of files and directories, and what the ordered maps
 * that stand for LevelDB directories were told.
 */
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

/** A LevelDB directory. */
interface StoredMap {
  now: KvDb;
  durable: KvDb;
  /** Made after the last sync, in order. */
  unsynced: MapChange[];
  /** Syncs, one after another. */
  tail: Promise<void>;
  /** Some of its files were removed. */
  isBroken: boolean;
}

const DIR = "directory";
type Node = StoredFile | StoredMap | typeof DIR;

const errors: Record<string, string> = {
  ENOSPC: "no space left on device",
  EIO: "i/o error",
  EMFILE: "too many open files",
  EROFS: "read-only file system",
};

export function diskError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${errors[code]}, ${what}`), { code });
}

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** A name that was given or taken, or a map that lost files, whose directory was not synced since. */
type NameChange =
  | { path: string; node: Node | undefined }
  | { path: string; broken: true }
  | { path: string; to: string };

const dirOf = (change: NameChange): string => ("broken" in change ? change.path : parentOf(change.path));

export class Disk {
  /** Told of what is appended to files. */
  onAppend: (path: string, bytes: Uint8Array) => void = () => undefined;
  /** As processes see them. Changed by `setName` and `breakMap` only. */
  readonly files = new Map<string, StoredFile>();
  readonly maps = new Map<string, StoredMap>();
  readonly #dirs = new Set<string>();
  /** What a power cut leaves. */
  readonly #durable = new Map<string, Node>();
  #unsynced: NameChange[] = [];

  /** Gives a file or directory a name, or takes it away; lasts when the directory that it stands in was synced. */
  setName(path: string, node: Node | undefined): void {
    this.files.delete(path);
    this.maps.delete(path);
    this.#dirs.delete(path);
    if (node === DIR) this.#dirs.add(path);
    else if (node !== undefined && "bytes" in node) this.files.set(path, node);
    else if (node !== undefined) this.maps.set(path, node);
    this.#unsynced.push({ path, node });
  }

  isDir(path: string): boolean {
    return path === "" || this.#dirs.has(path) || this.maps.has(path);
  }

  makeDir(path: string): void {
    this.setName(path, DIR);
  }

  /** All names. */
  *names(): Generator<string> {
    yield* this.files.keys();
    yield* this.maps.keys();
    yield* this.#dirs;
  }

  /** A directory with all that is in it: one change of names. */
  moveDir(from: string, to: string): void {
    for (const [path, file] of [...this.files]) {
      if (isBelow(path, from)) this.files.delete(path);
      if (isBelow(path, from)) this.files.set(moved(path, from, to), file);
    }
    for (const [path, map] of [...this.maps]) {
      if (isBelow(path, from)) this.maps.delete(path);
      if (isBelow(path, from)) this.maps.set(moved(path, from, to), map);
    }
    for (const path of [...this.#dirs])
      if (isBelow(path, from) && this.#dirs.delete(path)) this.#dirs.add(moved(path, from, to));
    this.#unsynced.push({ path: from, to });
  }

  syncDir(path: string): void {
    const dir = path === "/" ? "" : path;
    const isInside = (change: NameChange): boolean => dirOf(change) === dir;
    for (const change of this.#unsynced) if (isInside(change)) this.#keep(change);
    this.#unsynced = this.#unsynced.filter((change) => !isInside(change));
  }

  /** What a power cut leaves: of what was not synced some first part. */
  async crash(random: Random): Promise<void> {
    // Often nothing: what is lost with the oldest change is seldom asked for else.
    const keptNames = random.next() < 0.4 ? 0 : Math.floor(random.next() * (this.#unsynced.length + 1));
    for (const change of this.#unsynced.slice(0, keptNames)) this.#keep(change);
    this.#unsynced = [];
    this.files.clear();
    this.maps.clear();
    this.#dirs.clear();
    for (const [path, node] of this.#durable) {
      if (!this.#isReachable(path)) this.#durable.delete(path);
      else if (node === DIR) this.#dirs.add(path);
      else if ("bytes" in node) this.files.set(path, node);
      else this.maps.set(path, node);
    }
    for (const file of new Set(this.files.values())) {
      const lost = file.bytes.length - file.syncedSize;
      if (lost > 0) file.bytes = file.bytes.slice(0, file.syncedSize + Math.floor(random.next() * (lost + 1)));
      file.syncedSize = file.bytes.length;
    }
    for (const map of this.maps.values()) {
      await map.tail;
      const kept = Math.floor(random.next() * (map.unsynced.length + 1));
      for (const change of map.unsynced.splice(0, kept)) await apply(map.durable, change);
      map.unsynced.length = 0;
      map.now = await copyOf(map.durable);
    }
  }

  /** Removes some of what is below a path, and all of it the second time. */
  removeSome(path: string): void {
    for (const [name, map] of this.maps) {
      if (!isBelow(name, path) || map.isBroken) continue;
      this.maps.set(name, { ...map, isBroken: true });
      this.#unsynced.push({ path: name, broken: true });
    }
    const files = [...this.files.keys()].filter((name) => isBelow(name, path));
    for (const name of files.slice(0, files.length >>> 1)) this.setName(name, undefined);
  }

  removeTree(path: string): void {
    const names = [...this.names()].filter((name) => isBelow(name, path));
    // What is inside goes first.
    for (const name of names.sort((a, b) => (a > b ? -1 : 1))) this.setName(name, undefined);
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
      if (map?.isBroken) throw new LevinError("Levin:Engine:ErrCorrupt", `Cannot open "${dir}": 1 missing files`);
      if (map === undefined) {
        map = { now: memoryKvDb(), durable: memoryKvDb(), unsynced: [], tail: Promise.resolve(), isBroken: false };
        this.setName(dir, map);
      }
      return handleOf(map, step);
    });
  }

  #keep(change: NameChange): void {
    const { path } = change;
    if ("node" in change) {
      if (change.node === undefined) this.#durable.delete(path);
      else this.#durable.set(path, change.node);
      return;
    }
    if ("to" in change) {
      for (const [name, node] of [...this.#durable]) {
        if (!isBelow(name, path) || !this.#durable.delete(name)) continue;
        this.#durable.set(moved(name, path, change.to), node);
      }
      return;
    }
    const node = this.#durable.get(path);
    if (node !== undefined && node !== DIR && "now" in node) this.#durable.set(path, { ...node, isBroken: true });
  }

  #isReachable(path: string): boolean {
    for (let at = parentOf(path); at !== ""; at = parentOf(at)) {
      const node = this.#durable.get(at);
      if (node === undefined || (node !== DIR && "bytes" in node)) return false;
    }
    return true;
  }
}

/** The path below `from` as it is below `to`. */
const moved = (path: string, from: string, to: string): string => `${to}${path.slice(from.length)}`;

export function isBelow(name: string, path: string): boolean {
  return name === path || name.startsWith(`${path}/`);
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
