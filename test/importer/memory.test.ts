import assert from "node:assert/strict";
import { test } from "node:test";
import { PairArena } from "../../src/engine/mod.ts";
import { defaultMemoryBytes, planMemory } from "../../src/importer/memory.ts";

const MIB = 2 ** 20;

test("what the plan hands out fits into what it says, and that into the budget", () => {
  for (const [blocks, tables, writers] of [
    ["files", 1, 0],
    ["files", 1, 1],
    ["files", 1, 8],
    ["files", 10_000, 0],
    ["level", 1, 0],
  ] as const) {
    for (const workers of [1, 2, 4, 8, 32]) {
      for (const budget of [256, 512, 1024, 8192, 65_536]) {
        const parts = { workers, rangeJobs: 8, blocks, writers, tables, modelBytes: 700 * tables };
        const plan = planMemory(budget * MIB, parts);
        const smallest = planMemory(0, parts).totalBytes;
        assert.ok(plan.totalBytes <= Math.max(budget * MIB, smallest), `${blocks} ${workers} ${budget}`);
        const handedOut =
          workers * (plan.worker.dataArenaBytes + plan.worker.indexArenaBytes) +
          workers * plan.worker.windowBytes +
          Math.max(plan.inFlightBytes, writers * plan.writer.inFlightBytes) +
          Math.max(8 * plan.rangeReadBytes, writers * plan.writer.keptBytes - plan.inFlightBytes);
        assert.ok(handedOut < plan.totalBytes, `${blocks} ${workers} ${budget}`);
        assert.ok(plan.worker.dataArenaBytes >= 4 * MIB && plan.worker.dataArenaBytes <= 512 * MIB);
      }
    }
  }
});

test("an arena takes no more than the plan's factor over its capacity, its sorter included", () => {
  const capacityBytes = 8 * MIB;
  const arena = new PairArena({ capacityBytes });
  // Scratch areas are planned for with the worker.
  assert.ok(arena.memoryBytes <= 1.44 * capacityBytes + 2 * MIB, `${arena.memoryBytes}`);
});

test("two workers stay below 512 MiB by default, and a small machine keeps three quarters", () => {
  assert.ok(defaultMemoryBytes(64 * 1024 * MIB, 2) <= 512 * MIB);
  assert.equal(defaultMemoryBytes(1024 * MIB, 2), 256 * MIB);
  const plan = planMemory(defaultMemoryBytes(256 * 1024 * MIB, 32), { workers: 32, rangeJobs: 8, blocks: "files" });
  assert.ok(plan.worker.dataArenaBytes >= 20 * MIB, "many workers do not make runs small");
});

test("what many tables take is not given to the arenas", () => {
  const parts = { workers: 2, rangeJobs: 8, blocks: "files" } as const;
  const few = planMemory(1024 * MIB, parts);
  const many = planMemory(1024 * MIB, { ...parts, tables: 10_000, modelBytes: 7 * MIB });
  assert.equal(many.totalBytes, few.totalBytes);
  const arenas = ({ worker }: typeof few): number => 2 * (worker.dataArenaBytes + worker.indexArenaBytes);
  assert.ok(arenas(few) - arenas(many) > 64 * MIB, `${arenas(few)} ${arenas(many)}`);
});
