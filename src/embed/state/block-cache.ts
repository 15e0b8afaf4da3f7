import { crc32 } from "node:zlib";
import { assert } from "../../base/mod.ts";
import { BlockBuffers } from "./block-buffers.ts";
import type { BlockStore } from "./block-store.ts";
import type { BlockMeta } from "./sst.ts";

/** Blocks of pairs by file and number: read, checked, the newest kept in memory up to a number of bytes. */
export class BlockCache {
  /** Where blocks lie that are looked at once. */
  readonly buffers = new BlockBuffers();
  readonly #store: BlockStore;
  readonly #limit: number;
  readonly #kept = new Map<string, Uint8Array>();
  #size = 0;

  constructor(store: BlockStore, limitBytes: number) {
    this.#store = store;
    this.#limit = limitBytes;
  }

  async get(fileId: bigint, block: number, meta: BlockMeta): Promise<Uint8Array> {
    const name = `${fileId}/${block}`;
    const kept = this.#found(name);
    if (kept !== undefined) return kept;
    const data = await this.#read(fileId, block, meta);
    this.#kept.set(name, data);
    this.#size += data.length;
    for (const [oldest, bytes] of this.#kept) {
      if (this.#size <= this.#limit) break;
      this.#kept.delete(oldest);
      this.#size -= bytes.length;
    }
    return data;
  }

  /** For a block that is looked at once: it is not kept, and may lie in `into`. */
  async getOnce(fileId: bigint, block: number, meta: BlockMeta, into: Uint8Array): Promise<Uint8Array> {
    return this.#found(`${fileId}/${block}`) ?? (await this.#read(fileId, block, meta, into));
  }

  #found(name: string): Uint8Array | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept;
  }

  async #read(fileId: bigint, block: number, meta: BlockMeta, into?: Uint8Array): Promise<Uint8Array> {
    const data = await this.#store.get({ fileId, block, offset: meta.offset, size: meta.size }, into);
    assert(data !== undefined, `sandbox block ${fileId}/${block} exists`);
    assert(crc32(data) === meta.crc, `sandbox block ${fileId}/${block} has its checksum`);
    return data;
  }
}
