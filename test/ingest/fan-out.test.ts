import assert from "node:assert/strict";
import { test } from "node:test";
import { FanOut } from "../../src/ingest/fan-out.ts";
import { ByteBudget } from "../../src/ingest/gates.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function* numbers(count: number, failAt = -1): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (i === failAt) throw new Error("the source broke");
    yield Uint8Array.of(i, 0, 0, 0);
  }
}

function fanOut(source: AsyncGenerator<Uint8Array>, takers: number, windowMessages = 3, signal?: AbortSignal) {
  const budget = new ByteBudget(1000);
  const fan = new FanOut({ source, takers, windowMessages, budget, signal: signal ?? new AbortController().signal });
  return { fan, budget };
}

test("every taker gets every message, in order, and the very same bytes", async () => {
  const { fan, budget } = fanOut(numbers(20), 3);
  const got = await Promise.all(
    [0, 1, 2].map(async (taker) => {
      const out: Uint8Array[] = [];
      for await (const message of fan.messages(taker)) {
        for (let i = 0; i < taker; i++) await turn();
        out.push(message);
      }
      return out;
    }),
  );
  for (const list of got)
    assert.deepEqual(
      list.map((m) => m[0]!),
      Array.from({ length: 20 }, (_, i) => i),
    );
  for (let i = 0; i < 20; i++) assert.ok(got[0]![i] === got[1]![i] && got[1]![i] === got[2]![i]);
  assert.ok([0, 1, 2].every((taker) => fan.isDone(taker)));
  assert.equal(budget.used, 0);
  assert.ok(budget.peak <= 4 * 4, `${budget.peak} bytes were held`);
  await fan.close();
});

test("a taker that is ahead waits for the slowest", async () => {
  const { fan } = fanOut(numbers(20), 2, 4);
  const fast = fan.messages(0);
  const slow = fan.messages(1);
  let taken = 0;
  const running = (async () => {
    for await (const _ of fast) taken++;
  })();
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(taken, 4);
  await slow.next();
  await slow.next();
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(taken, 5);
  for await (const _ of slow);
  await running;
  assert.equal(taken, 20);
  await fan.close();
});

test("a failure of the source reaches every taker and is kept", async () => {
  const { fan, budget } = fanOut(numbers(5, 2), 2);
  const drain = async (taker: number) => {
    for await (const _ of fan.messages(taker));
  };
  const results = await Promise.allSettled([drain(0), drain(1)]);
  for (const result of results) assert.match(String((result as PromiseRejectedResult).reason), /the source broke/);
  assert.match(String(fan.failure?.thrown), /the source broke/);
  assert.ok(!fan.isDone(0));
  await fan.close();
  assert.equal(budget.used, 0);
});

test("an abort ends takers that wait, and closes the source", async () => {
  const abort = new AbortController();
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(4);
    } finally {
      closed = true;
    }
  }
  const { fan, budget } = fanOut(endless(), 2, 2, abort.signal);
  const waiting = (async () => {
    for await (const _ of fan.messages(0));
  })();
  waiting.catch(() => undefined);
  for (let i = 0; i < 10; i++) await turn();
  abort.abort(new Error("stop"));
  await assert.rejects(waiting, /stop/);
  await fan.close();
  assert.ok(closed);
  assert.equal(budget.used, 0);
});

test("a taker that stops early is not done", async () => {
  const { fan } = fanOut(numbers(5), 1);
  const taker = fan.messages(0);
  await taker.next();
  await taker.return(undefined);
  assert.ok(!fan.isDone(0));
  await fan.close();
});
