/**
 * JSON text → TiDB's binary JSON, with the rules of Go's `encoding/json` that TiDB builds on (`pkg/types/json_binary.go`): of equal keys
 * the last counts, keys are sorted by bytes, and what is wrong with the syntax is found before what is too deep or too long.
 *
 * Values are appended to one buffer as they are read; when a container ends, its header, entries and keys are put together with its
 * values in a second buffer and take their place. Nothing is allocated a value.
 */
import { ByteWriter } from "./byte-writer.ts";
import { JsonType } from "./json-binary.ts";
import { invalidJson, jsonKeyTooLong, jsonTooDeep } from "./json-error.ts";
import { appendJsonNumber, appendJsonString, jsonNumber, jsonStringEnd } from "./json-scalar.ts";

const MAX_DEPTH = 100;
/** Go's scanner gives up at this depth, TiDB afterwards at MAX_DEPTH; both with the same error. */
const SCAN_DEPTH = 10_000;
const KEY_MAX = 0xffff;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;

const HEADER = 8;
const KEY_ENTRY = 6;
const VALUE_ENTRY = 5;

/** Members that are sorted by insertion; more are sorted by the runtime. */
const FEW = 24;

/** Encodes one document after the other into the same buffers. */
export class JsonEncoder {
  /** The last document: type byte, then value. */
  readonly out = new ByteWriter(512);
  private source: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  /** Deepest level seen. */
  private depth = 0;
  private keyTooLong = false;
  /** Keys of the open objects, escapes resolved. */
  private readonly keys = new ByteWriter(256);
  private readonly container = new ByteWriter(512);
  /** Items of the open containers, the innermost last: key slice, value slice (or literal), type. */
  private items = new Int32Array(64 * FIELDS);
  private count = 0;
  private order = new Int32Array(64);

  /** Encodes `source[start, end)`; throws JsonError. */
  encode(source: Uint8Array, start: number, end: number): void {
    if (start >= end) throw invalidJson("The document is empty");
    this.source = source;
    this.at = start;
    this.end = end;
    this.depth = 0;
    this.keyTooLong = false;
    this.count = 0;
    this.keys.length = 0;
    const { out } = this;
    out.length = 1;
    this.space();
    const type = this.value(1);
    this.space();
    if (this.at < end) throw invalidJson();
    if (this.keyTooLong) throw jsonKeyTooLong();
    // TiDB's depth counts a scalar as one level, and one level more is allowed.
    if (this.depth - 1 > MAX_DEPTH) throw jsonTooDeep();
    out.bytes[0] = type;
    if (type === JsonType.literal) out.u8(this.literal);
  }

  private space(): void {
    const { source, end } = this;
    let at = this.at;
    while (at < end) {
      const c = source[at]!;
      if (c > 0x20 || (c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d)) break;
      at++;
    }
    this.at = at;
  }

  private peek(): number {
    return this.at < this.end ? this.source[this.at]! : -1;
  }

  /** Appends the value at the cursor, which is on level `depth`, and returns its type; below the allowed depth it is only checked. */
  private value(depth: number): number {
    if (depth > this.depth) this.depth = depth;
    if (depth > MAX_DEPTH + 1) {
      this.skip(depth);
      return JsonType.literal;
    }
    const c = this.peek();
    return c === OBJECT || c === ARRAY ? this.containerValue(depth, c === OBJECT) : this.scalar(c);
  }

  /** 0 null, 1 true, 2 false: set by `scalar` for the type literal, which appends nothing. */
  private literal = 0;

  private scalar(c: number): number {
    switch (c) {
      case QUOTE:
        this.string();
        return JsonType.string;
      case 0x74:
        return this.word("true", 1);
      case 0x66:
        return this.word("false", 2);
      case 0x6e:
        return this.word("null", 0);
      default: {
        const type = appendJsonNumber(this.out, this.source, this.at, this.end);
        this.at = jsonNumber.end;
        return type;
      }
    }
  }

  private word(text: string, literal: number): number {
    for (let i = 0; i < text.length; i++) {
      if (this.peek() !== text.charCodeAt(i)) throw invalidJson();
      this.at++;
    }
    this.literal = literal;
    return JsonType.literal;
  }

