import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzParsers } from "../parser-fuzz.ts";
import { fuzzExpression } from "./expression-fuzz.ts";

test("random expressions give values or the errors that are meant to be", () => {
  let values = 0;
  let refused = 0;
  for (let seed = 1; seed <= 250; seed++) {
    const outcome = fuzzExpression(seed);
    values += outcome.values;
    if (outcome.refused) refused++;
  }
  assert.ok(values > 350 && refused < 100, `${values} values, ${refused} refused`);
});

test("random texts give values or errors from the parsers of JSON, decimals, dates and times", () => {
  let values = 0;
  for (let seed = 1; seed <= 2000; seed++) if (fuzzParsers(seed)) values++;
  assert.ok(values > 250, `${values} values`);
});
