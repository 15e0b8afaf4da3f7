/** What the engine tests share: seeded pairs of several shapes, the naive oracle, and small ways to fill and drain an engine. */
import { compareBytes, concatBytes, type Random, seededRandom, toHex } from "../../src/base/mod.ts";
import { type Engine, type KeyBounds, type Pair, PairArena, unpackPairs } from "../../src/engine/mod.ts";

export type Shape = "record" | "index" | "text" | "tiny" | "zeros";

/** Pairs with keys of the given shape; keys may repeat in small shapes. */
export function randomPairs(shape: Shape, count: number, seed: number): Pair[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({ key: randomKey(shape, random), value: randomValue(random, i) }));
}

function int(random: Random, n: number): number {
  return Math.floor(random.next() * n);
}

function randomValue(random: Random, i: number): Uint8Array {
  const length = i % 97 === 0 ? 200 + int(random, 400) : int(random, 40);
  return Uint8Array.from({ length }, () => int(random, 256));
}

const tableKey = (kind: string) =>
  concatBytes(
    new TextEncoder().encode("t"),
    new Uint8Array([128, 0, 0, 0, 0, 0, 0, 77]),
    new TextEncoder().encode(kind),
  );

function randomKey(shape: Shape, random: Random): Uint8Array {
  const bytes = (n: number, below = 256) => Uint8Array.from({ length: n }, () => int(random, below));
  switch (shape) {
    case "record":
      return concatBytes(tableKey("_r"), new Uint8Array([128, 0, 0, 0]), bytes(4));
    case "index":
      return concatBytes(
        tableKey("_i"),
        new Uint8Array([128, 0, 0, 0, 0, 0, 0, 1 + int(random, 3), 3, 128, 0, 0, 0, 0, 0]),
        bytes(2, 40),
        new Uint8Array([3, 128, 0, 0, 0, 0]),
        bytes(3),
      );
    case "text":
      return concatBytes(
        tableKey("_i"),
        new TextEncoder().encode(`Customer#00000${int(random, 10)}`),
        bytes(int(random, 30), 3),
      );
    case "tiny":
      return bytes(int(random, 4), 4);
    case "zeros":
      return concatBytes(bytes(1, 2), new Uint8Array(int(random, 40)), bytes(1, 2));
  }
}

export function byKey(a: Pair, b: Pair): number {
  return compareBytes(a.key, b.key);
}

/** The oracle: sorted, of equal keys the first only. */
export function sortedUnique(pairs: readonly Pair[]): Pair[] {
  return pairs.toSorted(byKey).filter((pair, i, all) => i === 0 || byKey(all[i - 1]!, pair) !== 0);
}

export function textOf({ key, value }: Pair): string {
  return `${toHex(key)}=${toHex(value)}`;
}

export function fill(arena: PairArena, pairs: Iterable<Pair>): PairArena {
  for (const { key, value } of pairs) arena.put(key, key.length, value, value.length);
  return arena;
}

/** Writes the pairs as runs of about `arenaBytes`; returns how many. */
export async function writePairs(
  engine: Engine,
  pairs: readonly Pair[],
  arenaBytes: number,
  firstRunId = 0,
): Promise<number> {
  const arena = new PairArena({ capacityBytes: arenaBytes });
  let runId = firstRunId;
  for (const pair of pairs) {
    fill(arena, [pair]);
    if (!arena.full) continue;
    await engine.writeRun(arena, { runId: runId++ });
    arena.clear();
  }
  if (arena.count > 0) await engine.writeRun(arena, { runId: runId++ });
  return runId - firstRunId;
}

export async function readAll(
  engine: Engine,
  bounds: KeyBounds = {},
  options: Parameters<Engine["reader"]>[1] = {},
): Promise<Pair[]> {
  const out: Pair[] = [];
  for await (const batch of engine.reader(bounds, options)) {
    const pairs = [...unpackPairs(batch.packed)];
    if (pairs.length !== batch.pairs) throw new Error(`a batch says ${batch.pairs} pairs and has ${pairs.length}`);
    const bytes = pairs.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (bytes !== batch.bytes) throw new Error(`a batch says ${batch.bytes} bytes and has ${bytes}`);
    if (
      toHex(batch.firstKey) !== toHex(pairs[0]!.key) ||
      toHex(batch.lastKey) !== toHex(pairs[pairs.length - 1]!.key)
    ) {
      throw new Error("a batch's first and last key are those of its pairs");
    }
    out.push(...pairs);
  }
  return out;
}
