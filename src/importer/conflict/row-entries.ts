/**
 * Rows that may be in each other's way, with all their pairs, sorted in the order of the source:
 *
 *   key   := table u16 ‖ row u56 ‖ entry u16        all big-endian; `table` is its number in the batch, `row` the row's id
 *   value := place                                  of entry 0
 *          | key length u16 ‖ key ‖ value           of the row's pairs, the record first
 *   place := chunk u32 ‖ row number f64 ‖ byte f64
 */
import { assert } from "../../base/mod.ts";
import type { PairSink } from "../../codec/mod.ts";
import type { PairArena } from "../../engine/mod.ts";

const ENTRY_KEY_BYTES = 11;
const PLACE_BYTES = 20;

/** Where a row stands: chunk of the batch, number in its file or piece, first byte in the decompressed file. */
export interface EntryPlace {
  chunk: number;
  row: number;
  byte: number;
}

/** Takes the pairs of one row, and writes them down when the row is to be kept. */
export class RowEntries implements PairSink {
  /** Whether a pair of the row at hand is looked for. */
  hit = false;
  readonly #isHit: (key: Uint8Array, length: number) => boolean;
  #bytes = new Uint8Array(1 << 12);
  #used = 0;
  /** End of each pair's entry. */
  readonly #ends: number[] = [];
  readonly #key = new Uint8Array(ENTRY_KEY_BYTES);
  readonly #place = new Uint8Array(PLACE_BYTES);
  readonly #view = new DataView(this.#place.buffer);

  constructor(isHit: (key: Uint8Array, length: number) => boolean) {
    this.#isHit = isHit;
  }

  begin(): void {
    this.hit = false;
    this.#used = 0;
    this.#ends.length = 0;
  }

  put(key: Uint8Array, keyLength: number, value: Uint8Array, valueLength: number): void {
    assert(keyLength < 1 << 16, "a key has less than 64 KiB");
    const size = 2 + keyLength + valueLength;
    if (this.#used + size > this.#bytes.length) {
      const grown = new Uint8Array(2 * (this.#used + size));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    const bytes = this.#bytes;
    bytes[this.#used] = keyLength >> 8;
    bytes[this.#used + 1] = keyLength & 0xff;
    bytes.set(key.subarray(0, keyLength), this.#used + 2);
    bytes.set(value.subarray(0, valueLength), this.#used + 2 + keyLength);
    this.#used += size;
    this.#ends.push(this.#used);
    this.hit ||= this.#isHit(key, keyLength);
  }

  /** Writes the row at hand. */
  keep(arena: PairArena, table: number, rowId: number, place: EntryPlace): void {
    const key = this.#key;
    key[0] = table >> 8;
    key[1] = table & 0xff;
    for (let i = 8, rest = rowId; i > 1; i--, rest = Math.floor(rest / 256)) key[i] = rest % 256;
    key[9] = 0;
    key[10] = 0;
    this.#view.setUint32(0, place.chunk);
    this.#view.setFloat64(4, place.row);
    this.#view.setFloat64(12, place.byte);
    arena.put(key, ENTRY_KEY_BYTES, this.#place, PLACE_BYTES);
    let from = 0;
    for (let i = 0; i < this.#ends.length; i++) {
      key[9] = (i + 1) >> 8;
      key[10] = (i + 1) & 0xff;
      const end = this.#ends[i]!;
      arena.put(key, ENTRY_KEY_BYTES, this.#bytes.subarray(from, end), end - from);
      from = end;
    }
  }
}

export function tableOf(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function rowIdOf(bytes: Uint8Array, at: number): number {
  let rowId = 0;
  for (let i = 2; i < 9; i++) rowId = rowId * 256 + bytes[at + i]!;
  return rowId;
}

export function isPlace(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 9] === 0 && bytes[at + 10] === 0;
}

export function placeAt(bytes: Uint8Array, at: number): EntryPlace {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, PLACE_BYTES);
  return { chunk: view.getUint32(0), row: view.getFloat64(4), byte: view.getFloat64(12) };
}
