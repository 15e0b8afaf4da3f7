import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { type BackoffOptions, backoffMs, type RetryContext, retry } from "../../src/rpc/mod.ts";
import { ManualClock } from "./manual-clock.ts";

const options: BackoffOptions = { baseMs: 100, maxMs: 1000, attempts: 6 };

test("waits double up to their ceiling, with chance between half and all of it", () => {
  const random = seededRandom(1);
  for (const [attempt, full] of [
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1000],
    [60, 1000],
  ] as const) {
    const waits = Array.from({ length: 200 }, () => backoffMs(options, attempt, random));
    assert.ok(Math.min(...waits) >= full / 2 && Math.max(...waits) <= full, `attempt ${attempt}`);
    assert.ok(Math.max(...waits) - Math.min(...waits) > full / 4, `attempt ${attempt} varies`);
  }
});

function context(clock: ManualClock, more: Partial<RetryContext> = {}): RetryContext {
  return { clock, random: { next: () => 1, fill: () => {} }, retryable: () => true, ...more };
}

/** Lets the clock run on until the work has ended. */
async function run<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  done.catch(() => {});
  for (let i = 0; i < 1000 && !over; i++) await clock.advance(10);
  return done;
}

test("retry: succeeds after failures, and tells of each", async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const work = retry(
    options,
    context(clock, { onRetry: (e, attempt, ms) => told.push(`${attempt} ${ms} ${e}`) }),
    async (attempt) => {
      if (attempt < 4) throw `no ${attempt}`;
      return attempt;
    },
  );
  assert.equal(await run(clock, work), 4);
  assert.deepEqual(told, ["1 100 no 1", "2 200 no 2", "3 400 no 3"]);
});

test("retry: ends with the last error after all attempts", async () => {
  const clock = new ManualClock();
  let attempts = 0;
  const work = retry(options, context(clock), async () => {
    throw new Error(`no ${++attempts}`);
  });
  await assert.rejects(run(clock, work), /no 6/);
  assert.equal(attempts, 6);
});

test("retry: ends when the total time would be exceeded", async () => {
  const clock = new ManualClock();
  let attempts = 0;
  const work = retry({ ...options, totalMs: 350 }, context(clock), async () => {
    throw new Error(`no ${++attempts}`);
  });
  await assert.rejects(run(clock, work), /no 3/);
});

test("retry: an error that stays is thrown at once", async () => {
  const clock = new ManualClock();
  const work = retry(options, context(clock, { retryable: (error) => String(error) !== "for good" }), async () => {
    throw "for good";
  });
  await assert.rejects(work, (error) => error === "for good");
});

test("retry: a signal ends the wait", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const work = retry(options, context(clock, { signal: stop.signal }), async () => {
    throw new Error("no");
  });
  const failed = assert.rejects(work, /enough/);
  await clock.advance(10);
  stop.abort(new Error("enough"));
  await failed;
});
