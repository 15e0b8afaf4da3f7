import { concatBytes, textOf, utf8 } from "../../../base/mod.ts";

/** Builds one MySQL packet's payload. */
export class PacketWriter {
  #bytes = new Uint8Array(256);
  #at = 0;

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  uint(value: number, size: 1 | 2 | 3 | 4): this {
    this.#reserve(size);
    for (let i = 0; i < size; i++) this.#bytes[this.#at++] = (value >>> (8 * i)) & 0xff;
    return this;
  }

  uint64(value: bigint): this {
    this.#reserve(8);
    for (let i = 0n; i < 8n; i++) this.#bytes[this.#at++] = Number((value >> (8n * i)) & 0xffn);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  zeros(count: number): this {
    return this.bytes(new Uint8Array(count));
  }

  text(value: string): this {
    return this.bytes(utf8(value));
  }

  nullText(value: string): this {
    return this.text(value).uint(0, 1);
  }

  lengthCoded(value: number | bigint): this {
    if (value < 251) return this.uint(Number(value), 1);
    if (value < 0x10000) return this.uint(0xfc, 1).uint(Number(value), 2);
    if (value < 0x1000000) return this.uint(0xfd, 1).uint(Number(value), 3);
    return this.uint(0xfe, 1).uint64(BigInt(value));
  }

  lengthCodedBytes(value: Uint8Array): this {
    return this.lengthCoded(value.length).bytes(value);
  }

  lengthCodedText(value: string): this {
    return this.lengthCodedBytes(utf8(value));
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }
}

/** A packet that ends before its fields do. */
export class MalformedPacket extends Error {}

/** Reads one MySQL packet's payload. */
export class PacketReader {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(count: number): Uint8Array {
    if (count > this.left) throw new MalformedPacket("malformed packet");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  uint(size: 1 | 2 | 3 | 4): number {
    let value = 0;
    const part = this.bytes(size);
    for (let i = 0; i < size; i++) value += part[i]! * 2 ** (8 * i);
    return value;
  }

  uint64(): bigint {
    return BigInt(this.uint(4)) | (BigInt(this.uint(4)) << 32n);
  }

  lengthCoded(): number {
    const first = this.uint(1);
    if (first < 251) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    return Number(this.uint64());
  }

  lengthCodedBytes(): Uint8Array {
    return this.bytes(this.lengthCoded());
  }

  nullText(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new MalformedPacket("malformed packet");
    const part = this.bytes(end - this.#at);
    this.#at++;
    return textOf(part);
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }
}

const PAYLOAD_SIZE_MAX = 0xffffff;

/** Cuts a byte stream into packets: `length u24 LE ‖ sequence u8 ‖ payload`; payloads of 2^24-1 bytes go on in the next one. */
export class PacketSplitter {
  #parts: Uint8Array[] = [];
  #size = 0;
  #whole: Uint8Array[] = [];
  readonly #sizeMax: number;
  #wholeSize = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** All packets that are complete with these bytes: payload and the sequence number of their last part. */
  push(bytes: Uint8Array): { sequence: number; payload: Uint8Array }[] {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    const out: { sequence: number; payload: Uint8Array }[] = [];
    for (;;) {
      if (this.#size < 4) return out;
      if (this.#parts[0]!.length < 4) this.#parts = [concatBytes(...this.#parts)];
      const head = this.#parts[0]!;
      const length = head[0]! | (head[1]! << 8) | (head[2]! << 16);
      if (this.#size < 4 + length) return out;
      const all = this.#parts.length === 1 ? head : concatBytes(...this.#parts);
      const payload = all.slice(4, 4 + length);
      const rest = all.subarray(4 + length);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      this.#whole.push(payload);
      this.#wholeSize += length;
      if (this.#wholeSize > this.#sizeMax) throw new MalformedPacket("packet too large");
      if (length === PAYLOAD_SIZE_MAX) continue;
      out.push({ sequence: head[3]!, payload: this.#whole.length === 1 ? payload : concatBytes(...this.#whole) });
      this.#whole = [];
      this.#wholeSize = 0;
    }
  }

  /** Bytes not yet part of a packet (what stands behind a request to switch to TLS). */
  takeRest(): Uint8Array {
    const rest = concatBytes(...this.#parts);
    this.#parts = [];
    this.#size = 0;
    return rest;
  }
}

/** Frames a payload, split where it is too long; the next free sequence number comes back. */
export function framePacket(payload: Uint8Array, sequence: number): { bytes: Uint8Array; next: number } {
  const parts: Uint8Array[] = [];
  let next = sequence;
  for (let at = 0; at <= payload.length; at += PAYLOAD_SIZE_MAX) {
    const part = payload.subarray(at, at + PAYLOAD_SIZE_MAX);
    parts.push(Uint8Array.of(part.length & 0xff, (part.length >> 8) & 0xff, part.length >> 16, next), part);
    next = (next + 1) & 0xff;
  }
  return { bytes: concatBytes(...parts), next };
}
