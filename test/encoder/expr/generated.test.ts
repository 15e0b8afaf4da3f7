/** Generated columns of TiDB: value, row bytes, error, in both modes. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { LevinError } from "../../../src/base/mod.ts";
import { GeneratedRunner, generatedCases, MODES, tableOf, tableSql, wantedOf } from "./golden-generated.ts";

/** A case of both modes is two. */
const RUNS = 3284;

test("golden generated columns", () => {
  const runner = new GeneratedRunner();
  let runs = 0;
  for (const c of generatedCases()) {
    if (c.in === undefined) {
      assert.throws(
        () => tableOf(tableSql(c)),
        (e: LevinError) => e.fields["errno"] === c.notAllowed!.code,
        c.expr,
      );
      continue;
    }
    for (const mode of c.mode === "both" ? (["default", "strict"] as const) : [c.mode ?? "default"]) {
      const got = runner.run(c, mode);
      runs++;
      assert.deepEqual(got, wantedOf(c), `${c.expr} over ${JSON.stringify(c.in)}, ${MODES[mode]}`);
    }
  }
  assert.equal(runs, RUNS);
});
