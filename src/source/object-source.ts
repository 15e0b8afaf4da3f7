import { LevinError } from "../base/mod.ts";
import { type BucketAccess, type ObjectStorage, openBucket } from "../storage/mod.ts";
import { openLocalStorage } from "./local-storage.ts";
import type { Storage } from "./storage.ts";

/** The objects below a prefix of a bucket as a source; each read of an open file is one ranged request. */
export function objectSource(objects: ObjectStorage): Storage {
  const name = objects.uri.replace(/\/$/, "");
  return {
    name,
    async list(signal) {
      const found = await guarded(name, () => objects.list("", signal));
      return found.map(({ name: path, sizeBytes, mtimeMs }) => ({ path, sizeBytes, mtimeMs }));
    },
    async open(path) {
      const full = `${name}/${path}`;
      const object = await guarded(full, () => objects.openRead(path));
      if (object === undefined) throw unreadable(full, "there is no such object");
      return {
        sizeBytes: object.sizeBytes,
        read: (into, position) => guarded(full, () => object.read(into, position)),
        close: () => object.close(),
      };
    },
  };
}

/** What is to be imported: a directory or a file of this host, or, where `bucket` is given, the objects below its prefix. */
export async function openSource(path: string, bucket?: BucketAccess): Promise<Storage> {
  return bucket === undefined ? openLocalStorage(path) : objectSource(openBucket(bucket));
}

async function guarded<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    if (thrown instanceof LevinError && !thrown.code.startsWith("Levin:Storage:")) throw thrown;
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    throw unreadable(path, text.replace(/^Cannot \w+ "[^"]*": /, ""), thrown);
  }
}

function unreadable(path: string, why: string, cause?: unknown): LevinError {
  return new LevinError("Levin:Source:ErrUnreadable", `Cannot read "${path}": ${why}`, {
    cause,
    fields: { file: path },
  });
}
