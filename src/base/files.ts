import { constants } from "node:fs";
import fs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** An open file for appending. */
export interface AppendFile {
  /** Writes all bytes at the end. */
  append(bytes: Uint8Array): Promise<void>;
  /** On disk when it resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** An open file for reading. */
export interface ReadFile {
  size(): Promise<number>;
  /** Fills `into` with the bytes from offset `at` on; returns how many there were, fewer only at the end of the file. */
  readAt(into: Uint8Array, at: number): Promise<number>;
  close(): Promise<void>;
}

/** A name in a directory. */
export interface DirEntry {
  name: string;
  isDir: boolean;
  sizeBytes: number;
  mtimeMs: number;
}

/**
 * File operations as a value, so that a test can fail each of them in turn. Paths are plain; errors are Node's, with `code`.
 */
export interface Files {
  /**
   * With its parents. On disk when it resolves are the names of those that it makes and of the one that was there: whoever made that may have
   * died before its name was on disk.
   */
  makeDir(path: string): Promise<void>;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Whole new content that is there in full or not at all: temporary file, sync, rename, sync of the directory. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  openAppend(path: string): Promise<AppendFile>;
  /** undefined when there is no such file. */
  openRead(path: string): Promise<ReadFile | undefined>;
  truncate(path: string, size: number): Promise<void>;
  remove(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  /** Names in a directory, sorted; [] when it does not exist. */
  list(path: string): Promise<string[]>;
  /** What is in a directory, sorted by name; undefined when there is no such directory (nothing there, or a file). */
  entries(path: string): Promise<DirEntry[] | undefined>;
  /** Creates or overwrites a file; on disk when it resolves, its name is not. */
  writeSynced(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Gives an existing file a second name that must not exist; false when it does. Atomic. */
  link(from: string, to: string): Promise<boolean>;
  syncDir(path: string): Promise<void>;
  /** Bytes that are free for us on the file system of the nearest directory that exists; undefined where the system does not say. */
  freeBytes(path: string): Promise<number | undefined>;
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === "ENOENT";
}

async function syncDir(path: string): Promise<void> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path, constants.O_RDONLY);
  } catch (error) {
    // One that may be written and not read.
    if ((error as { code?: string }).code === "EACCES") return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems and Windows refuse to sync a directory; the rename itself is still atomic there.
    const code = (error as { code?: string }).code;
    if (code !== "EINVAL" && code !== "EPERM" && code !== "EISDIR") throw error;
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fs.open(path, "w");
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const systemFiles: Files = {
  async makeDir(path) {
    const missing: string[] = [];
    let at = resolve(path);
    for (; !(await exists(at)); at = dirname(at)) missing.push(at);
    await syncDir(dirname(at));
    for (const dir of missing.reverse()) {
      await fs.mkdir(dir, { recursive: true });
      await syncDir(dirname(dir));
    }
  },
  async read(path) {
    try {
      return await fs.readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async replace(path, bytes) {
    const temporary = `${path}.tmp`;
    await writeSynced(temporary, bytes);
    await fs.rename(temporary, path);
    await syncDir(dirname(path));
  },
  async openAppend(path) {
    const handle = await fs.open(path, "a");
    return {
      async append(bytes) {
        for (let done = 0; done < bytes.length; ) {
          done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
        }
      },
      sync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  async openRead(path) {
    let handle: fs.FileHandle;
    try {
      handle = await fs.open(path, "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    return {
      size: async () => (await handle.stat()).size,
      async readAt(into, at) {
        let done = 0;
        while (done < into.length) {
          const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done;
      },
      close: () => handle.close(),
    };
  },
  truncate: (path, size) => fs.truncate(path, size),
  async remove(path) {
    try {
      await fs.unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
  async removeTree(path) {
    await fs.rm(path, { recursive: true, force: true });
  },
  async list(path) {
    try {
      return (await fs.readdir(path)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  async entries(path) {
    let names: string[];
    try {
      names = (await fs.readdir(path)).sort();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
    const out: DirEntry[] = [];
    for (const name of names) {
      try {
        const stat = await fs.stat(join(path, name));
        out.push({ name, isDir: stat.isDirectory(), sizeBytes: stat.size, mtimeMs: stat.mtimeMs });
      } catch (error) {
        // Removed since it was listed.
        if (!isMissing(error)) throw error;
      }
    }
    return out;
  },
  writeSynced,
  rename: (from, to) => fs.rename(from, to),
  async link(from, to) {
    try {
      await fs.link(from, to);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "EEXIST") return false;
      throw error;
    }
  },
  syncDir,
  async freeBytes(path) {
    for (let at = path; ; at = dirname(at)) {
      try {
        const { bavail, bsize } = await fs.statfs(at);
        return bavail * bsize;
      } catch (error) {
        if (!isMissing(error) || dirname(at) === at) return undefined;
      }
    }
  },
};

export { join as joinPath };
