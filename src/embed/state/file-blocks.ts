import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BlockPlace, BlockStore } from "./block-store.ts";

/** Files kept open for reading. */
const MAX_OPEN = 64;
const SUFFIX = ".sst";

/** Blocks of a written file one behind the other in a file of the directory: `<file id>.sst`. Each byte is written once. */
export async function fileBlocks(dir: string): Promise<BlockStore> {
  await mkdir(dir, { recursive: true });
  return new FileBlocks(dir);
}

class FileBlocks implements BlockStore {
  readonly copies = true;
  readonly #dir: string;
  readonly #writing = new Map<bigint, Promise<FileHandle>>();
  /** Least recently used first. */
  readonly #reading = new Map<bigint, Promise<FileHandle>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put({ fileId, offset }: { fileId: bigint; offset: number }, data: Uint8Array): Promise<void> {
    let handle = this.#writing.get(fileId);
    if (handle === undefined) {
      handle = open(this.#path(fileId), constants.O_RDWR | constants.O_CREAT, 0o644);
      this.#writing.set(fileId, handle);
    }
    const file = await handle;
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await file.write(data, done, data.length - done, offset + done);
      done += bytesWritten;
    }
  }

  async get({ fileId, offset, size }: BlockPlace, into?: Uint8Array): Promise<Uint8Array | undefined> {
    const file = await this.#readable(fileId);
    const out = into === undefined || into.length < size ? new Uint8Array(size) : into.subarray(0, size);
    for (let done = 0; done < size; ) {
      const { bytesRead } = await file.read(out, done, size - done, offset + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    return out;
  }

  async finish(fileId: bigint): Promise<void> {
    const handle = this.#writing.get(fileId);
    this.#writing.delete(fileId);
    await (await handle)?.close();
  }

  async drop(fileId: bigint): Promise<void> {
    await this.finish(fileId);
    const reading = this.#reading.get(fileId);
    this.#reading.delete(fileId);
    await (await reading)?.close();
    await rm(this.#path(fileId), { force: true });
  }

  async keepOnly(fileIds: readonly bigint[]): Promise<void> {
    const names = new Set(fileIds.map((id) => `${id}${SUFFIX}`));
    for (const name of await readdir(this.#dir)) {
      if (name.endsWith(SUFFIX) && !names.has(name)) await rm(join(this.#dir, name), { force: true });
    }
  }

  async close(): Promise<void> {
    for (const handle of [...this.#writing.values(), ...this.#reading.values()]) await (await handle).close();
    this.#writing.clear();
    this.#reading.clear();
  }

  #path(fileId: bigint): string {
    return join(this.#dir, `${fileId}${SUFFIX}`);
  }

  async #readable(fileId: bigint): Promise<FileHandle> {
    const known = this.#reading.get(fileId);
    const handle = known ?? open(this.#path(fileId), "r");
    this.#reading.delete(fileId);
    this.#reading.set(fileId, handle);
    if (this.#reading.size > MAX_OPEN) {
      const [oldest, file] = this.#reading.entries().next().value!;
      this.#reading.delete(oldest);
      await (await file).close();
    }
    return handle;
  }
}
