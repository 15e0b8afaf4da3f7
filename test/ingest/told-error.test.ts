import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, LevinError } from "../../src/base/mod.ts";
import { tellError, toldError } from "../../src/ingest/told-error.ts";
import { PeerFailure } from "../../src/ingest/write-region.ts";

const passed = (thrown: unknown): Error => toldError(structuredClone(tellError(thrown)));

test("a LevinError keeps code, fields, stack and causes", () => {
  const system = Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC", syscall: "read", path: "/x" });
  const thrown = new LevinError("Levin:Engine:ErrDisk", "Cannot use", {
    cause: system,
    fields: { path: "/x", at: 7n },
  });
  const told = passed(new PeerFailure(5n, thrown));
  assert.ok(told instanceof PeerFailure);
  assert.equal(told.storeId, 5n);
  const { cause } = told;
  assert.ok(cause instanceof LevinError);
  assert.equal(cause.code, "Levin:Engine:ErrDisk");
  assert.equal(cause.message, "Cannot use");
  assert.deepEqual(cause.fields, { path: "/x", at: 7n });
  assert.equal(cause.stack, thrown.stack);
  assert.deepEqual(LevinError.from(cause.cause).code, LevinError.from(system).code);
  assert.equal(LevinError.from(cause.cause).message, LevinError.from(system).message);
});

test("a broken rule stays one, and anything else an error", () => {
  assert.ok(passed(new AssertionError("keys ascend")) instanceof AssertionError);
  const range = passed(new RangeError("too far"));
  assert.equal(range.name, "RangeError");
  assert.equal(range.message, "too far");
  assert.equal(passed("plain words").message, "plain words");
});

test("a chain of causes has an end", () => {
  const first = new Error("first");
  first.cause = first;
  assert.equal(passed(first).message, "first");
});
