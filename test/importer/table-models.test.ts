import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, textOf, utf8 } from "../../src/base/mod.ts";
import { parseJson } from "../../src/cluster/mod.ts";
import { ArrayElements } from "../../src/importer/table-list.ts";
import { parseTableInfo, parseTableInfoList, TableModels } from "../../src/importer/table-models.ts";

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

/** Elements of a text that comes in parts of these sizes, and what `end` gave. */
function elementsOf(text: string, sizeOf: () => number): { elements: string[]; other: unknown } {
  const elements: string[] = [];
  const reader = new ArrayElements((element) => elements.push(textOf(element)));
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; ) {
    const size = sizeOf();
    reader.take(bytes.subarray(at, at + size));
    at += size;
  }
  return { elements, other: reader.end() };
}

test("an array's elements one by one are what they are at once, in whatever parts they come", () => {
  const random = seededRandom(7);
  let split = 0;
  for (let i = 0; i < 6000; i++) {
    const text = ` ${value(random, 3)}\n`;
    const { elements, other } = elementsOf(text, () => 1 + Math.floor(random.next() * 30));
    if (!text.startsWith(" [")) {
      assert.deepEqual(other, JSON.parse(text), text);
      continue;
    }
    split++;
    assert.deepEqual(elements.map(parseJson), parseJson(text), text);
  }
  assert.ok(split > 500, `${split}`);
  for (const text of ["[1,]", "[,1]", "[1]]", "[1}", "[1 2]", '["a" "b"]', "[1] 2", "[1,2}", "[[1,2}]", "nul", ""])
    assert.throws(() => elementsOf(text, () => 1).elements.map(parseJson), SyntaxError, text);
});

test("what is no JSON is refused, wherever it is cut off", () => {
  const text = '[{"id":1,"cols":[{"n":"a\\"]"}]},{"id":2}]';
  assert.deepEqual(
    parseTableInfoList(text).map(({ id }) => id as unknown),
    [1, 2],
  );
  for (let end = 0; end < text.length; end++) assert.throws(() => parseTableInfoList(text.slice(0, end)), SyntaxError);
  for (const odd of ['[{"id":1},]', '[,{"id":1}]', '[{"id":1}]]', '[{"id":1}}', "[{]}", '["]'])
    assert.throws(() => parseTableInfoList(odd), SyntaxError, odd);
  assert.deepEqual(parseTableInfoList(" [ ] "), []);
  assert.deepEqual(parseTableInfoList("null"), []);
});

const model = (id: number, more: object = {}) => ({
  id,
  name: { O: `T${id}`, L: `t${id}` },
  cols: [{ hidden: false, comment: "ä €" }, { hidden: true }],
  partition: null,
  ...more,
});

test("integers of a model are exact, wherever they stand", () => {
  const stamp = "454562345623456789";
  for (const text of [
    `{"id":1,"update_timestamp":${stamp}}`,
    `{"id":1,"update_timestamp": ${stamp},"auto_inc_id":9223372036854775807}`,
    `{"id":1,"x":{"update_timestamp":${stamp}},"update_timestamp":1}`,
    `{"id":1,"x":{"update_timestamp":${stamp}}}`,
    `{"id":1,"comment":"\\"update_timestamp\\":${stamp},"}`,
    `{"id":1,"comment":"\\"update_timestamp\\":${stamp},","update_timestamp":${stamp}}`,
    '{"id":1,"update_timestamp":9007199254740991}',
    '{"id":1,"update_timestamp":90071992547409935,"default":"12345678901234567890"}',
  ])
    assert.deepEqual(parseTableInfo(text) as unknown, parseJson(text), text);
});

test("packed models are what was put in, also when many are asked for in turn", () => {
  const models = new TableModels();
  const infos = Array.from({ length: 300 }, (_, i) =>
    model(i, { comment: "c".repeat(7 * i), update_timestamp: 454562345623456789n + BigInt(i) }),
  );
  infos[7] = model(7, {
    partition: { enable: true, definitions: [701, 702].map((id) => ({ id, name: { O: `p${id}` } })) },
  }) as never;
  for (const info of infos) models.add(`d.t${info.id}`, info as never);
  assert.equal(models.size, 300);
  for (const step of [1, 7, 299])
    for (let at = 0, n = 0; n < 300; n++, at = (at + step) % 300) assert.deepEqual(models.get(`d.t${at}`), infos[at]);
  assert.equal(models.idOf("d.t7"), 7);
  assert.deepEqual([models.physicalIdsOf("d.t7"), models.physicalIdsOf("d.t8")], [[701, 702], [8]]);
  assert.equal(models.columnCountOf("d.t7"), 1);
  assert.equal(models.get("d.x"), undefined);
  // A later list may have another model of the same table.
  models.add("d.t5", model(1005) as never);
  assert.deepEqual([models.size, models.get("d.t5")?.id, models.idOf("d.t5")], [300, 1005, 1005]);
  assert.ok(models.bytes < 300 * 1200, `${models.bytes}`);
});

test("what moves without changing a table's pairs does not change its definition", () => {
  const models = new TableModels();
  const definition = (info: object): string => {
    models.add("d.t", info as never);
    return models.definitionOf("d.t");
  };
  const first = definition(model(1, { auto_inc_id: 5, update_timestamp: 454562345623456789n }));
  assert.equal(first, definition(model(1, { auto_inc_id: 2n ** 62n, update_timestamp: 1 })));
  assert.notEqual(first, definition(model(2)));
  assert.notEqual(first, definition(model(1, { max: 2n ** 62n })));
  // Of a state directory that an earlier release has made.
  assert.equal(definition(model(1, { max: 2n ** 62n })), "id 1, definition b08732e922a13a5d");
});
