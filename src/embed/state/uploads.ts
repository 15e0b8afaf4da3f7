import { crc32 } from "node:zlib";
import { assert, toHex } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { BlockBuffers } from "./block-buffers.ts";
import { BlockCutter, type SealedBlock } from "./block-cutter.ts";
import type { BlockStore } from "./block-store.ts";
import type { Journal } from "./journal.ts";
import { HarmRefusal } from "./refusal.ts";
import { type BlockMeta, blockMeta, decodeFile, encodeFile, type SstFile, sstName } from "./sst.ts";
import { be64, forEach, readBe64, tableKey } from "./tables.ts";

/** Blocks of one upload that may wait for the database; more make the stream wait. */
const MAX_PENDING_BLOCKS = 8;

export interface UploadTarget {
  storeId: bigint;
  uuid: Uint8Array;
  regionId: bigint;
  confVer: bigint;
  version: bigint;
}

/** The import folders of all stores: files that were written and not yet ingested. */
export class Uploads {
  readonly #db: KvDb;
  readonly #journal: Journal;
  readonly #files = new Map<string, SstFile>();
  readonly #open = new Map<SstFile, number>();
  /** Blocks on their way to the database, by file. */
  readonly #writing = new Map<SstFile, Set<Promise<void>>>();
  /** Uuids by store: `uuid/store` in hex. */
  readonly #used = new Set<string>();
  readonly #newId: () => bigint;
  readonly #blocks: BlockStore;
  readonly buffers = new BlockBuffers();

  constructor(db: KvDb, journal: Journal, blocks: BlockStore, newId: () => bigint) {
    this.#db = db;
    this.#blocks = blocks;
    this.#journal = journal;
    this.#newId = newId;
  }

