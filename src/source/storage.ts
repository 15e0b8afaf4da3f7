/** A file of the source as a listing shows it. `path` is relative to the source's root, parts joined by "/". */
export interface StoredFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970; with the size it tells whether a file changed between two runs. */
  readonly mtimeMs: number;
}

/** An open file; several may be open at once, reads of one do not overlap. */
export interface StoredObject {
  readonly sizeBytes: number;
  /** Reads up to `into.length` bytes from `position`; 0 only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * Where a dump lies: a local directory, or a prefix of a bucket.
 * Every failure is `Levin:Source:ErrUnreadable` naming the path.
 */
export interface Storage {
  /** How the source is called in messages: the directory's or file's path. */
  readonly name: string;
  /** All files below the root in order of their paths. */
  list(signal?: AbortSignal): Promise<StoredFile[]>;
  open(path: string): Promise<StoredObject>;
}

/** A stream of bytes that is pulled; `read` gives 0 at the end and is never called twice at once. */
export interface ByteSource {
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** The bytes [start, end) of an open file as a stream; closing it closes the file. */
export function rangeSource(object: StoredObject, start: number, end: number): ByteSource {
  let at = start;
  return {
    async read(into) {
      const want = Math.min(into.length, end - at);
      if (want <= 0) return 0;
      const got = await object.read(want === into.length ? into : into.subarray(0, want), at);
      at += got;
      return got;
    },
    close: () => object.close(),
  };
}

/** Bytes in memory as a stream. */
export function memorySource(bytes: Uint8Array): ByteSource {
  let at = 0;
  return {
    read: (into) => {
      const size = Math.min(into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + size));
      at += size;
      return Promise.resolve(size);
    },
    close: () => Promise.resolve(),
  };
}

/** The bytes [start, end) of a stream that cannot be positioned. */
export function part(source: ByteSource, start: number, end: number): ByteSource {
  let at = 0;
  return {
    async read(into) {
      while (at < start) {
        const size = await source.read(into.subarray(0, Math.min(into.length, start - at)));
        if (size === 0) return 0;
        at += size;
      }
      const want = Math.min(into.length, end - at);
      if (want <= 0) return 0;
      const size = await source.read(want === into.length ? into : into.subarray(0, want));
      at += size;
      return size;
    },
    close: () => source.close(),
  };
}
