import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openEngine, PairArena } from "../../src/engine/mod.ts";
import { deepestOverlap, type Span, widestReach } from "../../src/engine/overlap.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { readAll } from "./pairs.ts";

const span = (first: number, last: number): Span => ({
  firstKey: new Uint8Array([first]),
  lastKey: new Uint8Array([last]),
});

/** Small numbers, the same every time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield (state >>> 16) % 60;
  }
}

describe("overlap of runs", () => {
  test("depth and reach are what counting every key says", () => {
    const random = numbers(7);
    const next = () => random.next().value as number;
    for (let round = 0; round < 200; round++) {
      const spans = Array.from({ length: next() % 12 }, () => {
        const first = next();
        return span(first, first + (next() % 20));
      });
      const over = (key: number) =>
        spans.filter(({ firstKey, lastKey }) => firstKey[0]! <= key && key <= lastKey[0]!).length;
      const all = Array.from({ length: 90 }, (_, key) => over(key));
      const deepest = deepestOverlap(spans);
      assert.equal(deepest?.depth ?? 0, Math.max(0, ...all));
      if (deepest !== undefined) assert.equal(over(deepest.at[0]!), deepest.depth);
      const [start, size] = [next(), 1 + next()];
      const inside = spans.filter(
        ({ firstKey, lastKey }) => firstKey[0]! < start + size && lastKey[0]! >= start,
      ).length;
      assert.equal(
        widestReach(spans, [{ start: new Uint8Array([start]), end: new Uint8Array([start + size]) }]),
        inside,
      );
      assert.equal(widestReach(spans, [{}]), spans.length);
    }
  });

  test("runs beside each other are not merged; those across each other are, until few enough lie in one place", async () => {
    const engine = await openEngine({ name: "sorted", store: { kvdb: memoryKvDb() }, blockBytes: 512 });
    const arena = new PairArena({ capacityBytes: 64 * 1024 });
    const write = async (runId: number, keys: number[]): Promise<void> => {
      arena.clear();
      for (const key of keys) arena.put(new Uint8Array([key >> 8, key & 255]), 2, new Uint8Array(50), 50);
      await engine.writeRun(arena, { runId });
    };
    for (let run = 0; run < 20; run++)
      await write(
        run,
        Array.from({ length: 30 }, (_, i) => 100 * run + i),
      );
    assert.equal((await engine.cascade({ fanInMax: 2 })).length, 20);
    for (let run = 20; run < 25; run++) await write(run, [500 + 30 + run, 700 + 30 + run]);
    const runs = await engine.cascade({ fanInMax: 2 });
    assert.ok((deepestOverlap(runs)?.depth ?? 0) <= 2);
    assert.ok(runs.length >= 18, `${runs.length} runs are left: those elsewhere were not touched`);
    const pairs = await readAll(engine, {}, { runs });
    assert.equal(pairs.length, 20 * 30 + 5 * 2);
  });
});