  private string(): void {
    const { out } = this;
    const start = this.at + 1;
    const stop = jsonStringEnd(this.source, start, this.end);
    const from = out.length;
    out.u8(0);
    appendJsonString(out, this.source, start, stop);
    this.at = stop + 1;
    const size = out.length - from - 1;
    if (size < 0x80) out.bytes[from] = size;
    else putLength(out, from, size);
  }

  /** A member's key and colon; the key is appended to `keys`. */
  private key(): void {
    this.space();
    if (this.peek() !== QUOTE) throw invalidJson();
    const stop = jsonStringEnd(this.source, this.at + 1, this.end);
    appendJsonString(this.keys, this.source, this.at + 1, stop);
    this.at = stop + 1;
    this.space();
    if (this.peek() !== COLON) throw invalidJson();
    this.at++;
  }

  /** Passes the comma behind an item, or the container's end. */
  private another(end: number): boolean {
    this.space();
    const c = this.peek();
    this.at++;
    if (c === end) return false;
    if (c !== COMMA) throw invalidJson();
    return true;
  }

  private containerValue(depth: number, object: boolean): number {
    this.at++;
    const { out, keys } = this;
    const base = out.length;
    const first = this.count;
    const keyBase = keys.length;
    const closer = object ? OBJECT_END : ARRAY_END;
    this.space();
    if (this.peek() === closer) this.at++;
    else {
      do {
        const keyStart = keys.length;
        if (object) this.key();
        const keyEnd = keys.length;
        this.space();
        const start = out.length;
        const type = this.value(depth + 1);
        this.push(keyStart, keyEnd, type === JsonType.literal ? this.literal : start, out.length, type);
      } while (this.another(closer));
    }
    if (object) this.finishObject(first);
    else this.finishArray(first);
    out.length = base;
    out.slice(this.container.bytes, 0, this.container.length);
    this.count = first;
    keys.length = keyBase;
    return object ? JsonType.object : JsonType.array;
  }

  private push(keyStart: number, keyEnd: number, start: number, end: number, type: number): void {
    const at = this.count * FIELDS;
    if (at + FIELDS > this.items.length) {
      const grown = new Int32Array(this.items.length * 2);
      grown.set(this.items);
      this.items = grown;
    }
    const { items } = this;
    items[at] = keyStart;
    items[at + 1] = keyEnd;
    items[at + 2] = start;
    items[at + 3] = end;
    items[at + 4] = type;
    this.count++;
  }

  private finishArray(first: number): void {
    const count = this.count - first;
    const order = this.room(count);
    for (let i = 0; i < count; i++) order[i] = first + i;
    const { container } = this;
    container.length = 0;
    container.u32le(count);
    container.u32le(0);
    this.putValues(count, HEADER + VALUE_ENTRY * count);
  }

  private finishObject(first: number): void {
    const count = this.sortMembers(first);
    const { container, items, order, keys } = this;
    container.length = 0;
    container.u32le(count);
    container.u32le(0);
    const keysAt = HEADER + (KEY_ENTRY + VALUE_ENTRY) * count;
    let at = keysAt;
    for (let i = 0; i < count; i++) {
      const item = order[i]! * FIELDS;
      const size = items[item + 1]! - items[item]!;
      if (size > KEY_MAX) this.keyTooLong = true;
      container.u32le(at);
      container.u16le(size);
      at += size;
    }
    this.putValues(count, at, keys);
  }

  /** Value entries, then keys (of an object), then values; `valuesAt` is where these begin. */
  private putValues(count: number, valuesAt: number, keys?: ByteWriter): void {
    const { container, items, order, out } = this;
    let at = valuesAt;
    for (let i = 0; i < count; i++) {
      const item = order[i]! * FIELDS;
      const type = items[item + 4]!;
      container.u8(type);
      if (type === JsonType.literal) container.u32le(items[item + 2]!);
      else {
        container.u32le(at);
        at += items[item + 3]! - items[item + 2]!;
      }
    }
    if (keys !== undefined) {
      for (let i = 0; i < count; i++) {
        const item = order[i]! * FIELDS;
        container.slice(keys.bytes, items[item]!, items[item + 1]!);
      }
    }
    for (let i = 0; i < count; i++) {
      const item = order[i]! * FIELDS;
      if (items[item + 4] !== JsonType.literal) container.slice(out.bytes, items[item + 2]!, items[item + 3]!);
    }
    const size = container.length;
    container.length = 4;
    container.u32le(size);
    container.length = size;
  }

