import assert from "node:assert/strict";
import { test } from "node:test";
import { bulkAndRows } from "./bulk-agrees.ts";

test("rows encoded many at a time give the pairs, sums and ids of rows encoded one by one", async () => {
  let rows = 0;
  let many = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const outcome = await bulkAndRows(seed, 400);
    const { many: manyCount, ...got } = outcome.many;
    const { many: none, ...expected } = outcome.rows;
    assert.equal(none, 0);
    assert.deepEqual(got, expected, `seed ${seed}: ${outcome.create}`);
    assert.deepEqual(got.sums, got.ownSums, `seed ${seed}: the sums are those of the pairs`);
    rows += got.rows;
    many += manyCount;
  }
  assert.ok(rows > 4000 && many > rows / 4, `${many} of ${rows} rows were encoded with others`);
});
