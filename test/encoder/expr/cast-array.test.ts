/** CAST … AS … ARRAY: what one JSON document gives as elements, or which error, in every mode. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { LevinError, utf8 } from "../../../src/base/mod.ts";
import { jsonText, parseJson } from "../../../src/codec/mod.ts";
import { CastError } from "../../../src/encoder/cast/mod.ts";
import { tableExpressions } from "../../../src/encoder/expr/mod.ts";
import { sessionOf, tableOf } from "./golden-generated.ts";

function elementsOf(type: string, json: string): string {
  const table = tableOf(`create table t (j json, unique index ix ((cast(j->'$.a' as ${type} array))))`);
  const { session } = sessionOf("default");
  const evaluate = tableExpressions(session, { sqlMode: "", defaultWeekFormat: 0 }).generated(table, table.cols[1]!);
  try {
    const d = evaluate([{ kind: "json", value: parseJson(utf8(json)) }]);
    return d.kind === "json" ? jsonText(d.value) : d.kind;
  } catch (thrown) {
    if (thrown instanceof CastError) return `${thrown.code} ${thrown.message}`;
    throw thrown;
  }
}

const WRONG = "3903 Invalid JSON value for CAST for expression index 'ix'";

test("elements become the array's type", () => {
  assert.equal(elementsOf("unsigned", '{"a":[1,2,1]}'), "[1, 2, 1]");
  assert.equal(elementsOf("signed", '{"a":-5}'), "[-5]");
  assert.equal(elementsOf("double", '{"a":[1,2.5]}'), "[1.0, 2.5]");
  assert.equal(elementsOf("char(3)", '{"a":["abc","äöü","x  "]}'), '["abc", "äöü", "x  "]');
  assert.equal(elementsOf("binary(4)", '{"a":["äö"]}'), '["äö"]');
  assert.equal(elementsOf("signed", '{"a":[]}'), "[]");
  assert.equal(elementsOf("signed", '{"b":1}'), "null");
});

test("what is not of the array's type is an error in every mode", () => {
  for (const [type, json] of [
    ["unsigned", '{"a":["1"]}'],
    ["unsigned", '{"a":[1.0]}'],
    ["signed", '{"a":[true]}'],
    ["signed", '{"a":[null]}'],
    ["double", '{"a":["1.5"]}'],
    ["char(10)", '{"a":[1]}'],
    ["char(10)", '{"a":[["x"]]}'],
    ["date", '{"a":["2020-01-01"]}'],
    ["datetime", '{"a":["2020-01-01 00:00:00"]}'],
    ["time", '{"a":["10:00:00"]}'],
  ] as const) {
    assert.equal(elementsOf(type, json), WRONG, `${type} ${json}`);
  }
  assert.match(elementsOf("signed", '{"a":{"b":1}}'), /^1235 /);
  assert.match(elementsOf("unsigned", '{"a":[-1]}'), /^3752 /);
  assert.match(elementsOf("signed", '{"a":[9223372036854775808]}'), /^3752 /);
  assert.match(elementsOf("char(2)", '{"a":["äöü"]}'), /^3907 /);
  assert.match(elementsOf("binary(2)", '{"a":["äö"]}'), /^3907 /);
});

test("arrays of types that TiDB has none of are refused", () => {
  for (const type of ["char", "decimal(5,2)", "json", "year"]) {
    assert.throws(() => elementsOf(type, "{}"), LevinError, type);
  }
});
