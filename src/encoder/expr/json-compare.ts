/** The order of JSON values (TiDB `pkg/types/json_binary_functions.go`, CompareBinaryJSON). */
import { compareBytes } from "../../base/mod.ts";
import {
  JsonType,
  jsonCount,
  jsonDouble,
  jsonDuration,
  jsonInt,
  jsonItem,
  jsonKey,
  jsonMember,
  jsonOpaque,
  jsonString,
} from "../../codec/mod.ts";

const PRECEDENCE: Record<number, number> = {
  [JsonType.opaque]: -1,
  [JsonType.datetime]: -3,
  [JsonType.timestamp]: -3,
  [JsonType.time]: -4,
  [JsonType.date]: -5,
  [JsonType.array]: -7,
  [JsonType.object]: -8,
  [JsonType.string]: -9,
  [JsonType.int64]: -10,
  [JsonType.uint64]: -10,
  [JsonType.double]: -10,
};

function precedence(json: Uint8Array): number {
  if (json[0] === JsonType.literal) return json[1] === 0 ? -11 : -6;
  return PRECEDENCE[json[0]!] ?? 0;
}

const sign = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function numberOf(json: Uint8Array): number | bigint {
  return json[0] === JsonType.double ? jsonDouble(json) : jsonInt(json);
}

/** TiDB compares a double with an integer as doubles that may differ in the last digits. */
function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  const x = numberOf(a);
  const y = numberOf(b);
  if (typeof x === "bigint" && typeof y === "bigint") return sign(x, y);
  const left = Number(x);
  const right = Number(y);
  if (typeof x === "number" && typeof y === "number") return sign(left, right);
  return Math.abs(left - right) < 1e-8 ? 0 : sign(left, right);
}

function compareArrays(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(jsonCount(a), jsonCount(b));
  for (let i = 0; i < size; i++) {
    const order = compareJson(jsonItem(a, i), jsonItem(b, i));
    if (order !== 0) return order;
  }
  return jsonCount(a) - jsonCount(b);
}

function compareObjects(a: Uint8Array, b: Uint8Array): number {
  const count = jsonCount(a);
  if (count !== jsonCount(b)) return count - jsonCount(b);
  for (let i = 0; i < count; i++) {
    const order = compareBytes(jsonKey(a, i), jsonKey(b, i)) || compareJson(jsonMember(a, i), jsonMember(b, i));
    if (order !== 0) return order;
  }
  return 0;
}

export function compareJson(a: Uint8Array, b: Uint8Array): number {
  const order = precedence(a) - precedence(b);
  if (order !== 0) return order;
  switch (a[0]) {
    case JsonType.literal:
      // False (2) comes before true (1).
      return b[1]! - a[1]!;
    case JsonType.int64:
    case JsonType.uint64:
    case JsonType.double:
      return compareNumbers(a, b);
    case JsonType.string:
      return compareBytes(jsonString(a), jsonString(b));
    case JsonType.opaque:
      return compareBytes(jsonOpaque(a).bytes, jsonOpaque(b).bytes);
    case JsonType.array:
      return compareArrays(a, b);
    case JsonType.object:
      return compareObjects(a, b);
    case JsonType.time:
      return sign(jsonDuration(a).nanos, jsonDuration(b).nanos);
    default:
      return sign(jsonInt(a), jsonInt(b));
  }
}
