/** JSON functions that look into documents (TiDB `pkg/expression/builtin_json.go`). */
import { textOf, utf8 } from "../../../base/mod.ts";
import {
  JsonError,
  JsonType,
  jsonCount,
  jsonOpaque,
  jsonString,
  parseJson,
  writeArray,
  writeString,
} from "../../../codec/mod.ts";
import { Flag, Tp } from "../../../schema/mod.ts";
import { byteString, CastError } from "../../cast/mod.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { allOf, documentAndPaths, documentsOnly, pathEval, plainValues, singlePath, textOnly } from "../json-args.ts";
import { compareJson } from "../json-compare.ts";
import { contains, itemsOf, jsonDepth, membersOf, overlaps } from "../json-edit.ts";
import { exists, extract, walk } from "../json-find.ts";
import type { JsonPath } from "../json-path.ts";
import { isJsonString, unquoteEscapes } from "../json-quote.ts";
import { jsonOf } from "../json-view.ts";
import { as, lift1, lift2, type Node } from "../node.ts";
import { runesOf } from "../runes.ts";
import type { Eval } from "../value.ts";
import { matches, piecesOf } from "./like.ts";

function jsonExtract(call: Call): Node {
  documentsOnly(call, 0);
  const { document, paths } = documentAndPaths(call);
  return call.json((row) => {
    const json = document(row);
    if (json === null) return null;
    const found = allOf(paths, row);
    return found === null ? null : (extract(json, found) ?? null);
  });
}

const BLOBS = new Set<number>([Tp.tinyblob, Tp.mediumblob, Tp.longblob, Tp.blob, Tp.string, Tp.varstring, Tp.varchar]);

const TYPE_NAMES: Record<number, string> = {
  [JsonType.object]: "OBJECT",
  [JsonType.array]: "ARRAY",
  [JsonType.int64]: "INTEGER",
  [JsonType.uint64]: "UNSIGNED INTEGER",
  [JsonType.double]: "DOUBLE",
  [JsonType.string]: "STRING",
  [JsonType.date]: "DATE",
  [JsonType.datetime]: "DATETIME",
  [JsonType.timestamp]: "DATETIME",
  [JsonType.time]: "TIME",
};

function nameOfType(json: Uint8Array): string {
  if (json[0] === JsonType.literal) return json[1] === 0 ? "NULL" : "BOOLEAN";
  if (json[0] !== JsonType.opaque) return TYPE_NAMES[json[0]!] ?? "OPAQUE";
  const { tp } = jsonOpaque(json);
  return BLOBS.has(tp) ? "BLOB" : tp === Tp.bit ? "BIT" : "OPAQUE";
}

function jsonTypeName(call: Call): Node {
  const [json] = call.cast("string", "json");
  return call.string(
    lift1(json.eval, (v) => utf8(nameOfType(v))),
    { Flen: 51, Flag: Flag.binary },
  );
}

function unquote(v: Uint8Array): Uint8Array {
  const quote = 0x22;
  if (v.length < 2 || v[0] !== quote || v[v.length - 1] !== quote) return v;
  const text = byteString(v);
  if (!isJsonString(text)) {
    const detail = "The document root must not be followed by other values.";
    throw new CastError(3140, `Invalid JSON text: ${detail}`);
  }
  const unquoted = unquoteEscapes(text.slice(1, -1));
  if (unquoted === undefined) throw new CastError(1105, "not a valid Unicode character");
  return unquoted;
}

function jsonUnquote(call: Call): Node {
  const [arg] = call.args as [Node];
  if (arg.kind !== "json" && arg.kind !== "string") {
    throw new CastError(3064, "Incorrect type for argument 1 in function json_unquote.");
  }
  if (arg.kind === "string") textOnly(arg.type);
  const [text] = call.cast("string", "string");
  const type = { Flen: text.type.Flen, Flag: Flag.binary };
  if (arg.kind !== "json") return call.string(lift1(text.eval, unquote), type);
  const document = arg.eval;
  return call.string((row) => {
    const json = document(row);
    if (json === null) return null;
    if (json[0] === JsonType.string) return jsonString(json);
    const v = text.eval(row);
    return v === null ? null : unquote(v);
  }, type);
}

/** The document, or what is at the path. */
function part(call: Call): Eval<Uint8Array> {
  const { document, paths } = documentAndPaths(call);
  const [path] = paths;
  if (path === undefined) return document;
  return lift2(document, path, (json, p) => extract(json, [singlePath(p)]) ?? null);
}

function jsonKeys(call: Call): Node {
  documentsOnly(call, 0);
  return call.json(
    lift1(part(call), (json) =>
      json[0] === JsonType.object ? writeArray(membersOf(json).map(({ key }) => writeString(key))) : null,
    ),
  );
}

function jsonLength(call: Call): Node {
  const isContainer = (json: Uint8Array): boolean => json[0] === JsonType.object || json[0] === JsonType.array;
  return call.int(lift1(part(call), (json) => (isContainer(json) ? BigInt(jsonCount(json)) : 1n)));
}

function jsonContains(call: Call): Node {
  documentsOnly(call, 0, 1);
  const kinds = (["json", "json", "string"] as const).slice(0, call.args.length);
  call.cast("int", ...kinds);
  const [json, target, where] = call.args;
  const path = where === undefined ? undefined : pathEval(as(where, "string"));
  return call.bool((row) => {
    let v: Uint8Array | null | undefined = as(json!, "json").eval(row);
    if (v === null) return null;
    const t = as(target!, "json").eval(row);
    if (t === null) return null;
    if (path !== undefined) {
      const p = path(row);
      if (p === null) return null;
      v = extract(v, [singlePath(p)]);
    }
    return v === undefined ? null : contains(v, t);
  }, PLAIN_INT);
}

