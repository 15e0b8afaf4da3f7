import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../../src/rpc/deferred.ts";
import { type Watched, watchUpload } from "../../src/rpc/watchdog.ts";
import { ManualClock } from "./manual-clock.ts";

function setUp(intervalMs = 10_000, minBytes = 1000) {
  const clock = new ManualClock();
  const over = deferred<void>();
  const state = { acceptedBytes: 0, waiting: true };
  const ended: string[] = [];
  const stream: Watched = {
    get acceptedBytes() {
      return state.acceptedBytes;
    },
    get waiting() {
      return state.waiting;
    },
    over: over.promise,
    abort: (_code, reason) => {
      ended.push(reason.message);
      over.resolve();
    },
  };
  watchUpload(clock, stream, { intervalMs, minBytes });
  return { clock, state, ended, over };
}

test("too few bytes over a whole interval", async () => {
  const { clock, state, ended } = setUp();
  for (let second = 0; second < 10; second++) {
    state.acceptedBytes += 99;
    await clock.advance(1000);
    assert.equal(ended.length, second < 9 ? 0 : 1);
  }
  assert.deepEqual(ended, ["the server took 990 bytes in 10000 ms, expected at least 1000"]);
  assert.equal(clock.sleepers, 0);
});

test("just enough bytes", async () => {
  const { clock, state, ended } = setUp();
  for (let second = 0; second < 100; second++) {
    if (second % 10 === 5) state.acceptedBytes += 1000;
    await clock.advance(1000);
  }
  assert.deepEqual(ended, []);
});

test("time without anything to send starts the interval anew", async () => {
  const { clock, state, ended } = setUp();
  for (let second = 0; second < 100; second++) {
    state.waiting = second % 10 !== 9;
    await clock.advance(1000);
  }
  assert.deepEqual(ended, []);
  state.waiting = true;
  await clock.advance(10_000);
  assert.equal(ended.length, 1);
});

test("a finished stream is not watched any more", async () => {
  const { clock, ended, over } = setUp();
  await clock.advance(3000);
  over.resolve();
  await clock.advance(100_000);
  assert.deepEqual(ended, []);
  assert.equal(clock.sleepers, 0);
});

test("switched off", () => {
  assert.equal(setUp(0).clock.sleepers, 0);
});
