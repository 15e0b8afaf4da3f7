/** Storage in memory with every call seen by the test: it can fail it, delay it or change what is there around it. */
import { equalBytes, LevinError } from "../../src/base/mod.ts";
import type { ObjectInfo, ObjectReader, ObjectStorage } from "../../src/storage/mod.ts";

export type StorageOp = "read" | "write" | "replaceIf" | "removeIf" | "remove" | "list";

export class MemoryStorage implements ObjectStorage {
  readonly uri = "file://<root>/";
  readonly objects: Map<string, Uint8Array>;
  before: (op: StorageOp, name: string, bytes?: Uint8Array) => void | Promise<void> = () => {};
  after: (op: StorageOp, name: string) => void | Promise<void> = () => {};

  constructor(objects: Map<string, Uint8Array> = new Map()) {
    this.objects = objects;
  }

  private async run<T>(op: StorageOp, name: string, bytes: Uint8Array | undefined, action: () => T): Promise<T> {
    try {
      await this.before(op, name, bytes);
    } catch (error) {
      throw new LevinError("Levin:Storage:ErrFailed", (error as Error).message, { cause: error });
    }
    const result = action();
    await this.after(op, name);
    return result;
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.run("read", name, undefined, () => this.objects.get(name));
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.run("write", name, bytes, () => void this.objects.set(name, bytes.slice()));
  }

  private is(name: string, expected: Uint8Array | undefined): boolean {
    const found = this.objects.get(name);
    return found === undefined || expected === undefined ? found === expected : equalBytes(found, expected);
  }

  replaceIf(name: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean> {
    return this.run("replaceIf", name, bytes, () => {
      if (!this.is(name, expected)) return false;
      this.objects.set(name, bytes.slice());
      return true;
    });
  }

  removeIf(name: string, expected: Uint8Array): Promise<boolean> {
    return this.run("removeIf", name, undefined, () => this.is(name, expected) && this.objects.delete(name));
  }

  async removesIf(): Promise<boolean> {
    return true;
  }

  async openRead(name: string): Promise<ObjectReader | undefined> {
    const bytes = await this.read(name);
    if (bytes === undefined) return undefined;
    return {
      sizeBytes: bytes.length,
      read: async (into, position) => {
        const part = bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      close: async () => {},
    };
  }

  remove(name: string): Promise<void> {
    return this.run("remove", name, undefined, () => void this.objects.delete(name));
  }

  list(folder: string): Promise<ObjectInfo[]> {
    return this.run("list", folder, undefined, () =>
      [...this.objects]
        .filter(([name]) => folder === "" || name.startsWith(`${folder}/`))
        .map(([name, bytes]) => ({ name, sizeBytes: bytes.length, mtimeMs: 0 }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }
}
