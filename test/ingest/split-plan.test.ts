import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../src/base/mod.ts";
import type { Region } from "../../src/cluster/mod.ts";
import { coarseAbove, innerBorders, nextSplitKeys, planSplits, splitBytesMax } from "../../src/ingest/split-plan.ts";

const peer = { id: 2n, storeId: 3n, role: "voter" } as const;

function region(start: string, end: string): Region {
  const epoch = { confVer: 1n, version: 1n };
  return { id: 1n, start: utf8(start), end: utf8(end), epoch, peers: [peer], leader: peer };
}

const keys = (text: string) => [...text].map((c) => utf8(c));
const text = (list: readonly Uint8Array[]) => list.map(textOf).join("");

test("innerBorders are the starts of all ranges but the first", () => {
  const range = (start: string, end: string) => ({ start: utf8(start), end: utf8(end) });
  assert.equal(text(innerBorders([range("m", "p"), range("c", "f"), range("f", "m")])), "fm");
  assert.equal(text(innerBorders([range("c", "f")])), "");
  assert.equal(text(innerBorders([])), "");
});

test("planSplits gives each region the keys strictly inside it", () => {
  const plan = planSplits(keys("abcdefgxyz"), [region("", "c"), region("c", "d"), region("d", "x"), region("x", "")]);
  assert.deepEqual(
    plan.map((split) => `${textOf(split.region.start)}:${text(split.keys)}`),
    [":ab", "d:efg", "x:yz"],
  );
});

test("planSplits is empty when all keys are borders", () => {
  assert.deepEqual(planSplits(keys("cd"), [region("c", "d"), region("d", "")]), []);
});

test("nextSplitKeys takes few keys at once, of many a coarse choice", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => utf8(String(i).padStart(5, "0")));
  assert.equal(nextSplitKeys(many.slice(0, coarseAbove), 4096).length, coarseAbove);
  const coarse = nextSplitKeys(many, 4096);
  assert.equal(coarse.length, 100);
  assert.equal(textOf(coarse[0]!), "00099");
  assert.equal(nextSplitKeys(many, 7).length, 7);
  assert.equal(nextSplitKeys(many.slice(0, 2), 1).length, 1);
});

test("nextSplitKeys stays below the size of one raft entry", () => {
  const long = Array.from({ length: 60 }, (_, i) => new Uint8Array(200 << 10).fill(i));
  const chosen = nextSplitKeys(long, 4096);
  assert.ok(chosen.length > 1 && chosen.reduce((n, key) => n + key.length, 0) <= splitBytesMax);
  assert.equal(nextSplitKeys([new Uint8Array(splitBytesMax + 1)], 4096).length, 1);
});
