/** CRC-32 IEEE: row checksums, PARTITION BY KEY, CRC32(). */
const TABLE = new Int32Array(256);
for (let b = 0; b < 256; b++) {
  let c = b;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  TABLE[b] = c;
}

/** Unsigned CRC-32 of `bytes[start, end)`, continued from `before` (0 at the start). */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  let c = ~before;
  for (let i = start; i < end; i++) c = TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}
