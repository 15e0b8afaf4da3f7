/** What a target must still know of an import by statements that is continued. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyRecord, emptyState, type JobState } from "../../../src/importer/job-state.ts";
import { begunOf } from "../../../src/importer/logical/begun.ts";
import type { JobRecord } from "../../../src/importer/records.ts";

const stateOf = (...records: JobRecord[]): JobState => {
  const state = emptyState();
  for (const record of records) applyRecord(state, record);
  return state;
};

const batch = (id: number, ...tables: string[]): JobRecord => ({
  type: "batch",
  batch: id,
  tables,
  commitTs: "0",
  filled: [],
});
const chunks = (id: number): JobRecord => ({
  type: "chunks",
  batch: id,
  chunks: [{ id: 0 } as Extract<JobRecord, { type: "chunks" }>["chunks"][number]],
});
const ingested = (id: number): JobRecord => ({ type: "ingested", batch: id });
const TABLES = ["u.a", "u.b"];

function told(...records: JobRecord[]): string {
  const { isBegun, isPartlyIn, isToFill } = begunOf(stateOf(...records), TABLES);
  return `${isBegun ? "begun" : "new"}${isPartlyIn ? ", partly in" : ""}: ${TABLES.filter(isToFill).join(" ")}`;
}

test("one that has not come to its first chunk has not begun", () => {
  assert.equal(told(), "new: u.a u.b");
  assert.equal(told(batch(0, "u.a")), "new: u.a u.b");
});

test("between two batches it has begun, and what is in is not to be filled", () => {
  assert.equal(told(batch(0, "u.a"), chunks(0)), "begun: u.a u.b");
  assert.equal(told(batch(0, "u.a"), chunks(0), ingested(0)), "begun, partly in: u.b");
  assert.equal(told(batch(0, "u.a"), chunks(0), ingested(0), batch(1, "u.b")), "begun, partly in: u.b");
});

test("when all is in, the target may have forgotten it; also where a table is reset since", () => {
  const all = [batch(0, "u.a", "u.b"), chunks(0), ingested(0)];
  assert.equal(told(...all), "new: ");
  const reset: JobRecord = { type: "reset", table: "u.b", forgiven: [] };
  assert.equal(told(...all, reset), "new: ");
  assert.equal(told(...all, reset, batch(1, "u.b"), chunks(1)), "begun, partly in: u.b");
});
