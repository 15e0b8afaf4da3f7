import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY_TYPES, keyOrder } from "./key-order.ts";
import { roundTrips } from "./round-trip.ts";

test("random rows of random tables come back from their pairs, and give the same pairs again", () => {
  let stored = 0;
  for (let seed = 1; seed <= 120; seed++) stored += roundTrips(seed, 5);
  assert.ok(stored > 200, `${stored} rows were stored`);
});

test("keys sort as SQL sorts the values, for every type and collation", () => {
  let compared = 0;
  for (const type of KEY_TYPES) for (const clustered of [false, true]) compared += keyOrder(type, clustered, 1, 14);
  assert.ok(compared > 10_000, `${compared} comparisons`);
});
