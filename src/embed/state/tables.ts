import { concatBytes, utf8 } from "../../base/mod.ts";
import type { KvDb } from "../../kvdb/mod.ts";

/**
 * Keys of the sandbox's database: one letter for the kind of entry, then
 *
 * | letter | rest of the key | value |
 * |---|---|---|
 * | `c` | name | facts of the cluster, JSON or decimal text |
 * | `s` | store id | metapb.Store |
 * | `r` | region id | pdpb.Region |
 * | `b` | file id, block number (4) | packed pairs; only in memory, on disk they are in files |
 * | `f` | file id | record of a written, not yet ingested file, JSON |
 * | `u` | uuid (16), store id | empty: the uuid was used on that store |
 * | `i` | file id, number of the segment (4) | record of an ingested run, JSON |
 * | `v` | encoded key, inverted commit timestamp | operation (1), start timestamp (8), value |
 * | `l` | encoded key | lock, JSON |
 *
 * Numbers are big-endian, 8 bytes where nothing else is said.
 */
export function tableKey(letter: string, ...parts: Uint8Array[]): Uint8Array {
  return concatBytes(utf8(letter), ...parts);
}

/** All keys of one kind. */
export function tableRange(letter: string): { start: Uint8Array; end: Uint8Array } {
  return { start: utf8(letter), end: utf8(String.fromCharCode(letter.charCodeAt(0) + 1)) };
}

export function be64(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

export function be32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** Big-endian number at `at`. */
export function readBe64(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(at);
}

/** Visits all entries of one kind. */
export async function forEach(
  db: KvDb,
  letter: string,
  visit: (key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const cursor = db.cursor(tableRange(letter));
  try {
    for (;;) {
      const piece = await cursor.next(256);
      if (piece.length === 0) return;
      for (const [key, value] of piece) visit(key, value);
    }
  } finally {
    await cursor.close();
  }
}
