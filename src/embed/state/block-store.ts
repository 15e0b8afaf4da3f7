import type { KvDb } from "../../kvdb/mod.ts";
import { Journal } from "./journal.ts";
import { be32, be64, tableKey } from "./tables.ts";

/** Where one block lies. */
export interface BlockPlace {
  fileId: bigint;
  /** Number of the block in its file. */
  block: number;
  /** Bytes before it in its file, and its own. */
  offset: number;
  size: number;
}

/** Keeps the blocks of written files. They are never changed; a block is read only after its `put` has resolved. */
export interface BlockStore {
  put(place: BlockPlace, data: Uint8Array): Promise<void>;
  /** The data of a block may be changed when its `put` has resolved. */
  readonly copies: boolean;
  /** The block may lie in `into`, if it is large enough. */
  get(place: BlockPlace, into?: Uint8Array): Promise<Uint8Array | undefined>;
  /** No more blocks of this file will be put. */
  finish(fileId: bigint): Promise<void>;
  drop(fileId: bigint): Promise<void>;
  /** Removes the files that are not listed: left-overs of streams that were cut by the end of the process. */
  keepOnly(fileIds: readonly bigint[]): Promise<void>;
  close(): Promise<void>;
}

const key = (place: BlockPlace): Uint8Array => tableKey("b", be64(place.fileId), be32(place.block));

/** Blocks up to this size cost less as entries of a database than a file each. */
const SMALL_BYTES = 16 * 1024;

/** Small blocks in the database, those that come at the same time together; all others where `large` keeps them. */
export function smallBlocksIn(db: KvDb, large: BlockStore): BlockStore {
  const small = kvBlocks(db);
  const journal = new Journal(db);
  return {
    copies: large.copies,
    put: (place, data) =>
      place.size <= SMALL_BYTES ? journal.write([{ key: key(place), value: data }]) : large.put(place, data),
    async get(place, into) {
      const found = place.size <= SMALL_BYTES ? await small.get(place) : undefined;
      return found ?? large.get(place, into);
    },
    finish: (fileId) => large.finish(fileId),
    async drop(fileId) {
      await large.drop(fileId);
      await small.drop(fileId);
    },
    async keepOnly(fileIds) {
      await large.keepOnly(fileIds);
      await small.keepOnly(fileIds);
    },
    async close() {
      await journal.settled();
      await large.close();
    },
  };
}

/** Blocks as entries of a database: for clusters in memory. */
export function kvBlocks(db: KvDb): BlockStore {
  const clear = (from: bigint, to: bigint) =>
    db.clear({ start: tableKey("b", be64(from)), end: tableKey("b", be64(to)) });
  return {
    copies: false,
    put: (place, data) => db.batch([{ key: key(place), value: data }]),
    get: (place) => db.get(key(place)),
    finish: async () => {},
    drop: (fileId) => clear(fileId, fileId + 1n),
    async keepOnly(fileIds) {
      let from = 0n;
      for (const id of [...fileIds].sort((a, b) => (a < b ? -1 : 1))) {
        if (id > from) await clear(from, id);
        from = id + 1n;
      }
      await clear(from, 0xffffffffffffffffn);
    },
    close: async () => {},
  };
}
