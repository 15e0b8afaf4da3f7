import assert from "node:assert/strict";
import { test } from "node:test";
import { compareBytes, joinBytes, seededRandom } from "../../src/base/mod.ts";
import { BlockBuffers } from "../../src/embed/state/block-buffers.ts";
import { BLOCK_SIZE, BlockCutter, type SealedBlock } from "../../src/embed/state/block-cutter.ts";
import { type Pair, packBatch } from "./support.ts";

const random = seededRandom(11);
const bytes = (size: number) => Uint8Array.from({ length: size }, () => Math.floor(random.next() * 4));

/** Pairs with keys of many lengths that share prefixes, ascending, no two alike. */
function pairsOf(count: number, largestValue: number): Pair[] {
  const keys = Array.from({ length: count }, () => bytes(1 + Math.floor(random.next() * 40)));
  keys.sort(compareBytes);
  const different = keys.filter((key, i) => i === 0 || compareBytes(key, keys[i - 1]!) !== 0);
  return different.map((key) => [key, bytes(1 + Math.floor(random.next() * largestValue))]);
}

function cut(batches: readonly Uint8Array[]): { blocks: SealedBlock[]; cutter: BlockCutter } {
  const cutter = new BlockCutter(new BlockBuffers());
  const blocks = batches.flatMap((batch) => cutter.add(batch));
  return { blocks: [...blocks, ...cutter.finish()], cutter };
}

test("block cutter: the same blocks, however pairs come in messages", () => {
  for (const [count, largestValue] of [
    [4000, 200],
    [3000, 700],
    [300, 20_000],
  ] as const) {
    const pairs = pairsOf(count, largestValue);
    const head = packBatch(9n, []).length;
    const whole = packBatch(9n, pairs);
    const expected = whole.subarray(head);
    // One message; pieces below what is looked at in runs; pieces of any size.
    const ways: Uint8Array[][] = [[whole], [], []];
    for (let i = 0; i < pairs.length; i += 3) ways[1]!.push(packBatch(9n, pairs.slice(i, i + 3)));
    for (let i = 0; i < pairs.length; ) {
      const size = 1 + Math.floor(random.next() * 500);
      ways[2]!.push(packBatch(9n, pairs.slice(i, i + size)));
      i += size;
    }
    const results = ways.map(cut);
    for (const { blocks, cutter } of results) {
      assert.deepEqual(joinBytes(blocks.map(({ data }) => data)), new Uint8Array(expected));
      assert.deepEqual(cutter.lastKey, pairs.at(-1)![0]);
      assert.equal(cutter.pairs, pairs.length);
      assert.equal(
        cutter.bytes,
        pairs.reduce((sum, [key, value]) => sum + key.length + value.length, 0),
      );
      assert.equal(cutter.hasLongValue, largestValue > 255);
      assert.ok(blocks.slice(0, -1).every(({ data }) => data.length >= BLOCK_SIZE));
      assert.deepEqual(blocks, results[0]!.blocks);
    }
  }
});

test("block cutter: keys that do not ascend are refused wherever they stand", () => {
  const pairs = pairsOf(600, 30);
  for (let round = 0; round < 200; round++) {
    const at = 1 + Math.floor(random.next() * (pairs.length - 1));
    const wrong = pairs.slice();
    if (round % 2 === 0) wrong[at] = wrong[at - 1]!;
    else [wrong[at - 1], wrong[at]] = [wrong[at]!, wrong[at - 1]!];
    assert.throws(() => cut([packBatch(9n, wrong)]), /ascending|order/i);
  }
});

test("block cutter: odd pairs are refused in words, wherever they stand", () => {
  const pairs = pairsOf(600, 30);
  const good = packBatch(9n, pairs);
  const end = Uint8Array.of(4);
  const odd: [Uint8Array, RegExp][] = [
    [packBatch(9n, [[end, new Uint8Array(0)]]).subarray(2), /empty value/],
    [packBatch(9n, [[new Uint8Array(0), end]]).subarray(2), /empty key/],
    [Uint8Array.of(0x12, 8, 0x0a, 1, 4, 0x12, 1, 1, 0x18, 1), /op Delete/],
    [Uint8Array.of(0x12, 6, 0x12, 1, 1, 0x0a, 1, 4), /out of order/],
    [Uint8Array.of(0x12, 60, 0x0a, 1, 4), /no import_sstpb.WriteBatch/],
    [Uint8Array.of(0x12, 6, 0x0a, 1, 4, 0x12, 90, 1), /no import_sstpb.WriteBatch/],
  ];
  for (const [element, words] of odd) assert.throws(() => cut([joinBytes([good, element])]), words);
  const padded = joinBytes([good, Uint8Array.of(0x12, 0x87, 0x00, 0x0a, 0x81, 0x00, 4, 0x12, 1, 7)]);
  assert.equal(cut([padded]).cutter.pairs, pairs.length + 1, "varints longer than they need to be are pairs as others");
});
