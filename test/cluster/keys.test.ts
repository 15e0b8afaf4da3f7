import assert from "node:assert/strict";
import { test } from "node:test";
import { compareBytes, fromHex, seededRandom, toHex } from "../../src/base/mod.ts";
import {
  compareEnds,
  decodeBorder,
  encodeBorder,
  encodeKey,
  intersectRanges,
  rangeHolds,
  successorKey,
} from "../../src/cluster/mod.ts";

test("encodeKey pads to groups of eight and marks the padding", () => {
  const cases: [string, string][] = [
    ["", "0000000000000000f7"],
    ["010203", "0102030000000000fa"],
    ["0102030405060708", "0102030405060708ff0000000000000000f7"],
    ["748000000000000070", "7480000000000000ff7000000000000000f8"],
  ];
  for (const [raw, encoded] of cases) assert.equal(toHex(encodeKey(fromHex(raw))), encoded);
});

test("an empty border stays empty", () => {
  assert.equal(encodeBorder(new Uint8Array(0)).length, 0);
  assert.equal(decodeBorder(new Uint8Array(0)).length, 0);
});

test("decodeBorder gives back every encoded key", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 2000; i++) {
    const raw = randomKey(random, 1 + Math.floor(random.next() * 20));
    assert.equal(toHex(decodeBorder(encodeKey(raw))), toHex(raw));
  }
});

test("decodeBorder of any bytes is the smallest key whose encoding is not below them", () => {
  const random = seededRandom(2);
  for (let i = 0; i < 20_000; i++) {
    const border = randomBorder(random);
    const key = decodeBorder(border);
    assert.ok(compareBytes(encodeKey(key), border) >= 0, `${toHex(border)} -> ${toHex(key)}`);
    for (const below of keysJustBelow(key)) {
      assert.ok(compareBytes(encodeKey(below), border) < 0, `${toHex(border)} -> ${toHex(key)}, not ${toHex(below)}`);
    }
  }
});

test("ranges: ends, membership, intersection", () => {
  const b = (hex: string) => fromHex(hex);
  assert.ok(compareEnds(b(""), b("ff")) > 0);
  assert.ok(rangeHolds({ start: b("10"), end: b("") }, b("ffff")));
  assert.ok(!rangeHolds({ start: b("10"), end: b("20") }, b("20")));
  assert.equal(intersectRanges({ start: b("10"), end: b("20") }, { start: b("20"), end: b("") }), undefined);
  const common = intersectRanges({ start: b("10"), end: b("") }, { start: b(""), end: b("30") });
  assert.deepEqual(common && [toHex(common.start), toHex(common.end)], ["10", "30"]);
  assert.equal(toHex(successorKey(b("10"))), "1000");
});

/** Few different bytes, so that groups of zeros and full groups are common. */
function randomKey(random: { next(): number }, length: number): Uint8Array {
  const bytes = [0, 0, 1, 0x74, 0xf7, 0xf8, 0xfe, 0xff];
  return Uint8Array.from({ length }, () => bytes[Math.floor(random.next() * bytes.length)]!);
}

function randomBorder(random: { next(): number }): Uint8Array {
  const border = randomKey(random, 1 + Math.floor(random.next() * 22));
  // Make full groups likely.
  for (let at = 8; at < border.length; at += 9) if (random.next() < 0.6) border[at] = 0xff;
  return border;
}

/** The nearest keys below: without a last zero, or with the last byte less by one and followed by the largest bytes. */
function keysJustBelow(key: Uint8Array): Uint8Array[] {
  if (key.length === 0) return [];
  const last = key[key.length - 1]!;
  if (last === 0) return [key.subarray(0, -1)];
  const below = new Uint8Array(key.length + 24).fill(0xff);
  below.set(key);
  below[key.length - 1] = last - 1;
  return [below];
}
