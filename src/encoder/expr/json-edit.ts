/** Changed JSON documents (TiDB `pkg/types/json_binary_functions.go`). */
import { compareBytes } from "../../base/mod.ts";
import {
  JsonError,
  JsonType,
  jsonCount,
  jsonItem,
  jsonKey,
  jsonMember,
  writeArray,
  writeLiteral,
  writeObject,
} from "../../codec/mod.ts";
import { CastError } from "../cast/mod.ts";
import { compareJson } from "./json-compare.ts";
import { valueAt } from "./json-find.ts";
import type { JsonPath, Leg } from "./json-path.ts";
import { countOf, findMember, itemOf, type JsonView, jsonOf, memberOf, viewOf } from "./json-view.ts";

const MAX_DEPTH = 100;
const MAX_KEY = 65535;

export const JSON_NULL = writeLiteral(null);

export interface Member {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export function itemsOf(json: Uint8Array): Uint8Array[] {
  return Array.from({ length: jsonCount(json) }, (_, i) => jsonItem(json, i));
}

export function membersOf(json: Uint8Array): Member[] {
  return Array.from({ length: jsonCount(json) }, (_, i) => ({ key: jsonKey(json, i), value: jsonMember(json, i) }));
}

/** An object of members in any order; of members with one key the last. */
export function objectOf(members: readonly Member[]): Uint8Array {
  const sorted = members.map((member, i) => ({ member, i }));
  sorted.sort((a, b) => compareBytes(a.member.key, b.member.key) || a.i - b.i);
  const unique = sorted
    .map(({ member }) => member)
    .filter((member, i, all) => i + 1 >= all.length || compareBytes(member.key, all[i + 1]!.key) !== 0);
  if (unique.some(({ key }) => key.length > MAX_KEY)) {
    throw new CastError(8129, "TiDB does not yet support JSON objects with the key length >= 65536");
  }
  return writeObject(unique);
}

function depthOf(v: JsonView): number {
  const child = v.type === JsonType.array ? itemOf : memberOf;
  let deepest = 0;
  for (let i = 0; i < countOf(v); i++) deepest = Math.max(deepest, depthOf(child(v, i)));
  return deepest + 1;
}

/** JSON_DEPTH: 1 for scalars and empty containers. */
export function jsonDepth(json: Uint8Array): number {
  return depthOf(viewOf(json));
}

/** The document, unless it is too deep. */
export function checkDepth(json: Uint8Array): Uint8Array {
  if (jsonDepth(json) - 1 <= MAX_DEPTH) return json;
  throw new CastError(3157, new JsonError(3157, "The JSON document exceeds the maximum depth.").message);
}

function isKey(leg: Leg, key: Uint8Array): boolean {
  return leg.kind === "anyKey" || (leg.kind === "key" && compareBytes(leg.key, key) === 0);
}

const positionOf = (leg: Leg, count: number): number =>
  leg.kind !== "index" ? 0 : leg.index < 0 ? count + leg.index : leg.index;

/** The document with another value at a path that is there. */
function replaceAt(json: Uint8Array, legs: readonly Leg[], value: Uint8Array): Uint8Array {
  const [leg, ...rest] = legs;
  if (leg === undefined) return value;
  if (leg.kind === "key" || leg.kind === "anyKey") {
    let isDone = false;
    const members = membersOf(json).map((member) => {
      if (isDone || !isKey(leg, member.key)) return member;
      isDone = true;
      return { key: member.key, value: replaceAt(member.value, rest, value) };
    });
    return writeObject(members);
  }
  if (json[0] !== JsonType.array) return replaceAt(json, rest, value);
  const items = itemsOf(json);
  const at = positionOf(leg, items.length);
  items[at] = replaceAt(items[at]!, rest, value);
  return writeArray(items);
}

/** What stands at the path's parent with the value put in; undefined if nothing can be. */
function withChild(parent: Uint8Array, leg: Leg, value: Uint8Array): Uint8Array | undefined {
  if (leg.kind === "index") {
    return writeArray(parent[0] === JsonType.array ? [...itemsOf(parent), value] : [parent, value]);
  }
  if (leg.kind !== "key" || parent[0] !== JsonType.object) return undefined;
  return objectOf([...membersOf(parent), { key: leg.key, value }]);
}

function insertAt(json: Uint8Array, legs: readonly Leg[], value: Uint8Array): Uint8Array {
  const above = legs.slice(0, -1);
  const parent = valueAt(json, above);
  const changed = parent === undefined ? undefined : withChild(parent, legs[legs.length - 1]!, value);
  return changed === undefined ? json : replaceAt(json, above, changed);
}

export type Change = "set" | "insert" | "replace";

/** JSON_SET, JSON_INSERT, JSON_REPLACE with one path. */
export function changeAt(json: Uint8Array, legs: readonly Leg[], value: Uint8Array, change: Change): Uint8Array {
  if (valueAt(json, legs) !== undefined) return change === "insert" ? json : replaceAt(json, legs, value);
  return change === "replace" ? json : insertAt(json, legs, value);
}

/** JSON_REMOVE with one path. */
export function removeAt(json: Uint8Array, legs: readonly Leg[]): Uint8Array {
  if (valueAt(json, legs) === undefined) return json;
  const above = legs.slice(0, -1);
  const leg = legs[legs.length - 1]!;
  const parent = valueAt(json, above)!;
  if (leg.kind === "index") {
    if (parent[0] !== JsonType.array) return json;
    const at = positionOf(leg, jsonCount(parent));
    return replaceAt(json, above, writeArray(itemsOf(parent).filter((_, i) => i !== at)));
  }
  if (parent[0] !== JsonType.object) return json;
  return replaceAt(json, above, writeObject(membersOf(parent).filter(({ key }) => !isKey(leg, key))));
}

/** JSON_ARRAY_INSERT with one path. */
export function arrayInsertAt(json: Uint8Array, path: JsonPath, value: Uint8Array): Uint8Array {
  const leg = path.legs[path.legs.length - 1];
  if (leg?.kind !== "index") throw new CastError(3165, "A path expression is not a path to a cell in an array.");
  const above = path.legs.slice(0, -1);
  const array = valueAt(json, above);
  if (array === undefined || array[0] !== JsonType.array) return json;
  const items = itemsOf(array);
  items.splice(Math.max(positionOf(leg, items.length), 0), 0, value);
  return checkDepth(replaceAt(json, above, writeArray(items)));
}

function mergeObjects(objects: readonly Uint8Array[]): Uint8Array {
  const merged = new Map<string, Member>();
  for (const { key, value } of objects.flatMap(membersOf)) {
    const name = key.join();
    const old = merged.get(name);
    merged.set(name, { key, value: old === undefined ? value : mergePreserve([old.value, value]) });
  }
  return objectOf([...merged.values()]);
}

/** JSON_MERGE_PRESERVE: neighbouring objects become one, then all become one array. */
export function mergePreserve(values: readonly Uint8Array[]): Uint8Array {
  const results: Uint8Array[] = [];
  for (let i = 0; i < values.length; ) {
    let end = i;
    while (end < values.length && values[end]![0] === JsonType.object) end++;
    if (end === i) results.push(values[i++]!);
    else {
      results.push(mergeObjects(values.slice(i, end)));
      i = end;
    }
  }
  if (results.length === 1) return results[0]!;
  return writeArray(results.flatMap((value) => (value[0] === JsonType.array ? itemsOf(value) : [value])));
}

function isJsonNull(json: Uint8Array): boolean {
  return json[0] === JsonType.literal && json[1] === 0;
}

function patched(target: Uint8Array | undefined, patch: Uint8Array): Uint8Array {
  if (patch[0] !== JsonType.object) return patch;
  const members = new Map<string, Member>();
  const old = target !== undefined && target[0] === JsonType.object ? membersOf(target) : [];
  for (const member of old) members.set(member.key.join(), member);
  for (const { key, value } of membersOf(patch)) {
    const name = key.join();
    if (isJsonNull(value)) members.delete(name);
    else members.set(name, { key, value: patched(members.get(name)?.value, value) });
  }
  return objectOf([...members.values()]);
}

/** JSON_MERGE_PATCH (RFC 7396); null is SQL's NULL. */
export function mergePatch(values: readonly (Uint8Array | null)[]): Uint8Array | null {
  const whole = values.findLastIndex((value) => value === null || value[0] !== JsonType.object);
  let target = values[Math.max(whole, 0)]!;
  for (const patch of values.slice(Math.max(whole, 0) + 1)) {
    if (target === null) return null;
    target = patched(target, patch!);
  }
  return target;
}

/** JSON_CONTAINS. */
export function contains(json: Uint8Array, target: Uint8Array): boolean {
  if (json[0] === JsonType.object) {
    if (target[0] !== JsonType.object) return false;
    const view = viewOf(json);
    return membersOf(target).every(({ key, value }) => {
      const own = findMember(view, key);
      return own !== undefined && contains(jsonOf(own), value);
    });
  }
  if (json[0] !== JsonType.array) return compareJson(json, target) === 0;
  if (target[0] === JsonType.array) return itemsOf(target).every((item) => contains(json, item));
  return itemsOf(json).some((item) => contains(item, target));
}

/** JSON_OVERLAPS. */
export function overlaps(a: Uint8Array, b: Uint8Array): boolean {
  const [json, target] = a[0] !== JsonType.array && b[0] === JsonType.array ? [b, a] : [a, b];
  if (json[0] === JsonType.object) {
    if (target[0] !== JsonType.object) return false;
    const view = viewOf(json);
    return membersOf(target).some(({ key, value }) => {
      const own = findMember(view, key);
      return own !== undefined && compareJson(jsonOf(own), value) === 0;
    });
  }
  if (json[0] !== JsonType.array) return compareJson(json, target) === 0;
  const others = target[0] === JsonType.array ? itemsOf(target) : [target];
  return itemsOf(json).some((item) => others.some((other) => compareJson(item, other) === 0));
}
