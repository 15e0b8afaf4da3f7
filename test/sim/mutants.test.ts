import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mutants } from "./mutants.ts";

test("what the mutants break is still there", () => {
  for (const { name, file, find, replace } of mutants) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    assert.equal(text.split(find).length, 2, `${name}: ${file} has it once`);
    assert.notEqual(find, replace, name);
  }
});
