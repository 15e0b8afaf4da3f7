/** Round trips, order of keys, and fuzz of the parsers and of expressions, for as long as one likes. */
import assert from "node:assert/strict";
import { bulkAndRows } from "../importer/bulk-agrees.ts";
import { fuzzExpression } from "./expr/expression-fuzz.ts";
import { KEY_TYPES, keyOrder } from "./key-order.ts";
import { fuzzParsers } from "./parser-fuzz.ts";
import { roundTrips } from "./round-trip.ts";

/** A case that takes longer counts as hanging. */
const CASE_MS_MAX = 10000;
const ROWS = 5;
const MANY = 400;
const VALUES = 30;
const EXPRESSIONS = 50;
const TEXTS = 500;

/** Each gives how many cases there were. */
const KINDS: Record<string, (seed: number) => number | Promise<number>> = {
  "rows encoded many at a time as one by one": async (seed) => {
    const { many, rows, create } = await bulkAndRows(seed, MANY);
    const { many: count, ...got } = many;
    const { many: _, ...expected } = rows;
    assert.deepEqual(got, expected, `seed ${seed}: ${create}`);
    assert.deepEqual(got.sums, got.ownSums, `seed ${seed}: ${create}`);
    return count;
  },
  "stored rows that came back": (seed) => roundTrips(seed, ROWS),
  "comparisons of keys": (seed) => {
    const type = KEY_TYPES[seed % KEY_TYPES.length]!;
    return keyOrder(type, false, seed, VALUES) + keyOrder(type, true, seed, VALUES);
  },
  "values of expressions": (seed) => {
    let values = 0;
    for (let i = 0; i < EXPRESSIONS; i++) values += fuzzExpression(seed * EXPRESSIONS + i).values;
    return values;
  },
  "texts parsed": (seed) => {
    for (let i = 0; i < TEXTS; i++) fuzzParsers(seed * TEXTS + i);
    return TEXTS;
  },
};

/** Runs for about so many seconds from a seed on; prints what fails and the figures. */
export async function encoderCampaign(seconds: number, seed: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  const counts = new Map<string, number>();
  let failed = 0;
  let rounds = 0;
  for (let k = seed; performance.now() < end && failed < 10; k++) {
    rounds++;
    for (const [name, run] of Object.entries(KINDS)) {
      const started = performance.now();
      try {
        counts.set(name, (counts.get(name) ?? 0) + (await run(k)));
      } catch (thrown) {
        failed++;
        console.log(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
      const ms = performance.now() - started;
      if (ms > CASE_MS_MAX) {
        failed++;
        console.log(`${name}: seed ${k} took ${ms.toFixed(0)} ms`);
      }
    }
  }
  const figures = [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
  console.log(`${rounds} rounds: ${figures}; ${failed} failed`);
  return failed === 0;
}
