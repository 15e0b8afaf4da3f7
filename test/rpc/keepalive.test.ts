import assert from "node:assert/strict";
import { test } from "node:test";
import { Keepalive } from "../../src/rpc/keepalive.ts";
import { ManualClock } from "./manual-clock.ts";

function setUp(pingIntervalMs = 10_000, pingTimeoutMs = 3000) {
  const clock = new ManualClock();
  const log: string[] = [];
  const state = { streams: 1 };
  const keepalive = new Keepalive(
    clock,
    { pingIntervalMs, pingTimeoutMs },
    {
      hasStreams: () => state.streams > 0,
      sendPing: () => void log.push(`ping ${clock.monotonicMs()}`),
      onSilence: () => void log.push(`silence ${clock.monotonicMs()}`),
    },
  );
  return { clock, log, state, keepalive };
}

test("a silent peer is pinged after the interval and given up after the timeout", async () => {
  const { clock, log, keepalive } = setUp();
  keepalive.wake();
  await clock.advance(9999);
  assert.deepEqual(log, []);
  await clock.advance(20_000);
  assert.deepEqual(log, ["ping 10000", "silence 13000"]);
  assert.equal(clock.sleepers, 0);
});

test("any sign of life puts the ping off, and answers one that is under way", async () => {
  const { clock, log, keepalive } = setUp();
  keepalive.wake();
  await clock.advance(6000);
  keepalive.signOfLife();
  await clock.advance(9000);
  assert.deepEqual(log, []);
  await clock.advance(1000);
  assert.deepEqual(log, ["ping 16000"]);
  await clock.advance(2900);
  keepalive.signOfLife();
  await clock.advance(9_900);
  assert.deepEqual(log, ["ping 16000"]);
  await clock.advance(100);
  assert.deepEqual(log, ["ping 16000", "ping 28900"]);
});

test("pings are never closer together than the interval", async () => {
  const { clock, log, keepalive } = setUp(5000, 1000);
  keepalive.wake();
  for (let i = 0; i < 400; i++) {
    await clock.advance(100);
    if (log.length > 0) keepalive.signOfLife();
    if (i % 37 === 0) keepalive.wake();
  }
  const times = log.map((entry) => Number(entry.split(" ")[1]));
  for (let i = 1; i < times.length; i++) assert.ok(times[i]! - times[i - 1]! >= 5000, String(times));
});

test("an idle connection is not pinged, and watched again with the next stream", async () => {
  const { clock, log, state, keepalive } = setUp();
  keepalive.wake();
  state.streams = 0;
  await clock.advance(100_000);
  assert.deepEqual(log, []);
  assert.equal(clock.sleepers, 0);
  state.streams = 1;
  keepalive.wake();
  await clock.advance(10_000);
  assert.deepEqual(log, ["ping 110000"]);
});

test("an event loop of our own that was blocked is not held against the peer", async () => {
  const { clock, log, keepalive } = setUp();
  keepalive.wake();
  await clock.advance(10_000);
  await clock.jump(20_000);
  assert.deepEqual(log, ["ping 10000"]);
  await clock.advance(3000);
  assert.deepEqual(log, ["ping 10000", "silence 33000"]);
});

test("switched off, and stopped", async () => {
  const off = setUp(0);
  off.keepalive.wake();
  assert.equal(off.clock.sleepers, 0);
  const { clock, log, keepalive } = setUp();
  keepalive.wake();
  keepalive.stop();
  keepalive.wake();
  await clock.advance(100_000);
  assert.deepEqual(log, []);
  assert.equal(clock.sleepers, 0);
});
