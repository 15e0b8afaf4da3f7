/** What becomes of the target's warnings about the values of a statement. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../src/base/mod.ts";
import { FieldKind, newFields } from "../../src/codec/mod.ts";
import { type Applied, applyRows } from "../../src/logical/apply-rows.ts";
import { InsertBuilder } from "../../src/logical/insert-builder.ts";
import type { SqlLink } from "../../src/tidb/mod.ts";

const policy = { strategy: "", tolerateRows: false, packetBytes: 1 << 20, nameConflicts: true } as const;

/** Rows of one statement, which the target takes with warnings of these words. */
function applied(rows: number, words: readonly string[]): Promise<Applied> {
  const builder = new InsertBuilder(1024);
  builder.begin("INTO t VALUES", false);
  const fields = newFields(1);
  fields.bytes = utf8("7");
  fields.kind[0] = FieldKind.int;
  fields.end[0] = 1;
  fields.count = 1;
  for (let row = 0; row < rows; row++) builder.add(fields, [{ field: 0, binary: false, number: false }] as never);
  const link: SqlLink = {
    run: () => Promise.resolve({ affectedRows: rows, warnings: words.length }),
    rows: () => Promise.resolve(words.map((text) => ["Warning", "1292", text])),
    destroy: () => undefined,
  };
  return applyRows(link, builder, policy);
}

test("a warning without a row names none of a statement of several", async () => {
  const { changedValues, firstChange } = await applied(3, ["Truncated incorrect DOUBLE value: '1x'", "and more"]);
  assert.equal(changedValues, 2);
  assert.deepEqual(firstChange, { row: undefined, text: "Truncated incorrect DOUBLE value: '1x' (1292)" });
});

test("the row is the warning's, or the only one", async () => {
  const named = await applied(3, ["Out of range value for column 'n' at row 3"]);
  assert.deepEqual(named.firstChange, { row: 2, text: "Out of range value for column 'n' (1292)" });
  const alone = await applied(1, ["Truncated incorrect DOUBLE value: '1x'"]);
  assert.deepEqual(alone.firstChange, { row: 0, text: "Truncated incorrect DOUBLE value: '1x' (1292)" });
});
