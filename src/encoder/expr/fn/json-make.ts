/** JSON functions that make documents (TiDB `pkg/expression/builtin_json.go`). */
import { utf8 } from "../../../base/mod.ts";
import { type JsonDoubles, JsonType, jsonText, quoteJson, writeArray } from "../../../codec/mod.ts";
import { Flag } from "../../../schema/mod.ts";
import { byteString, CastError, readable } from "../../cast/mod.ts";
import { ANY_NUMBER, type Call, type FunctionTable, fn } from "../call.ts";
import { isBinaryString, MAX_BLOB_WIDTH } from "../field-types.ts";
import { allOf, badCount, documentAndPaths, documentsOnly, pathEval, plainValues, singlePath } from "../json-args.ts";
import {
  arrayInsertAt,
  type Change,
  changeAt,
  checkDepth,
  itemsOf,
  JSON_NULL,
  type Member,
  membersOf,
  mergePatch,
  mergePreserve,
  objectOf,
  removeAt,
} from "../json-edit.ts";
import { valueAt } from "../json-find.ts";
import { badPath, type JsonPath } from "../json-path.ts";
import { as, lift1, type Node } from "../node.ts";
import type { Eval } from "../value.ts";

/** NULL becomes JSON's null. */
function orJsonNull(evaluate: Eval<Uint8Array>): (row: Parameters<Eval<Uint8Array>>[0]) => Uint8Array {
  return (row) => evaluate(row) ?? JSON_NULL;
}

function jsonArray(call: Call): Node {
  plainValues(call, 0, 1);
  const values = call.castAll("json", "json").map((node) => orJsonNull(node.eval));
  return call.json((row) => checkDepth(writeArray(values.map((value) => value(row)))));
}

function jsonObject(call: Call): Node {
  if (call.args.length % 2 !== 0) throw badCount(call);
  if (call.args.some((arg, i) => i % 2 === 0 && arg.kind === "string" && isBinaryString(arg.type))) {
    throw new CastError(3144, "Cannot create a JSON value from a string with CHARACTER SET 'binary'.");
  }
  plainValues(call, 1, 2);
  call.cast("json", ...call.args.map((_, i) => (i % 2 === 0 ? ("string" as const) : ("json" as const))));
  const keys = call.args.filter((_, i) => i % 2 === 0).map((node) => as(node, "string").eval);
  const values = call.args.filter((_, i) => i % 2 === 1).map((node) => orJsonNull(as(node, "json").eval));
  return call.json((row) => {
    const members: Member[] = keys.map((keyOf, i) => {
      const key = keyOf(row);
      if (key === null) throw new CastError(3158, "JSON documents may not contain NULL member names.");
      return { key, value: values[i]!(row) };
    });
    return checkDepth(objectOf(members));
  });
}

interface Pairs {
  readonly document: Eval<Uint8Array>;
  readonly paths: readonly Eval<JsonPath>[];
  readonly values: readonly ReturnType<typeof orJsonNull>[];
}

/** A document, then paths and values by turns. */
function pairsOf(call: Call): Pairs {
  if (call.args.length % 2 !== 1) throw badCount(call);
  plainValues(call, 2, 2);
  call.cast("json", ...call.args.map((_, i) => (i % 2 === 1 ? ("string" as const) : ("json" as const))));
  const [document, ...rest] = call.args;
  return {
    document: as(document!, "json").eval,
    paths: rest.filter((_, i) => i % 2 === 0).map((node) => pathEval(as(node, "string"))),
    values: rest.filter((_, i) => i % 2 === 1).map((node) => orJsonNull(as(node, "json").eval)),
  };
}

function change(how: Change): (call: Call) => Node {
  return (call) => {
    const { document, paths, values } = pairsOf(call);
    return call.json((row) => {
      let json = document(row);
      if (json === null) return null;
      const found = allOf(paths, row);
      if (found === null) return null;
      const all = values.map((value) => value(row));
      found.forEach(singlePath);
      found.forEach((path, i) => {
        json = changeAt(json!, path.legs, all[i]!, how);
      });
      return checkDepth(json);
    });
  };
}

/** TiDB puts the path itself where its message has a number. */
function namedPath(path: Eval<JsonPath>, text: Eval<Uint8Array>): Eval<JsonPath> {
  return (row) => {
    try {
      return path(row);
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      throw badPath(`%!d(string=${readable(byteString(text(row)!))})`);
    }
  };
}

