import assert from "node:assert/strict";
import { test } from "node:test";
import { autoRandomHandle, goInt63, goUint32, shardedRowId } from "../../src/encoder/go-rand.ts";
import { readJsonLines } from "../codec/golden-file.ts";

interface GoldenCase {
  kind: string;
  shardBits: number;
  rangeBits: number;
  unsigned: boolean;
  seed: string;
  rowId: string;
  bits: number;
  handle: string;
  int63: string;
  uint32: string;
}

test("shard bits are those of Go's generator", () => {
  const cases = readJsonLines<GoldenCase>("misc/autorandom.jsonl.gz");
  for (const c of cases) {
    const name = JSON.stringify(c);
    if (c.kind === "go_rand_seeded") {
      const first = goInt63(BigInt(c.seed));
      assert.equal(String(first), c.int63, name);
      assert.equal(String(first >> 31n), c.uint32, name);
      const seed = Number(c.seed);
      if (seed >= 0 && Number.isSafeInteger(seed)) assert.equal(String(goUint32(seed)), c.uint32, name);
    } else if (c.kind === "auto_random") {
      const handle = autoRandomHandle(BigInt(c.seed), BigInt(c.rowId), c.shardBits, c.rangeBits, c.unsigned);
      assert.equal(String(handle), c.handle, name);
    } else assert.equal(String(shardedRowId(BigInt(c.rowId), c.shardBits ?? c.bits)), c.handle, name);
  }
  assert.equal(cases.length, 125);
});
