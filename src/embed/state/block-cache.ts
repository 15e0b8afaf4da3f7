import { assert } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";
import { crc64 } from "./crc64.ts";
import { type BlockMeta, blockKey } from "./sst.ts";

/** Blocks of pairs by file and number: read from the database, checked, the newest kept in memory up to a number of bytes. */
export class BlockCache {
  readonly #db: KvDb;
  readonly #limit: number;
  readonly #kept = new Map<string, Uint8Array>();
  #size = 0;

  constructor(db: KvDb, limitBytes: number) {
    this.#db = db;
    this.#limit = limitBytes;
  }

  async get(fileId: bigint, number: number, meta: BlockMeta): Promise<Uint8Array> {
    const name = `${fileId}/${number}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept;
    }
    const data = await this.#db.get(blockKey(fileId, number));
    assert(data !== undefined, `sandbox block ${name} exists`);
    assert(crc64(data) === meta.crc, `sandbox block ${name} has its checksum`);
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
