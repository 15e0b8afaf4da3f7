import { crc32 } from "node:zlib";
import { assert } from "../../base/mod.ts";
import type { BlockStore } from "./block-store.ts";
import type { BlockMeta } from "./sst.ts";

/** Blocks of pairs by file and number: read, checked, the newest kept in memory up to a number of bytes. */
export class BlockCache {
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
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept;
    }
    const data = await this.#store.get({ fileId, block, offset: meta.offset, size: meta.size });
    assert(data !== undefined, `sandbox block ${name} exists`);
    assert(crc32(data) === meta.crc, `sandbox block ${name} has its checksum`);
    this.#kept.set(name, data);
    this.#size += data.length;
    for (const [oldest, bytes] of this.#kept) {
      if (this.#size <= this.#limit) break;
      this.#kept.delete(oldest);
      this.#size -= bytes.length;
    }
    return data;
  }
}
