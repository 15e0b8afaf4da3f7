import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/mod.ts";
import { packPairs, unpackPairs } from "../../src/engine/mod.ts";
import {
  compareEntryKeys,
  entryEndOf,
  entrySize,
  keyLengthOf,
  keyStartOf,
  valueLengthBetween,
} from "../../src/engine/packed-pairs.ts";

test("an entry is a `pairs` element of import_sstpb.WriteBatch", () => {
  const packed = packPairs([{ key: new Uint8Array([1, 2]), value: new Uint8Array([3]) }]);
  assert.equal(toHex(packed), "12070a02010212" + "0103");
});

test("lengths on every side of a varint border come back", () => {
  const sizes = [
    0, 1, 2, 19, 100, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16370, 16383, 16384, 16385, 2097151,
    2097152,
  ];
  for (const keyLength of sizes.slice(0, 20)) {
    for (const valueLength of sizes) {
      const packed = packPairs([
        { key: new Uint8Array(keyLength).fill(1), value: new Uint8Array(valueLength).fill(2) },
      ]);
      const where = `key ${keyLength}, value ${valueLength}`;
      assert.equal(packed.length, entrySize(keyLength, valueLength), where);
      assert.equal(entryEndOf(packed, 0), packed.length, where);
      assert.equal(keyLengthOf(packed, 0), keyLength, where);
      const keyEnd = keyStartOf(packed, 0) + keyLength;
      assert.equal(valueLengthBetween(keyEnd, packed.length), valueLength, where);
      if (valueLength > 20_000) continue;
      const [pair, more] = [...unpackPairs(packed)];
      assert.equal(pair!.key.length, keyLength);
      assert.ok(pair!.value.every((b) => b === 2) && pair!.value.length === valueLength);
      assert.equal(more, undefined);
    }
  }
});

test("keys of entries compare as bytes, the shorter first", () => {
  const keys = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0]].map((key) => new Uint8Array(key));
  const entries = keys.map((key) => packPairs([{ key, value: new Uint8Array(5) }]));
  entries.forEach((a, i) => {
    entries.forEach((b, j) => {
      assert.equal(Math.sign(compareEntryKeys(a, 0, b, 0)), Math.sign(i - j), `${i} ${j}`);
    });
  });
});
