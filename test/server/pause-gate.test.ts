import assert from "node:assert/strict";
import { test } from "node:test";
import { PauseGate } from "../../src/base/mod.ts";

test("a shut gate holds what comes until it is opened, and lets an aborted one go with its reason", async () => {
  const gate = new PauseGate();
  const { signal } = new AbortController();
  await gate.pass(signal);
  gate.pause();
  let passed = 0;
  const waiting = [1, 2].map(async () => {
    await gate.pass(signal);
    passed++;
  });
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(passed, 0);
  gate.resume();
  gate.pause();
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(passed, 0, "shut again before anybody went through");
  gate.resume();
  await Promise.all(waiting);
  assert.equal(passed, 2);

  gate.pause();
  const stop = new AbortController();
  const held = gate.pass(stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(held, /enough/);
});
