/** Values of a JSON document at a path (TiDB `pkg/types/json_binary_functions.go`, Extract, Walk). */
import { JsonType, writeArray } from "../../codec/mod.ts";
import { type JsonPath, type Leg, pathText } from "./json-path.ts";
import { countOf, findMember, itemOf, type JsonView, jsonOf, keyOf, memberOf, viewOf } from "./json-view.ts";

/** First and last index of a selection in an array; empty if first > last. */
function bounds(leg: Leg, count: number): [first: number, last: number] {
  const fromStart = (i: number): number => (i < 0 ? count + i : i);
  switch (leg.kind) {
    case "index":
      return [fromStart(leg.index), Math.min(fromStart(leg.index), count - 1)];
    case "range":
      return [fromStart(leg.from), Math.min(fromStart(leg.to), count - 1)];
    default:
      return [0, count - 1];
  }
}

/** A value that is no array is the only element of one. */
function selectsAlone(leg: Leg): boolean {
  if (leg.kind === "index") return leg.index === 0;
  return leg.kind === "range" && leg.from === 0 && leg.to >= -1;
}

/** `each` returns true to end the search, which `collect` then returns too. */
function collect(v: JsonView, legs: readonly Leg[], i: number, each: (v: JsonView) => boolean): boolean {
  const leg = legs[i];
  if (leg === undefined) return each(v);
  switch (leg.kind) {
    case "key": {
      const member = v.type === JsonType.object ? findMember(v, leg.key) : undefined;
      return member !== undefined && collect(member, legs, i + 1, each);
    }
    case "anyKey":
      return v.type === JsonType.object && collectBelow(v, legs, i + 1, each);
    case "anyDepth":
      return collect(v, legs, i + 1, each) || collectBelow(v, legs, i, each);
    default: {
      if (v.type !== JsonType.array) return selectsAlone(leg) && collect(v, legs, i + 1, each);
      const [first, last] = bounds(leg, countOf(v));
      if (first < 0) return false;
      for (let k = first; k <= last; k++) if (collect(itemOf(v, k), legs, i + 1, each)) return true;
      return false;
    }
  }
}

/** In all elements or members. */
function collectBelow(v: JsonView, legs: readonly Leg[], i: number, each: (v: JsonView) => boolean): boolean {
  const child = v.type === JsonType.array ? itemOf : memberOf;
  const count = countOf(v);
  for (let k = 0; k < count; k++) if (collect(child(v, k), legs, i, each)) return true;
  return false;
}

/** JSON_EXTRACT; undefined if nothing is there. What several paths or a wildcard find is an array. */
export function extract(json: Uint8Array, paths: readonly JsonPath[]): Uint8Array | undefined {
  const root = viewOf(json);
  if (paths.length === 1 && !paths[0]!.many) return extractOne(root, paths[0]!.legs);
  const found: Uint8Array[] = [];
  for (const path of paths) {
    const seen = new Set<number>();
    collect(root, path.legs, 0, (v) => {
      if (!seen.has(v.at)) found.push(jsonOf(v));
      seen.add(v.at);
      return false;
    });
  }
  return found.length === 0 ? undefined : writeArray(found);
}

function extractOne(root: JsonView, legs: readonly Leg[]): Uint8Array | undefined {
  let found: JsonView | undefined;
  collect(root, legs, 0, (v) => {
    found = v;
    return true;
  });
  return found === undefined ? undefined : jsonOf(found);
}

/** The first value at the path. */
export function valueAt(json: Uint8Array, legs: readonly Leg[]): Uint8Array | undefined {
  return extractOne(viewOf(json), legs);
}

export function exists(json: Uint8Array, path: JsonPath): boolean {
  return collect(viewOf(json), path.legs, 0, () => true);
}

/** Visits a value with its path; true to end the walk. */
type Visit = (legs: readonly Leg[], v: JsonView) => boolean;

function children(v: JsonView): { leg: Leg; child: JsonView }[] {
  const out: { leg: Leg; child: JsonView }[] = [];
  const isArray = v.type === JsonType.array;
  for (let i = 0; i < countOf(v); i++) {
    const leg: Leg = isArray ? { kind: "index", index: i } : { kind: "key", key: keyOf(v, i) };
    out.push({ leg, child: isArray ? itemOf(v, i) : memberOf(v, i) });
  }
  return out;
}

/** As `collect`, with paths; here a value that is no array has no element 0. */
function locate(v: JsonView, legs: readonly Leg[], i: number, path: readonly Leg[], visit: Visit): boolean {
  const leg = legs[i];
  if (leg === undefined) return visit(path, v);
  switch (leg.kind) {
    case "key": {
      const member = v.type === JsonType.object ? findMember(v, leg.key) : undefined;
      return member !== undefined && locate(member, legs, i + 1, [...path, leg], visit);
    }
    case "anyKey":
      if (v.type !== JsonType.object) return false;
      return children(v).some((c) => locate(c.child, legs, i + 1, [...path, c.leg], visit));
    case "anyDepth":
      if (locate(v, legs, i + 1, path, visit)) return true;
      return children(v).some((c) => locate(c.child, legs, i, [...path, c.leg], visit));
    default: {
      if (v.type !== JsonType.array) return false;
      const [first, last] = bounds(leg, countOf(v));
      if (first < 0) return false;
      for (let k = first; k <= last; k++) {
        const own: Leg = leg.kind === "index" ? leg : { kind: "index", index: k };
        if (locate(itemOf(v, k), legs, i + 1, [...path, own], visit)) return true;
      }
      return false;
    }
  }
}

/** Visits the values at the paths and all below them, each path once. */
export function walk(
  json: Uint8Array,
  paths: readonly JsonPath[],
  visit: (path: Uint8Array, v: JsonView) => boolean,
): void {
  const seen = new Set<string>();
  const each: Visit = (legs, v) => {
    const path = pathText(legs);
    const key = path.join();
    if (seen.has(key)) return false;
    seen.add(key);
    return visit(path, v) || children(v).some((c) => each([...legs, c.leg], c.child));
  };
  const starts = paths.length === 0 ? [{ legs: [], many: false }] : paths;
  starts.some((path) => locate(viewOf(json), path.legs, 0, [], each));
}
