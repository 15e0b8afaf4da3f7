import assert from "node:assert/strict";
import { test } from "node:test";
import { textTable } from "../../src/cli/output/text-table.ts";

test("columns are as wide as their widest cell; control characters are shown", () => {
  const text = textTable(
    ["n", "file"],
    [
      ["1", "a"],
      ["200", "b\nc"],
    ],
    [0],
  );
  assert.equal(text, "  n  file\n  1  a\n200  b\\x0ac\n");
});

test("a table of many files", () => {
  const rows = Array.from({ length: 1_000_000 }, () => ["ok", "f"]);
  assert.equal(textTable(["a", "b"], rows, []).length, 1_000_001 * 6);
});