/** TiDB gives these functions the type of an integer. */
const PLAIN_INT = { Flag: Flag.binary, Flen: 20 };

function jsonOverlaps(call: Call): Node {
  documentsOnly(call, 0, 1);
  const [a, b] = call.cast("int", "json", "json");
  return call.bool(lift2(a.eval, b.eval, overlaps), PLAIN_INT);
}

function memberOf(call: Call): Node {
  documentsOnly(call, 1);
  plainValues(call, 0, 2);
  const [value, array] = call.cast("int", "json", "json");
  return call.bool(
    lift2(value.eval, array.eval, (v, json) => {
      const items = json[0] === JsonType.array ? itemsOf(json) : [json];
      return items.some((item) => compareJson(item, v) === 0);
    }),
    PLAIN_INT,
  );
}

/** `one` or `all`. */
function oneOrAll(call: Call, word: Uint8Array): string {
  const text = textOf(word).toLowerCase();
  if (text === "one" || text === "all") return text;
  throw new CastError(3154, `The oneOrAll argument to ${call.name} may take these values: 'one' or 'all'.`);
}

function jsonContainsPath(call: Call): Node {
  documentsOnly(call, 0);
  const kinds = call.args.map((_, i) => (i === 0 ? ("json" as const) : ("string" as const)));
  call.cast("int", ...kinds);
  const [json, word, ...rest] = call.args;
  const paths = rest.map((node) => pathEval(as(node, "string")));
  return call.bool((row) => {
    const v = as(json!, "json").eval(row);
    if (v === null) return null;
    const w = as(word!, "string").eval(row);
    if (w === null) return null;
    const isOne = oneOrAll(call, w) === "one";
    for (const path of paths) {
      const p = path(row);
      if (p === null) return null;
      if (exists(v, p) === isOne) return isOne;
    }
    return !isOne;
  }, PLAIN_INT);
}

const TRUTH = { Flag: Flag.binary | Flag.isBoolean };

function jsonValid(call: Call): Node {
  const [arg] = call.args as [Node];
  if (arg.kind === "json")
    return call.int(
      lift1(arg.eval, () => 1n),
      TRUTH,
    );
  if (arg.kind !== "string") {
    const value: Eval<unknown> = arg.eval;
    return call.int((row) => (value(row) === null ? null : 0n), TRUTH);
  }
  const [text] = call.cast("int", "string");
  return call.int(
    lift1(text.eval, (v) => (isJson(v) ? 1n : 0n)),
    TRUTH,
  );
}

const INVALID = 3140;

function isJson(text: Uint8Array): boolean {
  try {
    parseJson(text);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    return thrown.mysqlCode !== INVALID;
  }
}

function depth(call: Call): Node {
  const [json] = call.cast("int", "json");
  return call.int(lift1(json.eval, (v) => BigInt(jsonDepth(v))));
}

function storageSize(call: Call): Node {
  const [json] = call.cast("int", "json");
  return call.int(lift1(json.eval, (v) => BigInt(v.length)));
}

function storageFree(call: Call): Node {
  const [json] = call.cast("int", "json");
  return call.int(lift1(json.eval, () => 0n));
}

const BACKSLASH = 0x5c;

function escaperOf(text: Uint8Array | null): number {
  if (text === null || text.length === 0) return BACKSLASH;
  if (text.length > 1) throw new CastError(1210, "Incorrect arguments to ESCAPE");
  return text[0]!;
}

function search(json: Uint8Array, isOne: boolean, pattern: Uint8Array, escaper: number, paths: readonly JsonPath[]) {
  const pieces = piecesOf(pattern, escaper, runesOf);
  const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((c, i) => c === b[i]);
  const found: Uint8Array[] = [];
  walk(json, paths, (path, v) => {
    if (v.type !== JsonType.string || !matches(runesOf(jsonString(jsonOf(v))), pieces, same)) return false;
    found.push(writeString(path));
    return isOne;
  });
  return found.length === 0 ? null : found.length === 1 ? found[0]! : writeArray(found);
}

function jsonSearch(call: Call): Node {
  documentsOnly(call, 0);
  const kinds = call.args.map((_, i) => (i === 0 ? ("json" as const) : ("string" as const)));
  call.cast("json", ...kinds);
  const document = as(call.args[0]!, "json").eval;
  const [word, pattern, escaper, ...rest] = call.args.slice(1).map((node) => as(node, "string"));
  const paths = rest.map(pathEval);
  return call.json((row) => {
    const json = document(row);
    if (json === null) return null;
    const w = word!.eval(row);
    if (w === null) return null;
    const isOne = oneOrAll(call, w) === "one";
    const p = pattern!.eval(row);
    if (p === null) return null;
    const c = escaper === undefined ? BACKSLASH : escaperOf(escaper.eval(row));
    const found = allOf(paths, row);
    return found === null ? null : search(json, isOne, p, c, found);
  });
}

export const jsonReaders: FunctionTable = {
  json_extract: fn(jsonExtract, 2, ANY_NUMBER),
  json_type: fn(jsonTypeName, 1),
  json_unquote: fn(jsonUnquote, 1),
  json_keys: fn(jsonKeys, 1, 2),
  json_length: fn(jsonLength, 1, 2),
  json_contains: fn(jsonContains, 2, 3),
  json_contains_path: fn(jsonContainsPath, 3, ANY_NUMBER),
  json_overlaps: fn(jsonOverlaps, 2),
  json_memberof: fn(memberOf, 2),
  json_valid: fn(jsonValid, 1),
  json_depth: fn(depth, 1),
  json_storage_size: fn(storageSize, 1),
  json_storage_free: fn(storageFree, 1),
  json_search: fn(jsonSearch, 3, ANY_NUMBER),
};
