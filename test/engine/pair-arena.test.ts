import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareBytes, toHex } from "../../src/base/mod.ts";
import { type Pair, PairArena } from "../../src/engine/mod.ts";
import { pairAt } from "../../src/engine/packed-pairs.ts";
import { byKey, fill, randomPairs, type Shape, textOf } from "./pairs.ts";

function sortedPairs(arena: PairArena): Pair[] {
  const { bytes, offsets } = arena.sorted();
  return Array.from(offsets, (at) => pairAt(bytes, at));
}

const MIB = 1024 * 1024;

describe("PairArena", () => {
  for (const shape of ["record", "index", "text", "tiny", "zeros"] satisfies Shape[]) {
    test(`sorts keys of shape "${shape}" as the oracle does, equal ones in order of arrival`, () => {
      for (const count of [1, 2, 23, 24, 25, 26, 300, 4000]) {
        const pairs = randomPairs(shape, count, count);
        const arena = fill(new PairArena({ capacityBytes: MIB }), pairs);
        assert.deepEqual(sortedPairs(arena).map(textOf), pairs.toSorted(byKey).map(textOf), `${count} pairs`);
      }
    });
  }

  test("sorts long keys that differ late, and many equal keys", () => {
    const pairs: Pair[] = [];
    for (let i = 0; i < 1000; i++) {
      const key = new Uint8Array(300).fill(5);
      key[150 + (i % 3)] = (i * 37) % 11;
      if (i % 5 === 0) key[299] = i % 2;
      pairs.push({ key: i % 7 === 0 ? key.slice(0, 151 + (i % 9)) : key, value: new Uint8Array([i >> 8, i]) });
    }
    const arena = fill(new PairArena({ capacityBytes: MIB }), pairs);
    assert.deepEqual(sortedPairs(arena).map(textOf), pairs.toSorted(byKey).map(textOf));
  });

  test("sees whether keys came in order", () => {
    const arena = new PairArena({ capacityBytes: MIB });
    const keys = ["01", "0100", "0101", "0101", "02", "ff"];
    fill(
      arena,
      keys.map((hex) => ({ key: Uint8Array.from(Buffer.from(hex, "hex")), value: new Uint8Array(0) })),
    );
    assert.ok(arena.inOrder);
    assert.deepEqual(
      sortedPairs(arena).map(({ key }) => toHex(key)),
      keys,
    );
    fill(arena, [{ key: new Uint8Array([3]), value: new Uint8Array(0) }]);
    assert.ok(!arena.inOrder);
    assert.deepEqual(
      sortedPairs(arena).map(({ key }) => toHex(key)),
      ["01", "0100", "0101", "0101", "02", "03", "ff"],
    );
    arena.clear();
    assert.ok(arena.inOrder);
    fill(arena, [
      { key: new Uint8Array([1, 2]), value: new Uint8Array(0) },
      { key: new Uint8Array([1]), value: new Uint8Array(0) },
    ]);
    assert.ok(!arena.inOrder, "a prefix sorts before what it is a prefix of");
  });

  test("copies what it is given, counts it, and can be used again", () => {
    const arena = new PairArena({ capacityBytes: MIB });
    const key = new Uint8Array([1, 2, 3, 4]);
    const value = new Uint8Array(500).fill(6);
    for (const round of [0, 1]) {
      arena.put(key, 3, value, 200 + round);
      key.fill(9);
      value.fill(9);
      assert.equal(arena.count, 1);
      assert.equal(arena.pairBytes, 203 + round);
      assert.deepEqual(sortedPairs(arena), [
        { key: new Uint8Array([1, 2, 3]), value: new Uint8Array(200 + round).fill(6) },
      ]);
      arena.clear();
      key.set([1, 2, 3, 4]);
      value.fill(6);
    }
  });

  test("is full before it has to grow, and grows for a row beyond its reserve", () => {
    const arena = new PairArena({ capacityBytes: MIB });
    const pairs = randomPairs("record", 20_000, 9);
    let n = 0;
    while (!arena.full) fill(arena, [pairs[n++]!]);
    const memory = arena.memoryBytes;
    assert.ok(arena.usedBytes < MIB && arena.usedBytes > MIB / 2);
    const huge = { key: new Uint8Array([255]), value: new Uint8Array(9 * MIB).fill(3) };
    fill(arena, [huge]);
    fill(arena, [pairs[n]!]);
    const expected = [...pairs.slice(0, n + 1), huge].toSorted(byKey);
    const got = sortedPairs(arena);
    assert.equal(got.length, expected.length);
    assert.ok(got.every(({ key }, i) => compareBytes(key, expected[i]!.key) === 0));
    assert.ok(got[got.length - 1]!.value.length === 9 * MIB && arena.memoryBytes > memory);
    const few = new PairArena({ capacityBytes: MIB, capacityPairs: 16 });
    fill(few, pairs.slice(0, 12));
    assert.ok(few.full);
    fill(few, pairs.slice(12, 40));
    assert.deepEqual(sortedPairs(few).map(textOf), pairs.slice(0, 40).toSorted(byKey).map(textOf));
  });
});
