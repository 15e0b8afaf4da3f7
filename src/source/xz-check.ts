import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc64 } from "../codec/mod.ts";

const CRC32 = 1;
const CRC64 = 4;
const SHA256 = 10;
const SIZES: Readonly<Record<number, number>> = { 0: 0, [CRC32]: 4, [CRC64]: 8, [SHA256]: 32 };

/** The check over a block's plain bytes that an .xz stream has. */
export class XzCheck {
  readonly #type: number;
  #crc32 = 0;
  #crc64 = new Crc64();
  #hash: Hash | undefined;

  constructor(type: number) {
    this.#type = type;
  }

  get isKnown(): boolean {
    return SIZES[this.#type] !== undefined;
  }

  get size(): number {
    return SIZES[this.#type]!;
  }

  begin(): void {
    this.#crc32 = 0;
    this.#crc64 = new Crc64();
    this.#hash = this.#type === SHA256 ? createHash("sha256") : undefined;
  }

  add(bytes: Uint8Array): void {
    if (this.#type === CRC32) this.#crc32 = crc32(bytes, this.#crc32);
    else if (this.#type === CRC64) this.#crc64.add(bytes);
    this.#hash?.update(bytes);
  }

  agrees(wanted: Uint8Array): boolean {
    const view = new DataView(wanted.buffer, wanted.byteOffset, wanted.length);
    switch (this.#type) {
      case CRC32:
        return view.getUint32(0, true) === this.#crc32;
      case CRC64:
        return view.getBigUint64(0, true) === this.#crc64.value;
      case SHA256:
        return this.#hash!.digest().equals(wanted);
      default:
        return true;
    }
  }
}
