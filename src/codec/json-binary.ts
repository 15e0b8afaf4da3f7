/**
 * TiDB's binary JSON (`pkg/types/json_binary.go`): a type byte, then the value. Here "json" always means both together. Writers
 * build from the leaves; readers give views.
 */
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodeUvarint, encodeUvarint } from "./comparable.ts";

export const JsonType = {
  object: 0x01,
  array: 0x03,
  literal: 0x04,
  int64: 0x09,
  uint64: 0x0a,
  double: 0x0b,
  string: 0x0c,
  opaque: 0x0d,
  date: 0x0e,
  datetime: 0x0f,
  timestamp: 0x10,
  time: 0x11,
} as const;

const HEADER = 8;
const KEY_ENTRY = 6;
const VALUE_ENTRY = 5;

export function writeLiteral(value: boolean | null): Uint8Array {
  return Uint8Array.of(JsonType.literal, value === null ? 0 : value ? 1 : 2);
}

/** `type` is int64, uint64, or one of the date types (bit field of `packCoreTime`). */
export function writeInt(type: number, value: bigint): Uint8Array {
  const out = new ByteWriter(9);
  out.u8(type);
  out.u64le(value);
  return out.toBytes();
}

export function writeDouble(value: number): Uint8Array {
  const out = new ByteWriter(9);
  out.u8(JsonType.double);
  out.f64le(value);
  return out.toBytes();
}

/** `text` is UTF-8. */
export function writeString(text: Uint8Array): Uint8Array {
  const out = new ByteWriter(text.length + 6);
  out.u8(JsonType.string);
  encodeUvarint(out, BigInt(text.length));
  out.append(text);
  return out.toBytes();
}

/** `tp` is the MySQL type code. */
export function writeOpaque(tp: number, bytes: Uint8Array): Uint8Array {
  const out = new ByteWriter(bytes.length + 7);
  out.u8(JsonType.opaque);
  out.u8(tp);
  encodeUvarint(out, BigInt(bytes.length));
  out.append(bytes);
  return out.toBytes();
}

export function writeTime(nanos: bigint, fsp: number): Uint8Array {
  const out = new ByteWriter(13);
  out.u8(JsonType.time);
  out.u64le(nanos);
  out.u32le(fsp);
  return out.toBytes();
}

export function writeArray(items: readonly Uint8Array[]): Uint8Array {
  let size = HEADER + VALUE_ENTRY * items.length;
  for (const item of items) size += storedLength(item);
  const out = new ByteWriter(size + 1);
  out.u8(JsonType.array);
  out.u32le(items.length);
  out.u32le(size);
  writeEntries(out, items, HEADER + VALUE_ENTRY * items.length);
  return out.bytes;
}

/** Members must be in byte order of their keys, each key once and at most 65535 bytes. */
export function writeObject(members: readonly { key: Uint8Array; value: Uint8Array }[]): Uint8Array {
  const keysAt = HEADER + (KEY_ENTRY + VALUE_ENTRY) * members.length;
  let valuesAt = keysAt;
  for (const { key } of members) valuesAt += key.length;
  let size = valuesAt;
  for (const { value } of members) size += storedLength(value);
  const out = new ByteWriter(size + 1);
  out.u8(JsonType.object);
  out.u32le(members.length);
  out.u32le(size);
  let at = keysAt;
  for (const { key } of members) {
    out.u32le(at);
    out.u16le(key.length);
    at += key.length;
  }
  const values = members.map((m) => m.value);
  const entries = new ByteWriter(size);
  writeEntries(entries, values, valuesAt);
  out.slice(entries.bytes, 0, VALUE_ENTRY * members.length);
  for (const { key } of members) out.append(key);
  out.slice(entries.bytes, VALUE_ENTRY * members.length, entries.length);
  return out.bytes;
}

/** Bytes behind the entries: literals live in their entry. */
function storedLength(item: Uint8Array): number {
  return item[0] === JsonType.literal ? 0 : item.length - 1;
}

/** All value entries, then the values that start at offset `valuesAt` of the container. */
function writeEntries(out: ByteWriter, items: readonly Uint8Array[], valuesAt: number): void {
  let at = valuesAt;
  for (const item of items) {
    out.u8(item[0]!);
    if (item[0] === JsonType.literal) out.u32le(item[1]!);
    else out.u32le(at);
    at += storedLength(item);
  }
  for (const item of items) if (item[0] !== JsonType.literal) out.slice(item, 1, item.length);
}

