import { randomBytes } from "node:crypto";
import { toHex, utf8 } from "../base/mod.ts";

/** 16 random bytes with the marks of a version 4 UUID. */
export function newUuid(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** The text form with dashes, 36 characters. */
export function uuidText(bytes: Uint8Array): string {
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Name of a data or checksum file of 2025: the UUID's text in hex, 72 digits. */
export function fileNameOf(uuid: Uint8Array): string {
  return `${toHex(utf8(uuidText(uuid)))}.cpt`;
}
