/** One change of a batch; `value` undefined deletes the key. */
export interface KvChange {
  key: Uint8Array;
  value: Uint8Array | undefined;
}

export interface KvRange {
  /** First key, inclusive; absent = from the beginning. */
  start?: Uint8Array;
  /** Behind the last key, exclusive; absent = to the end. */
  end?: Uint8Array;
}

export interface KvCursorOptions {
  /** From the last key of the range down to its first. */
  reverse?: boolean;
  /** Entries come with an empty value; the backend need not copy the stored one. */
  keysOnly?: boolean;
  /** About how many bytes one `next` may return, at least one entry; 1 MiB when absent. */
  batchBytes?: number;
}

/** A cursor over ascending keys. Not for concurrent use; `close` is idempotent. Sees the map as it was when the cursor was made. */
export interface KvCursor {
  /** The next up to `count` entries (bounded by about `batchBytes` too): fewer than `count` is not yet the end, empty is. Bytes belong to the caller. */
  next(count: number): Promise<[key: Uint8Array, value: Uint8Array][]>;
  close(): Promise<void>;
}

/**
 * An ordered byte map. Keys compare as bytes. A batch is atomic; with `sync` it is on disk when the promise resolves; of two changes
 * of one key in a batch the later wins. Key and value bytes are copied before `batch` returns its promise.
 * Several handles of one directory may be open in one process (workers) when opened `shared`.
 *
 * Fails with `Levin:Engine:ErrDisk` or `Levin:Engine:ErrCorrupt`, naming the directory. Use after `close` is a bug of the caller.
 */
export interface KvDb {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  batch(changes: readonly KvChange[], options?: { sync?: boolean }): Promise<void>;
  cursor(range: KvRange, options?: KvCursorOptions): KvCursor;
  /** Every batch whose promise has resolved is on disk when this one resolves. */
  sync(): Promise<void>;
  /** Removes all keys of the range; not atomic. */
  clear(range: KvRange): Promise<void>;
  close(): Promise<void>;
}

/** What one `next` of a cursor returns at most when the caller names no size. */
export const CURSOR_BATCH_BYTES = 1024 * 1024;
