import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, type Clock } from "../../src/base/mod.ts";
import { ByteBudget, StoreRate, StoreSlots, WorkerSlots } from "../../src/ingest/gates.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("ByteBudget holds back what does not fit, first come, first served", async () => {
  const budget = new ByteBudget(100);
  const order: string[] = [];
  await budget.acquire(60);
  const large = budget.acquire(80).then(() => order.push("large"));
  const small = budget.acquire(10).then(() => order.push("small"));
  await turn();
  assert.deepEqual(order, []);
  budget.release(60);
  await Promise.all([large, small]);
  assert.deepEqual(order, ["large", "small"]);
  assert.equal(budget.used, 90);
  assert.equal(budget.peak, 90);
});

test("ByteBudget lets one pass that is larger than all of it", async () => {
  const budget = new ByteBudget(10);
  await budget.acquire(50);
  const next = budget.acquire(1);
  budget.release(50);
  await next;
  assert.equal(budget.used, 1);
});

test("ByteBudget forgets waiters that give up, and admits those behind them", async () => {
  const budget = new ByteBudget(100);
  await budget.acquire(60);
  const abort = new AbortController();
  const large = budget.acquire(90, abort.signal);
  const small = budget.acquire(30);
  abort.abort(new Error("enough"));
  await assert.rejects(large, /enough/);
  await small;
  assert.equal(budget.used, 90);
  await assert.rejects(budget.acquire(1, abort.signal), /enough/);
});

test("ByteBudget notices a release too many", async () => {
  const budget = new ByteBudget(10);
  assert.throws(() => budget.release(1), AssertionError);
});

test("StoreSlots bounds the streams of each store and never locks up", async () => {
  const slots = new StoreSlots(2);
  const open = new Map<bigint, number>();
  let most = 0;
  const job = async (ids: bigint[]): Promise<void> => {
    await slots.use(ids, async () => {
      for (const id of ids) {
        open.set(id, (open.get(id) ?? 0) + 1);
        most = Math.max(most, open.get(id)!);
      }
      await turn();
      for (const id of ids) open.set(id, open.get(id)! - 1);
    });
  };
  const jobs: Promise<void>[] = [];
  for (let i = 0; i < 60; i++) jobs.push(job([BigInt(i % 4), BigInt((i + 1) % 4), BigInt((i + 2) % 4)]));
  await Promise.all(jobs);
  assert.equal(most, 2);
});

test("StoreSlots frees its slots when a job fails", async () => {
  const slots = new StoreSlots(1);
  await assert.rejects(
    slots.use([1n], () => Promise.reject(new Error("lost"))),
    /lost/,
  );
  assert.equal(await slots.use([1n], () => Promise.resolve(5)), 5);
});

test("StoreRate lets each store have its bytes a second", async () => {
  let now = 5_000;
  const clock: Clock = {
    nowMs: () => now,
    monotonicMs: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  const rate = new StoreRate(clock, 1_000);
  for (let i = 0; i < 10; i++) await rate.take(1n, 500);
  // 5000 bytes, less the burst; what was sent last is not waited for.
  assert.ok(now >= 5_000 + 4_200 && now <= 5_000 + 5_000, String(now));
  const before = now;
  await rate.take(2n, 500);
  assert.equal(now, before);
  await new StoreRate(clock, 0).take(1n, 1e12);
  assert.equal(now, before);
});

test("WorkerSlots bounds the jobs at work, and a failed one gives its slot back", async () => {
  const workers = new WorkerSlots(3);
  let open = 0;
  let most = 0;
  const job = (fails: boolean) =>
    workers.use(async () => {
      most = Math.max(most, ++open);
      await turn();
      open--;
      if (fails) throw new Error("lost");
    });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => job(i % 4 === 0)));
  assert.equal(results.filter((result) => result.status === "rejected").length, 5);
  assert.deepEqual([open, most], [0, 3]);
});
