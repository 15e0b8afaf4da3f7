import { open, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Level } from "level";
import { assert, LevinError, systemWords } from "../base/mod.ts";
import {
  CURSOR_BATCH_BYTES,
  type KvChange,
  type KvCursor,
  type KvCursorOptions,
  type KvDb,
  type KvRange,
} from "./kvdb.ts";

export interface LevelKvDbOptions {
  /** May be opened again by other threads of this process; all of them must ask for it. The first opener's sizes hold. */
  shared?: boolean;
  /** Bytes held in memory before a table file is made; up to twice as much is in use. */
  writeBufferBytes?: number;
  /** Size at which compaction starts another table file. */
  fileBytes?: number;
  /** Table files kept open; LevelDB itself needs some ten more. */
  openFilesMax?: number;
  /** Cache of blocks that were read. */
  cacheBytes?: number;
  /** false: fail with `Levin:Engine:ErrDisk` when there is no database yet. */
  createIfMissing?: boolean;
}

const MIB = 1024 * 1024;

/**
 * Opens (or makes) a LevelDB directory. Values are stored as they are: the blocks that levin stores do not repay compression at the
 * speed of the disk (measured: 560 MB/s of 256 KiB values without it).
 *
 * Fails with `Levin:State:ErrLocked` when another process has the directory, else as `KvDb` says.
 */
export async function openLevelKvDb(dir: string, options: LevelKvDbOptions = {}): Promise<KvDb> {
  const location = resolve(dir);
  let level: LevelBytes;
  try {
    level = new Level(location, {
      keyEncoding: "view",
      valueEncoding: "view",
      compression: false,
      multithreading: options.shared ?? false,
      writeBufferSize: options.writeBufferBytes ?? 32 * MIB,
      maxFileSize: options.fileBytes ?? 32 * MIB,
      maxOpenFiles: options.openFilesMax ?? 128,
      cacheSize: options.cacheBytes ?? 8 * MIB,
      createIfMissing: options.createIfMissing ?? true,
    } as object);
    await level.open();
  } catch (error) {
    throw mapError(error, "open", location);
  }
  return new LevelKvDb(level, location);
}

type LevelBytes = Level<Uint8Array, Uint8Array>;
type LevelIterator = ReturnType<LevelBytes["iterator"]>;

class LevelKvDb implements KvDb {
  readonly #level: LevelBytes;
  readonly #dir: string;

  constructor(level: LevelBytes, dir: string) {
    this.#level = level;
    this.#dir = dir;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    try {
      const value = await this.#level.get(key);
      return value === undefined ? undefined : plain(value);
    } catch (error) {
      throw mapError(error, "read", this.#dir);
    }
  }

  async batch(changes: readonly KvChange[], options: { sync?: boolean } = {}): Promise<void> {
    this.#assertOpen();
    const operations = changes.map(({ key, value }) =>
      value === undefined ? { type: "del" as const, key } : { type: "put" as const, key, value },
    );
    try {
      await this.#level.batch(operations, { sync: options.sync ?? false } as object);
    } catch (error) {
      throw mapError(error, "write", this.#dir);
    }
  }

  /**
   * LevelDB syncs its current log with a synced batch, but not the logs that it left behind since; those are synced here. Whatever has
   * left the logs is in table files, which LevelDB syncs itself.
   */
  async sync(): Promise<void> {
    this.#assertOpen();
    try {
      const logs = (await readdir(this.#dir)).filter((name) => name.endsWith(".log"));
      await Promise.all(logs.map((name) => syncFile(join(this.#dir, name))));
    } catch (error) {
      throw mapError(error, "write", this.#dir);
    }
  }

  cursor(range: KvRange, options: KvCursorOptions = {}): KvCursor {
    this.#assertOpen();
    const iterator = this.#level.iterator({
      ...bounds(range),
      reverse: options.reverse ?? false,
      values: !(options.keysOnly ?? false),
      fillCache: false,
      highWaterMarkBytes: options.batchBytes ?? CURSOR_BATCH_BYTES,
    } as object);
    return new LevelCursor(iterator, this.#dir);
  }

  async clear(range: KvRange): Promise<void> {
    this.#assertOpen();
    try {
      await this.#level.clear(bounds(range));
    } catch (error) {
      throw mapError(error, "write", this.#dir);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#level.close();
    } catch (error) {
      throw mapError(error, "close", this.#dir);
    }
  }

  #assertOpen(): void {
    assert(this.#level.status === "open", "a closed map is not used");
  }
}

class LevelCursor implements KvCursor {
  readonly #iterator: LevelIterator;
  readonly #dir: string;

  constructor(iterator: LevelIterator, dir: string) {
    this.#iterator = iterator;
    this.#dir = dir;
  }

  async next(count: number): Promise<[Uint8Array, Uint8Array][]> {
    try {
      const entries = (await this.#iterator.nextv(count)) as [Uint8Array, Uint8Array | undefined][];
      return entries.map(([key, value]) => [plain(key), value === undefined ? new Uint8Array(0) : plain(value)]);
    } catch (error) {
      throw mapError(error, "read", this.#dir);
    }
  }

  async close(): Promise<void> {
    await this.#iterator.close();
  }
}

/** A log that is gone by now has become a table file. */
async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path, "r+");
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  }
}

function bounds({ start, end }: KvRange): { gte?: Uint8Array; lt?: Uint8Array } {
  return { ...(start === undefined ? {} : { gte: start }), ...(end === undefined ? {} : { lt: end }) };
}

/** The addon gives Node Buffers, whose `slice` does not copy; callers get what the contract says. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `level` wraps what LevelDB said in an error of its own; the innermost code and words are the useful ones. */
function mapError(thrown: unknown, verb: string, dir: string): unknown {
  let error = thrown as { code?: string; message?: string; cause?: unknown };
  while (error.cause instanceof Error) error = error.cause as typeof error;
  const code = error.code ?? "";
  const words = code === "LEVEL_LOCKED" ? "another process uses it" : systemWords(error);
  const text = `Cannot ${verb} the store "${dir}": ${words}`;
  const more = { cause: thrown, fields: { dir } };
  // Too few open files or a full temporary directory are what the disk's code tells; the rest is about executing what was unpacked.
  if (code === "ERR_DLOPEN_FAILED" && !/too many open files|no space left/i.test(text)) {
    const detail = `Cannot load the LevelDB addon: ${error.message ?? ""}; the program unpacks it to the temporary directory, which must allow execution`;
    return new LevinError("Levin:Engine:ErrAddon", detail, more);
  }
  if (code === "LEVEL_LOCKED") return new LevinError("Levin:State:ErrLocked", text, more);
  if (code === "LEVEL_CORRUPTION") return new LevinError("Levin:Engine:ErrCorrupt", text, more);
  // Everything else that LevelDB or the file system says: LEVEL_IO_ERROR, LEVEL_STATUS_*, ENOENT, EACCES, ENOSPC.
  return new LevinError("Levin:Engine:ErrDisk", text, more);
}