  /** `order` with room for that many items. */
  private room(count: number): Int32Array {
    if (count > this.order.length) this.order = new Int32Array(count * 2);
    return this.order;
  }

  /** Fills `order` with the members from `first` on in key order, of equal keys the last; returns how many are left. */
  private sortMembers(first: number): number {
    const total = this.count - first;
    const order = this.room(total);
    if (total <= FEW) {
      for (let i = 0; i < total; i++) {
        let to = i;
        while (to > 0 && this.compareKeys(order[to - 1]!, first + i) > 0) {
          order[to] = order[to - 1]!;
          to--;
        }
        order[to] = first + i;
      }
    } else {
      for (let i = 0; i < total; i++) order[i] = first + i;
      order.subarray(0, total).sort((a, b) => this.compareKeys(a, b) || a - b);
    }
    let kept = 0;
    for (let i = 0; i < total; i++) {
      if (kept > 0 && this.compareKeys(order[kept - 1]!, order[i]!) === 0) kept--;
      order[kept++] = order[i]!;
    }
    return kept;
  }

  private compareKeys(a: number, b: number): number {
    const { items } = this;
    const { bytes } = this.keys;
    const aStart = items[a * FIELDS]!;
    const bStart = items[b * FIELDS]!;
    const aSize = items[a * FIELDS + 1]! - aStart;
    const bSize = items[b * FIELDS + 1]! - bStart;
    const size = Math.min(aSize, bSize);
    for (let i = 0; i < size; i++) {
      const d = bytes[aStart + i]! - bytes[bStart + i]!;
      if (d !== 0) return d;
    }
    return aSize - bSize;
  }

  /** Passes over a value of any depth without recursion; nothing stays in the buffers. */
  private skip(depth: number): void {
    const ends: number[] = [];
    const { out, keys } = this;
    const base = out.length;
    const keyBase = keys.length;
    do {
      this.space();
      const c = this.peek();
      if (c !== OBJECT && c !== ARRAY) this.scalar(c);
      else {
        if (depth + ends.length > SCAN_DEPTH) throw jsonTooDeep();
        this.at++;
        this.space();
        const end = c === OBJECT ? OBJECT_END : ARRAY_END;
        if (this.peek() === end) this.at++;
        else {
          ends.push(end);
          if (end === OBJECT_END) this.key();
          out.length = base;
          keys.length = keyBase;
          continue;
        }
      }
      out.length = base;
      keys.length = keyBase;
      while (ends.length > 0 && !this.another(ends[ends.length - 1]!)) ends.pop();
      if (ends[ends.length - 1] === OBJECT_END) this.key();
    } while (ends.length > 0);
  }
}

/** Numbers of `items` for one item. */
const FIELDS = 5;

/** Puts the length before a string that begins at `from + 1`, which moves. */
function putLength(out: ByteWriter, from: number, size: number): void {
  let bytes = 1;
  for (let rest = size >>> 7; rest > 0; rest >>>= 7) bytes++;
  out.reserve(bytes - 1);
  out.bytes.copyWithin(from + bytes, from + 1, from + 1 + size);
  let rest = size;
  for (let i = 0; i < bytes - 1; i++, rest >>>= 7) out.bytes[from + i] = (rest & 0x7f) | 0x80;
  out.bytes[from + bytes - 1] = rest;
  out.length = from + bytes + size;
}

const shared = new JsonEncoder();

/** Type byte and value of the document `source[start, end)`; throws JsonError. */
export function parseJson(source: Uint8Array, start = 0, end = source.length): Uint8Array {
  shared.encode(source, start, end);
  return shared.out.toBytes();
}
