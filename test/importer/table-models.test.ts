import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { parseJson } from "../../src/cluster/mod.ts";
import { elementsOf, parseTableInfoList } from "../../src/importer/table-models.ts";

const pieces = [
  '"a"',
  '"\\""',
  '"\\\\"',
  '"[,]{}"',
  '"\\\\\\","',
  "12345678901234567890",
  "-1.5e3",
  "true",
  "null",
  "{}",
  "[]",
];

function value(random: { next(): number }, depth: number): string {
  const pick = (n: number): number => Math.floor(random.next() * n);
  const many = (one: () => string): string => Array.from({ length: pick(4) }, one).join([",", " , ", ",\n"][pick(3)]);
  const kind = depth === 0 ? 2 : pick(3);
  if (kind === 0) return `[${many(() => value(random, depth - 1))}]`;
  if (kind === 1) return `{${many(() => `"k,${pick(9)}" : ${value(random, depth - 1)}`)}}`;
  return pieces[pick(pieces.length)]!;
}

test("an array's elements one by one are what they are at once", () => {
  const random = seededRandom(7);
  let split = 0;
  for (let i = 0; i < 3000; i++) {
    const text = value(random, 3);
    const elements = elementsOf(text);
    if (elements === undefined) continue;
    split++;
    assert.deepEqual(elements.map(parseJson), parseJson(text), text);
  }
  assert.ok(split > 500, `${split}`);
});

test("what is no JSON is refused, wherever it is cut off", () => {
  const text = '[{"id":1,"cols":[{"n":"a\\"]"}]},{"id":2}]';
  assert.deepEqual(
    parseTableInfoList(text).map(({ id }) => id as unknown),
    [1, 2],
  );
  for (let end = 0; end < text.length; end++) assert.throws(() => parseTableInfoList(text.slice(0, end)), SyntaxError);
  for (const odd of ["[1,]", "[,1]", "[1]]", "[1}", "[{]}", '["]'])
    assert.throws(() => parseTableInfoList(odd), SyntaxError, odd);
  assert.deepEqual(parseTableInfoList(" [ ] "), []);
  assert.deepEqual(parseTableInfoList("null"), []);
});