function arrayChange(step: (json: Uint8Array, path: JsonPath, value: Uint8Array) => Uint8Array): (call: Call) => Node {
  return (call) => {
    const { document, paths, values } = pairsOf(call);
    const texts = call.args.filter((_, i) => i % 2 === 1).map((node) => as(node, "string").eval);
    const named = paths.map((path, i) => namedPath(path, texts[i]!));
    return call.json((row) => {
      let json = document(row);
      for (let i = 0; json !== null && i < named.length; i++) {
        const path = named[i]!(row);
        if (path === null) return null;
        json = step(json, singlePath(path), values[i]!(row));
      }
      return json;
    });
  };
}

function appendAt(json: Uint8Array, path: JsonPath, value: Uint8Array): Uint8Array {
  const old = valueAt(json, path.legs);
  if (old === undefined) return json;
  const array = old[0] === JsonType.array ? old : writeArray([old]);
  return checkDepth(changeAt(json, path.legs, mergePreserve([array, value]), "set"));
}

function jsonRemove(call: Call): Node {
  const { document, paths } = documentAndPaths(call);
  return call.json((row) => {
    let json = document(row);
    if (json === null) return null;
    const found = allOf(paths, row);
    if (found === null) return null;
    for (const path of found) {
      if (path.legs.length === 0) throw new CastError(3153, "The path expression '$' is not allowed in this context.");
      json = removeAt(json, singlePath(path).legs);
    }
    return json;
  });
}

function merge(call: Call): Node {
  documentsOnly(call, ...call.args.keys());
  const values = call.castAll("json", "json").map((node) => node.eval);
  const isOld = call.name === "json_merge";
  return call.json((row) => {
    const all = allOf(values, row);
    if (all === null) return null;
    if (isOld) call.ctx.warn(1287, "'JSON_MERGE' is deprecated and will be removed in a future release.");
    return mergePreserve(all);
  });
}

function patch(call: Call): Node {
  documentsOnly(call, ...call.args.keys());
  const values = call.castAll("json", "json").map((node) => node.eval);
  return call.json((row) => mergePatch(values.map((value) => value(row))));
}

function jsonQuote(call: Call): Node {
  if (call.args[0]!.kind !== "string") {
    throw new CastError(3064, "Incorrect type for argument 1 in function json_quote.");
  }
  const [text] = call.cast("string", "string");
  return call.string(
    lift1(text.eval, (v) => utf8(quoteJson(v))),
    { Flen: text.type.Flen * 6 + 2, Flag: Flag.binary },
  );
}

function pretty(json: Uint8Array, indent: string, doubles: JsonDoubles): string {
  const inner = `${indent}  `;
  const wrap = (open: string, parts: string[], close: string): string =>
    parts.length === 0 ? open + close : `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`;
  switch (json[0]) {
    case JsonType.array:
      return wrap(
        "[",
        itemsOf(json).map((item) => pretty(item, inner, doubles)),
        "]",
      );
    case JsonType.object:
      return wrap(
        "{",
        membersOf(json).map(({ key, value }) => `${quoteJson(key)}: ${pretty(value, inner, doubles)}`),
        "}",
      );
    default:
      return jsonText(json, doubles);
  }
}

function jsonPretty(call: Call): Node {
  const [json] = call.cast("string", "json");
  return call.string(
    lift1(json.eval, (v) => utf8(pretty(v, "", call.ctx.session.jsonDoubles))),
    { Flen: MAX_BLOB_WIDTH * 4, Flag: Flag.binary },
  );
}

export const jsonMakers: FunctionTable = {
  json_array: fn(jsonArray, 0, ANY_NUMBER),
  json_object: fn(jsonObject, 0, ANY_NUMBER),
  json_set: fn(change("set"), 3, ANY_NUMBER),
  json_insert: fn(change("insert"), 3, ANY_NUMBER),
  json_replace: fn(change("replace"), 3, ANY_NUMBER),
  json_remove: fn(jsonRemove, 2, ANY_NUMBER),
  json_array_append: fn(arrayChange(appendAt), 3, ANY_NUMBER),
  json_array_insert: fn(arrayChange(arrayInsertAt), 3, ANY_NUMBER),
  json_merge: fn(merge, 2, ANY_NUMBER),
  json_merge_preserve: fn(merge, 2, ANY_NUMBER),
  json_merge_patch: fn(patch, 2, ANY_NUMBER),
  json_quote: fn(jsonQuote, 1),
  json_pretty: fn(jsonPretty, 1),
};
