import assert from "node:assert/strict";
import { test } from "node:test";
import { levin } from "../e2e/in-process.ts";

test("an option at the end without its value is refused, not taken for absent", async () => {
  for (const [words, option] of [
    [["import", "/nowhere", "--sandbox"], "--sandbox"],
    [["import", "/nowhere", "--backend"], "--backend"],
    [["import", "/nowhere", "-c"], "-c"],
    [["load", "run", "--source"], "--source"],
  ] as const) {
    const { code, err } = await levin(words);
    assert.equal(code, 2, err);
    assert.ok(err.includes(`Cannot use ${option}: its value is missing`), err);
  }
  const flag = await levin(["import", "/nowhere", "--fresh"]);
  assert.deepEqual([flag.code, /nowhere/.test(flag.err)], [3, true], flag.err);
  assert.equal((await levin(["version"])).code, 0);
  assert.equal((await levin(["import", "--help"])).code, 0);
});
