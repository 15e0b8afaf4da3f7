import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { fromHex, LevinError, type Random, seededRandom, utf8 } from "../../src/base/mod.ts";
import * as codec from "../../src/codec/mod.ts";
import { readJsonLines } from "./golden-file.ts";

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** A text with one to three bytes changed, taken out or put in. */
function mutated(random: Random, text: string, letters: string): string {
  let out = text;
  for (let i = 1 + below(random, 3); i > 0; i--) {
    const at = below(random, out.length + 1);
    const letter = letters[below(random, letters.length)]!;
    const roll = below(random, 3);
    out = out.slice(0, at) + (roll === 0 ? "" : letter) + out.slice(roll === 2 ? at : at + 1);
  }
  return out;
}

function accepts(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("the JSON parser takes what JSON.parse takes, and what it makes prints as the same value", () => {
  const random = seededRandom(11);
  const seeds = readJsonLines<{ json: string }>("misc/json-binary.jsonl.gz")
    .map((c) => c.json)
    .filter((json) => json.length < 200);
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = mutated(random, seeds[below(random, seeds.length)]!, '{}[]",:\\ue+-.0123456789atrl \n\t/é\u0001');
    const bytes = utf8(text);
    let json: Uint8Array | undefined;
    try {
      json = codec.parseJson(bytes);
    } catch (error) {
      assert.ok(error instanceof codec.JsonError, String(error));
      if (error.message.includes("out of range")) continue;
    }
    assert.equal(json !== undefined, accepts(text), JSON.stringify(text));
    if (json === undefined) continue;
    taken++;
    codec.checkJson(json);
    const printed = codec.jsonText(json);
    assert.deepEqual(codec.parseJson(utf8(printed)), json, text);
  }
  assert.ok(taken > 3000, `${taken}`);
});

test("JSON documents too deep are refused, others of any depth never break the parser", () => {
  const nested = (depth: number): Uint8Array => utf8("[".repeat(depth) + "]".repeat(depth));
  assert.equal(codec.jsonText(codec.parseJson(nested(101))).length, 202);
  for (const depth of [102, 5000, 10_001, 200_000]) {
    assert.throws(() => codec.parseJson(nested(depth)), { name: "JsonError", mysqlCode: 3157 });
  }
  const inside = (text: string): Uint8Array => utf8("[".repeat(150) + text + "]".repeat(150));
  for (const text of ["1", '{"a":[1,{}],"b":""}', "[[],{}]", ' "x" ']) {
    assert.throws(() => codec.parseJson(inside(text)), { name: "JsonError", mysqlCode: 3157 }, text);
  }
  for (const text of ["1 2", '{"a" 1}', "{1:2}", "[1,]", "[}", '"']) {
    assert.throws(() => codec.parseJson(inside(text)), { name: "JsonError", mysqlCode: 3140 }, text);
  }
  assert.throws(() => codec.parseJson(utf8("[".repeat(9000))), { name: "JsonError", mysqlCode: 3140 });
});

test("decoders of damaged rows, keys and index values answer or refuse", () => {
  const random = seededRandom(12);
  const tables = readJsonLines<{
    newCollation: boolean;
    tableInfo: { cols: { id: number; type: codec.FieldTypeLike }[] };
    pairs: [string, string][];
  }>("tables.jsonl.gz");
  let refused = 0;
  for (let i = 0; i < 15_000; i++) {
    const table = tables[below(random, tables.length)]!;
    const forms = new Map(
      table.tableInfo.cols.map((c) => [c.id, codec.columnForm(c.type, table.newCollation, codec.TimeZone.utc)!]),
    );
    const pair = table.pairs[below(random, table.pairs.length)]!;
    const bytes = fromHex(pair[below(random, 2)]!);
    if (bytes.length > 2000) continue;
    for (let k = 1 + below(random, 4); k > 0; k--) bytes[below(random, bytes.length)] = below(random, 256);
    const form = [...forms.values()][below(random, forms.size)]!;
    const reads = [
      () => codec.decodeRow(bytes, forms),
      () => codec.splitKey(bytes),
      () => codec.splitIndexValue(bytes),
      () => codec.checkJson(bytes),
      () => codec.decodeFlaggedDatum(new codec.ByteReader(bytes, below(random, bytes.length)), form),
      () => codec.decodeRowDatum(bytes.subarray(0, below(random, 12)), form),
    ];
    for (const read of reads) {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof LevinError && error.code === "Levin:Codec:ErrCorrupt", String(error));
        refused++;
      }
    }
  }
  assert.ok(refused > 10_000, `${refused}`);
});

test("decimals: text, binary form and back, in every size", () => {
  const random = seededRandom(13);
  for (let i = 0; i < 20_000; i++) {
    const precision = 1 + below(random, 65);
    const scale = Math.min(precision, below(random, 31));
    const digits = Array.from({ length: 1 + below(random, precision) }, () => below(random, 10)).join("");
    const value: codec.Decimal = { negative: random.next() < 0.5, unscaled: BigInt(digits), scale };
    const clean = { ...value, negative: value.negative && value.unscaled !== 0n };
    const out = new codec.ByteWriter();
    assert.equal(codec.encodeDecimal(out, clean, precision, scale), "none");
    assert.equal(out.length, 2 + codec.decimalBinLength(precision, scale));
    assert.deepEqual(codec.decodeDecimal(new codec.ByteReader(out.toBytes())), clean);
    assert.deepEqual(codec.parseDecimal(codec.decimalText(clean)), clean);
  }
});

test("comparable forms sort as their values do", () => {
  const random = seededRandom(14);
  const key = (write: (out: codec.ByteWriter) => void): string => {
    const out = new codec.ByteWriter();
    write(out);
    return Buffer.from(out.toBytes()).toString("latin1");
  };
  const big = (): bigint => {
    const bytes = new Uint8Array(8);
    random.fill(bytes);
    return BigInt.asIntN(1 + below(random, 64), new DataView(bytes.buffer).getBigInt64(0));
  };
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const sign = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);
  for (let i = 0; i < 5000; i++) {
    const [a, b] = [big(), big()];
    for (const encode of [codec.encodeInt, codec.encodeComparableVarint]) {
      assert.equal(
        order(
          key((o) => encode(o, a)),
          key((o) => encode(o, b)),
        ),
        sign(a, b),
      );
    }
    const [x, y] = [(random.next() - 0.5) * 10 ** below(random, 300), (random.next() - 0.5) / 10 ** below(random, 300)];
    assert.equal(
      order(
        key((o) => codec.encodeFloat(o, x)),
        key((o) => codec.encodeFloat(o, y)),
      ),
      sign(x, y),
    );
    const strings = [0, 0].map(() => Uint8Array.from({ length: below(random, 20) }, () => below(random, 3) * 127));
    const [s, t] = strings.map((bytes) => Buffer.from(bytes).toString("latin1")) as [string, string];
    assert.equal(
      order(
        key((o) => codec.encodeBytes(o, strings[0]!)),
        key((o) => codec.encodeBytes(o, strings[1]!)),
      ),
      order(s, t),
    );
  }
});
