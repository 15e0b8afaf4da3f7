/** An object in a listing. */
export interface ObjectInfo {
  /** Relative to the root, parts joined by "/". */
  name: string;
  sizeBytes: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
}

/** An object open for ranged reads. */
export interface ObjectReader {
  readonly sizeBytes: number;
  /** Reads up to `into.length` bytes from `position`; 0 only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * Whole objects by name, in a directory or an object store. A name has no leading slash. Failures are Levin:Storage:ErrFailed (may be tried
 * again) and ErrDenied. `write` and `replaceIf` are durable when they resolve, and what they write is there in full or not at all.
 */
export interface ObjectStorage {
  /** As BR prints it, with a slash at the end and without credentials: `file:///mnt/backup/`, `s3://bucket/prefix/`. */
  readonly uri: string;
  /** undefined when there is no such object. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** undefined when there is no such object. An object that is replaced meanwhile is an error, not a mixture. */
  openRead(name: string): Promise<ObjectReader | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * Writes if the object's bytes are `expected` (undefined: there is none) at that very moment; false otherwise. Atomic towards others
   * that use `replaceIf`, and towards all where `expected` is undefined. True means that the object holds `bytes`: where it matters who
   * wrote them, they must be the caller's own (a lock with its id).
   */
  replaceIf(name: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean>;
  /** Removes if the object's bytes are `expected`; false otherwise. Without `removesIf` it fails. */
  removeIf(name: string, expected: Uint8Array): Promise<boolean>;
  /** Whether the storage can do `removeIf`; some object stores have conditional writes alone. */
  removesIf(): Promise<boolean>;
  /** Nothing there is fine. With `durable` it is gone for good when this resolves. */
  remove(name: string, durable?: boolean): Promise<void>;
  /** All objects below a folder (all for ""): a directory folder by folder in order of names, an object store in order of names. */
  list(folder: string, signal?: AbortSignal): Promise<ObjectInfo[]>;
}
