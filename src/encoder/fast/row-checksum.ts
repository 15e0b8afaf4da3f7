import { ByteWriter, crc32 } from "../../codec/mod.ts";
import { putHalves } from "./emit-key.ts";
import type { FastHandle } from "./fast-handle.ts";

/** Flag of a row that ends in a checksum, and the version that TiDB has written since 8.4 (row, header byte, handle). */
const CHECKSUM_FLAG = 2;
const VERSION = 2;

const handleBytes = new ByteWriter(8);

/** Marks the row `row[0, length)` and appends its checksum; there must be room for five bytes. Returns its new length. */
export function appendRowChecksum(row: Uint8Array, length: number, handle: FastHandle): number {
  row[1]! |= CHECKSUM_FLAG;
  row[length] = VERSION;
  let tail = handle.bytes;
  if (!handle.common) {
    tail = handleBytes;
    tail.length = 0;
    putHalves(tail, handle.high ^ 0x80000000, handle.low);
  }
  const crc = crc32(tail.bytes, 0, tail.length, crc32(row, 0, length + 1));
  row[length + 1] = crc;
  row[length + 2] = crc >>> 8;
  row[length + 3] = crc >>> 16;
  row[length + 4] = crc >>> 24;
  return length + 5;
}
