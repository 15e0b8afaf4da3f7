/** A storage in memory, with short reads if asked for. */
import type { Storage, StoredFile, StoredObject } from "../../src/source/mod.ts";

export class MemoryStorage implements Storage {
  readonly name = "memory";
  /** Most bytes that a read gives. */
  readMax = Number.POSITIVE_INFINITY;
  openCount = 0;
  private readonly files = new Map<string, Uint8Array>();

  constructor(files: Record<string, Uint8Array | string>) {
    for (const [path, data] of Object.entries(files)) this.set(path, data);
  }

  set(path: string, data: Uint8Array | string): void {
    this.files.set(path, typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  list(): Promise<StoredFile[]> {
    const paths = [...this.files.keys()].sort();
    return Promise.resolve(paths.map((path) => ({ path, sizeBytes: this.files.get(path)!.length, mtimeMs: 1 })));
  }

  open(path: string): Promise<StoredObject> {
    const data = this.files.get(path);
    if (data === undefined) return Promise.reject(new Error(`no file ${path}`));
    this.openCount++;
    return Promise.resolve({
      sizeBytes: data.length,
      read: (into: Uint8Array, position: number): Promise<number> => {
        const size = Math.max(0, Math.min(into.length, data.length - position, this.readMax));
        into.set(data.subarray(position, position + size));
        return Promise.resolve(size);
      },
      close: () => {
        this.openCount--;
        return Promise.resolve();
      },
    });
  }
}
