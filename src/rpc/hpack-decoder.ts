import { H2Code, PeerError } from "./frames.ts";
import { huffmanDecode } from "./hpack-huffman.ts";
import { STATIC_TABLE } from "./hpack-tables.ts";

export type HeaderList = (readonly [name: string, value: string])[];

/** What SETTINGS_HEADER_TABLE_SIZE is unless sent; we never send another. */
export const HEADER_TABLE_BYTES = 4096;
/** Added to name and value length of each entry (RFC 7541 §4.1, RFC 9113 §6.5.2). */
const ENTRY_OVERHEAD = 32;
const LARGEST_INTEGER = 1 << 24;

/**
 * Decodes the header blocks of one connection, in the order they arrive (RFC 7541). A list above `maxListBytes` is decoded to its
 * end, because the dynamic table must follow, but returned as undefined. Every other fault is a PeerError for the whole connection.
 */
export class HpackDecoder {
  readonly #maxListBytes: number;
  /** Newest entry last; index 62 is the last element. */
  #dynamic: (readonly [string, string])[] = [];
  #dynamicBytes = 0;
  #dynamicLimit = HEADER_TABLE_BYTES;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  decode(block: Uint8Array): HeaderList | undefined {
    this.#block = block;
    this.#at = 0;
    const list: HeaderList = [];
    let listBytes = 0;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if ((first & 0xe0) === 0x20) {
        if (listBytes > 0) fail("table size update after the first header");
        this.#resize(this.#integer(5));
        continue;
      }
      const entry = this.#field(first);
      listBytes += entry[0].length + entry[1].length + ENTRY_OVERHEAD;
      if (listBytes <= this.#maxListBytes) list.push(entry);
    }
    return listBytes <= this.#maxListBytes ? list : undefined;
  }

  #field(first: number): readonly [string, string] {
    if ((first & 0x80) !== 0) return this.#entry(this.#integer(7));
    const indexed = (first & 0x40) !== 0;
    const index = this.#integer(indexed ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    const entry = [name, this.#string()] as const;
    if (indexed) this.#insert(entry);
    return entry;
  }

  #entry(index: number): readonly [string, string] {
    const entry =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#dynamic[this.#dynamic.length - (index - STATIC_TABLE.length)];
    return entry ?? fail(`header index ${index} does not exist`);
  }

  #insert(entry: readonly [string, string]): void {
    this.#dynamic.push(entry);
    this.#dynamicBytes += entry[0].length + entry[1].length + ENTRY_OVERHEAD;
    this.#evict();
  }

  #resize(limit: number): void {
    if (limit > HEADER_TABLE_BYTES) fail(`table size update to ${limit}, allowed are ${HEADER_TABLE_BYTES}`);
    this.#dynamicLimit = limit;
    this.#evict();
  }

  #evict(): void {
    let dropped = 0;
    while (this.#dynamicBytes > this.#dynamicLimit) {
      const [name, value] = this.#dynamic[dropped++]!;
      this.#dynamicBytes -= name.length + value.length + ENTRY_OVERHEAD;
    }
    if (dropped > 0) this.#dynamic = this.#dynamic.slice(dropped);
  }

  #integer(prefixBits: number): number {
    const max = (1 << prefixBits) - 1;
    let value = this.#block[this.#at++]! & max;
    if (value < max) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#block[this.#at++] ?? fail("header block ends inside an integer");
      value += (byte & 0x7f) * 2 ** shift;
      if (value > LARGEST_INTEGER || shift > 28) fail("integer too large in a header block");
      if ((byte & 0x80) === 0) return value;
    }
  }

  #string(): string {
    if (this.#at >= this.#block.length) fail("header block ends before a string");
    const huffman = (this.#block[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) fail("header block ends inside a string");
    this.#at = end;
    if (huffman) return huffmanDecode(this.#block, start, end);
    let out = "";
    for (let i = start; i < end; i++) out += String.fromCharCode(this.#block[i]!);
    return out;
  }
}

function fail(message: string): never {
  throw new PeerError(H2Code.compressionError, message);
}
