import { toHex } from "./bytes.ts";
import { type Random, systemRandom } from "./random.ts";

/** 16 random bytes with the marks of a version 4 UUID. */
export function newUuid(random: Random = systemRandom): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  random.fill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** The text form with dashes, 36 characters. */
export function uuidText(bytes: Uint8Array): string {
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
