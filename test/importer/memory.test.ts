import assert from "node:assert/strict";
import { test } from "node:test";
import { PairArena } from "../../src/engine/mod.ts";
import { defaultMemoryBytes, planMemory } from "../../src/importer/memory.ts";

const MIB = 2 ** 20;

test("what the plan hands out fits into what it says, and that into the budget", () => {
  for (const blocks of ["files", "level"] as const) {
    for (const workers of [1, 2, 4, 8, 32]) {
      for (const budget of [256, 512, 1024, 8192, 65_536]) {
        const plan = planMemory(budget * MIB, { workers, rangeJobs: 8, blocks });
        const smallest = planMemory(0, { workers, rangeJobs: 8, blocks }).totalBytes;
        assert.ok(plan.totalBytes <= Math.max(budget * MIB, smallest), `${blocks} ${workers} ${budget}`);
        const handedOut =
          workers * (plan.worker.dataArenaBytes + plan.worker.indexArenaBytes) +
          workers * plan.worker.windowBytes +
          plan.inFlightBytes +
          8 * plan.rangeReadBytes;
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
