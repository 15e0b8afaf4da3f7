import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex, utf8 } from "../../src/base/mod.ts";
import * as codec from "../../src/codec/mod.ts";
import { readJsonLines } from "./golden-file.ts";

interface GoldenDatum {
  kind: string;
  text: string;
  hex: string;
  value: string;
  ns: string;
  collation: string;
  type: string;
  fsp: number;
  prec: number;
  frac: number;
}

interface GoldenCase {
  op: string;
  in: string;
  hex: string;
  text: string;
  uint: string;
  type: string;
  fsp: number;
  prec: number;
  frac: number;
  timeZone?: string;
  datums: GoldenDatum[];
  error?: { code: number };
}

const cases = readJsonLines<GoldenCase>("misc/codec.jsonl.gz");

function bytesOf(write: (out: codec.ByteWriter) => void): string {
  const out = new codec.ByteWriter(1);
  write(out);
  return toHex(out.toBytes());
}

function partsOf(text: string): codec.TimeParts {
  const m = /^(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+)(?:\.(\d+))?)?$/.exec(text)!;
  const n = (i: number): number => Number(m[i] ?? "0");
  const micro = Number((m[7] ?? "").padEnd(6, "0"));
  return { year: n(1), month: n(2), day: n(3), hour: n(4), minute: n(5), second: n(6), micro };
}

const TYPES: Record<string, number> = { date: 10, datetime: 12, timestamp: 7 };

function datumOf(g: GoldenDatum): codec.Datum {
  switch (g.kind) {
    case "null":
      return codec.NULL_DATUM;
    case "int":
    case "uint":
      return { kind: g.kind, value: BigInt(g.text) };
    case "float":
      return { kind: "float", value: floatOf(g.text) };
    case "float32":
      return { kind: "float", value: Math.fround(Number(g.text)) };
    case "bytes":
      return { kind: "bytes", value: fromHex(g.hex), collation: "binary" };
    case "string":
      return { kind: "bytes", value: utf8(g.text), collation: g.collation };
    case "decimal":
      return { kind: "decimal", value: codec.parseDecimal(g.text)! };
    case "time":
      return { kind: "time", packed: codec.packTime(partsOf(g.text)), tp: TYPES[g.type]!, fsp: g.fsp };
    case "duration":
      return { kind: "duration", nanos: BigInt(g.ns), fsp: 6 };
    case "enum":
    case "set":
      return { kind: g.kind, value: BigInt(g.value) };
    case "bit":
      return { kind: "bit", value: BigInt(`0x${g.hex}`) };
    case "json":
      return { kind: "json", value: codec.parseJson(utf8(g.text)) };
    default:
      throw new Error(g.kind);
  }
}

function floatOf(text: string): number {
  return Number(text);
}

function formOf(g: GoldenDatum, zone: codec.TimeZone): codec.ColumnForm {
  return {
    kind: "int",
    tp: TYPES[g.type] ?? 0,
    precision: g.prec ?? 0,
    scale: g.frac ?? 0,
    fsp: g.fsp ?? 0,
    collationName: g.collation ?? "binary",
    collation: codec.findCollation(g.collation ?? "binary"),
    zone,
    needsRestored: false,
  };
}

function encodeDatums(c: GoldenCase, key: boolean): string {
  const zone = codec.TimeZone.find(c.timeZone ?? "UTC")!;
  return bytesOf((out) => {
    for (const g of c.datums) {
      if (g.kind === "maxValue") out.u8(codec.DatumFlag.max);
      else if (g.kind === "minNotNull") out.u8(codec.DatumFlag.bytes);
      else if (key) codec.encodeKeyDatum(out, datumOf(g), formOf(g, zone));
      else if (g.kind === "time") codec.encodeKeyDatum(out, datumOf(g), formOf(g, zone));
      else codec.encodeValueDatum(out, durationAsIs(datumOf(g)), formOf(g, zone));
    }
  });
}

/** `encodeValue` of the golden file does not flatten, rows do: TIME is compared through its key form. */
function durationAsIs(d: codec.Datum): codec.Datum {
  assert.notEqual(d.kind, "duration");
  return d;
}

