/** Texts of millions of characters through functions that take them apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tableExpressions } from "../../../src/encoder/expr/mod.ts";
import { sessionOf, tableOf } from "./golden-generated.ts";

function textOf(expression: string, text: Uint8Array): Uint8Array {
  const table = tableOf(`create table t (v longtext, g longtext as (${expression}))`);
  const { session } = sessionOf("default");
  const evaluate = tableExpressions(session, { sqlMode: "", defaultWeekFormat: 0 }).generated(table, table.cols[1]!);
  const d = evaluate([{ kind: "bytes", value: text, collation: "utf8mb4_bin" }]);
  assert.equal(d.kind, "bytes");
  return (d as { value: Uint8Array }).value;
}

test("REVERSE, REPLACE and SUBSTRING_INDEX of a million characters", () => {
  const text = new Uint8Array(1_000_000).fill(0x61);
  text[0] = 0x62;
  assert.equal(textOf("reverse(v)", text).at(-1), 0x62);
  assert.equal(textOf("replace(v, 'a', 'xy')", text).length, 1_999_999);
  assert.equal(textOf("substring_index(v, 'a', 700000)", text).length, 700_000);
});
