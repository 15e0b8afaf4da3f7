import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { collectGarbage } from "../../src/base/mod.ts";

const heapBytes = (): number => process.memoryUsage().heapUsed;

/** Keeps nothing of what it makes: some megabytes of objects, too little for a collection of its own. */
function makeGarbage(): number {
  const objects = Array.from({ length: 100_000 }, (_, i) => ({ i, next: [i] }));
  return objects.at(-1)!.i;
}

test("garbage is gone at once where the runtime can be asked, and asking is no error elsewhere", () => {
  collectGarbage();
  const before = heapBytes();
  assert.equal(makeGarbage(), 99_999);
  const full = heapBytes();
  collectGarbage();
  if ("bun" in process.versions) assert.ok(heapBytes() - before < (full - before) / 4);
});
