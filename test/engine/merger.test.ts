import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../src/base/mod.ts";
import { type DuplicateKey, openEngine, type Pair, PairArena } from "../../src/engine/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import { byKey, fill, readAll, textOf } from "./pairs.ts";

const KIB = 1024;

describe("merge", () => {
  /** Runs of these pairs, and what a stable sort of all of them says: the first of each key, and the others in the order of the runs. */
  async function checkMerge(runs: readonly (readonly Pair[])[], blockBytes: number, batchBytes: number): Promise<void> {
    const engine = await openEngine({ name: "db.t:data", store: { kvdb: memoryKvDb() }, blockBytes });
    for (const [runId, pairs] of runs.entries()) {
      await engine.writeRun(fill(new PairArena({ capacityBytes: 4000 * KIB }), pairs), { runId });
    }
    const all = runs.flat().toSorted(byKey);
    const isFirst = (i: number): boolean => i === 0 || byKey(all[i - 1]!, all[i]!) !== 0;
    const left: string[] = [];
    const onDuplicate = ({ key, secondValue }: DuplicateKey) => left.push(textOf({ key, value: secondValue }));
    const got = await readAll(engine, {}, { batchBytes, onDuplicate });
    assert.deepEqual(got.map(textOf), all.filter((_, i) => isFirst(i)).map(textOf));
    assert.deepEqual(left, all.filter((_, i) => !isFirst(i)).map(textOf));
  }

  test("of equal keys the run named first comes first, also where they go on in the next block", async () => {
    const random = seededRandom(5);
    for (let round = 0; round < 30; round++) {
      const keys = 1 + Math.floor(random.next() * 12);
      const runs = Array.from({ length: 2 + (round % 5) }, (_, run) =>
        Array.from({ length: 40 }, (_, i) => ({
          key: new Uint8Array([7, Math.floor(random.next() * keys)]),
          value: new Uint8Array([run, i]),
        })),
      );
      await checkMerge(runs, 40 + Math.floor(random.next() * 300), 100 + round * 50);
    }
  });

  test("blocks whose keys lie across each other are merged in parts; one key that is everywhere, as a whole", async () => {
    const pairs = (run: number, keyOf: (i: number) => number): Pair[] =>
      Array.from({ length: 9000 }, (_, i) => {
        const key = new Uint8Array(8);
        new DataView(key.buffer).setUint32(2, keyOf(i));
        return { key, value: new Uint8Array([run, i >> 8, i]) };
      });
    await checkMerge(
      [0, 1, 2].map((run) => pairs(run, (i) => 7 * i + run)),
      4000 * KIB,
      70 * KIB,
    );
    await checkMerge(
      [0, 1, 2].map((run) => pairs(run, (i) => (i % 9 === 0 ? i : 4711))),
      4000 * KIB,
      70 * KIB,
    );
  });

  test("keys of any bytes, lengths and common parts", async () => {
    const random = seededRandom(9);
    const below = (n: number) => Math.floor(random.next() * n);
    for (let round = 0; round < 25; round++) {
      const common = new Uint8Array(below(90)).fill(round);
      const alphabet = 1 + below(round % 2 === 0 ? 3 : 256);
      const runs = Array.from({ length: 2 + below(6) }, (_, run) =>
        Array.from({ length: 200 }, (_, i) => ({
          key: new Uint8Array([...common, ...Array.from({ length: below(20) }, () => (256 - below(alphabet)) & 255)]),
          value: new Uint8Array([run, i]),
        })),
      );
      await checkMerge(runs, 64 + below(4000), 100 + below(9000));
    }
  });
});
