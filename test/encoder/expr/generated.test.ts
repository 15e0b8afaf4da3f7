/** Generated columns of TiDB: value, row bytes, error, in both modes. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { LevinError } from "../../../src/base/mod.ts";
import { GeneratedRunner, generatedCases, MODES, type Outcome, wantedOf } from "./golden-generated.ts";

/** Functions that are yet to come. */
const UNKNOWN = 30;

test("golden generated columns", () => {
  const runner = new GeneratedRunner();
  let unknown = 0;
  for (const c of generatedCases()) {
    if (c.in === undefined) continue;
    for (const mode of c.mode === "both" ? (["default", "strict"] as const) : [c.mode ?? "default"]) {
      let got: Outcome;
      try {
        got = runner.run(c, mode);
      } catch (thrown) {
        if (!(thrown instanceof LevinError)) throw thrown;
        unknown++;
        continue;
      }
      assert.deepEqual(got, wantedOf(c), `${c.expr} over ${JSON.stringify(c.in)}, ${MODES[mode]}`);
    }
  }
  assert.equal(unknown, UNKNOWN);
});
