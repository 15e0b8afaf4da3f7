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

/** A cursor over ascending keys. Not for concurrent use; `close` is idempotent. */
export interface KvCursor {
  /** The next up to `count` entries (bounded by about `sizeBytes` too), fewer at the end; empty = end. Bytes belong to the caller. */
  next(count: number): Promise<[key: Uint8Array, value: Uint8Array][]>;
  close(): Promise<void>;
}

/**
 * An ordered byte map. Keys compare as bytes. A batch is atomic; with `sync` it is on disk when the promise resolves.
 * Several handles of one directory may be open in one process (workers) when opened `shared`.
 */
export interface KvDb {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  batch(changes: readonly KvChange[], options?: { sync?: boolean }): Promise<void>;
  cursor(range: KvRange, options?: { reverse?: boolean }): KvCursor;
  /** Removes all keys of the range. */
  clear(range: KvRange): Promise<void>;
  close(): Promise<void>;
}
