/** Binary JSON → text as SELECT shows it, and the bytes by which multi-valued indexes tell equal elements. */
import { textOf } from "../base/mod.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  JsonType,
  jsonCount,
  jsonDouble,
  jsonInt,
  jsonItem,
  jsonKey,
  jsonMember,
  jsonOpaque,
  jsonString,
  writeDouble,
} from "./json-binary.ts";
import { dateText, dateTimeText, durationText, unpackCoreTime } from "./time.ts";
import { utf8SequenceLength } from "./utf8.ts";

/**
 * How doubles in JSON are written. `point`: as TiDB 9 and MySQL, `1.0`, exponents below 1e-15 and from 1e15 on. `go`: as TiDB up to
 * 8.5 (Go's encoding/json), `1`, exponents below 1e-6 and, with a plus, from 1e21 on. (TiDB `pkg/types/json_binary.go`, changed in #58899.)
 */
export type JsonDoubles = "point" | "go";

/** `{"a": 1, "b": [true, null]}`: a blank behind colons and commas, keys in stored order. */
export function jsonText(json: Uint8Array, doubles: JsonDoubles = "point"): string {
  const parts: string[] = [];
  print(json, parts, doubles);
  return parts.join("");
}

function print(json: Uint8Array, out: string[], doubles: JsonDoubles): void {
  switch (json[0]) {
    case JsonType.object:
      out.push("{");
      for (let i = 0; i < jsonCount(json); i++) {
        if (i > 0) out.push(", ");
        out.push(quoteJson(jsonKey(json, i)), ": ");
        print(jsonMember(json, i), out, doubles);
      }
      out.push("}");
      return;
    case JsonType.array:
      out.push("[");
      for (let i = 0; i < jsonCount(json); i++) {
        if (i > 0) out.push(", ");
        print(jsonItem(json, i), out, doubles);
      }
      out.push("]");
      return;
    default:
      out.push(scalarText(json, doubles));
  }
}

function scalarText(json: Uint8Array, doubles: JsonDoubles): string {
  switch (json[0]) {
    case JsonType.literal:
      return json[1] === 0 ? "null" : json[1] === 1 ? "true" : "false";
    case JsonType.int64:
    case JsonType.uint64:
      return String(jsonInt(json));
    case JsonType.double:
      return doubles === "go" ? goDoubleText(jsonDouble(json)) : jsonDoubleText(jsonDouble(json));
    case JsonType.string:
      return quoteJson(jsonString(json));
    case JsonType.opaque: {
      const { tp, bytes } = jsonOpaque(json);
      let binary = "";
      for (const b of bytes) binary += String.fromCharCode(b);
      return `"base64:type${tp}:${btoa(binary)}"`;
    }
    case JsonType.date:
      return `"${dateText(unpackCoreTime(jsonInt(json)))}"`;
    case JsonType.datetime:
    case JsonType.timestamp:
      return `"${dateTimeText(unpackCoreTime(jsonInt(json)), 6)}"`;
    case JsonType.time:
      return `"${durationText(jsonInt(json), 6)}"`;
    default:
      return "";
  }
}

/** Shortest digits that read back as `value`, with a point; exponent form below 1e-15 and from 1e15. */
function jsonDoubleText(value: number): string {
  const abs = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const { digits, exponent } = shortest(abs);
  if (abs !== 0 && (abs < 1e-15 || abs >= 1e15)) {
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
    return `${sign}${mantissa}e${exponent}`;
  }
  return sign + plain(digits, exponent);
}

/** JavaScript's own form is Go's, but for the sign of zero. */
function goDoubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Digits d1d2d3… and the exponent of d1. */
function shortest(abs: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = abs.toExponential().split("e");
  return { digits: mantissa!.replace(".", ""), exponent: Number(exponent) };
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return `${digits.padEnd(exponent + 1, "0")}.0`;
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

const SHORT = new Map<number, string>([
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x08, "\\b"],
  [0x0c, "\\f"],
]);

/** A JSON string literal of UTF-8 bytes; invalid sequences and U+2028/9 are escaped, as Go does. */
export function quoteJson(bytes: Uint8Array): string {
  let out = '"';
  let from = 0;
  let at = 0;
  const flush = (text: string, skip: number): void => {
    out += textOf(bytes.subarray(from, at)) + text;
    at += skip;
    from = at;
  };
  while (at < bytes.length) {
    const c = bytes[at]!;
    if (c < 0x80) {
      const short = SHORT.get(c);
      if (short !== undefined) flush(short, 1);
      else if (c < 0x20) flush(`\\u00${c.toString(16).padStart(2, "0")}`, 1);
      else at++;
      continue;
    }
    const size = utf8SequenceLength(bytes, at, bytes.length);
    if (size === 0) flush("\\ufffd", 1);
    else if (size === 3 && c === 0xe2 && bytes[at + 1] === 0x80 && (bytes[at + 2]! | 1) === 0xa9) {
      flush(`\\u202${(bytes[at + 2]! & 15).toString(16)}`, 3);
    } else at += size;
  }
  flush("", 0);
  return `${out}"`;
}

/**
 * Bytes that are equal for elements that a multi-valued index counts as one: integers that a double holds exactly are taken as
 * doubles (`HashValue`).
 */
export function jsonHashBytes(json: Uint8Array): Uint8Array {
  const out = new ByteWriter(json.length + 8);
  hashInto(json, out);
  return out.toBytes();
}

function hashInto(json: Uint8Array, out: ByteWriter): void {
  switch (json[0]) {
    case JsonType.int64:
    case JsonType.uint64: {
      const value = jsonInt(json);
      out.append(fractionBits(value < 0n ? -value : value) <= 52 ? writeDouble(Number(value)) : json);
      return;
    }
    case JsonType.array:
      out.slice(json, 0, 5);
      for (let i = 0; i < jsonCount(json); i++) hashInto(jsonItem(json, i), out);
      return;
    case JsonType.object:
      out.slice(json, 0, 5);
      for (let i = 0; i < jsonCount(json); i++) {
        const key = jsonKey(json, i);
        out.u32le(key.length);
        out.append(key);
        hashInto(jsonMember(json, i), out);
      }
      return;
    default:
      out.append(json);
  }
}

/** Bits between the highest and the lowest set bit. */
function fractionBits(abs: bigint): number {
  if (abs === 0n) return 0;
  const text = abs.toString(2);
  return text.length - 1 - (text.length - 1 - text.lastIndexOf("1"));
}

/** Nanoseconds and fractional digits of a TIME value. */
export function jsonDuration(json: Uint8Array): { nanos: bigint; fsp: number } {
  return { nanos: jsonInt(json), fsp: new ByteReader(json, 9).u32le() };
}