/** Writers and readers of one number or string, by golden operation. */
const simple: Record<string, [(out: codec.ByteWriter, v: string) => void, (input: codec.ByteReader) => string]> = {
  encodeInt: [(o, v) => codec.encodeInt(o, BigInt(v)), (i) => String(codec.decodeInt(i))],
  encodeUint: [(o, v) => codec.encodeUint(o, BigInt(v)), (i) => String(codec.decodeUint(i))],
  encodeVarint: [(o, v) => codec.encodeVarint(o, BigInt(v)), (i) => String(codec.decodeVarint(i))],
  encodeUvarint: [(o, v) => codec.encodeUvarint(o, BigInt(v)), (i) => String(codec.decodeUvarint(i))],
  encodeComparableVarint: [
    (o, v) => codec.encodeComparableVarint(o, BigInt(v)),
    (i) => String(codec.decodeComparableVarint(i)),
  ],
  encodeComparableUvarint: [
    (o, v) => codec.encodeComparableUvarint(o, BigInt(v)),
    (i) => String(codec.decodeComparableUvarint(i)),
  ],
  encodeBytes: [(o, v) => codec.encodeBytes(o, fromHex(v)), (i) => toHex(codec.decodeBytes(i))],
  encodeCompactBytes: [(o, v) => codec.encodeCompactBytes(o, fromHex(v)), (i) => toHex(codec.decodeCompactBytes(i))],
};

test("golden codec cases", () => {
  const seen: Record<string, number> = {};
  for (const c of cases) {
    seen[c.op] = (seen[c.op] ?? 0) + 1;
    const pair = simple[c.op];
    if (pair !== undefined) {
      assert.equal(
        bytesOf((out) => pair[0](out, c.in)),
        c.hex,
        `${c.op} ${c.in}`,
      );
      const input = new codec.ByteReader(fromHex(c.hex));
      assert.equal(pair[1](input), c.in);
      assert.equal(input.left, 0);
    } else if (c.op === "encodeFloat") {
      assert.equal(
        bytesOf((out) => codec.encodeFloat(out, floatOf(c.in))),
        c.hex,
        c.in,
      );
      const back = codec.decodeFloat(new codec.ByteReader(fromHex(c.hex)));
      assert.ok(Object.is(back, floatOf(c.in)) || (back === 0 && floatOf(c.in) === 0), c.in);
    } else if (c.op === "encodeBytesDesc") {
      assert.equal(
        bytesOf((out) => codec.encodeBytesDesc(out, fromHex(c.in))),
        c.hex,
      );
    } else if (c.op === "packedTime") {
      assert.equal(String(codec.packTime(partsOf(c.text))), c.uint);
      assert.deepEqual(codec.unpackTime(BigInt(c.uint)), partsOf(c.text));
    } else if (c.op === "decimalToBin") checkDecimal(c);
    else if (c.error !== undefined) {
      const out = new codec.ByteWriter();
      const g = c.datums[0]!;
      assert.equal(codec.encodeDecimal(out, codec.parseDecimal(g.text)!, g.prec, g.frac), "overflow");
    } else if (c.datums.some((g) => g.kind === "duration") && c.op === "encodeValue") {
      assert.equal(encodeDatums(c, true), c.hex);
    } else assert.equal(encodeDatums(c, c.op === "encodeKey"), c.hex, JSON.stringify(c));
  }
  assert.equal(cases.length, 601);
  assert.equal(Object.keys(seen).length, 14);
});

function checkDecimal(c: GoldenCase): void {
  const value = codec.parseDecimal(c.text)!;
  let loss = "";
  const hex = bytesOf((out) => {
    loss = codec.encodeDecimalBin(out, value, c.prec, c.frac);
  });
  assert.equal(hex, c.hex, `${c.text} (${c.prec},${c.frac})`);
  assert.equal(loss, c.error === undefined ? "none" : c.error.code === 1690 ? "overflow" : "truncated");
  if (c.error !== undefined) return;
  const back = codec.decodeDecimalBin(new codec.ByteReader(fromHex(hex)), c.prec, c.frac);
  const scaled = value.unscaled * 10n ** BigInt(c.frac - Math.min(c.frac, value.scale));
  assert.equal(back.unscaled, value.scale > c.frac ? back.unscaled : scaled);
  assert.equal(back.negative, value.negative);
}

test("golden JSON documents", () => {
  const documents = readJsonLines<{
    json: string;
    typeCode: number;
    valueHex: string;
    text: string;
    error?: { code: number };
  }>("misc/json-binary.jsonl.gz");
  let refused = 0;
  for (const c of documents) {
    if (c.error !== undefined) {
      const code = c.error.code;
      assert.throws(
        () => codec.parseJson(utf8(c.json)),
        (e) => e instanceof codec.JsonError && e.mysqlCode === code,
      );
      refused++;
      continue;
    }
    const json = codec.parseJson(utf8(c.json));
    assert.equal(json[0], c.typeCode, c.json);
    assert.equal(toHex(json.subarray(1)), c.valueHex, c.json);
    codec.checkJson(json);
    assert.equal(codec.jsonText(json), c.text);
  }
  assert.equal(documents.length, 310);
  assert.ok(refused > 0);
});
