/** Values inside a JSON document, without copies (layout: `codec/json-binary.ts`). The documents are levin's own. */
import { JsonType } from "../../codec/mod.ts";

export interface JsonView {
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where the value is, without its type byte; tells the values of a document apart. */
  readonly at: number;
}

const HEADER = 8;
const KEY_ENTRY = 6;
const VALUE_ENTRY = 5;

export function viewOf(json: Uint8Array): JsonView {
  return { type: json[0]!, bytes: json, at: 1 };
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Number of elements or members, 0 for scalars. */
export function countOf(v: JsonView): number {
  return v.type === JsonType.array || v.type === JsonType.object ? u32(v.bytes, v.at) : 0;
}

function entryOf(v: JsonView, at: number): JsonView {
  const type = v.bytes[at]!;
  return { type, bytes: v.bytes, at: type === JsonType.literal ? at + 1 : v.at + u32(v.bytes, at + 1) };
}

/** Element `i` of an array. */
export function itemOf(v: JsonView, i: number): JsonView {
  return entryOf(v, v.at + HEADER + VALUE_ENTRY * i);
}

/** Value `i` of an object. */
export function memberOf(v: JsonView, i: number): JsonView {
  return entryOf(v, v.at + HEADER + KEY_ENTRY * countOf(v) + VALUE_ENTRY * i);
}

/** Key `i` of an object. */
export function keyOf(v: JsonView, i: number): Uint8Array {
  const entry = v.at + HEADER + KEY_ENTRY * i;
  const from = v.at + u32(v.bytes, entry);
  return v.bytes.subarray(from, from + (v.bytes[entry + 4]! | (v.bytes[entry + 5]! << 8)));
}

function compareKey(v: JsonView, i: number, key: Uint8Array): number {
  const entry = v.at + HEADER + KEY_ENTRY * i;
  const from = v.at + u32(v.bytes, entry);
  const size = v.bytes[entry + 4]! | (v.bytes[entry + 5]! << 8);
  const common = Math.min(size, key.length);
  for (let k = 0; k < common; k++) {
    const order = v.bytes[from + k]! - key[k]!;
    if (order !== 0) return order;
  }
  return size - key.length;
}

/** The member with that key. */
export function findMember(v: JsonView, key: Uint8Array): JsonView | undefined {
  let low = 0;
  let high = countOf(v) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareKey(v, middle, key);
    if (order === 0) return memberOf(v, middle);
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function stringSize(bytes: Uint8Array, at: number): number {
  let size = 0;
  let factor = 1;
  for (let i = at; ; i++) {
    const b = bytes[i]!;
    size += (b & 0x7f) * factor;
    if (b < 0x80) return size + i + 1 - at;
    factor *= 128;
  }
}

function sizeOf(v: JsonView): number {
  switch (v.type) {
    case JsonType.literal:
      return 1;
    case JsonType.array:
    case JsonType.object:
      return u32(v.bytes, v.at + 4);
    case JsonType.string:
      return stringSize(v.bytes, v.at);
    case JsonType.opaque:
      return 1 + stringSize(v.bytes, v.at + 1);
    case JsonType.time:
      return 12;
    default:
      return 8;
  }
}

/** The value as a document of its own. */
export function jsonOf(v: JsonView): Uint8Array {
  const size = sizeOf(v);
  if (v.at === 1 && v.bytes.length === size + 1) return v.bytes;
  const out = new Uint8Array(size + 1);
  out[0] = v.type;
  out.set(v.bytes.subarray(v.at, v.at + size), 1);
  return out;
}
