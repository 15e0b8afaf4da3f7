import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, toHex, utf8 } from "../../src/base/mod.ts";
import { forEachPair, overlaid, type Pair, type PairBatch, packPairs, unpackPairs } from "../../src/engine/mod.ts";

const pair = (key: string, value: string): Pair => ({ key: utf8(key), value: utf8(value) });

function batchOf(pairs: readonly Pair[]): PairBatch {
  const bytes = pairs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return { packed: packPairs(pairs), pairs: pairs.length, bytes, firstKey: pairs[0]!.key, lastKey: pairs.at(-1)!.key };
}

async function* batches(pairs: readonly Pair[], size: number): AsyncGenerator<PairBatch> {
  for (let at = 0; at < pairs.length; at += size) yield batchOf(pairs.slice(at, at + size));
}

test("an overlay replaces and takes out pairs, whatever the sizes of the batches", async () => {
  const random = seededRandom(3);
  const pick = (n: number): number => Math.floor(random.next() * n);
  for (let round = 0; round < 200; round++) {
    const count = 1 + pick(40);
    const below = Array.from({ length: count }, (_, k) =>
      pair(`k${String(k).padStart(3, "0")}`, "v".repeat(1 + pick(200))),
    );
    const share = random.next();
    const above = below
      .filter(() => random.next() < share)
      .map(({ key }) => ({ key, value: utf8("w".repeat(pick(3) * 70)) }));
    const wanted = below.flatMap((one) => {
      const over = above.find(({ key }) => key === one.key);
      if (over === undefined) return [one];
      return over.value.length === 0 ? [] : [over];
    });
    const found: Pair[] = [];
    for await (const batch of overlaid(batches(below, 1 + pick(9)), batches(above, 1 + pick(9)))) {
      const inside = [...unpackPairs(batch.packed)];
      assert.equal(batch.pairs, inside.length);
      assert.equal(toHex(batch.firstKey), toHex(inside[0]!.key));
      assert.equal(toHex(batch.lastKey), toHex(inside.at(-1)!.key));
      assert.equal(
        batch.bytes,
        inside.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
      );
      found.push(...inside);
    }
    assert.deepEqual(found, wanted);
  }
});

test("an overlay with a key that is not there is a bug that is noticed", async () => {
  const read = async (): Promise<void> => {
    const over = batches([pair("b", "x")], 1);
    for await (const _ of overlaid(batches([pair("a", "1"), pair("c", "2")], 2), over));
  };
  await assert.rejects(read, /an overlay hides pairs that are there/);
});

test("pairs can be gone through without objects", () => {
  const pairs = [pair("a", "1"), pair("bb", ""), pair("c", "x".repeat(300))];
  const packed = packPairs(pairs);
  const found: Pair[] = [];
  forEachPair(packed, (keyAt, keyEnd, valueAt, valueEnd) =>
    found.push({ key: packed.slice(keyAt, keyEnd), value: packed.slice(valueAt, valueEnd) }),
  );
  assert.deepEqual(found, pairs);
});
