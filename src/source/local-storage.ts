import type { FileHandle } from "node:fs/promises";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { LevinError, systemWords } from "../base/mod.ts";
import type { Storage, StoredFile, StoredObject } from "./storage.ts";

/** Directories deeper than this are not a dump but a mistake. */
const DEPTH_MAX = 64;

/**
 * A directory of the local file system, read recursively, or one file. Symbolic links are followed, the root's as well as those
 * to files and directories below it; a directory that contains itself through a link is read once.
 */
export async function openLocalStorage(root: string): Promise<Storage> {
  const info = await attempt(root, () => stat(root));
  if (info.isFile()) return new LocalFile(root);
  if (!info.isDirectory()) throw unreadable(root, "it is neither a directory nor a file");
  return new LocalDirectory(root);
}

class LocalDirectory implements Storage {
  readonly name: string;

  constructor(root: string) {
    this.name = root;
  }

  async list(signal?: AbortSignal): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    await this.walk("", [], files, signal);
    return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  async open(path: string): Promise<StoredObject> {
    return openObject(join(this.name, path));
  }

  private async walk(
    folder: string,
    above: readonly string[],
    files: StoredFile[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const full = join(this.name, folder);
    if (above.length > DEPTH_MAX) throw unreadable(full, `directories are nested more than ${DEPTH_MAX} deep`);
    const real = await attempt(full, () => realpath(full));
    if (above.includes(real)) return;
    for (const entry of await attempt(full, () => readdir(full, { withFileTypes: true }))) {
      signal?.throwIfAborted();
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const info = await attempt(join(this.name, path), () => stat(join(this.name, path)));
      if (info.isDirectory()) await this.walk(path, [...above, real], files, signal);
      else if (info.isFile()) files.push({ path, sizeBytes: info.size, mtimeMs: info.mtimeMs });
      else throw unreadable(join(this.name, path), "it is neither a file nor a directory");
    }
  }
}

class LocalFile implements Storage {
  readonly name: string;

  constructor(path: string) {
    this.name = path;
  }

  async list(): Promise<StoredFile[]> {
    const info = await attempt(this.name, () => stat(this.name));
    return [{ path: basename(this.name), sizeBytes: info.size, mtimeMs: info.mtimeMs }];
  }

  async open(): Promise<StoredObject> {
    return openObject(this.name);
  }
}

async function openObject(path: string): Promise<StoredObject> {
  const handle: FileHandle = await attempt(path, () => open(path, "r"));
  const sizeBytes = await attempt(path, async () => (await handle.stat()).size).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  return {
    sizeBytes,
    read: (into, position) =>
      attempt(path, async () => (await handle.read(into, 0, into.length, position)).bytesRead, position),
    close: () => handle.close(),
  };
}

async function attempt<T>(path: string, action: () => Promise<T>, byte?: number): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw unreadable(path, systemWords(thrown), thrown, byte);
  }
}

function unreadable(path: string, why: string, cause?: unknown, byte?: number): LevinError {
  const place = byte === undefined ? "" : ` (byte ${byte})`;
  return new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": ${why}${place}`, {
    cause,
    fields: { file: path, byte },
  });
}
