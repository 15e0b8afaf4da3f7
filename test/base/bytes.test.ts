import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, joinBytes } from "../../src/base/mod.ts";

test("joinBytes takes more parts than a call takes arguments", () => {
  const part = Uint8Array.of(1, 2);
  const parts = Array.from({ length: 2_000_000 }, () => part);
  assert.throws(() => concatBytes(...parts), RangeError);
  const joined = joinBytes(parts);
  assert.equal(joined.length, 4_000_000);
  assert.deepEqual([...joined.subarray(-2)], [1, 2]);
});