  /** Reads what is on disk; returns the ids of all files found. */
  async load(): Promise<bigint[]> {
    await forEach(this.#db, "f", (_, value) => {
      const file = decodeFile(value);
      this.#files.set(file.name, file);
    });
    await forEach(this.#db, "u", (key) => {
      this.#used.add(`${toHex(key.subarray(1, 17))}/${readBe64(key, 17)}`);
    });
    return [...this.#files.values()].map((file) => file.id);
  }

  /** Starts one stream. The uuid counts as used from here on, whatever becomes of the stream. */
  async begin(target: UploadTarget): Promise<Upload> {
    const use = `${toHex(target.uuid)}/${target.storeId}`;
    if (this.#used.has(use))
      throw new HarmRefusal(`uuid ${toHex(target.uuid)} was used before on store ${target.storeId}`);
    this.#used.add(use);
    const name = sstName(target.uuid, target.regionId, target.confVer, target.version);
    let file = this.#files.get(name);
    if (file === undefined) {
      file = {
        id: this.#newId(),
        name,
        uuid: target.uuid.slice(),
        regionId: target.regionId,
        confVer: target.confVer,
        version: target.version,
        blocks: [],
        hasLongValue: false,
        finished: new Map(),
        ingestedCfs: [],
      };
      this.#files.set(name, file);
    }
    this.#open.set(file, (this.#open.get(file) ?? 0) + 1);
    // Not waited for: the journal keeps its order, so it is on disk before anything that the stream leaves.
    const used = this.#journal.write([
      { key: tableKey("u", target.uuid, be64(target.storeId)), value: new Uint8Array(0) },
    ]);
    used.catch(() => undefined);
    return new Upload(this, file, target.storeId);
  }

  byName(name: string): SstFile | undefined {
    return this.#files.get(name);
  }

  all(): SstFile[] {
    return [...this.#files.values()];
  }

  /** Removes finished files for which `isStale` holds; none that a stream still writes. */
  async sweep(isStale: (file: SstFile) => boolean): Promise<void> {
    for (const file of this.all()) if (!this.#open.has(file) && isStale(file)) await this.drop(file);
  }

  /** A stream ended: with its file (`mark`) or without. */
  async end(upload: Upload, mark: { blocks: number; digest: number } | undefined): Promise<void> {
    const { file } = upload;
    const open = this.#open.get(file)! - 1;
    assert(open >= 0, "an upload ends once");
    if (open > 0) this.#open.set(file, open);
    else {
      this.#open.delete(file);
      await Promise.allSettled(this.#writing.get(file) ?? []);
      this.#writing.delete(file);
      await this.#blocks.finish(file.id);
    }
    if (mark !== undefined) {
      file.finished.set(upload.storeId, mark);
      await this.save(file);
    } else if (open === 0 && file.finished.size === 0) {
      this.#files.delete(file.name);
      await this.#blocks.drop(file.id);
    }
  }

  /** Starts writing a block. */
  put(file: SstFile, block: number, meta: BlockMeta, data: Uint8Array): void {
    const writing = this.#writing.get(file) ?? new Set();
    this.#writing.set(file, writing);
    const written = this.#blocks.put({ fileId: file.id, block, offset: meta.offset, size: meta.size }, data);
    writing.add(written);
    written.then(
      () => {
        writing.delete(written);
        if (this.#blocks.copies) this.buffers.giveBack(data);
      },
      () => {},
    );
  }

  /** Resolves when at most `left` blocks of the file, whoever sent them, are still on their way. Fails when one could not be written. */
  async written(file: SstFile, left: number): Promise<void> {
    const writing = this.#writing.get(file);
    while (writing !== undefined && writing.size > left) await Promise.race(writing);
  }

  save(file: SstFile): Promise<void> {
    return this.#journal.write([{ key: tableKey("f", be64(file.id)), value: encodeFile(file) }]);
  }

  /** Forgets a file that is being ingested: its blocks stay. The caller deletes the returned key with its own changes. */
  take(file: SstFile): Uint8Array {
    this.#files.delete(file.name);
    return tableKey("f", be64(file.id));
  }

  /** Removes a file with its blocks. */
  async drop(file: SstFile): Promise<void> {
    await this.#journal.write([{ key: this.take(file), value: undefined }]);
    await this.#blocks.drop(file.id);
  }
}

/** One Write stream to one store. */
export class Upload {
  readonly file: SstFile;
  readonly storeId: bigint;
  readonly cutter: BlockCutter;
  readonly #uploads: Uploads;
  #digest = 0;
  readonly #digestBytes = new Uint8Array(16);
  #blocks = 0;
  #ended = false;

  constructor(uploads: Uploads, file: SstFile, storeId: bigint) {
    this.#uploads = uploads;
    this.cutter = new BlockCutter(uploads.buffers);
    this.file = file;
    this.storeId = storeId;
  }

  /** Takes an encoded WriteBatch. Throws Refusal. */
  async add(batch: Uint8Array): Promise<void> {
    for (const block of this.cutter.add(batch)) this.#put(block);
    await this.#uploads.written(this.file, MAX_PENDING_BLOCKS);
  }

  /** The stream ended well; resolves when the file is kept. Returns whether anything was written. */
  async finish(): Promise<boolean> {
    for (const block of this.cutter.finish()) this.#put(block);
    await this.#uploads.written(this.file, 0);
    this.#ended = true;
    if (this.#blocks === 0) {
      await this.#uploads.end(this, undefined);
      return false;
    }
    if (this.cutter.hasLongValue) this.file.hasLongValue = true;
    await this.#uploads.end(this, { blocks: this.#blocks, digest: this.#digest });
    return true;
  }

  /** The stream failed. Idempotent. */
  async abandon(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#uploads.end(this, undefined);
  }

  #put(block: SealedBlock): void {
    const index = this.#blocks++;
    const view = new DataView(this.#digestBytes.buffer);
    view.setBigUint64(0, BigInt(block.crc));
    view.setBigUint64(8, block.commitTs);
    this.#digest = crc32(this.#digestBytes, this.#digest);
    const known = this.file.blocks[index];
    if (known === undefined) {
      const meta = blockMeta(block, this.file.blocks[index - 1]);
      this.file.blocks.push(meta);
      this.#uploads.put(this.file, index, meta, block.data);
    } else if (known.crc !== block.crc || known.commitTs !== block.commitTs || known.bytes !== block.bytes) {
      throw new HarmRefusal(
        `the stream to store ${this.storeId} differs from that of another peer (file ${this.file.name}, block ${index})`,
      );
    } else this.#uploads.buffers.giveBack(block.data);
  }
}