/** Number of elements or members; 0 for scalars. */
export function jsonCount(json: Uint8Array): number {
  return json[0] === JsonType.array || json[0] === JsonType.object ? new ByteReader(json, 1).u32le() : 0;
}

/** Element `i` of an array. */
export function jsonItem(json: Uint8Array, i: number): Uint8Array {
  return entryAt(json, HEADER + VALUE_ENTRY * i);
}

/** Key `i` of an object, a view. */
export function jsonKey(json: Uint8Array, i: number): Uint8Array {
  const entry = new ByteReader(json, 1 + HEADER + KEY_ENTRY * i);
  const at = entry.u32le();
  const size = entry.u16le();
  return new ByteReader(json, 1 + at).take(size);
}

/** Value `i` of an object. */
export function jsonMember(json: Uint8Array, i: number): Uint8Array {
  return entryAt(json, HEADER + KEY_ENTRY * jsonCount(json) + VALUE_ENTRY * i);
}

function entryAt(json: Uint8Array, entryOffset: number): Uint8Array {
  const entry = new ByteReader(json, 1 + entryOffset);
  const type = entry.u8();
  if (type === JsonType.literal) return Uint8Array.of(type, entry.u8());
  const at = entry.u32le();
  if (at + 1 > json.length) throw corrupt(`a JSON value at ${at} of ${json.length} bytes`);
  const value = new ByteReader(json, 1 + at);
  const size = valueLength(type, value);
  const out = new Uint8Array(size + 1);
  out[0] = type;
  out.set(new ByteReader(json, 1 + at).take(size), 1);
  return out;
}

/** Length of a value of `type` that starts at the reader. */
function valueLength(type: number, value: ByteReader): number {
  const from = value.at;
  switch (type) {
    case JsonType.literal:
      return 1;
    case JsonType.int64:
    case JsonType.uint64:
    case JsonType.double:
    case JsonType.date:
    case JsonType.datetime:
    case JsonType.timestamp:
      return 8;
    case JsonType.time:
      return 12;
    case JsonType.opaque:
      value.u8();
      return Number(decodeUvarint(value)) + value.at - from;
    case JsonType.string:
      return Number(decodeUvarint(value)) + value.at - from;
    case JsonType.array:
    case JsonType.object:
      value.u32le();
      return value.u32le();
    default:
      throw corrupt(`JSON type ${type}`);
  }
}

/** Length of the document (type byte included) that starts at the reader. */
export function jsonLength(input: ByteReader): number {
  const type = input.u8();
  return valueLength(type, input) + 1;
}

/** Payload of a string, a view. */
export function jsonString(json: Uint8Array): Uint8Array {
  const input = new ByteReader(json, 1);
  return input.take(Number(decodeUvarint(input)));
}

/** Type code and payload of an opaque value. */
export function jsonOpaque(json: Uint8Array): { tp: number; bytes: Uint8Array } {
  const input = new ByteReader(json, 1);
  const tp = input.u8();
  return { tp, bytes: input.take(Number(decodeUvarint(input))) };
}

/** int64 as signed, all other 8-byte values as unsigned. */
export function jsonInt(json: Uint8Array): bigint {
  const raw = new ByteReader(json, 1).u64le();
  return json[0] === JsonType.int64 || json[0] === JsonType.time ? BigInt.asIntN(64, raw) : raw;
}

export function jsonDouble(json: Uint8Array): number {
  return new ByteReader(json, 1).f64le();
}

/**
 * Checks a whole document (offsets, sizes, key order are read, nothing beyond the end): for bytes that come from outside.
 * Throws `Levin:Codec:ErrCorrupt`.
 */
export function checkJson(json: Uint8Array, depth = 0): void {
  if (json.length === 0 || depth > 200) throw corrupt("JSON is empty or nested too deeply");
  const reader = new ByteReader(json, 1);
  const size = valueLength(json[0]!, reader);
  if (size !== json.length - 1) throw corrupt(`JSON of ${json.length - 1} bytes says ${size}`);
  const count = jsonCount(json);
  const entry = json[0] === JsonType.object ? KEY_ENTRY + VALUE_ENTRY : VALUE_ENTRY;
  if (count > 0 && count * entry + HEADER > json.length) throw corrupt(`${count} JSON entries in ${json.length} bytes`);
  for (let i = 0; i < count; i++) {
    if (json[0] === JsonType.object) {
      jsonKey(json, i);
      checkJson(jsonMember(json, i), depth + 1);
    } else checkJson(jsonItem(json, i), depth + 1);
  }
}
